//! Python's view of JSON values: what is equal, what is less, what is in what.
//!
//! Criteria were written for an engine in Python, so its rules decide: `true` is 1, 1 is 1.0, nothing else is converted.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// A number as Python compares it. Booleans are numbers.
#[derive(Clone, Copy, Debug)]
pub enum Numeric {
    /// An integer; JSON has those from -2^63 to 2^64.
    Int(i128),
    /// Any other number.
    Float(f64),
}

impl Numeric {
    /// The number that `value` is, if it is one.
    pub fn of(value: &Value) -> Option<Numeric> {
        match value {
            Value::Bool(flag) => Some(Numeric::Int(i128::from(*flag))),
            Value::Number(number) => Some(Numeric::from_number(number)),
            _ => None,
        }
    }

    fn from_number(number: &Number) -> Numeric {
        match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Numeric::Int(i128::from(int)),
            (None, Some(int)) => Numeric::Int(i128::from(int)),
            (None, None) => Numeric::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// The nearest float.
    #[expect(clippy::cast_precision_loss, reason = "float() of a large integer rounds in Python too")]
    pub fn as_f64(self) -> f64 {
        match self {
            Numeric::Int(int) => int as f64,
            Numeric::Float(float) => float,
        }
    }

    /// The integer that this is equal to: `3.0` is 3.
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    pub fn as_int(self) -> Option<i128> {
        match self {
            Numeric::Int(int) => Some(int),
            Numeric::Float(float) if float.fract() == 0.0 && float.abs() < 1e30 => Some(float as i128),
            Numeric::Float(_) => None,
        }
    }

    /// Exact also between integers and floats.
    pub fn compare(self, other: Numeric) -> Option<Ordering> {
        match (self, other) {
            (Numeric::Int(a), Numeric::Int(b)) => Some(a.cmp(&b)),
            (Numeric::Float(a), Numeric::Float(b)) => a.partial_cmp(&b),
            (Numeric::Int(a), Numeric::Float(b)) => compare_int_with_float(a, b),
            (Numeric::Float(a), Numeric::Int(b)) => compare_int_with_float(b, a).map(Ordering::reverse),
        }
    }
}

/// The integers are below 2^65 in size, so a float beyond 1e30 is beyond them all.
#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
fn compare_int_with_float(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float.abs() >= 1e30 {
        return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = float.trunc() as i128;
    Some(int.cmp(&whole).then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
}

/// `a == b`
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Null, Value::Null) => true,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => match (Numeric::of(a), Numeric::of(b)) {
            (Some(a), Some(b)) => a.compare(b) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

/// The order of two values; `None` where Python has none and raises.
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Array(a), Value::Array(b)) => match a.iter().zip(b).find(|(a, b)| !equal(a, b)) {
            Some((a, b)) => order(a, b),
            None => Some(a.len().cmp(&b.len())),
        },
        _ => Numeric::of(a)?.compare(Numeric::of(b)?),
    }
}

/// Why a value is not in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// The container is no text, list or object.
    NoContainer,
    /// Only a text can be in a text.
    NotText,
    /// A list or an object can't be a key.
    NoKey,
}

/// `item in container`
pub fn contains(container: &Value, item: &Value) -> Result<bool, Membership> {
    match (container, item) {
        (Value::String(text), Value::String(part)) => {
            Ok(memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some())
        }
        (Value::String(_), _) => Err(Membership::NotText),
        (Value::Array(items), _) => Ok(items.iter().any(|candidate| equal(candidate, item))),
        (Value::Object(_), Value::Array(_) | Value::Object(_)) => Err(Membership::NoKey),
        (Value::Object(fields), Value::String(key)) => Ok(fields.contains_key(key)),
        (Value::Object(_), _) => Ok(false),
        _ => Err(Membership::NoContainer),
    }
}

/// `bool(value)`
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// What kind of value it is, in words for people.
pub const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null or missing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn integers_and_floats_compare_exactly() {
        let order = |a: Value, b: Value| order(&a, &b);
        assert_eq!(order(json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0)), Some(Ordering::Greater));
        assert_eq!(order(json!(-2), json!(-2.5)), Some(Ordering::Greater));
        assert_eq!(order(json!(1e300), json!(u64::MAX)), Some(Ordering::Greater));
        assert_eq!(order(json!(true), json!(1.0)), Some(Ordering::Equal));
        assert_eq!(order(json!([1, "a"]), json!([1, 2])), None);
        assert_eq!(order(json!([1, [2]]), json!([1, [2], 0])), Some(Ordering::Less));
        assert_eq!(order(json!({}), json!({})), None);
    }
}

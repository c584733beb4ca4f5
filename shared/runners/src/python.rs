//! `str()`: how StackStorm, which is written in Python, makes a word of a parameter that is not a text.

use serde_json::{Number, Value};
use std::fmt::{self, Write};

/// `str(value)`: a text as it is, all else as Python prints it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => Repr(other).to_string(),
    }
}

/// `repr(value)`. JSON parameters are at most as deep as the parser allows, so the recursion is bounded.
struct Repr<'a>(&'a Value);

impl fmt::Display for Repr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("None"),
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Number(number) => write_number(f, number),
            Value::String(text) => write_quoted(f, text),
            Value::Array(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { ", " }, Repr(item))?;
                }
                f.write_char(']')
            }
            Value::Object(object) => {
                f.write_char('{')?;
                for (index, (key, value)) in object.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    write_quoted(f, key)?;
                    write!(f, ": {}", Repr(value))?;
                }
                f.write_char('}')
            }
        }
    }
}

/// Rust and Python agree on where the exponent begins, not on how it looks.
fn write_number(f: &mut fmt::Formatter<'_>, number: &Number) -> fmt::Result {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return write!(f, "{number}") };
    let plain = format!("{float:?}");
    match plain.split_once('e') {
        None => f.write_str(&plain),
        Some((mantissa, exponent)) => {
            let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            write!(f, "{mantissa}e{sign}{digits:0>2}")
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\\' => f.write_str("\\\\")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}

#[cfg(test)]
mod tests {
    use super::text;
    use serde_json::{Value, json};

    #[test]
    fn values_are_written_as_python_writes_them() {
        let cases = [
            (json!("plain"), "plain"),
            (json!(0), "0"),
            (json!(1.0), "1.0"),
            (json!(1e16), "1e+16"),
            (json!(1.5e-7), "1.5e-07"),
            (json!(0.0001), "0.0001"),
            (json!(true), "True"),
            (json!(["it's", "a \"b\"", null]), "[\"it's\", 'a \"b\"', None]"),
            (json!({"a": {"b": [1, 2.5]}, "c": "x\ny"}), "{'a': {'b': [1, 2.5]}, 'c': 'x\\ny'}"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(&value), expected, "{value}");
        }
        assert_eq!(text(&Value::Null), "None");
    }
}

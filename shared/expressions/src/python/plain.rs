//! `str` of JSON values.

use serde_json::Value;
use std::fmt::{self, Write};

use super::{float_text, write_quoted};

/// `str(value)`: a text as it is, all else as Python prints it.
pub fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => Repr(other).to_string(),
    }
}

/// `repr(value)`. JSON values are at most as deep as the parser allows, so the recursion is bounded.
struct Repr<'a>(&'a Value);

impl fmt::Display for Repr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("None"),
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Number(number) if number.is_f64() => f.write_str(&float_text(number.as_f64().unwrap_or(f64::NAN))),
            Value::Number(number) => write!(f, "{number}"),
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

#[cfg(test)]
mod tests {
    use super::plain_text;
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
            assert_eq!(plain_text(&value), expected, "{value}");
        }
        assert_eq!(plain_text(&Value::Null), "None");
    }
}

//! One text, cast as a schema wants it.

use model::ParameterType;
use serde_json::{Map, Number, Value};

/// Casts a text. The error says what is wrong with it, and goes on a sentence about the parameter.
pub(crate) fn cast(text: &str, schema: &Value, auto_dict: bool) -> Result<Value, String> {
    let kind = schema.get("type").and_then(Value::as_str).and_then(ParameterType::named);
    match kind.unwrap_or(ParameterType::String) {
        ParameterType::String => Ok(Value::from(text)),
        ParameterType::Integer => integer(text).ok_or_else(|| wrong(text, "an integer")),
        ParameterType::Number => number(text).ok_or_else(|| wrong(text, "a number")),
        ParameterType::Boolean => boolean(text).ok_or_else(|| wrong(text, "true or false")),
        ParameterType::Object => object(text, schema, auto_dict),
        ParameterType::Array => array(text, schema, auto_dict),
        ParameterType::Null => Ok(Value::Null),
    }
}

fn wrong(text: &str, wanted: &str) -> String {
    format!("must be {wanted}, and \"{text}\" is not")
}

fn integer(text: &str) -> Option<Value> {
    let text = text.trim();
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

fn number(text: &str) -> Option<Value> {
    text.trim().parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
}

fn boolean(text: &str) -> Option<Value> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(Value::Bool(true)),
        "false" | "no" | "off" | "0" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// JSON, or `k1=v1,k2=v2`.
fn object(text: &str, schema: &Value, auto_dict: bool) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("is no valid JSON: {error}"));
    }
    pairs(text, '=', schema, auto_dict)
}

fn pairs(text: &str, separator: char, schema: &Value, auto_dict: bool) -> Result<Value, String> {
    let mut fields = Map::new();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once(separator) else {
            return Err(format!("must be an object: JSON, or k1{separator}v1,k2{separator}v2; \"{pair}\" is neither"));
        };
        let property =
            schema.get("properties").and_then(|properties| properties.get(name.trim())).unwrap_or(&Value::Null);
        let value =
            cast(value, property, auto_dict).map_err(|problem| format!("has \"{}\", which {problem}", name.trim()))?;
        fields.insert(name.trim().to_owned(), value);
    }
    Ok(Value::Object(fields))
}

/// JSON, or `a,b,c`, or with `--auto-dict` the fields of one object.
fn array(text: &str, schema: &Value, auto_dict: bool) -> Result<Value, String> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|error| format!("is no valid JSON: {error}"));
    }
    let items = schema.get("items").unwrap_or(&Value::Null);
    let parts: Vec<_> = text.split(',').filter(|part| !part.is_empty()).collect();
    if auto_dict && !parts.is_empty() && parts.iter().all(|part| part.contains(':')) {
        return pairs(text, ':', items, auto_dict).map(|object| Value::Array(vec![object]));
    }
    if items.get("type").is_none() {
        // As in st2 a whole number alone is a number, and what stands between commas is text.
        return Ok(match integer(text) {
            Some(one) => Value::Array(vec![one]),
            None => Value::from(parts),
        });
    }
    let cast_item = |part: &&str| cast(part, items, auto_dict).map_err(|problem| format!("has an item that {problem}"));
    parts.iter().map(cast_item).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

//! Orquesta's own functions that don't tell of a workflow.

use serde_json::Value;

/// What Orquesta's function `zip` gives: the first items of all lists, the second ones, and so on, filled up with `pad`.
pub(crate) fn zip(lists: &[Value], pad: &Value) -> Result<Value, String> {
    if let [only] = lists {
        return Ok(if only.is_null() { Value::Array(Vec::new()) } else { only.clone() });
    }
    let lists = lists.iter().map(list_of).collect::<Result<Vec<_>, _>>()?;
    let longest = lists.iter().map(Vec::len).max().unwrap_or_default();
    let row = |index| Value::Array(lists.iter().map(|list| list.get(index).unwrap_or(pad).clone()).collect());
    Ok(Value::Array((0..longest).map(row).collect()))
}

fn list_of(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => Ok(items.clone()),
        Value::String(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        Value::Object(entries) => Ok(entries.keys().map(|key| Value::from(key.as_str())).collect()),
        _ => Err("takes lists only".to_owned()),
    }
}

/// What Orquesta's function `json` gives: the value of a JSON text; an object as it is.
pub(crate) fn json(value: &Value) -> Result<Value, String> {
    match value {
        Value::Object(_) => Ok(value.clone()),
        Value::String(text) => serde_json::from_str(text)
            .map_err(|e| format!("the text isn't JSON at its line {}, column {}", e.line(), e.column())),
        _ => Err("takes a text".to_owned()),
    }
}

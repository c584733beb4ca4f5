//! The arguments of a script: StackStorm's rules, but as the words themselves. No shell reads them, so there is nothing to quote.

use expressions::python;
use model::{Action, Parameter, ParameterType};
use serde_json::{Map, Value};

/// Named parameters first, in the order given, as `<kwarg_op><name>=<value>`; then the positional ones by `position`.
pub(crate) fn of_script(action: &Action, given: &Map<String, Value>, kwarg_op: &str) -> Result<Vec<String>, String> {
    let position = |name: &str| action.parameters.get(name).and_then(|parameter| parameter.position);
    let named = given
        .iter()
        .filter(|(name, _)| position(name).is_none())
        .filter_map(|(name, value)| Some((name, named(name, value, kwarg_op)?)));
    let mut by_position: Vec<_> =
        action.parameters.iter().filter_map(|(name, parameter)| Some((parameter.position?, name, parameter))).collect();
    by_position.sort_by_key(|(position, ..)| *position);
    let positional = by_position.into_iter().map(|(_, name, parameter)| (name, positional(parameter, given.get(name))));
    named.chain(positional).map(|(name, word)| without_nul(name, word)).collect()
}

fn without_nul(name: &str, word: String) -> Result<String, String> {
    if word.contains('\0') {
        return Err(format!("parameter \"{name}\" has a NUL character, which can't be passed to a process"));
    }
    Ok(word)
}

/// Nothing for what is empty, false or null; a bare flag for true.
fn named(name: &str, value: &Value, kwarg_op: &str) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Bool(true) => Some(format!("{kwarg_op}{name}")),
        other => Some(format!("{kwarg_op}{name}={}", python::plain_text(other))),
    }
}

/// Every position has its word, so that those after it keep their place: an empty one for what is missing.
fn positional(parameter: &Parameter, value: Option<&Value>) -> String {
    match (parameter.kind, value) {
        (_, None | Some(Value::Null)) | (ParameterType::Null, _) => String::new(),
        (ParameterType::Boolean, Some(value)) => if is_true(value) { "1" } else { "0" }.to_owned(),
        (ParameterType::Array, Some(Value::Array(items))) => {
            items.iter().map(python::plain_text).collect::<Vec<_>>().join(",")
        }
        (ParameterType::Object, Some(Value::Object(object))) if object.is_empty() => String::new(),
        (ParameterType::Object, Some(value)) => value.to_string(),
        (_, Some(value)) => python::plain_text(value),
    }
}

/// As Python sees it.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

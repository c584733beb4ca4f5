//! The casts of rendered parameters to their declared types.

use std::fmt;

use serde_json::{Number, Value};

use crate::python::{literal_eval, parse_float, parse_int};

/// The text that stands for `None` while a template renders to text; see the filter `use_none`.
pub const NONE_MARKER: &str = "%*****__%NONE%__*****%";

/// A value that doesn't suit a parameter's type. It names types, never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CastError {
    /// The declared type.
    pub type_name: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for CastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CastError {}

/// Turns a rendered value into one of type `type_name`, as StackStorm does it.
///
/// `array` and `object` read a text as JSON, else as a Python literal; `boolean` as a Python literal with a capital letter; `integer` and
/// `number` as Python's `int` and `float`; `string` takes texts and null only. Whether the outcome really is of the type is for the
/// schema to say, and a type without a cast leaves the value as it is.
pub fn cast(value: Value, type_name: &str) -> Result<Value, CastError> {
    let value = match value {
        Value::String(text) if text == NONE_MARKER => Value::Null,
        value => value,
    };
    let cast = match type_name {
        "array" | "object" => structured(value),
        "boolean" => boolean(value),
        "integer" => integer(&value),
        "number" => number(&value),
        "string" => string(value),
        _ => Ok(value),
    };
    cast.map_err(|message| CastError { type_name: type_name.to_owned(), message })
}

fn structured(value: Value) -> Result<Value, String> {
    let Value::String(text) = value else { return Ok(value) };
    match serde_json::from_str(&text) {
        Ok(value) => Ok(value),
        Err(_) => literal_eval(&text).map_err(|_| "the text is neither JSON nor a Python literal".to_owned()),
    }
}

fn boolean(value: Value) -> Result<Value, String> {
    let Value::String(text) = value else { return Ok(value) };
    literal_eval(&capitalize(&text)).map_err(|_| "the text is neither true nor false".to_owned())
}

fn integer(value: &Value) -> Result<Value, String> {
    match value {
        Value::Bool(value) => Ok(Value::from(i64::from(*value))),
        Value::Number(number) => Ok(Value::Number(whole(number))),
        Value::String(text) => parse_int(text).map(Value::Number).ok_or_else(|| "the text isn't an integer".to_owned()),
        other => Err(format!("{} isn't an integer", type_of(other))),
    }
}

fn number(value: &Value) -> Result<Value, String> {
    let float = match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => parse_float(text),
        other => return Err(format!("{} isn't a number", type_of(other))),
    };
    match float.and_then(Number::from_f64) {
        Some(number) => Ok(Value::Number(number)),
        None => Err("the text isn't a number".to_owned()),
    }
}

fn string(value: Value) -> Result<Value, String> {
    match value {
        Value::String(_) | Value::Null => Ok(value),
        other => Err(format!("{} isn't a string", type_of(&other))),
    }
}

/// The number without its fraction.
fn whole(number: &Number) -> Number {
    match number.as_f64() {
        Some(float) if number.is_f64() => parse_int(&format!("{:.0}", float.trunc())).unwrap_or_else(|| number.clone()),
        _ => number.clone(),
    }
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

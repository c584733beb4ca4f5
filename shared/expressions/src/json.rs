//! JSON values in templates: a lazy view of what is given, and the way back.

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
use serde_json::{Map, Number, Value as Json};

use crate::call::Host;
use crate::datastore::KeyLookup;
use crate::error::{Limit, bad_value, over};
use crate::part::Part;
use crate::python::float_text;

/// An array or object within a payload, as a template value.
#[derive(Debug)]
pub(crate) struct Node(Part);

impl Node {
    pub(crate) fn json(&self) -> &Json {
        self.0.get()
    }
}

impl Object for Node {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.json() {
            Json::Array(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match self.json() {
            Json::Array(_) => self.0.item(key.as_usize()?).map(part_value),
            _ => self.get_value_by_str(key.as_str()?),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.json().get(key)? {
            Json::Array(_) | Json::Object(_) => self.0.key(key).map(part_value),
            scalar => scalar_value(scalar),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.json() {
            Json::Array(items) => Enumerator::Seq(items.len()),
            Json::Object(entries) => Enumerator::Values(entries.keys().map(Value::from).collect()),
            _ => Enumerator::Empty,
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        match self.json() {
            Json::Array(items) => Some(items.len()),
            Json::Object(entries) => Some(entries.len()),
            _ => Some(0),
        }
    }
}

/// The value of a number, text, boolean or null; nothing for containers.
fn scalar_value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => number_value(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(_) | Json::Object(_) => return None,
    })
}

fn number_value(number: &Number) -> Value {
    if let Some(value) = number.as_i64() {
        Value::from(value)
    } else if let Some(value) = number.as_u64() {
        Value::from(value)
    } else {
        Value::from(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// A template value over `json`.
pub(crate) fn to_value(json: &Arc<Json>) -> Value {
    scalar_value(json).unwrap_or_else(|| Value::from_object(Node(Part::from(Arc::clone(json)))))
}

/// A template value over a part of a payload.
pub(crate) fn part_value(part: Part) -> Value {
    scalar_value(part.get()).unwrap_or_else(|| Value::from_object(Node(part)))
}

/// JSON of what a template computed, within the bounds of depth and fuel.
pub(crate) fn from_value(host: &Host<'_>, value: &Value) -> Result<Json, Error> {
    convert(host, value, 0)
}

fn convert(host: &Host<'_>, value: &Value, level: usize) -> Result<Json, Error> {
    if level > host.limits.depth {
        return Err(over(Limit::Depth));
    }
    if let Some(node) = value.downcast_object_ref::<Node>() {
        charge_whole(host, node.json(), level)?;
        return Ok(node.json().clone());
    }
    if let Some(lookup) = value.downcast_object_ref::<KeyLookup>() {
        return Ok(Json::String(lookup.text()));
    }
    if let Some(text) = value.as_str() {
        host.charge(text.len())?;
        return Ok(Json::String(text.to_owned()));
    }
    host.charge(1)?;
    match value.kind() {
        ValueKind::None => Ok(Json::Null),
        ValueKind::Bool => Ok(Json::Bool(value.is_true())),
        ValueKind::Number => number_json(value),
        ValueKind::Map => convert_map(host, value, level),
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter()?.checked() {
                items.push(convert(host, &item?, level + 1)?);
            }
            Ok(Json::Array(items))
        }
        ValueKind::Undefined => Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        kind => Err(bad_value(format!("a value of type {kind} has no JSON"))),
    }
}

fn convert_map(host: &Host<'_>, value: &Value, level: usize) -> Result<Json, Error> {
    let mut entries = Map::new();
    for key in value.try_iter()?.checked() {
        let key = key?;
        let held = value.get_item(&key)?;
        entries.insert(key_text(&key)?, convert(host, &held, level + 1)?);
    }
    Ok(Json::Object(entries))
}

/// The text that JSON has for a key.
fn key_text(key: &Value) -> Result<String, Error> {
    match (key.as_str(), key.kind()) {
        (Some(text), _) => Ok(text.to_owned()),
        (_, ValueKind::None) => Ok("null".to_owned()),
        (_, ValueKind::Bool) => Ok(key.is_true().to_string()),
        (_, ValueKind::Number) if key.is_integer() => Ok(key.to_string()),
        (_, ValueKind::Number) => Ok(float_text(f64::try_from(key.clone())?)),
        _ => Err(bad_value("the keys of a JSON object are texts")),
    }
}

fn number_json(value: &Value) -> Result<Json, Error> {
    if let Some(number) = value.as_i64().filter(|_| value.is_integer()) {
        return Ok(Json::from(number));
    }
    if let Ok(number) = u64::try_from(value.clone())
        && value.is_integer()
    {
        return Ok(Json::from(number));
    }
    let float = f64::try_from(value.clone()).ok().or_else(|| value.to_string().parse().ok());
    match float.and_then(Number::from_f64) {
        Some(number) => Ok(Json::Number(number)),
        None => Err(bad_value("infinities and NaN have no JSON")),
    }
}

/// Pays for a part of the context before it is copied.
pub(crate) fn charge_whole(host: &Host<'_>, json: &Json, level: usize) -> Result<(), Error> {
    if level > host.limits.depth {
        return Err(over(Limit::Depth));
    }
    match json {
        Json::String(text) => host.charge(text.len()),
        Json::Array(items) => {
            host.charge(items.len())?;
            items.iter().try_for_each(|item| charge_whole(host, item, level + 1))
        }
        Json::Object(entries) => {
            host.charge(entries.len())?;
            entries.iter().try_for_each(|(key, item)| {
                host.charge(key.len())?;
                charge_whole(host, item, level + 1)
            })
        }
        _ => Ok(()),
    }
}

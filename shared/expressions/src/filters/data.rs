//! The filters that read and write data: JSON, YAML, JSONPath, secrets, `None`.

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::Value;
use serde_json::Value as Json;

use crate::call::{Bound, Host};
use crate::casts::NONE_MARKER;
use crate::datastore::{KeyLookup, KeyValues, Scopes};
use crate::error::{ErrorKind, Limit, bad_value, fault, fault_with_hint, over};
use crate::json::{self, Node};
use crate::jsonpath::{JsonPath, JsonPathError};
use crate::python::Dumps;

/// The deepest indentation that is written.
const WIDEST_INDENT: i64 = 64;

/// A text that was made of data, paid for.
pub(super) fn made(host: &Host<'_>, text: String) -> Result<Value, Error> {
    if text.len() > host.limits.output_bytes {
        return Err(over(Limit::OutputSize));
    }
    Ok(Value::from(text))
}

pub(super) fn indent_option(call: &Bound, index: usize) -> Result<Option<usize>, Error> {
    let Some(indent) = call.opt_int(index)? else { return Ok(None) };
    usize::try_from(indent.max(0))
        .ok()
        .filter(|_| indent <= WIDEST_INDENT)
        .map(Some)
        .ok_or_else(|| bad_value("`indent` is too large"))
}

pub(super) fn decrypt_kv(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    let keys: Option<Arc<dyn KeyValues>> = match value.downcast_object_ref::<KeyLookup>() {
        Some(lookup) => Some(Arc::clone(lookup.keys())),
        None => host
            .lookup("st2kv")
            .and_then(|root| root.downcast_object_ref::<Scopes>().map(|scopes| Arc::clone(&scopes.0))),
    };
    let keys = keys.ok_or_else(|| {
        fault_with_hint(
            ErrorKind::Datastore,
            "there is no datastore to decrypt with here",
            "use `st2kv.system.… | decrypt_kv`",
        )
    })?;
    keys.decrypt(&call.str(0)?)
        .map(Value::from)
        .map_err(|message| fault(ErrorKind::Datastore, format!("`decrypt_kv`: {message}")))
}

pub(super) fn from_json_string(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    host.charge(text.len().saturating_mul(4))?;
    let parsed: Json = serde_json::from_str(&text).map_err(|error| {
        bad_value(format!(
            "`from_json_string`: the text isn't JSON at its line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    Ok(json::to_value(&Arc::new(parsed)))
}

pub(super) fn from_yaml_string(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    host.charge(text.len().saturating_mul(16))?;
    let options = yaml::ReadOptions { last_key_wins: true, ..yaml::ReadOptions::default() };
    let parsed = yaml::read_with(&text, &options).map_err(|error| {
        bad_value(format!(
            "`from_yaml_string`: the text isn't YAML at its line {}, column {}",
            error.position.line, error.position.column
        ))
    })?;
    Ok(json::to_value(&Arc::new(parsed.to_json())))
}

pub(super) fn to_complex(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    made(host, Dumps::default().write(&host.json(&call.value(0))?))
}

pub(super) fn json_escape(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let dumped = Dumps::default().write(&host.json(&call.value(0))?);
    made(host, dumped.trim_matches('"').to_owned())
}

pub(super) fn to_json_string(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let mut dumps = Dumps {
        indent: indent_option(call, 1)?,
        sort_keys: call.flag(2),
        item_separator: ",".to_owned(),
        key_separator: ": ".to_owned(),
    };
    if let Some(separators) = call.given(3).filter(|separators| !separators.is_none()) {
        let parts = separators.try_iter()?.map(|part| part.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        let Some([item, key]) = parts.as_deref() else {
            return Err(bad_value("`separators` of `to_json_string` must be two texts"));
        };
        (dumps.item_separator, dumps.key_separator) = (item.clone(), key.clone());
    } else if call.given(3).is_some() {
        dumps.item_separator = if dumps.indent.is_some() { ",".to_owned() } else { ", ".to_owned() };
    }
    made(host, dumps.write(&host.json(&call.value(0))?))
}

pub(super) fn to_yaml_string(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = host.json(&call.value(0))?;
    made(host, yaml::to_string(&value))
}

pub(super) fn jsonpath_query(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let failed = |error: JsonPathError| match error {
        JsonPathError::TooManyVisits => over(Limit::Fuel),
        JsonPathError::TooDeep | JsonPathError::TooLong => over(Limit::Depth),
        other => bad_value(format!("`jsonpath_query`: {other}")),
    };
    let path = JsonPath::parse(&call.str(1)?).map_err(failed)?;
    let value = call.value(0);
    let converted;
    let whole = match value.downcast_object_ref::<Node>() {
        Some(node) => node.json(),
        None => {
            converted = host.json(&value)?;
            &converted
        }
    };
    let mut matches = Vec::new();
    for found in path.find(whole).map_err(failed)? {
        json::charge_whole(host, &found, 0)?;
        matches.push(found.into_owned());
    }
    if matches.is_empty() { Ok(Value::from(())) } else { Ok(json::to_value(&Arc::new(Json::Array(matches)))) }
}

pub(super) fn use_none(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    Ok(if value.is_none() { Value::from(NONE_MARKER) } else { value })
}

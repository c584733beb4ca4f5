//! Jinja2's filters around markup and addresses.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::call::{Bound, Host};
use crate::error::bad_value;

/// The text with what is special in markup replaced.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn escape(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    let text = host.text(&value)?;
    Ok(Value::from_safe_string(if value.is_safe() { text } else { escaped(&text) }))
}

pub(super) fn forceescape(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    Ok(Value::from_safe_string(escaped(&host.text(&call.value(0))?)))
}

pub(super) fn striptags(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    Ok(Value::from(minijinja_contrib::filters::striptags(text)))
}

pub(super) fn xmlattr(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let attributes = call.value(0);
    if attributes.kind() != ValueKind::Map {
        return Err(bad_value("`xmlattr` takes a dict"));
    }
    let mut parts = Vec::new();
    for key in attributes.try_iter()?.checked() {
        let key = key?;
        let value = attributes.get_item(&key)?;
        let name = host.text(&key)?;
        if name.contains([' ', '\t', '\n', '/', '>', '=']) {
            return Err(bad_value("`xmlattr`: a key has a character that no attribute's name may have"));
        }
        if !value.is_none() && !value.is_undefined() {
            parts.push(format!("{}=\"{}\"", escaped(&name), escaped(&host.text(&value)?)));
        }
    }
    let joined = parts.join(" ");
    let space = call.given(1).is_none_or(Value::is_true) && !joined.is_empty();
    Ok(Value::from(if space { format!(" {joined}") } else { joined }))
}

/// Percent-encodes all but letters, digits, `_.-~` and `/` where that is safe.
fn quoted(text: &str, in_query: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b'/' if !in_query => out.push('/'),
            b' ' if in_query => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

pub(super) fn urlencode(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    if !matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) {
        return Ok(Value::from(quoted(&host.text(&value)?, false)));
    }
    let mut pairs = Vec::new();
    for item in value.try_iter()?.checked() {
        let item = item?;
        let (key, held) = match value.kind() {
            ValueKind::Map => (item.clone(), value.get_item(&item)?),
            _ if item.len() == Some(2) => (item.get_item_by_index(0)?, item.get_item_by_index(1)?),
            _ => return Err(bad_value("`urlencode` takes a text, a dict, or pairs")),
        };
        pairs.push(format!("{}={}", quoted(&host.text(&key)?, true), quoted(&host.text(&held)?, true)));
    }
    Ok(Value::from(pairs.join("&")))
}

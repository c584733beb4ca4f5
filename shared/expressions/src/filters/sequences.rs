//! Jinja2's filters around lists.

use minijinja::Error;
use minijinja::value::Value;

use crate::call::{Bound, Host};
use crate::error::{Limit, bad_value, over};

pub(super) fn join(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let separator = match call.given(1) {
        Some(separator) => host.text(separator)?,
        None => String::new(),
    };
    let attribute = call.opt_str(2)?;
    if call.value(0).is_none() {
        return Err(bad_value("`join` takes a list, but got none"));
    }
    let mut joined = String::new();
    for (index, item) in call.value(0).try_iter()?.checked().enumerate() {
        let mut item = item?;
        for step in attribute.iter().flat_map(|attribute| attribute.split('.')) {
            item = match step.parse::<usize>() {
                Ok(place) => item.get_item_by_index(place)?,
                Err(_) => item.get_attr(step)?,
            };
        }
        if index > 0 {
            joined.push_str(&separator);
        }
        let text = host.text(&item)?;
        host.charge(separator.len() + text.len())?;
        joined.push_str(&text);
        if joined.len() > host.limits.output_bytes {
            return Err(over(Limit::OutputSize));
        }
    }
    Ok(Value::from(joined))
}

pub(super) fn list(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    if value.is_none() {
        return Err(bad_value("`list` takes something to go through, but got none"));
    }
    let mut items = Vec::new();
    for item in value.try_iter()?.checked() {
        host.charge(16)?;
        items.push(item?);
    }
    Ok(Value::from(items))
}

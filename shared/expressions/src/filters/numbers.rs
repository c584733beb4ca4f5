//! Jinja2's filters around numbers.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};
use serde_json::Number;

use crate::call::{Bound, Host};
use crate::datastore::KeyLookup;
use crate::error::bad_value;
use crate::python::{float_text, parse_float, parse_int};

/// The text of a value that is one, or stands for one.
fn text_of(value: &Value) -> Option<String> {
    match value.downcast_object_ref::<KeyLookup>() {
        Some(lookup) => Some(lookup.text()),
        None => value.as_str().map(str::to_owned),
    }
}

fn float_of(value: &Value) -> Option<f64> {
    match (text_of(value), value.kind()) {
        (Some(text), _) => parse_float(&text),
        (_, ValueKind::Bool) => Some(f64::from(u8::from(value.is_true()))),
        (_, ValueKind::Number) => f64::try_from(value.clone()).ok(),
        _ => None,
    }
}

pub(super) fn float(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let fallback = || call.given(1).cloned().unwrap_or_else(|| Value::from(0.0));
    Ok(float_of(&call.value(0)).map_or_else(fallback, Value::from))
}

fn from_number(number: &Number) -> Option<Value> {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(value), _, _) => Some(Value::from(value)),
        (_, Some(value), _) => Some(Value::from(value)),
        (_, _, Some(value)) => truncated(value),
        _ => None,
    }
}

fn truncated(value: f64) -> Option<Value> {
    format!("{:.0}", value.trunc())
        .parse::<i128>()
        .ok()
        .map(|whole| i64::try_from(whole).map_or_else(|_| Value::from(whole), Value::from))
}

/// `int(text, base)`: signs, `_` and the prefix of the base are allowed.
fn in_base(text: &str, base: u32) -> Option<i64> {
    let trimmed = text.trim().to_ascii_lowercase();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(&trimmed)),
    };
    let prefix = match base {
        16 => "0x",
        8 => "0o",
        2 => "0b",
        _ => "",
    };
    let digits = digits.strip_prefix(prefix).unwrap_or(digits).replace('_', "");
    let magnitude = i64::from_str_radix(&digits, base).ok().filter(|_| !digits.starts_with(['-', '+']))?;
    Some(if negative { -magnitude } else { magnitude })
}

pub(super) fn int(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    let base = call.opt_int(2)?.unwrap_or(10);
    let base = u32::try_from(base)
        .ok()
        .filter(|base| (2..=36).contains(base))
        .ok_or_else(|| bad_value("`base` of `int` must be 2 to 36"))?;
    let whole = match text_of(&value) {
        Some(text) if base != 10 => in_base(&text, base).map(Value::from),
        Some(text) => parse_int(&text).as_ref().and_then(from_number),
        None if value.is_integer() => Some(value.clone()),
        None => None,
    };
    let whole = whole.or_else(|| float_of(&value).filter(|float| float.is_finite()).and_then(truncated));
    Ok(whole.unwrap_or_else(|| call.given(1).cloned().unwrap_or_else(|| Value::from(0))))
}

pub(super) fn round(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    let precision = call.opt_int(1)?.unwrap_or(0).clamp(-300, 300);
    let method = call.opt_str(2)?.unwrap_or_else(|| "common".to_owned());
    if !matches!(method.as_str(), "common" | "ceil" | "floor") {
        return Err(bad_value("`method` of `round` must be common, ceil or floor"));
    }
    let number = match value.kind() {
        ValueKind::Bool | ValueKind::Number => float_of(&value),
        _ => None,
    };
    let number = number.ok_or_else(|| bad_value("`round` takes a number"))?;
    let whole = value.kind() == ValueKind::Bool || value.is_integer();
    if method == "common" && whole && precision >= 0 {
        return Ok(if value.is_integer() { value } else { Value::from(i64::from(value.is_true())) });
    }
    let factor = 10f64.powi(i32::try_from(precision).unwrap_or_default());
    let rounded = match method.as_str() {
        "ceil" => (number * factor).ceil() / factor,
        "floor" => (number * factor).floor() / factor,
        _ => common(number, precision, factor),
    };
    match method.as_str() {
        "common" if whole => Ok(truncated(rounded).unwrap_or(value)),
        _ => Ok(Value::from(rounded)),
    }
}

pub(super) fn abs(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    match value.kind() {
        ValueKind::Bool => Ok(Value::from(i64::from(value.is_true()))),
        ValueKind::Number => minijinja::filters::abs(value),
        _ => Err(bad_value("`abs` takes a number")),
    }
}

/// Python's `round`: the nearest decimal of the exact value, halves to even.
fn common(number: f64, precision: i64, factor: f64) -> f64 {
    match usize::try_from(precision) {
        Ok(digits) => format!("{number:.digits$}").parse().unwrap_or(number),
        Err(_) => (number * factor).round_ties_even() / factor,
    }
}

pub(super) fn filesizeformat(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let bytes = float_of(&call.value(0)).ok_or_else(|| bad_value("`filesizeformat` takes a number"))?;
    let (base, units) = if call.flag(1) {
        (1024.0, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"])
    } else {
        (1000.0, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
    };
    if bytes == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::from(format!("{} Bytes", float_text(bytes.trunc()).trim_end_matches(".0"))));
    }
    let mut scaled = bytes / base;
    let mut unit = units.first();
    for next in units.iter().skip(1) {
        if scaled < base {
            break;
        }
        scaled /= base;
        unit = Some(next);
    }
    Ok(Value::from(format!("{scaled:.1} {}", unit.unwrap_or(&""))))
}

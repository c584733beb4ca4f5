//! The `version_…` filters: semantic versions, as Python's `semver` compares them.

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::Value;
use semver::Version;

use crate::call::{Bound, Host};
use crate::error::bad_value;

fn parse(text: &str) -> Result<Version, Error> {
    Version::parse(text).map_err(|_| bad_value("a version looks like `1.2.3` or `1.2.3-rc.1`"))
}

fn ordering(call: &Bound) -> Result<Ordering, Error> {
    Ok(parse(&call.str(0)?)?.cmp_precedence(&parse(&call.str(1)?)?))
}

pub(super) fn compare(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    Ok(Value::from(ordering(call)? as i8))
}

pub(super) fn more_than(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    Ok(Value::from(ordering(call)?.is_gt()))
}

pub(super) fn less_than(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    Ok(Value::from(ordering(call)?.is_lt()))
}

pub(super) fn equal(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    Ok(Value::from(ordering(call)?.is_eq()))
}

pub(super) fn matches(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    type Holds = fn(Ordering) -> bool;
    const OPERATORS: [(&str, Holds); 6] = [
        (">=", Ordering::is_ge),
        ("<=", Ordering::is_le),
        ("==", Ordering::is_eq),
        ("!=", Ordering::is_ne),
        (">", Ordering::is_gt),
        ("<", Ordering::is_lt),
    ];
    let version = parse(&call.str(0)?)?;
    let pattern = call.str(1)?;
    for (operator, holds) in OPERATORS {
        if let Some(other) = pattern.strip_prefix(operator) {
            return Ok(Value::from(holds(version.cmp_precedence(&parse(other)?))));
        }
    }
    Err(bad_value("`version_match` takes one of < > == <= >= != and a version"))
}

fn bumped(major: u64, minor: u64, patch: u64) -> Result<Value, Error> {
    Ok(Value::from(Version::new(major, minor, patch).to_string()))
}

pub(super) fn bump_major(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    bumped(parse(&call.str(0)?)?.major.saturating_add(1), 0, 0)
}

pub(super) fn bump_minor(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let version = parse(&call.str(0)?)?;
    bumped(version.major, version.minor.saturating_add(1), 0)
}

pub(super) fn bump_patch(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let version = parse(&call.str(0)?)?;
    bumped(version.major, version.minor, version.patch.saturating_add(1))
}

pub(super) fn strip_patch(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let version = parse(&call.str(0)?)?;
    Ok(Value::from(format!("{}.{}", version.major, version.minor)))
}

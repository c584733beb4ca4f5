//! `basename` and `dirname`, as in Python's `os.path`.

use minijinja::Error;
use minijinja::value::Value;

use crate::call::{Bound, Host};

pub(super) fn basename(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let path = call.str(0)?;
    Ok(Value::from(path.rsplit('/').next().unwrap_or_default()))
}

pub(super) fn dirname(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let path = call.str(0)?;
    let end = path.rfind('/').map_or(0, |at| at + 1);
    let head = path.get(..end).unwrap_or_default();
    let bare = head.trim_end_matches('/');
    Ok(Value::from(if bare.is_empty() { head } else { bare }))
}

//! Python's methods on texts, lists and dicts, as far as the engine doesn't have them.

mod containers;
mod format;
mod strings;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind as Engine, State};

pub(crate) use containers::DictView;
pub(crate) use strings::lines;

use crate::call::Host;
use crate::error::{ErrorKind, fault_with_hint};
use crate::limits::Limits;

/// Methods that change what they are called on. In a template that would change what the rest of it, and other templates, see.
const MUTATING: [&str; 12] = [
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
    "popitem",
    "fromkeys",
];

/// Calls a method that the value itself doesn't have.
pub(crate) fn call(
    state: &mut State<'_, '_>,
    limits: &Limits,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let ours = {
        let host = Host::new(state, limits);
        match value.kind() {
            ValueKind::String => strings::call(&host, value, method, args),
            ValueKind::Map => containers::call_dict(&host, value, method, args),
            ValueKind::Seq | ValueKind::Iterable => containers::call_list(&host, value, method, args),
            ValueKind::Number => containers::call_number(&host, value, method, args),
            _ => Ok(None),
        }?
    };
    if let Some(result) = ours {
        return Ok(result);
    }
    if MUTATING.contains(&method) && matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) {
        return Err(fault_with_hint(
            ErrorKind::Unsupported,
            format!("`{method}` would change a value, which templates can't do"),
            "make a new one: `list + [item]`, `dict(old, key=value)`, `| sort`, `| reverse`",
        ));
    }
    match minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args) {
        Err(error) if error.kind() == Engine::UnknownMethod && value.is_undefined() => {
            Err(Error::from(Engine::UndefinedError))
        }
        result => result,
    }
}

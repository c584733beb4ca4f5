//! How filters and methods get their arguments: bound by position or name to a signature, as in Python.

use std::cell::Cell;

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind, State, UndefinedBehavior};
use serde_json::Value as Json;

use crate::datastore::KeyLookup;
use crate::error::bad_value;
use crate::limits::Limits;
use crate::{json, python};

/// What a filter or method can ask for beside its arguments.
pub(crate) struct Host<'a> {
    engine: &'a dyn Engine,
    pub(crate) limits: &'a Limits,
    /// Bytes that don't make a step yet.
    owed: Cell<usize>,
}

/// Each value costs something, however small, or empty ones would be free.
const ITEM_BYTES: usize = 16;
const BYTES_PER_STEP: usize = 64;

impl<'a> Host<'a> {
    pub(crate) fn new(engine: &'a dyn Engine, limits: &'a Limits) -> Host<'a> {
        Host { engine, limits, owed: Cell::new(0) }
    }

    /// The value of a name in the template.
    pub(crate) fn lookup(&self, name: &str) -> Option<Value> {
        self.engine.lookup(name)
    }

    /// Pays for an item with `bytes` of data that is read or made.
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), Error> {
        let owed = self.owed.get().saturating_add(bytes).saturating_add(ITEM_BYTES);
        self.owed.set(owed % BYTES_PER_STEP);
        match u64::try_from(owed / BYTES_PER_STEP) {
            Ok(0) => Ok(()),
            steps => self.engine.consume(steps.unwrap_or(u64::MAX)),
        }
    }

    /// Python's `str` of a value.
    pub(crate) fn text(&self, value: &Value) -> Result<String, Error> {
        python::text(value, self.limits)
    }

    /// JSON of a value.
    pub(crate) fn json(&self, value: &Value) -> Result<Json, Error> {
        json::from_value(self, value)
    }
}

/// The engine's state, without its lifetimes.
pub(crate) trait Engine {
    fn consume(&self, steps: u64) -> Result<(), Error>;
    fn lookup(&self, name: &str) -> Option<Value>;
    fn refuses_undefined(&self) -> bool;
}

impl Engine for State<'_, '_> {
    fn consume(&self, steps: u64) -> Result<(), Error> {
        self.consume_fuel(steps)
    }

    fn lookup(&self, name: &str) -> Option<Value> {
        State::lookup(self, name)
    }

    fn refuses_undefined(&self) -> bool {
        self.undefined_behavior() == UndefinedBehavior::Strict
    }
}

/// The arguments of one call, in the order of the signature.
pub(crate) struct Bound {
    name: &'static str,
    signature: &'static str,
    values: Vec<Option<Value>>,
}

impl Bound {
    /// Binds `args` to a signature such as `value pattern ignorecase?`: names in order, `?` where one may be left out, `~` where it may be
    /// undefined.
    pub(crate) fn new(
        host: &Host<'_>,
        name: &'static str,
        signature: &'static str,
        args: &[Value],
    ) -> Result<Bound, Error> {
        let (positional, keywords) = split_keywords(args);
        let mut positional = positional.iter();
        let mut values = Vec::new();
        for parameter in signature.split_whitespace() {
            let plain = parameter.trim_end_matches(['?', '~']);
            let named = keywords.as_ref().and_then(|k| k.get::<Option<Value>>(plain).ok().flatten());
            let given = match (positional.next(), named) {
                (Some(_), Some(_)) => return Err(bad_value(format!("`{name}` has two values for `{plain}`"))),
                (Some(value), None) => Some(value.clone()),
                (None, named) => named,
            };
            if given.is_none() && !parameter.contains('?') {
                return Err(bad_value(format!("`{name}` needs `{plain}`")));
            }
            if given.as_ref().is_some_and(Value::is_undefined)
                && host.engine.refuses_undefined()
                && !parameter.contains('~')
            {
                return Err(Error::from(ErrorKind::UndefinedError));
            }
            values.push(given);
        }
        if positional.next().is_some() {
            return Err(bad_value(format!("`{name}` has too many arguments")));
        }
        if let Some(keywords) = keywords {
            keywords
                .assert_all_used()
                .map_err(|_| bad_value(format!("`{name}` has an argument that it doesn't know")))?;
        }
        Ok(Bound { name, signature, values })
    }

    /// The argument, where it was given.
    pub(crate) fn given(&self, index: usize) -> Option<&Value> {
        self.values.get(index)?.as_ref()
    }

    /// The argument, undefined where it wasn't given.
    pub(crate) fn value(&self, index: usize) -> Value {
        self.given(index).cloned().unwrap_or(Value::UNDEFINED)
    }

    /// An argument that must be a text.
    pub(crate) fn str(&self, index: usize) -> Result<String, Error> {
        let value = self.value(index);
        if let Some(lookup) = value.downcast_object_ref::<KeyLookup>() {
            return Ok(lookup.text());
        }
        value.as_str().map(str::to_owned).ok_or_else(|| self.mismatch(index, "a text"))
    }

    /// A text that may be left out or `none`.
    pub(crate) fn opt_str(&self, index: usize) -> Result<Option<String>, Error> {
        match self.given(index) {
            Some(value) if !value.is_none() && !value.is_undefined() => self.str(index).map(Some),
            _ => Ok(None),
        }
    }

    /// A whole number that may be left out or `none`.
    pub(crate) fn opt_int(&self, index: usize) -> Result<Option<i64>, Error> {
        match self.given(index) {
            Some(value) if !value.is_none() => match (value.kind(), value.as_i64()) {
                (ValueKind::Bool, _) => Ok(Some(i64::from(value.is_true()))),
                (_, Some(number)) if value.is_integer() => Ok(Some(number)),
                _ => Err(self.mismatch(index, "an integer")),
            },
            _ => Ok(None),
        }
    }

    /// A whole number.
    pub(crate) fn int(&self, index: usize) -> Result<i64, Error> {
        self.opt_int(index)?.ok_or_else(|| self.mismatch(index, "an integer"))
    }

    /// A truth value, false where it wasn't given.
    pub(crate) fn flag(&self, index: usize) -> bool {
        self.given(index).is_some_and(Value::is_true)
    }

    fn mismatch(&self, index: usize, wanted: &str) -> Error {
        let parameter = self.signature.split_whitespace().nth(index).unwrap_or_default().trim_end_matches(['?', '~']);
        bad_value(format!("`{parameter}` of `{}` must be {wanted}", self.name))
    }
}

/// The arguments by position, and those by name.
pub(crate) fn split_keywords(args: &[Value]) -> (&[Value], Option<Kwargs>) {
    match args.split_last() {
        Some((last, before)) if last.is_kwargs() => (before, Kwargs::try_from(last.clone()).ok()),
        _ => (args, None),
    }
}

//! Typed reading of a job's parameters. Messages name the parameter, never its value: it may be a secret.

use serde_json::{Map, Number, Value};
use std::time::Duration;

/// The parameters of a job. `null` is as good as absent.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Parameters<'a> {
    pub(crate) fn value(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, name: &str) -> Result<Option<&'a str>, String> {
        self.typed(name, "a string", Value::as_str)
    }

    pub(crate) fn flag(self, name: &str) -> Result<Option<bool>, String> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(crate) fn object(self, name: &str) -> Result<Option<&'a Map<String, Value>>, String> {
        self.typed(name, "an object", Value::as_object)
    }

    pub(crate) fn texts(self, name: &str) -> Result<Vec<&'a str>, String> {
        let texts = |value: &'a Value| value.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
        Ok(self.typed(name, "a list of strings", texts)?.unwrap_or_default())
    }

    /// A number of seconds above zero, as written and as a duration.
    pub(crate) fn seconds(self, name: &str) -> Result<Option<(&'a Number, Duration)>, String> {
        self.typed(name, "a number of seconds above 0", |value| {
            let Value::Number(number) = value else { return None };
            let duration = Duration::try_from_secs_f64(number.as_f64()?).ok()?;
            (!duration.is_zero()).then_some((number, duration))
        })
    }

    fn typed<T>(
        self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        self.value(name)
            .map(|value| read(value).ok_or_else(|| format!("parameter \"{name}\" must be {wanted}")))
            .transpose()
    }
}

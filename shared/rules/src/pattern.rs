//! Patterns: values as they are, or templates over the event.

use expressions::{Context, Jinja, KeyValues, Scope, jsonpath::Root};
use serde_json::Value;
use std::{
    borrow::Cow,
    cell::OnceCell,
    sync::{Arc, LazyLock},
};

use crate::event::Event;

/// Compiled templates are kept by their text, so one engine for all rules keeps each only once.
static ENGINE: LazyLock<Jinja> = LazyLock::new(Jinja::default);

/// What criteria are evaluated on: the payload, or one item of a list inside of `search`.
pub(crate) struct Subject<'a> {
    pub(crate) event: &'a Event,
    name: &'static str,
    value: &'a Value,
    shared: Option<&'a Arc<Value>>,
    context: OnceCell<Context>,
}

impl<'a> Subject<'a> {
    /// The payload, as `trigger`.
    pub(crate) fn payload(event: &'a Event) -> Subject<'a> {
        let payload = event.payload();
        Subject { event, name: "trigger", value: payload, shared: Some(payload), context: OnceCell::new() }
    }

    /// One item, as `item`; the payload can't be seen from there.
    pub(crate) const fn item(event: &'a Event, value: &'a Value) -> Subject<'a> {
        Subject { event, name: "item", value, shared: None, context: OnceCell::new() }
    }

    /// Where keys start.
    pub(crate) fn root(&self) -> Root<'_> {
        Root { name: self.name, value: self.value, key_values: &**self.event.key_values() }
    }

    fn context(&self) -> &Context {
        self.context.get_or_init(|| {
            let value = self.shared.map_or_else(|| Arc::new(self.value.clone()), Arc::clone);
            let keys: &Arc<dyn KeyValues> = self.event.key_values();
            Context::new().with(self.name, value).with_datastore(Arc::clone(keys)).with_system_keys(Arc::clone(keys))
        })
    }
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Literal(Value),
    Template(Box<str>),
}

impl Pattern {
    /// The error says what is wrong with the template.
    pub(crate) fn compile(pattern: &Value) -> Result<Pattern, String> {
        match pattern {
            Value::String(text) if expressions::is_template(text) => {
                ENGINE.validate(text).map_err(|error| error.to_string())?;
                Ok(Pattern::Template(text.as_str().into()))
            }
            Value::String(text) if !text.contains(['{', '\n', '\r']) => Ok(Pattern::Literal(pattern.clone())),
            // A text without a template is rendered all the same, which takes a line break at its end.
            Value::String(text) => {
                let text = ENGINE.render(text, &Context::new()).map_err(|error| error.to_string())?;
                Ok(Pattern::Literal(Value::String(text)))
            }
            other => Ok(Pattern::Literal(other.clone())),
        }
    }

    /// The pattern for this subject. What a template gives keeps its type.
    pub(crate) fn render(&self, subject: &Subject<'_>) -> Result<Cow<'_, Value>, String> {
        match self {
            Pattern::Literal(value) => Ok(Cow::Borrowed(value)),
            Pattern::Template(text) => {
                ENGINE.render_typed(text, subject.context()).map(Cow::Owned).map_err(|error| error.to_string())
            }
        }
    }

    /// The keys of the datastore that the template names.
    pub(crate) fn datastore_keys(&self) -> Vec<(Scope, String)> {
        match self {
            Pattern::Literal(_) => Vec::new(),
            Pattern::Template(text) => expressions::datastore_keys(text),
        }
    }
}

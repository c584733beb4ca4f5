//! `search`: criteria on the items of a list.

use expressions::python;
use serde_json::{Map, Value};
use std::borrow::Cow;

use crate::{
    criterion::{Criterion, Failures},
    event::Event,
    pattern::{Pattern, Subject},
};

/// How deep `search` may nest.
pub(crate) const MAX_DEPTH: usize = 16;

/// How many items must fulfil how many of the criteria.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Any,
    All,
    AnyToAny,
    AllToAny,
}

impl Condition {
    fn named(name: &str) -> Option<Condition> {
        Some(match name {
            "any" => Condition::Any,
            "all" => Condition::All,
            "any2any" => Condition::AnyToAny,
            "all2any" => Condition::AllToAny,
            _ => return None,
        })
    }
}

/// A compiled `search`.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    condition: Option<Condition>,
    depth: usize,
    /// Where the pattern is no template.
    children: Option<Result<Vec<Criterion>, String>>,
}

impl Search {
    pub(crate) fn compile(fields: &Map<String, Value>, pattern: &Pattern, depth: usize) -> Search {
        let children = match pattern {
            Pattern::Literal(value) => Some(compile_children(value, depth)),
            Pattern::Template(_) => None,
        };
        Search {
            condition: fields.get("condition").and_then(Value::as_str).and_then(Condition::named),
            depth,
            children,
        }
    }

    /// The criteria on an item, as far as they are known.
    pub(crate) fn children(&self) -> &[Criterion] {
        self.children.as_ref().and_then(|children| children.as_deref().ok()).unwrap_or_default()
    }

    /// What keeps it from ever being evaluated.
    pub(crate) fn problem(&self) -> Option<String> {
        let children = || self.children.as_ref().and_then(|children| children.as_ref().err().cloned());
        if self.condition.is_none() { Some(wrong_condition()) } else { children() }
    }

    /// Every item is put to every criterion, for each may fail, and failures are told.
    pub(crate) fn holds(
        &self,
        value: &Value,
        pattern: &Value,
        event: &Event,
        failures: &mut Failures<'_>,
    ) -> Result<bool, String> {
        let condition = self.condition.ok_or_else(wrong_condition)?;
        let items = items(value)?;
        if items.is_empty() {
            return Ok(matches!(condition, Condition::All | Condition::AllToAny));
        }
        let compiled;
        let children = match &self.children {
            Some(children) => children.as_ref().map_err(Clone::clone)?,
            None => {
                compiled = compile_children(pattern, self.depth)?;
                &compiled
            }
        };
        let (mut any, mut all) = (false, true);
        for item in items.iter() {
            let subject = Subject::item(event, item);
            let held = children.iter().filter(|child| child.holds(&subject, failures)).count();
            let fulfilled = match condition {
                Condition::Any | Condition::All => held == children.len(),
                Condition::AnyToAny | Condition::AllToAny => held > 0,
            };
            any |= fulfilled;
            all &= fulfilled;
        }
        Ok(if matches!(condition, Condition::Any | Condition::AnyToAny) { any } else { all })
    }
}

fn wrong_condition() -> String {
    "\"condition\" must be any, all, any2any or all2any".to_owned()
}

fn compile_children(pattern: &Value, depth: usize) -> Result<Vec<Criterion>, String> {
    let Value::Object(children) = pattern else {
        return Err(format!("the pattern must be an object of criteria on \"item\", it is {}", python::kind(pattern)));
    };
    if depth >= MAX_DEPTH {
        return Err(format!("search is nested more than {MAX_DEPTH} times"));
    }
    Ok(children.iter().map(|(key, child)| Criterion::compile(key, child, depth + 1)).collect())
}

/// A list's items, an object as the only one, the characters of a text.
fn items(value: &Value) -> Result<Cow<'_, [Value]>, String> {
    match value {
        Value::Array(items) => Ok(Cow::Borrowed(items)),
        Value::Object(_) => Ok(Cow::Borrowed(std::slice::from_ref(value))),
        Value::String(text) => Ok(text.chars().map(|char| Value::from(char.to_string())).collect::<Vec<_>>().into()),
        other => Err(format!("the value must be a list, it is {}", python::kind(other))),
    }
}

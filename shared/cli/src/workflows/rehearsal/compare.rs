//! What was expected, and what came of it.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::{Rehearsed, answers::status, read::Expected};

/// A place at which something else came of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) at: String,
    /// Nothing where nothing is to be there.
    pub(crate) expected: Option<Value>,
    pub(crate) actual: Option<Value>,
}

pub(super) fn compare(expected: &Expected, done: &Rehearsed) -> Vec<Difference> {
    let mut found = Vec::new();
    let wanted = json!(status(expected.status));
    values("status", Some(&wanted), Some(&json!(done.status)), &mut found);
    if let Some(output) = &expected.output {
        values("output", Some(output), Some(&done.output), &mut found);
    }
    match &expected.tasks {
        Some(Value::Array(names)) => {
            let path: Vec<Value> = done.path.iter().map(|step| json!(step.task)).collect();
            if *names != path {
                found.push(Difference {
                    at: "tasks".to_owned(),
                    expected: Some(json!(names)),
                    actual: Some(Value::from(path)),
                });
            }
        }
        Some(Value::Object(tasks)) => in_any_order(tasks, done, &mut found),
        _ => {}
    }
    if let Some(wanted) = &expected.errors {
        errors(wanted, &done.errors, &mut found);
    }
    found
}

/// By name: a number, a status, or a list of statuses.
fn in_any_order(tasks: &Map<String, Value>, done: &Rehearsed, found: &mut Vec<Difference>) {
    let mut ran: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for step in &done.path {
        ran.entry(&step.task).or_default().push(step.status.name().to_owned());
    }
    for (name, wanted) in tasks {
        let own = ran.remove(name.as_str()).unwrap_or_default();
        let (wanted, actual) = match wanted {
            Value::Array(wanted) => {
                let mut wanted: Vec<String> =
                    wanted.iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect();
                let mut own = own;
                wanted.sort();
                own.sort();
                (json!(wanted), json!(own))
            }
            Value::String(_) if own.len() == 1 => (wanted.clone(), json!(own.first())),
            Value::String(_) => (json!([wanted]), json!(own)),
            _ => (wanted.clone(), json!(own.len())),
        };
        values(&format!("tasks.{name}"), Some(&wanted), Some(&actual), found);
    }
    let more = ran.into_iter().map(|(name, own)| Difference {
        at: format!("tasks.{name}"),
        expected: None,
        actual: Some(json!(own)),
    });
    found.extend(more);
}

/// In order, each with what is wanted in it: of a message a part is enough.
fn errors(wanted: &[Map<String, Value>], actual: &[Value], found: &mut Vec<Difference>) {
    if wanted.len() != actual.len() {
        let (wanted, actual) = (json!(wanted), json!(actual));
        found.push(Difference { at: "errors".to_owned(), expected: Some(wanted), actual: Some(actual) });
        return;
    }
    for (at, (wanted, actual)) in wanted.iter().zip(actual).enumerate() {
        for (key, value) in wanted {
            let own = actual.get(key);
            let is_in = key == "message"
                && value.as_str().zip(own.and_then(Value::as_str)).is_some_and(|(part, whole)| whole.contains(part));
            if !is_in {
                values(&format!("errors[{at}].{key}"), Some(value), own, found);
            }
        }
    }
}

/// Goes down as far as both have the same shape.
fn values(at: &str, expected: Option<&Value>, actual: Option<&Value>, found: &mut Vec<Difference>) {
    match (expected, actual) {
        (Some(Value::Object(wanted)), Some(Value::Object(own))) => {
            let more = own.keys().filter(|key| !wanted.contains_key(*key));
            for key in wanted.keys().chain(more) {
                values(&format!("{at}.{key}"), wanted.get(key), own.get(key), found);
            }
        }
        (Some(Value::Array(wanted)), Some(Value::Array(own))) if wanted.len() == own.len() => {
            for (number, (wanted, own)) in wanted.iter().zip(own).enumerate() {
                values(&format!("{at}[{number}]"), Some(wanted), Some(own), found);
            }
        }
        (expected, actual) if is_same(expected, actual) => {}
        (expected, actual) => {
            found.push(Difference { at: at.to_owned(), expected: expected.cloned(), actual: actual.cloned() });
        }
    }
}

/// 1 and 1.0 are the same number.
fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Number(one)), Some(Value::Number(other))) => one == other || one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}

//! What is wrong with criteria before any event comes.

use model::{Criteria, Severity};
use serde::Serialize;
use serde_json::Value;

use crate::{
    criterion::{Check, Criterion},
    operator::Operator,
};

/// One thing that is wrong with a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CriteriaProblem {
    /// The key of the criterion; inside of a `search` the keys from the outside in, with `>` between.
    pub key: String,
    /// An error keeps the rule from being accepted, as in StackStorm; with a warning it is accepted and can't work.
    pub severity: Severity,
    /// What, and how to mend it.
    pub message: String,
}

/// Checks criteria. The errors are what StackStorm refuses when a rule is created; what else can't work is a warning.
pub fn validate(criteria: &Criteria) -> Vec<CriteriaProblem> {
    let mut problems = Vec::new();
    for (key, written) in criteria {
        match refusal(written) {
            Some(message) => problems.push(CriteriaProblem { key: key.clone(), severity: Severity::Error, message }),
            None => warn(&Criterion::compile(key, written, 0), key, "trigger", &mut problems),
        }
    }
    problems
}

fn refusal(written: &Value) -> Option<String> {
    let Value::Object(fields) = written else {
        return Some("a criterion is an object with \"type\" and \"pattern\"".to_owned());
    };
    let name = match fields.get("type") {
        None | Some(Value::Null) => return Some("\"type\" is missing: it names the operator".to_owned()),
        Some(Value::String(name)) => name,
        Some(_) => return Some("\"type\" must be the name of an operator".to_owned()),
    };
    if !Operator::names().any(|known| known == name) {
        let hint = match Operator::named(name) {
            Some(_) => format!("; write it as \"{}\"", name.to_lowercase()),
            None => format!("; there are {}", Operator::names().collect::<Vec<_>>().join(", ")),
        };
        return Some(format!("there is no operator \"{name}\"{hint}"));
    }
    match fields.get("pattern") {
        None | Some(Value::Null) => Some(format!("\"pattern\" is missing: \"{name}\" needs one that is not null")),
        Some(_) => None,
    }
}

fn warn(criterion: &Criterion, key: &str, root: &str, problems: &mut Vec<CriteriaProblem>) {
    let mut add =
        |message| problems.push(CriteriaProblem { key: key.to_owned(), severity: Severity::Warning, message });
    if let Some(failure) = criterion.problem() {
        add(format!("it always fails: {}", failure.bare()));
    }
    let Some(test) = criterion.test() else { return };
    if test.path.root().is_some_and(|first| ![root, "system", "st2kv"].contains(&first)) {
        add(format!("it finds nothing: the key must start with \"{root}.\""));
    }
    if let Check::Search(search) = &test.check {
        search.children().iter().for_each(|child| warn(child, &format!("{key} > {}", child.key), "item", problems));
    }
}

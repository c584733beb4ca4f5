//! What is wrong with criteria before any event comes.

use model::{Criteria, MAX_CRITERIA_DEPTH, Severity, is_criteria_tree};
use serde::Serialize;
use serde_json::Value;

use crate::{
    criterion::{Check, Criterion},
    operator::Operator,
    tree::Tree,
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
    validate_group(criteria, "", 0, &mut problems);
    problems
}

fn validate_group(criteria: &Criteria, outer: &str, depth: usize, problems: &mut Vec<CriteriaProblem>) {
    for (key, written) in criteria {
        let path = if outer.is_empty() { key.clone() } else { format!("{outer} > {key}") };
        let name = key.split('#').next().unwrap_or_default();
        if is_criteria_tree(name, written) {
            let compiled = Tree::compile(name, written, depth);
            let error = compiled.err().map(|message| (Severity::Error, message));
            problems.extend(error.map(|(severity, message)| CriteriaProblem { key: path.clone(), severity, message }));
            let groups = written.as_array().map_or_else(|| std::slice::from_ref(written), Vec::as_slice);
            for group in groups.iter().filter_map(Value::as_object).filter(|_| depth < MAX_CRITERIA_DEPTH) {
                validate_group(group, &path, depth + 1, problems);
            }
            continue;
        }
        match refusal(written) {
            Some(message) => problems.push(CriteriaProblem { key: path, severity: Severity::Error, message }),
            None => warn(&Criterion::compile(key, written, 0), &path, "trigger", problems),
        }
    }
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

//! One criterion: a key, an operator, a pattern.

use serde_json::{Map, Value};
use std::{borrow::Cow, sync::Arc};

use expressions::{Scope, jsonpath::JsonPath};

use crate::{
    operator::{Operator, Prepared},
    pattern::{Pattern, Subject},
    search::Search,
    tree::Tree,
};

/// What went wrong while a rule was evaluated: the first failure is told, as StackStorm records it.
#[derive(Debug)]
pub(crate) struct Failures<'a> {
    rule: &'a str,
    first: Option<String>,
}

impl<'a> Failures<'a> {
    pub(crate) const fn of(rule: &'a str) -> Failures<'a> {
        Failures { rule, first: None }
    }

    pub(crate) fn into_first(self) -> Option<String> {
        self.first
    }

    fn add(&mut self, failure: &Failure, key: &str) {
        self.first.get_or_insert_with(|| failure.describe(self.rule, key));
    }
}

/// Why a criterion could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The pattern can't be rendered.
    Pattern { pattern: String, error: String },
    /// The key can't be followed.
    Key(String),
    /// The operator has no answer.
    Operator(String),
    /// A criterion in a tree could not be evaluated.
    Within { key: Arc<str>, failure: Box<Failure> },
}

impl Failure {
    /// The cause alone.
    pub(crate) fn bare(&self) -> &str {
        match self {
            Failure::Pattern { error, .. } | Failure::Key(error) | Failure::Operator(error) => error,
            Failure::Within { failure, .. } => failure.bare(),
        }
    }

    /// In StackStorm's words, with the cause at the end.
    pub(crate) fn describe(&self, rule: &str, key: &str) -> String {
        match self {
            Failure::Pattern { pattern, error } => {
                format!("Failed to render pattern value \"{pattern}\" for key \"{key}\": {error}")
            }
            Failure::Key(error) => format!("Failed transforming criteria key {key}: {error}"),
            Failure::Within { key, failure } => failure.describe(rule, key),
            Failure::Operator(error) => {
                format!("There might be a problem with the criteria in rule {rule}: \"{key}\": {error}")
            }
        }
    }
}

/// A compiled criterion. One that can't be compiled fails whenever it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Criterion {
    pub(crate) key: Arc<str>,
    pub(crate) operator: Box<str>,
    body: Result<Body, Failure>,
}

#[derive(Clone, Debug)]
enum Body {
    /// It names no operator, and so never holds.
    Untyped,
    Test(Test),
    /// It holds criteria.
    Tree(Tree),
}

#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) path: JsonPath,
    pub(crate) pattern: Pattern,
    pub(crate) check: Check,
}

#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// The pattern is known, and so is all that follows from it.
    Known(Prepared),
    /// The pattern is a template.
    Late(Operator),
    Search(Search),
}

impl Criterion {
    pub(crate) fn compile(key: &str, written: &Value, depth: usize) -> Criterion {
        let operator = written.get("type").and_then(Value::as_str).unwrap_or_default();
        let name = key.split('#').next().unwrap_or_default();
        let body = match written {
            written if model::is_criteria_tree(name, written) => {
                Tree::compile(name, written, depth).map(Body::Tree).map_err(Failure::Operator)
            }
            Value::Object(fields) if !fields.contains_key("type") => Ok(Body::Untyped),
            Value::Object(fields) => compile_test(key, fields, depth).map(Body::Test),
            _ => Err(Failure::Operator("a criterion is an object with \"type\" and \"pattern\"".to_owned())),
        };
        Criterion { key: key.into(), operator: operator.into(), body }
    }

    /// Does it hold? What can't be evaluated does not hold, and is told to `failures`.
    pub(crate) fn holds(&self, subject: &Subject<'_>, failures: &mut Failures<'_>) -> bool {
        self.verdict(subject, failures).unwrap_or_else(|failure| {
            failures.add(&failure, &self.key);
            false
        })
    }

    /// Does it hold? What items of a `search` fail on is told to `failures`.
    pub(crate) fn verdict(&self, subject: &Subject<'_>, failures: &mut Failures<'_>) -> Result<bool, Failure> {
        match &self.body {
            Ok(Body::Untyped) => Ok(false),
            Ok(Body::Test(test)) => test.holds(subject, failures),
            Ok(Body::Tree(tree)) => tree.holds(subject, failures),
            Err(failure) => Err(failure.clone()),
        }
    }

    /// The tree, if it is one.
    pub(crate) const fn tree(&self) -> Option<&Tree> {
        match &self.body {
            Ok(Body::Tree(tree)) => Some(tree),
            _ => None,
        }
    }

    /// The test, if it names an operator and could be compiled.
    pub(crate) fn test(&self) -> Option<&Test> {
        match &self.body {
            Ok(Body::Test(test)) => Some(test),
            Ok(Body::Untyped | Body::Tree(_)) | Err(_) => None,
        }
    }

    /// What keeps it from ever being evaluated.
    pub(crate) fn problem(&self) -> Option<Failure> {
        match &self.body {
            Err(failure) => Some(failure.clone()),
            Ok(Body::Untyped | Body::Tree(_)) => None,
            Ok(Body::Test(test)) => match &test.check {
                Check::Known(prepared) => prepared.problem().map(|error| Failure::Operator(error.0.clone())),
                Check::Late(_) => None,
                Check::Search(search) => search.problem().map(Failure::Operator),
            },
        }
    }

    /// It can't hold and can't fail, whatever comes.
    pub(crate) fn is_never(&self) -> bool {
        match &self.body {
            Ok(Body::Untyped) => true,
            Ok(Body::Test(Test { path, check: Check::Known(prepared), pattern: Pattern::Literal(pattern) })) => {
                path.is_chain() && prepared.is_never(pattern)
            }
            _ => false,
        }
    }

    /// The keys of the datastore that it reads.
    pub(crate) fn datastore_keys(&self, keys: &mut Vec<(Scope, String)>) {
        self.tree().into_iter().flat_map(Tree::criteria).for_each(|criterion| criterion.datastore_keys(keys));
        let Some(test) = self.test() else { return };
        keys.extend(test.path.datastore_key().map(|key| (Scope::System, key)));
        keys.extend(test.pattern.datastore_keys());
        if let Check::Search(search) = &test.check {
            search.children().iter().for_each(|child| child.datastore_keys(keys));
        }
    }
}

fn compile_test(key: &str, fields: &Map<String, Value>, depth: usize) -> Result<Test, Failure> {
    let written = fields.get("pattern").unwrap_or(&Value::Null);
    let pattern = Pattern::compile(written).map_err(|error| pattern_failure(written, error))?;
    // What follows a `#` only tells two keys of one rule apart.
    let key = key.split('#').next().unwrap_or_default();
    let path = JsonPath::parse(key).map_err(|error| Failure::Key(error.to_string()))?;
    let name = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let operator = Operator::named(name).ok_or_else(|| Failure::Operator(unknown(name)))?;
    let check = match (operator, &pattern) {
        (Operator::Search, _) if name == "search" => Check::Search(Search::compile(fields, &pattern, depth)),
        (_, Pattern::Literal(value)) => Check::Known(Prepared::new(operator, value)),
        (_, Pattern::Template(_)) => Check::Late(operator),
    };
    Ok(Test { path, pattern, check })
}

fn unknown(name: &str) -> String {
    let known: Vec<_> = Operator::names().collect();
    format!("there is no operator \"{name}\"; there are {}", known.join(", "))
}

fn pattern_failure(written: &Value, error: String) -> Failure {
    let pattern = written.as_str().unwrap_or_default().chars().take(200).collect();
    Failure::Pattern { pattern, error }
}

impl Test {
    fn holds(&self, subject: &Subject<'_>, failures: &mut Failures<'_>) -> Result<bool, Failure> {
        let pattern = self.rendered(subject)?;
        let value = self.value(subject)?;
        let clock = subject.event.clock();
        let held = match &self.check {
            Check::Known(prepared) => prepared.test(&value, &pattern, clock),
            Check::Late(operator) => Prepared::new(*operator, &pattern).test(&value, &pattern, clock),
            Check::Search(search) => {
                return search.holds(&value, &pattern, subject.event, failures).map_err(Failure::Operator);
            }
        };
        held.map_err(|error| Failure::Operator(error.0))
    }

    /// The pattern for this subject.
    pub(crate) fn rendered(&self, subject: &Subject<'_>) -> Result<Cow<'_, Value>, Failure> {
        self.pattern.render(subject).map_err(|error| match &self.pattern {
            Pattern::Literal(value) => pattern_failure(value, error),
            Pattern::Template(text) => pattern_failure(&Value::from(&**text), error),
        })
    }

    pub(crate) const fn operator(&self) -> Operator {
        match &self.check {
            Check::Known(prepared) => prepared.operator(),
            Check::Late(operator) => *operator,
            Check::Search(_) => Operator::Search,
        }
    }

    /// The value that the key finds; null where it finds none.
    pub(crate) fn value<'a>(&self, subject: &'a Subject<'_>) -> Result<Cow<'a, Value>, Failure> {
        self.path.first(subject.root()).map_err(|error| Failure::Key(error.to_string()))
    }
}

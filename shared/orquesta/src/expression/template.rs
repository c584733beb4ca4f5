//! A value with expressions in it, read once.

use std::fmt;
use std::sync::Arc;

use expressions::orquesta::{Expressions, Language};
use serde_json::{Map, Value};

use super::scope::Scope;
use super::simple::Simple;

/// How deep values with expressions may be nested.
const DEEPEST: usize = 128;

/// A value as a workflow has it: texts in it may be expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    written: Value,
    part: Part,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Without expressions.
    Literal,
    Text(Text),
    List(Vec<Template>),
    Map(Vec<(Template, Template)>),
}

#[derive(Clone, Debug, PartialEq)]
struct Text {
    language: Language,
    /// What the text asks for, where it is of the plain kind that needs no engine.
    simple: Option<Simple>,
    reads: Reads,
}

/// Which variables an expression can read.
#[derive(Clone, Debug, PartialEq)]
enum Reads {
    All,
    Named(Vec<Arc<str>>),
}

/// An expression that has no value, as Orquesta's log of errors tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError {
    /// The language, where the text has one.
    pub language: Option<Language>,
    /// The text as written.
    pub expression: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.language {
            Some(Language::Jinja) => "JinjaEvaluationException: ",
            Some(Language::Yaql) => "YaqlEvaluationException: ",
            None => return f.write_str(&self.message),
        };
        write!(f, "{kind}Unable to evaluate expression '{}'. {}", self.expression, self.message)
    }
}

impl Template {
    /// Reads a value. What is nested deeper than 128 levels stays as it is written.
    pub fn new(written: Value) -> Template {
        Template::at(written, 0)
    }

    fn at(written: Value, depth: usize) -> Template {
        let inside = |value: &Value| Template::at(value.clone(), depth + 1);
        let part = match &written {
            _ if depth > DEEPEST => Part::Literal,
            Value::String(text) => {
                Language::of(text).map_or(Part::Literal, |language| Part::Text(read(text, language)))
            }
            Value::Array(items) => Part::List(items.iter().map(inside).collect()),
            Value::Object(entries) => {
                let key = |key: &String| Template::new(Value::from(key.as_str()));
                Part::Map(entries.iter().map(|(name, value)| (key(name), inside(value))).collect())
            }
            _ => Part::Literal,
        };
        let part = if part.is_literal() { Part::Literal } else { part };
        Template { written, part }
    }

    /// The value as written.
    pub fn written(&self) -> &Value {
        &self.written
    }

    pub(crate) fn evaluate(&self, expressions: &Expressions, scope: &Scope<'_>) -> Result<Value, EvaluationError> {
        match (&self.part, &self.written) {
            (Part::Text(plan), Value::String(text)) => plan.evaluate(text, expressions, scope),
            (Part::List(items), _) => items.iter().map(|item| item.evaluate(expressions, scope)).collect(),
            (Part::Map(entries), _) => {
                let mut mapped = Map::new();
                for (key, value) in entries {
                    let key = match key.evaluate(expressions, scope)? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    mapped.insert(key, value.evaluate(expressions, scope)?);
                }
                Ok(Value::Object(mapped))
            }
            _ => Ok(self.written.clone()),
        }
    }
}

impl Part {
    fn is_literal(&self) -> bool {
        match self {
            Part::Literal => true,
            Part::Text(_) => false,
            Part::List(items) => items.iter().all(|item| item.part.is_literal()),
            Part::Map(entries) => entries.iter().all(|(key, value)| key.part.is_literal() && value.part.is_literal()),
        }
    }
}

impl Text {
    /// An expression gets to see the variables that it names. Where a value that it read, and that may become its outcome, is an expression
    /// itself, and wherever something went wrong, it is evaluated on everything.
    fn evaluate(&self, text: &str, expressions: &Expressions, scope: &Scope<'_>) -> Result<Value, EvaluationError> {
        if let Some(value) = self.simple.as_ref().and_then(|simple| simple.value(scope)) {
            return Ok(value);
        }
        if let Reads::Named(names) = &self.reads
            && !scope.holds_expressions(names)
            && let Ok(value) = expressions.evaluate_text(self.language, text, &scope.context(Some(names)))
        {
            return Ok(value);
        }
        expressions.evaluate_text(self.language, text, &scope.context(None)).map_err(|error| EvaluationError {
            language: Some(self.language),
            expression: text.to_owned(),
            message: error.to_string(),
        })
    }
}

fn read(text: &str, language: Language) -> Text {
    Text { language, simple: Simple::read(text, language), reads: reads(text) }
}

/// The variables that are named as `ctx().x`, `ctx(x)`, `ctx('x')` or `ctx("x")`; all of them where the context is used in another way.
fn reads(text: &str) -> Reads {
    let mut names: Vec<Arc<str>> = Vec::new();
    if text.contains("__") {
        return Reads::All;
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("ctx") {
        rest = after;
        match named(after) {
            Some(name) if names.iter().any(|known| &**known == name) => {}
            Some(name) => names.push(Arc::from(name)),
            None => return Reads::All,
        }
    }
    Reads::Named(names)
}

fn named(after: &str) -> Option<&str> {
    let inside = after.strip_prefix('(')?;
    if let Some(attribute) = inside.strip_prefix(").") {
        let (name, behind) = word(attribute)?;
        return (!behind.starts_with('(')).then_some(name);
    }
    let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let (name, behind) = word(quote.map_or(inside, |quote| inside.strip_prefix(quote).unwrap_or(inside)))?;
    let behind = quote.map_or(Some(behind), |quote| behind.strip_prefix(quote))?;
    behind.starts_with(')').then_some(name)
}

/// The name that a text begins with, and what is behind it.
pub(super) fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

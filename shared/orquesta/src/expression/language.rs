//! The two languages of expressions.

use std::sync::LazyLock;

use expressions::{Context, Jinja, Limits, orquesta};
use regex::Regex;
use serde_json::Value;

/// A language of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `{{ … }}` and `{% … %}`.
    Jinja,
    /// `<% … %>`.
    Yaql,
}

impl Language {
    /// The name that Orquesta has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Language::Jinja => "jinja",
            Language::Yaql => "yaql",
        }
    }
}

/// An expression that can't be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The language; none where a text has expressions of both.
    pub language: Option<Language>,
    /// The expression as written.
    pub expression: String,
    /// What is wrong with it.
    pub message: String,
}

/// A variable that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The name of the variable.
    pub name: String,
    /// The language.
    pub language: Language,
    /// The text that reads it.
    pub expression: String,
}

/// The engines of both languages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Languages {
    jinja: Jinja,
}

impl Languages {
    /// Engines within these bounds.
    pub fn new(limits: Limits) -> Languages {
        Languages { jinja: Jinja::orquesta(limits) }
    }

    pub(super) fn evaluate(&self, language: Language, text: &str, context: &Context) -> Result<Value, String> {
        match language {
            Language::Jinja => {
                orquesta::evaluate_text(&self.jinja, text, context).map_err(|error| error.to_string())
            }
            Language::Yaql => Err("not yet".to_owned()),
        }
    }

    /// What is wrong with the expressions in a value, those in keys included.
    pub fn validate(&self, value: &Value) -> Vec<Invalid> {
        let mut found = Vec::new();
        each_text(value, &mut |text| match (has_jinja(text), has_yaql(text)) {
            (true, true) => found.push(Invalid {
                language: None,
                expression: text.to_owned(),
                message: "Expression with multiple types is not supported.".to_owned(),
            }),
            (true, false) => found.extend(orquesta::validate(&self.jinja, &Value::from(text)).into_iter().map(|invalid| {
                Invalid { language: Some(Language::Jinja), expression: invalid.expression, message: invalid.error.message }
            })),
            _ => {}
        });
        found
    }

    /// The variables that a value reads, by name, each text and variable once.
    pub fn references(&self, value: &Value) -> Vec<Reference> {
        let mut found: Vec<Reference> = orquesta::variables(value)
            .into_iter()
            .map(|(expression, name)| Reference { name, language: Language::Jinja, expression })
            .collect();
        found.sort();
        found
    }
}

static JINJA: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{.*?\}\}|\{%.*?%\}").ok());
static YAQL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<%.*?%>").ok());

fn has_jinja(text: &str) -> bool {
    text.contains('{') && JINJA.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn has_yaql(text: &str) -> bool {
    text.contains("<%") && YAQL.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// The language in which a text is evaluated; none where it is plain.
pub(super) fn language_of(text: &str) -> Option<Language> {
    if has_jinja(text) {
        Some(Language::Jinja)
    } else {
        has_yaql(text).then_some(Language::Yaql)
    }
}

/// Whether a text anywhere in the value has what expressions begin with.
pub(super) fn may_hold_expressions(value: &Value) -> bool {
    match value {
        Value::String(text) => ["<%", "{{", "{%"].iter().any(|opening| text.contains(opening)),
        Value::Array(items) => items.iter().any(may_hold_expressions),
        Value::Object(entries) => entries
            .iter()
            .any(|(key, item)| ["<%", "{{", "{%"].iter().any(|opening| key.contains(opening)) || may_hold_expressions(item)),
        _ => false,
    }
}

fn each_text(value: &Value, take: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, take)),
        Value::Object(entries) => entries.iter().for_each(|(key, item)| {
            take(key);
            each_text(item, take);
        }),
        _ => {}
    }
}

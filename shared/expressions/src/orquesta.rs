//! Expressions as Orquesta evaluates them: in every text of a value, natively typed, and again where the outcome is itself an expression.
//!
//! [`Expressions`] holds both languages. The functions that tell of a workflow (`ctx`, `task`, `result`, `item`, …) come with the
//! [`Context`]: [`workflow::context`] makes one.

mod functions;
mod jinja;
mod patterns;
pub mod workflow;
mod yaql;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::context::Context;
use crate::error::{ErrorKind, ExpressionError, Limit, limit_message};
use crate::jinja::Jinja;
use crate::limits::Limits;
use crate::yaql::{Lacking, Yaql};

pub(crate) use functions::{json, zip};

/// How often the outcome of an expression may be an expression again.
const MOST_ROUNDS: usize = 32;

/// The language of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `{{ … }}` and `{% … %}`.
    Jinja,
    /// `<% … %>`.
    Yaql,
}

impl Language {
    /// Both, in the order in which Orquesta asks whether a text is theirs.
    pub const ALL: [Language; 2] = [Language::Jinja, Language::Yaql];

    /// `jinja` or `yaql`.
    pub fn name(self) -> &'static str {
        match self {
            Language::Jinja => "jinja",
            Language::Yaql => "yaql",
        }
    }

    /// Whether the text has an expression of this language.
    pub fn is_in(self, text: &str) -> bool {
        match self {
            Language::Jinja => jinja::has_expressions(text),
            Language::Yaql => patterns::each_yaql(text).next().is_some(),
        }
    }

    /// The language of the first kind of expression that the text has.
    pub fn of(text: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.is_in(text))
    }
}

/// An expression that can't be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Its language; none where a text mixes both.
    pub language: Option<Language>,
    /// The expression as written: the whole text, or one `{{ … }}` or `<% … %>` of it.
    pub expression: String,
    /// What is wrong with it.
    pub error: ExpressionError,
}

/// A variable of the context that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    /// The language of the expression.
    pub language: Language,
    /// The whole text that has the expression.
    pub text: String,
    /// The variable's name.
    pub name: String,
}

/// Both languages of Orquesta. Cheap to clone: what was compiled is shared.
#[derive(Clone, Debug)]
pub struct Expressions {
    jinja: Jinja,
    yaql: Yaql,
}

impl Default for Expressions {
    fn default() -> Expressions {
        Expressions::new(Limits::default(), Lacking::default())
    }
}

impl Expressions {
    /// Both languages within these bounds.
    pub fn new(limits: Limits, lacking: Lacking) -> Expressions {
        Expressions { jinja: Jinja::orquesta(limits), yaql: Yaql::new(limits, lacking) }
    }

    /// The value with all expressions in it evaluated, those in keys included.
    pub fn evaluate(&self, value: &Value, context: &Context) -> Result<Value, ExpressionError> {
        self.jinja.map_texts(value, 0, &|text| match Language::of(text) {
            Some(language) => self.evaluate_text(language, text, context),
            None => Ok(Value::from(text)),
        })
    }

    /// The value of one text in one language.
    pub fn evaluate_text(&self, language: Language, text: &str, context: &Context) -> Result<Value, ExpressionError> {
        match language {
            Language::Jinja => jinja::evaluate(&self.jinja, text, context),
            Language::Yaql => yaql::evaluate(&self.yaql, text, context, 0),
        }
    }

    /// What is wrong with the expressions in a value, those in keys included.
    pub fn validate(&self, value: &Value) -> Vec<Invalid> {
        let mut found = Vec::new();
        each_text(value, &mut |text| match (Language::Jinja.is_in(text), Language::Yaql.is_in(text)) {
            (true, true) => found.push(mixed(text)),
            (true, false) => found.extend(self.validate_text(Language::Jinja, text)),
            (false, true) => found.extend(self.validate_text(Language::Yaql, text)),
            (false, false) => {}
        });
        found
    }

    /// What is wrong with the expressions of one language in a text.
    pub fn validate_text(&self, language: Language, text: &str) -> Vec<Invalid> {
        let errors = match language {
            Language::Jinja => jinja::validate(&self.jinja, text),
            Language::Yaql => yaql::validate(&self.yaql, text),
        };
        let invalid = |(expression, error)| Invalid { language: Some(language), expression, error };
        errors.into_iter().map(invalid).collect()
    }
}

fn mixed(text: &str) -> Invalid {
    let error = ExpressionError::new(ErrorKind::Unsupported, "one text can't have both Jinja and YAQL");
    Invalid { language: None, expression: text.to_owned(), error }
}

/// The error where expressions give expressions again and again, or a text becomes too long.
fn over(limit: Limit) -> ExpressionError {
    ExpressionError::new(ErrorKind::Limit(limit), limit_message(limit))
}

/// The context variables that a value reads.
pub fn variables(value: &Value) -> BTreeSet<Variable> {
    let mut found = BTreeSet::new();
    each_text(value, &mut |text| {
        for language in Language::ALL {
            let names = references(language, text)
                .into_iter()
                .flat_map(|reference| patterns::variables(&reference).collect::<Vec<_>>());
            found.extend(names.map(|name| Variable { language, text: text.to_owned(), name }));
        }
    });
    found
}

/// The references to the context in a text, as written: `ctx().a.b`.
pub fn references(language: Language, text: &str) -> BTreeSet<String> {
    match language {
        Language::Jinja => {
            patterns::each_jinja(text).flat_map(|found| patterns::references(jinja::strip(found))).collect()
        }
        Language::Yaql => {
            patterns::each_yaql(text).flat_map(|found| patterns::references(yaql::strip(found))).collect()
        }
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

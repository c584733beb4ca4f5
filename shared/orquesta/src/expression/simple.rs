//! The expressions that most workflows are made of, answered without an engine: `succeeded()`, `ctx().x.y`, `result()`, `item(x)`.

use expressions::orquesta::Language;
use serde_json::Value;

use super::scope::Scope;
use super::template::word;
use crate::Status;

/// Names that mean something else than an entry of that name: Python's methods of dictionaries in Jinja, YAQL's words.
const NOT_ENTRIES: [&str; 22] = [
    "items",
    "keys",
    "values",
    "get",
    "pop",
    "copy",
    "update",
    "clear",
    "setdefault",
    "popitem",
    "fromkeys",
    "and",
    "or",
    "not",
    "in",
    "is",
    "true",
    "false",
    "null",
    "none",
    "if",
    "else",
];

/// An expression that is a whole text and asks for one thing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Simple {
    Succeeded,
    Failed,
    Completed,
    Path(Root, Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Root {
    Variable(String),
    Result,
    Item,
}

impl Simple {
    pub(super) fn read(text: &str, language: Language) -> Option<Simple> {
        let inside = match language {
            Language::Yaql => text.strip_prefix("<%")?.strip_suffix("%>")?,
            Language::Jinja => text.strip_prefix("{{")?.strip_suffix("}}")?,
        };
        match inside.trim() {
            "succeeded()" => Some(Simple::Succeeded),
            "failed()" => Some(Simple::Failed),
            "completed()" => Some(Simple::Completed),
            path => Simple::path(path, language),
        }
    }

    fn path(text: &str, language: Language) -> Option<Simple> {
        let (function, behind) = word(text)?;
        let (argument, mut rest) = behind.strip_prefix('(')?.split_once(')')?;
        let mut keys = Vec::new();
        while !rest.is_empty() {
            let (key, behind) = word(rest.strip_prefix('.')?)?;
            if NOT_ENTRIES.contains(&key) {
                return None;
            }
            keys.push(key.to_owned());
            rest = behind;
        }
        let name = name_in(argument, language)?;
        let root = match (function, name) {
            ("result", None) => Root::Result,
            ("item", None) => Root::Item,
            ("item", Some(key)) => {
                keys.insert(0, key);
                Root::Item
            }
            ("ctx", Some(name)) => Root::Variable(name),
            ("ctx", None) if !keys.is_empty() => Root::Variable(keys.remove(0)),
            _ => return None,
        };
        Some(Simple::Path(root, keys))
    }

    /// The value, unless it takes an engine to tell: where something is missing, or the value is an expression in turn.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        let (root, keys) = match self {
            Simple::Succeeded => return Some(Value::Bool(scope.own_status()? == Status::Succeeded)),
            Simple::Failed => return Some(Value::Bool(scope.own_status()? == Status::Failed)),
            Simple::Completed => return Some(Value::Bool(scope.own_status()?.is_completed())),
            Simple::Path(root, keys) => (root, keys),
        };
        let value = match root {
            Root::Variable(name) if name.starts_with("__") => return None,
            Root::Variable(name) => scope.variables.get(name)?,
            Root::Result => &scope.task.as_ref()?.result,
            Root::Item => scope.item.as_ref()?,
        };
        let found = keys.iter().try_fold(&**value, |value, key| value.as_object()?.get(key))?;
        match found {
            Value::String(text) if Language::of(text).is_some() => None,
            found => Some(found.clone()),
        }
    }
}

/// The name within the brackets of a call: none where they are empty.
fn name_in(argument: &str, language: Language) -> Option<Option<String>> {
    let argument = argument.trim();
    if argument.is_empty() {
        return Some(None);
    }
    let quoted = ['\'', '"'].iter().find_map(|quote| argument.strip_prefix(*quote)?.strip_suffix(*quote));
    let name = match (quoted, language) {
        (Some(name), _) => name,
        // A bare word is a text in YAQL, and a variable in Jinja.
        (None, Language::Yaql) if !NOT_ENTRIES.contains(&argument) => argument,
        _ => return None,
    };
    word(name).filter(|(_, behind)| behind.is_empty()).map(|(name, _)| Some(name.to_owned()))
}

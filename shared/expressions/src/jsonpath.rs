//! Paths in the language of `jsonpath_rw`: what the keys of criteria and the filter `jsonpath_query` are written in.
//!
//! Nearly every path is a chain of names, and those are walked directly. The rest (wildcards, slices, descendants, alternatives) goes
//! through an interpreter of the whole language, which fails where the original raises and counts its steps.

mod find;
mod parse;

use serde_json::Value;
use std::borrow::Cow;

use crate::{KeyValues, Scope, python::kind};

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 1_024;
/// How many values one look-up may visit.
pub const MAX_VISITS: usize = 100_000;

/// Why a path can't be used, or could not be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// The text isn't a path.
    #[error("unexpected {found} at position {position}")]
    Syntax {
        /// The byte at which reading stopped, from 0.
        position: usize,
        /// What stands there.
        found: String,
    },
    /// More than [`MAX_PATH_BYTES`].
    #[error("a path has {MAX_PATH_BYTES} characters at most")]
    TooLong,
    /// Too many parentheses.
    #[error("brackets are nested too deeply")]
    TooDeep,
    /// A word that the original knows and does not follow either.
    #[error("{0} can't be used in a path")]
    Unsupported(String),
    /// An index on what has no items.
    #[error("[{index}] needs a list or a text, but finds {found}")]
    NoItems {
        /// The index that is asked for.
        index: i64,
        /// What kind of value there is.
        found: &'static str,
    },
    /// An index that is out of bounds on the side on which the original raises.
    #[error("there is no item [{0}]")]
    NoItem(i64),
    /// A slice of what has no items.
    #[error("a slice needs a list, but finds {0}")]
    NoSlice(&'static str),
    /// More than [`MAX_VISITS`].
    #[error("the path visits more than {MAX_VISITS} values")]
    TooManyVisits,
}

/// What a key is looked up in: the payload under the name `trigger` (or, inside of `search`, one item under the name `item`), and the
/// datastore.
#[derive(Clone, Copy)]
pub struct Root<'a> {
    /// What the value is called.
    pub name: &'static str,
    /// The payload, or the item.
    pub value: &'a Value,
    /// The datastore, as `system` and `st2kv`.
    pub key_values: &'a dyn KeyValues,
}

/// A compiled path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(Path);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    /// Names from the root on.
    Names(Box<[Box<str>]>),
    /// Anything else.
    Other(Box<Step>),
}

/// The language of paths as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Root,
    This,
    Parent,
    Fields(Vec<String>),
    Index(i64),
    Slice(Option<i64>, Option<i64>),
    Child(Box<Step>, Box<Step>),
    Descendants(Box<Step>, Box<Step>),
    Where(Box<Step>, Box<Step>),
    Union(Box<Step>, Box<Step>),
}

impl JsonPath {
    /// Reads a path such as `trigger.body.labels[*].name`.
    pub fn parse(text: &str) -> Result<JsonPath, JsonPathError> {
        if text.len() > MAX_PATH_BYTES {
            return Err(JsonPathError::TooLong);
        }
        let step = parse::parse(text)?;
        let mut names = Vec::new();
        let is_chain = collect_names(&step, &mut names);
        Ok(JsonPath(if is_chain { Path::Names(names.into()) } else { Path::Other(Box::new(step)) }))
    }

    /// All matches in a value, in order.
    pub fn find<'v>(&self, value: &'v Value) -> Result<Vec<Cow<'v, Value>>, JsonPathError> {
        match &self.0 {
            Path::Names(names) => Ok(try_follow(value, names).map(Cow::Borrowed).into_iter().collect()),
            Path::Other(step) => find::all(step, value),
        }
    }

    /// The first value that it finds; null where there is none.
    pub fn first<'a>(&self, root: Root<'a>) -> Result<Cow<'a, Value>, JsonPathError> {
        match &self.0 {
            Path::Names(names) => Ok(walk(names, root)),
            Path::Other(step) => find::first(step, root),
        }
    }

    /// The name that it starts with, if it is a chain of names.
    pub fn root(&self) -> Option<&str> {
        match &self.0 {
            Path::Names(names) => names.first().map(|name| &**name),
            Path::Other(_) => None,
        }
    }

    /// Is it a chain of names? Such a path can't fail.
    pub const fn is_chain(&self) -> bool {
        matches!(self.0, Path::Names(_))
    }

    /// The names below the payload, if it is a chain of names that starts there. Such a key can't fail.
    pub fn payload_names(&self) -> Option<&[Box<str>]> {
        match &self.0 {
            Path::Names(names) => names.split_first().filter(|(root, _)| ***root == *"trigger").map(|(_, rest)| rest),
            Path::Other(_) => None,
        }
    }

    /// The key of the datastore that it reads, if it reads one.
    pub fn datastore_key(&self) -> Option<String> {
        match &self.0 {
            Path::Names(names) => datastore_names(names).filter(|names| !names.is_empty()).map(|names| names.join(".")),
            Path::Other(_) => None,
        }
    }
}

fn collect_names(step: &Step, names: &mut Vec<Box<str>>) -> bool {
    match step {
        Step::Child(left, right) => collect_names(left, names) && collect_names(right, names),
        Step::Root => names.is_empty(),
        Step::Fields(fields) => match fields.as_slice() {
            [only] if only != "*" => {
                names.push(only.as_str().into());
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// Follows names into a value; null where they lead nowhere.
pub fn follow<'a>(value: &'a Value, names: &[Box<str>]) -> &'a Value {
    try_follow(value, names).unwrap_or(&Value::Null)
}

fn try_follow<'a>(value: &'a Value, names: &[Box<str>]) -> Option<&'a Value> {
    names.iter().try_fold(value, |value, name| value.as_object()?.get(&**name))
}

fn walk<'a>(names: &[Box<str>], root: Root<'a>) -> Cow<'a, Value> {
    match names.split_first() {
        Some((first, rest)) if **first == *root.name => Cow::Borrowed(follow(root.value, rest)),
        _ => match datastore_names(names) {
            Some(names) => Cow::Owned(stored(&names.join("."), root)),
            None => Cow::Borrowed(&Value::Null),
        },
    }
}

/// What follows `system` or `st2kv.system`.
fn datastore_names(names: &[Box<str>]) -> Option<&[Box<str>]> {
    match names {
        [first, rest @ ..] if **first == *"system" => Some(rest),
        [first, second, rest @ ..] if **first == *"st2kv" && **second == *"system" => Some(rest),
        _ => None,
    }
}

fn stored(key: &str, root: Root<'_>) -> Value {
    root.key_values.get(Scope::System, key).map_or(Value::Null, Value::String)
}

#[cfg(test)]
mod tests;

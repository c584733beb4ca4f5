//! The keys of criteria: paths in the language of `jsonpath_rw`, which StackStorm uses.
//!
//! Nearly every key is a chain of names, and those are walked directly. The rest (wildcards, slices, descendants, alternatives) goes
//! through an interpreter of the whole language, which fails where the original raises and counts its steps.

mod find;
mod parse;

use serde_json::Value;
use std::borrow::Cow;

use expressions::{KeyValues, Scope};

/// The longest key, in bytes.
pub(crate) const MAX_KEY_BYTES: usize = 1_024;
/// How many values one look-up may visit.
pub(crate) const MAX_VISITS: usize = 100_000;

/// Why a key can't be used, or could not be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("unexpected {found} at position {position}")]
    Syntax { position: usize, found: String },
    #[error("a key has {MAX_KEY_BYTES} characters at most")]
    TooLong,
    #[error("brackets are nested too deeply")]
    TooDeep,
    #[error("{0} can't be used in a key")]
    Unsupported(String),
    #[error("[{index}] needs a list or a text, but finds {found}")]
    NoItems { index: i64, found: &'static str },
    #[error("there is no item [{0}]")]
    NoItem(i64),
    #[error("a slice needs a list, but finds {0}")]
    NoSlice(&'static str),
    #[error("the key visits more than {MAX_VISITS} values")]
    TooManyVisits,
}

/// What a key is looked up in: the payload under the name `trigger` (or, inside of `search`, one item under the name `item`), and the
/// datastore.
#[derive(Clone, Copy)]
pub(crate) struct Root<'a> {
    pub(crate) name: &'static str,
    pub(crate) value: &'a Value,
    pub(crate) key_values: &'a dyn KeyValues,
}

/// A compiled key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// Names from the root on.
    Names(Box<[Box<str>]>),
    /// Anything else.
    Other(Box<Step>),
}

/// The language of paths as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
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

impl Path {
    /// Compiles a key; what follows a `#` only tells two keys of one rule apart.
    pub(crate) fn compile(key: &str) -> Result<Path, PathError> {
        let key = key.split('#').next().unwrap_or_default();
        if key.len() > MAX_KEY_BYTES {
            return Err(PathError::TooLong);
        }
        let step = parse::parse(key)?;
        let mut names = Vec::new();
        Ok(if collect_names(&step, &mut names) { Path::Names(names.into()) } else { Path::Other(Box::new(step)) })
    }

    /// The first value that it finds; null where there is none.
    pub(crate) fn first<'a>(&self, root: Root<'a>) -> Result<Cow<'a, Value>, PathError> {
        match self {
            Path::Names(names) => Ok(walk(names, root)),
            Path::Other(step) => find::first(step, root),
        }
    }

    /// The name that it starts with, if it is a chain of names.
    pub(crate) fn root(&self) -> Option<&str> {
        match self {
            Path::Names(names) => names.first().map(|name| &**name),
            Path::Other(_) => None,
        }
    }

    /// The names below the payload, if it is a chain of names that starts there. Such a key can't fail.
    pub(crate) fn payload_names(&self) -> Option<&[Box<str>]> {
        match self {
            Path::Names(names) => names.split_first().filter(|(root, _)| ***root == *"trigger").map(|(_, rest)| rest),
            Path::Other(_) => None,
        }
    }

    /// The key of the datastore that it reads, if it reads one.
    pub(crate) fn datastore_key(&self) -> Option<String> {
        match self {
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
pub(crate) fn follow<'a>(value: &'a Value, names: &[Box<str>]) -> &'a Value {
    names.iter().try_fold(value, |value, name| value.as_object()?.get(&**name)).unwrap_or(&Value::Null)
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

//! Values during evaluation. Data of the context is borrowed, what an expression makes is shared.

mod dict;
mod equal;
mod print;
mod set;

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Number, Value as Json};

pub(crate) use dict::{Dict, Entries, Key};
pub(crate) use equal::{equal, pay_for};
pub(crate) use print::{charge_json, print_result, print_text};
pub(crate) use set::{Set, View, ViewKind};

use super::clock::Time;
use super::eval::Eval;
use super::fail::Res;
use super::functions::Ordering;
use super::scope::Scope;
use crate::regexes::Pattern;

/// A value. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Text<'a>),
    List(List<'a>),
    Dict(Dict<'a>),
    Set(Rc<Set<'a>>),
    View(Rc<View<'a>>),
    Time(Time),
    /// Microseconds.
    Span(i64),
    Regex(Rc<Regex>),
    Iter(Iter<'a>),
    Ordering(Rc<Ordering<'a>>),
    /// What `let`, `with`, `def` and `unpack` give to `->`.
    Scope(Rc<Scope<'a>>),
    /// `key => value`.
    Rule(Rc<(Val<'a>, Val<'a>)>),
}

/// A text of the context or the expression, or one that was made.
#[derive(Clone)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

/// Python's two kinds of lists and dictionaries: those that can be keys and members of sets, and those that can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Frozen,
    Plain,
}

/// A list.
#[derive(Clone)]
pub(crate) enum List<'a> {
    Json(&'a [Json], Kind),
    Made(Rc<Items<'a>>, Kind),
}

/// The items of a list, and how deep they are nested.
pub(crate) struct Items<'a> {
    pub(crate) level: u32,
    pub(crate) items: Vec<Val<'a>>,
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            List::Json(items, _) => items.len(),
            List::Made(made, _) => made.items.len(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            List::Json(_, kind) | List::Made(_, kind) => *kind,
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Val<'a>> {
        match self {
            List::Json(items, kind) => items.get(index).map(|item| Val::of_kind(item, *kind)),
            List::Made(made, _) => made.items.get(index).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// A pattern, and how it was written.
pub(crate) struct Regex {
    pub(crate) source: String,
    pub(crate) ignore_case: bool,
    pub(crate) dot_all: bool,
}

impl Regex {
    /// The pattern for use on this text.
    pub(crate) fn on(&self, text: &str) -> Result<Pattern, crate::regexes::PatternError> {
        let flags =
            crate::regexes::Flags { ignore_case: self.ignore_case, dot_all: self.dot_all, ..Default::default() };
        Pattern::new(&self.source, flags, text)
    }
}

/// What gives the next item of a lazy sequence.
pub(crate) type Source<'a> = Box<dyn FnMut(&Eval<'a>) -> Res<Option<Val<'a>>> + 'a>;

/// A lazy sequence. It can be read once, by whoever holds it.
#[derive(Clone)]
pub(crate) struct Iter<'a>(pub(crate) Rc<Lazy<'a>>);

pub(crate) struct Lazy<'a> {
    pub(crate) level: u32,
    pub(crate) source: RefCell<Source<'a>>,
    /// Whether the source gave its last item, or failed: it isn't asked again.
    pub(crate) ended: Cell<bool>,
    /// Whether another reader sees the same items again.
    pub(crate) memory: Option<RefCell<Vec<Val<'a>>>>,
}

impl<'a> Val<'a> {
    /// The value that this is in JSON, borrowed.
    pub(crate) fn of(json: &'a Json) -> Val<'a> {
        Val::of_kind(json, Kind::Frozen)
    }

    pub(crate) fn of_kind(json: &'a Json, kind: Kind) -> Val<'a> {
        match json {
            Json::Null => Val::Null,
            Json::Bool(value) => Val::Bool(*value),
            Json::Number(number) => of_number(number),
            Json::String(text) => Val::Str(Text::Borrowed(text)),
            Json::Array(items) => Val::List(List::Json(items, kind)),
            Json::Object(entries) => Val::Dict(Dict::Json(entries, kind)),
        }
    }

    pub(crate) fn borrowed(text: &'a str) -> Val<'a> {
        Val::Str(Text::Borrowed(text))
    }

    pub(crate) fn count(count: usize) -> Val<'a> {
        Val::Int(i128::try_from(count).unwrap_or(i128::MAX))
    }

    /// How deep made values are nested in this one.
    pub(crate) fn level(&self) -> u32 {
        match self {
            Val::List(List::Made(made, _)) => made.level,
            Val::Dict(Dict::Made(made, _)) => made.level,
            Val::Set(set) => set.level,
            Val::View(view) => view.dict.level(),
            Val::Iter(iter) => iter.0.level,
            Val::Ordering(ordering) => ordering.level.get(),
            Val::Scope(scope) => scope.level(),
            Val::Rule(sides) => sides.0.level().max(sides.1.level()),
            _ => 0,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Val::Null)
    }

    /// Python's `bool`.
    pub(crate) fn truthy(&self) -> bool {
        match self {
            Val::Null => false,
            Val::Bool(value) => *value,
            Val::Int(number) => *number != 0,
            Val::Float(number) => *number != 0.0,
            Val::Str(text) => !text.is_empty(),
            Val::List(list) => list.len() > 0,
            Val::Dict(dict) => dict.len() > 0,
            Val::Set(set) => set.len() > 0,
            Val::View(view) => view.dict.len() > 0,
            Val::Span(micros) => *micros != 0,
            _ => true,
        }
    }

    /// What it is, for messages: they name types and never values.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Bool(_) => "a boolean",
            Val::Int(_) => "an integer",
            Val::Float(_) => "a number",
            Val::Str(_) => "a text",
            Val::List(_) => "a list",
            Val::Dict(_) => "a dictionary",
            Val::Set(_) => "a set",
            Val::View(_) => "a view of a dictionary",
            Val::Time(_) => "a date",
            Val::Span(_) => "a timespan",
            Val::Regex(_) => "a regular expression",
            Val::Iter(_) | Val::Ordering(_) => "a sequence",
            Val::Scope(_) => "a context",
            Val::Rule(_) => "a named argument",
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Val::Str(text) => Some(text),
            _ => None,
        }
    }

    /// An integer, or a boolean, which is one in Python.
    pub(crate) fn as_int(&self) -> Option<i128> {
        match self {
            Val::Int(number) => Some(*number),
            Val::Bool(value) => Some(i128::from(*value)),
            _ => None,
        }
    }
}

fn of_number<'a>(number: &Number) -> Val<'a> {
    match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => Val::Int(i128::from(number)),
        (_, Some(number)) => Val::Int(i128::from(number)),
        _ => Val::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

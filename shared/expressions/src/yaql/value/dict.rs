//! Dictionaries and their keys.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{Kind, Text, Val, equal};
use crate::error::Limit;
use crate::yaql::eval::Eval;
use crate::yaql::fail::{Class, Res, fail, over};

/// A dictionary, in the order of its entries.
#[derive(Clone)]
pub(crate) enum Dict<'a> {
    Json(&'a Map<String, Json>, Kind),
    Made(Rc<Entries<'a>>, Kind),
}

/// The entries of a dictionary, and how deep they are nested.
pub(crate) struct Entries<'a> {
    pub(crate) level: u32,
    pub(crate) entries: IndexMap<Key<'a>, Val<'a>>,
}

impl<'a> Dict<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Dict::Json(entries, _) => entries.len(),
            Dict::Made(made, _) => made.entries.len(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Dict::Json(_, kind) | Dict::Made(_, kind) => *kind,
        }
    }

    pub(crate) fn level(&self) -> u32 {
        match self {
            Dict::Json(..) => 0,
            Dict::Made(made, _) => made.level,
        }
    }

    /// The value of a name.
    pub(crate) fn field(&self, name: &'a str) -> Option<Val<'a>> {
        match self {
            Dict::Json(entries, kind) => entries.get(name).map(|value| Val::of_kind(value, *kind)),
            Dict::Made(made, _) => made.entries.get(&Key(Val::borrowed(name))).cloned(),
        }
    }

    pub(crate) fn get(&self, key: &Key<'a>) -> Option<Val<'a>> {
        match self {
            Dict::Json(entries, kind) => entries.get(key.0.as_str()?).map(|value| Val::of_kind(value, *kind)),
            Dict::Made(made, _) => made.entries.get(key).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> DictIter<'_, 'a> {
        match self {
            Dict::Json(entries, kind) => DictIter::Json(entries.iter(), *kind),
            Dict::Made(made, _) => DictIter::Made(made.entries.iter()),
        }
    }
}

pub(crate) enum DictIter<'d, 'a> {
    Json(serde_json::map::Iter<'a>, Kind),
    Made(indexmap::map::Iter<'d, Key<'a>, Val<'a>>),
}

impl<'a> Iterator for DictIter<'_, 'a> {
    type Item = (Val<'a>, Val<'a>);

    fn next(&mut self) -> Option<(Val<'a>, Val<'a>)> {
        match self {
            DictIter::Json(entries, kind) => {
                let (key, value) = entries.next()?;
                Some((Val::borrowed(key), Val::of_kind(value, *kind)))
            }
            DictIter::Made(entries) => entries.next().map(|(key, value)| (key.0.clone(), value.clone())),
        }
    }
}

/// A value that can be a key or a member of a set: as in Python `1`, `1.0` and `true` are the same.
#[derive(Clone)]
pub(crate) struct Key<'a>(Val<'a>);

impl<'a> Key<'a> {
    /// Refused where Python has no hash of the value.
    pub(crate) fn new(ev: &Eval<'a>, value: Val<'a>) -> Res<Key<'a>> {
        check_hashable(ev, &value, 0)?;
        Ok(Key(value))
    }

    /// A value that is a key already.
    pub(crate) fn known(value: Val<'a>) -> Key<'a> {
        Key(value)
    }

    pub(crate) fn value(&self) -> &Val<'a> {
        &self.0
    }
}

fn check_hashable<'a>(ev: &Eval<'a>, value: &Val<'a>, level: usize) -> Res<()> {
    const DEEPEST: usize = 128;
    const EACH: usize = 16;
    let refused = || fail(Class::Type, format!("{} can't be a key or a member of a set", value.type_name()));
    ev.charge(value.as_str().map_or(EACH, str::len))?;
    if level > DEEPEST {
        return over(Limit::Depth);
    }
    match value {
        Val::List(list) if list.kind() == Kind::Plain => refused(),
        Val::Dict(dict) if dict.kind() == Kind::Plain => refused(),
        Val::Set(set) if set.kind == Kind::Plain => refused(),
        Val::View(_) | Val::Ordering(_) => refused(),
        Val::List(list) => list.iter().try_for_each(|item| check_hashable(ev, &item, level + 1)),
        Val::Dict(dict) => dict.iter().try_for_each(|(_, item)| check_hashable(ev, &item, level + 1)),
        _ => Ok(()),
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0, &|_| Ok(())).unwrap_or(false)
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

fn hash<H: Hasher>(value: &Val<'_>, state: &mut H) {
    match value {
        Val::Bool(value) => i128::from(*value).hash(state),
        Val::Int(number) => number.hash(state),
        Val::Float(number) => match whole(*number) {
            Some(number) => number.hash(state),
            None => number.to_bits().hash(state),
        },
        Val::Str(text) => hash_text(text, state),
        Val::List(list) => {
            list.len().hash(state);
            list.iter().for_each(|item| hash(&item, state));
        }
        // Dictionaries and sets are equal in any order.
        Val::Dict(dict) => dict.iter().fold(0, |sum, (key, value)| sum ^ alone(&[&key, &value])).hash(state),
        Val::Set(set) => set.members.iter().fold(0, |sum, member| sum ^ alone(&[member.value()])).hash(state),
        Val::Time(time) => time.instant().hash(state),
        Val::Span(micros) => micros.hash(state),
        _ => std::mem::discriminant(value).hash(state),
    }
}

fn alone(values: &[&Val<'_>]) -> u64 {
    let mut state = DefaultHasher::new();
    values.iter().for_each(|value| hash(value, &mut state));
    state.finish()
}

fn hash_text<H: Hasher>(text: &Text<'_>, state: &mut H) {
    let text: &str = text;
    text.hash(state);
}

/// The integer that a number without fraction is.
pub(super) fn whole(number: f64) -> Option<i128> {
    const MOST: f64 = 1e38;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is within the range")]
    (number.fract() == 0.0 && number.abs() < MOST).then_some(number as i128)
}

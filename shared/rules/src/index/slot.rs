//! The values that an event has at the paths that rules ask for.

use expressions::{
    jsonpath::follow,
    python::{Numeric, is_truthy},
};
use serde_json::Value;
use std::borrow::Cow;

use super::trie::Trie;

/// One value, as far as the dense programs of criteria can tell values apart.
#[derive(Clone, Debug)]
pub(super) enum Slot<'a> {
    /// Null or missing.
    Null,
    /// A number or a boolean.
    Number(Numeric),
    Text(Cow<'a, str>),
    /// A list or an object.
    Composite,
}

impl<'a> Slot<'a> {
    fn of(value: &'a Value) -> Slot<'a> {
        match value {
            Value::Null => Slot::Null,
            Value::String(text) => Slot::Text(Cow::Borrowed(text)),
            Value::Array(_) | Value::Object(_) => Slot::Composite,
            number => Numeric::of(number).map_or(Slot::Composite, Slot::Number),
        }
    }
}

/// The values of all paths of a trie.
#[derive(Clone, Debug)]
pub(super) struct Slots<'a> {
    values: Vec<Slot<'a>>,
    /// An event without payload matches no rule with criteria.
    pub(super) filled: bool,
}

impl<'a> Slots<'a> {
    pub(super) fn missing(count: usize) -> Slots<'a> {
        Slots { values: vec![Slot::Null; count], filled: false }
    }

    /// Looks the paths up in a document.
    pub(super) fn of(trie: &Trie, payload: &'a Value) -> Slots<'a> {
        let values = trie.paths().iter().map(|names| Slot::of(follow(payload, names))).collect();
        Slots { values, filled: is_truthy(payload) }
    }

    /// The same, without the document.
    pub(super) fn into_owned<'b>(self) -> Slots<'b> {
        let owned = |slot| match slot {
            Slot::Text(text) => Slot::Text(Cow::Owned(text.into_owned())),
            Slot::Null => Slot::Null,
            Slot::Number(number) => Slot::Number(number),
            Slot::Composite => Slot::Composite,
        };
        Slots { values: self.values.into_iter().map(owned).collect(), filled: self.filled }
    }

    pub(super) fn set(&mut self, slot: u16, value: Slot<'a>) {
        if let Some(place) = self.values.get_mut(usize::from(slot)) {
            *place = value;
        }
    }

    /// An object of this depth has members.
    pub(super) const fn fill(&mut self, depth: usize) {
        self.filled |= depth == 0;
    }

    pub(super) fn get(&self, slot: u16) -> &Slot<'a> {
        self.values.get(usize::from(slot)).unwrap_or(&Slot::Null)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot<'a>> {
        self.values.iter()
    }
}

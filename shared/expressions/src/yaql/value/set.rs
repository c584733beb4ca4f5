//! Sets, and the views that a dictionary gives of its keys, values and items.

use std::rc::Rc;

use indexmap::IndexSet;

use super::{Dict, Items, Key, Kind, List, Val};

/// A set, in the order in which its members came.
pub(crate) struct Set<'a> {
    pub(crate) level: u32,
    /// `Plain` only in results, where it is Python's `set` rather than its `frozenset`.
    pub(crate) kind: Kind,
    pub(crate) members: IndexSet<Key<'a>>,
}

impl<'a> Set<'a> {
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn has(&self, key: &Key<'a>) -> bool {
        self.members.contains(key)
    }
}

/// A view of a dictionary.
pub(crate) struct View<'a> {
    pub(crate) kind: ViewKind,
    pub(crate) dict: Dict<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewKind {
    Keys,
    Values,
    Items,
}

impl<'a> View<'a> {
    /// Views of keys and of items are sets, those of values are not.
    pub(crate) fn is_set(&self) -> bool {
        self.kind != ViewKind::Values
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        self.dict.iter().map(|(key, value)| self.kind.of(key, value))
    }
}

impl ViewKind {
    /// What the view has of an entry.
    pub(crate) fn of<'a>(self, key: Val<'a>, value: Val<'a>) -> Val<'a> {
        match self {
            ViewKind::Keys => key,
            ViewKind::Values => value,
            ViewKind::Items => {
                let level = 1 + key.level().max(value.level());
                Val::List(List::Made(Rc::new(Items { level, items: vec![key, value] }), Kind::Frozen))
            }
        }
    }
}

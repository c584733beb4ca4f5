//! Reading what can be iterated over, item by item.

use std::rc::Rc;

use serde_json::Value as Json;

use super::eval::Eval;
use super::fail::{Class, Res, fail};
use super::functions::Ordering;
use super::value::{Dict, Entries, Items, Iter, Kind, List, Set, Val, ViewKind};

/// The items of a collection, as they are read.
pub(crate) enum Feed<'a> {
    Json(std::slice::Iter<'a, Json>, Kind),
    Made(Rc<Items<'a>>, usize),
    Set(Rc<Set<'a>>, usize),
    /// The keys, values or items of a dictionary.
    Fields(serde_json::map::Iter<'a>, Kind, ViewKind),
    Entries(Rc<Entries<'a>>, usize, ViewKind),
    Iter(Iter<'a>, usize),
    /// What is sorted when its first item is read.
    Ordering(Rc<Ordering<'a>>),
    Owned(std::vec::IntoIter<Val<'a>>),
}

impl<'a> Feed<'a> {
    /// The items of a value. Nothing for what isn't iterable; texts and dictionaries are not.
    pub(crate) fn new(value: &Val<'a>) -> Option<Feed<'a>> {
        Some(match value {
            Val::List(List::Json(items, kind)) => Feed::Json(items.iter(), *kind),
            Val::List(List::Made(made, _)) => Feed::Made(Rc::clone(made), 0),
            Val::Set(set) => Feed::Set(Rc::clone(set), 0),
            Val::View(view) => Feed::view(&view.dict, view.kind),
            Val::Iter(iter) => Feed::Iter(iter.clone(), 0),
            Val::Ordering(ordering) => Feed::Ordering(Rc::clone(ordering)),
            _ => return None,
        })
    }

    /// What a view of a dictionary has.
    pub(crate) fn view(dict: &Dict<'a>, view: ViewKind) -> Feed<'a> {
        match dict {
            Dict::Json(entries, kind) => Feed::Fields(entries.iter(), *kind, view),
            Dict::Made(made, _) => Feed::Entries(Rc::clone(made), 0, view),
        }
    }

    /// Like [`Feed::new`], but texts give their characters and dictionaries their keys, as Python's `iter` has it.
    pub(crate) fn python(ev: &Eval<'a>, value: &Val<'a>) -> Res<Feed<'a>> {
        match value {
            Val::Str(text) => {
                ev.charge(text.len())?;
                let chars: Vec<_> = text.chars().map(|c| ev.text(c.to_string())).collect::<Res<_>>()?;
                Ok(Feed::Owned(chars.into_iter()))
            }
            Val::Dict(dict) => Ok(Feed::view(dict, ViewKind::Keys)),
            value => match Feed::new(value) {
                Some(feed) => Ok(feed),
                None => fail(Class::Type, format!("{} has no items", value.type_name())),
            },
        }
    }

    /// The next item.
    pub(crate) fn next(&mut self, ev: &Eval<'a>) -> Res<Option<Val<'a>>> {
        ev.step()?;
        let at = |index: &mut usize| {
            *index += 1;
            *index - 1
        };
        Ok(match self {
            Feed::Json(items, kind) => items.next().map(|item| Val::of_kind(item, *kind)),
            Feed::Made(made, index) => made.items.get(at(index)).cloned(),
            Feed::Set(set, index) => set.members.get_index(at(index)).map(|member| member.value().clone()),
            Feed::Fields(fields, kind, view) => {
                fields.next().map(|(key, value)| view.of(Val::borrowed(key), Val::of_kind(value, *kind)))
            }
            Feed::Entries(made, index, view) => {
                made.entries.get_index(at(index)).map(|(key, value)| view.of(key.value().clone(), value.clone()))
            }
            Feed::Iter(iter, index) => return iter.next(ev, index),
            Feed::Ordering(ordering) => {
                *self = Feed::Made(ordering.sorted(ev)?, 0);
                return self.next(ev);
            }
            Feed::Owned(items) => items.next(),
        })
    }

    /// All items that are left.
    pub(crate) fn rest(mut self, ev: &Eval<'a>) -> Res<Vec<Val<'a>>> {
        let mut items = Vec::new();
        while let Some(item) = self.next(ev)? {
            ev.charge(std::mem::size_of::<Val<'_>>())?;
            items.push(item);
        }
        Ok(items)
    }
}

impl<'a> Iter<'a> {
    /// The item after those that this reader had: `index` counts them where the sequence is remembered.
    fn next(&self, ev: &Eval<'a>, index: &mut usize) -> Res<Option<Val<'a>>> {
        let Some(memory) = &self.0.memory else { return self.pull(ev) };
        let seen = memory.borrow().get(*index).cloned();
        let item = match seen {
            Some(item) => Some(item),
            None => self.pull(ev)?,
        };
        if let Some(item) = &item {
            if memory.borrow().len() == *index {
                ev.charge(std::mem::size_of::<Val<'_>>())?;
                memory.borrow_mut().push(item.clone());
            }
            *index += 1;
        }
        Ok(item)
    }

    fn pull(&self, ev: &Eval<'a>) -> Res<Option<Val<'a>>> {
        if self.0.ended.get() {
            return Ok(None);
        }
        let _depth = ev.enter()?;
        let item = match self.0.source.try_borrow_mut() {
            Ok(mut source) => source(ev),
            Err(_) => fail(Class::Value, "a sequence reads itself"),
        };
        self.0.ended.set(!matches!(item, Ok(Some(_))));
        item
    }
}

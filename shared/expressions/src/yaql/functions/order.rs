//! Sorting.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::ast::Binary;
use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, fail};
use super::super::lambda::Lambda;
use super::super::operators;
use super::super::overload::{As, Row};
use super::super::value::{Items, Val};

pub(super) const FUNCTIONS: &[Row] = &[
    ("orderBy", As::Method, "collection:iterable selector:lambda", |ev, call| order_by(ev, call, false)),
    ("orderByDescending", As::Method, "collection:iterable selector:lambda", |ev, call| order_by(ev, call, true)),
    ("thenBy", As::Method, "collection:ordering selector:lambda", |ev, call| then_by(ev, call, false)),
    ("thenByDescending", As::Method, "collection:ordering selector:lambda", |ev, call| then_by(ev, call, true)),
];

/// A collection that is sorted when it is read, by what was given until then.
pub(crate) struct Ordering<'a> {
    pub(crate) level: Cell<u32>,
    collection: Val<'a>,
    by: RefCell<Vec<By<'a>>>,
    sorted: RefCell<Option<Rc<Items<'a>>>>,
}

#[derive(Clone)]
struct By<'a> {
    selector: Lambda<'a>,
    descending: bool,
}

fn order_by<'a>(ev: &Eval<'a>, call: &Call<'a>, descending: bool) -> Res<Val<'a>> {
    let by = By { selector: call.lambda(1)?, descending };
    let level = call.level() + 1;
    ev.check_level(level)?;
    Ok(Val::Ordering(Rc::new(Ordering {
        level: Cell::new(level),
        collection: call.val(0),
        by: RefCell::new(vec![by]),
        sorted: RefCell::default(),
    })))
}

fn then_by<'a>(ev: &Eval<'a>, call: &Call<'a>, descending: bool) -> Res<Val<'a>> {
    let Val::Ordering(ordering) = call.val(0) else { return Ok(Val::Null) };
    let level = call.level() + 1;
    ev.check_level(level)?;
    ordering.level.set(ordering.level.get().max(level));
    ordering.by.borrow_mut().push(By { selector: call.lambda(1)?, descending });
    Ok(Val::Ordering(ordering))
}

/// An item and what it is sorted by, as far as that was needed.
struct Entry<'a> {
    item: Val<'a>,
    keys: Vec<Val<'a>>,
}

impl<'a> Ordering<'a> {
    /// The items in order.
    pub(crate) fn sorted(&self, ev: &Eval<'a>) -> Res<Rc<Items<'a>>> {
        if let Some(sorted) = &*self.sorted.borrow() {
            return Ok(Rc::clone(sorted));
        }
        let _entered = ev.enter()?;
        let feed = super::super::feed::Feed::new(&self.collection);
        let items = feed.map_or_else(|| fail(Class::Type, "a collection is needed here"), |feed| feed.rest(ev))?;
        let by = self.by.borrow().clone();
        let entries = items.into_iter().map(|item| Entry { item, keys: Vec::new() }).collect();
        let items: Vec<Val<'a>> = merge_sort(ev, entries, &by)?.into_iter().map(|entry| entry.item).collect();
        let level = 1 + items.iter().map(Val::level).max().unwrap_or_default();
        let sorted = Rc::new(Items { level, items });
        *self.sorted.borrow_mut() = Some(Rc::clone(&sorted));
        Ok(sorted)
    }
}

/// Sorts and keeps the order of equals. The comparison may fail, and may contradict itself.
fn merge_sort<'a>(ev: &Eval<'a>, mut entries: Vec<Entry<'a>>, by: &[By<'a>]) -> Res<Vec<Entry<'a>>> {
    if entries.len() < 2 {
        return Ok(entries);
    }
    let right = entries.split_off(entries.len() / 2);
    let left = merge_sort(ev, entries, by)?;
    let right = merge_sort(ev, right, by)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek_mut(), right.peek_mut()) {
        let from_right = is_before(ev, second, first, by)?;
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    Ok(merged)
}

fn is_before<'a>(ev: &Eval<'a>, one: &mut Entry<'a>, other: &mut Entry<'a>, by: &[By<'a>]) -> Res<bool> {
    for (index, by) in by.iter().enumerate() {
        let (left, right) = (one.key(ev, index, by)?, other.key(ev, index, by)?);
        ev.step()?;
        if operators::binary(ev, Binary::Less, &left, &right)?.truthy() {
            return Ok(!by.descending);
        }
        if operators::binary(ev, Binary::Greater, &left, &right)?.truthy() {
            return Ok(by.descending);
        }
    }
    Ok(false)
}

impl<'a> Entry<'a> {
    /// What the item is sorted by in this place. Places are asked for in order.
    fn key(&mut self, ev: &Eval<'a>, index: usize, by: &By<'a>) -> Res<Val<'a>> {
        if let Some(key) = self.keys.get(index) {
            return Ok(key.clone());
        }
        let key = by.selector.call1(ev, self.item.clone())?;
        self.keys.push(key.clone());
        Ok(key)
    }
}

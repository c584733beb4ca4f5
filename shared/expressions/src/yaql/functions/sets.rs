//! Sets.

use std::rc::Rc;

use indexmap::IndexSet;

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, fail};
use super::super::feed::Feed;
use super::super::overload::{As, Row};
use super::super::value::{Key, Set, Val};
use super::lists::spread;

pub(super) const FUNCTIONS: &[Row] = &[
    ("set", As::Function, "*args:any", set),
    ("toSet", As::Method, "collection:iterable", to_set),
    ("union", As::Method, "left:set right:set", |ev, call| combine(ev, call, |_, _| true, Some(|_, _| true))),
    ("intersect", As::Method, "left:set right:set", |ev, call| combine(ev, call, has, None)),
    ("difference", As::Method, "left:set right:set", |ev, call| combine(ev, call, lacks, None)),
    ("symmetricDifference", As::Method, "left:set right:set", |ev, call| combine(ev, call, lacks, Some(lacks))),
    ("add", As::Method, "set:set *values:any", add),
    ("remove", As::Method, "set:set *values:any", remove),
];

type Members<'a> = IndexSet<Key<'a>>;

fn has<'a>(set: &Set<'a>, key: &Key<'a>) -> bool {
    set.has(key)
}

fn lacks<'a>(set: &Set<'a>, key: &Key<'a>) -> bool {
    !set.has(key)
}

/// The members of what is given.
fn members<'a>(ev: &Eval<'a>, mut feed: Feed<'a>) -> Res<Members<'a>> {
    let mut members = Members::new();
    while let Some(item) = feed.next(ev)? {
        ev.charge(2 * std::mem::size_of::<Val<'_>>())?;
        members.insert(Key::new(ev, item)?);
    }
    Ok(members)
}

fn set<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let items = spread(ev, call)?;
    let members = members(ev, Feed::Owned(items.into_iter()))?;
    ev.set(members)
}

fn to_set<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let members = members(ev, call.feed(0)?)?;
    ev.set(members)
}

/// The receiver, which must be a set itself: the views of a dictionary don't have these methods.
fn receiver<'a>(call: &Call<'a>) -> Res<Rc<Set<'a>>> {
    match call.val(0) {
        Val::Set(set) => Ok(set),
        other => fail(Class::Type, format!("{} has no such method; use `toSet` first", other.type_name())),
    }
}

type Keep = for<'a> fn(&Set<'a>, &Key<'a>) -> bool;

/// Those of the left set that are kept with regard to the right one, and those of the right one likewise.
fn combine<'a>(ev: &Eval<'a>, call: &Call<'a>, left_kept: Keep, right_kept: Option<Keep>) -> Res<Val<'a>> {
    let left = receiver(call)?;
    let Val::Set(right) = ev.set(members(ev, call.feed(1)?)?)? else { return Ok(Val::Null) };
    let mut kept: Members<'a> = left.members.iter().filter(|member| left_kept(&right, member)).cloned().collect();
    if let Some(right_kept) = right_kept {
        kept.extend(right.members.iter().filter(|member| right_kept(&left, member)).cloned());
    }
    ev.set(kept)
}

fn add<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let set = receiver(call)?;
    ev.charge(set.len() * 2 * std::mem::size_of::<Val<'_>>())?;
    let mut members = set.members.clone();
    for value in call.rest() {
        members.insert(Key::new(ev, value.clone())?);
    }
    ev.set(members)
}

fn remove<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let set = receiver(call)?;
    let removed = call.rest().map(|value| Key::new(ev, value.clone())).collect::<Res<Members<'a>>>()?;
    ev.set(set.members.iter().filter(|member| !removed.contains(*member)).cloned().collect())
}

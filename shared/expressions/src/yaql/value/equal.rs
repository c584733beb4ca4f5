//! Python's `==`.

use std::rc::Rc;

use serde_json::Value as Json;

use super::dict::{Dict, Key, whole};
use super::{List, Set, Val, View, ViewKind};
use crate::yaql::fail::Res;

/// What a comparison of one pair costs, in bytes, beside the texts in it.
const EACH: usize = 16;

/// Whether two values are the same. Those of different types aren't, but numbers and booleans count by their value. `pay` is told what is
/// looked at, and may refuse to go on.
pub(crate) fn equal<'a>(left: &Val<'a>, right: &Val<'a>, pay: &dyn Fn(usize) -> Res<()>) -> Res<bool> {
    pay(EACH)?;
    Ok(match (left, right) {
        (Val::Null, Val::Null) => true,
        (Val::Str(left), Val::Str(right)) => {
            pay(left.len().min(right.len()))?;
            **left == **right
        }
        (Val::List(left), Val::List(right)) => return lists(left, right, pay),
        (Val::Dict(left), Val::Dict(right)) => return dicts(left, right, pay),
        (Val::Time(left), Val::Time(right)) => left.instant() == right.instant(),
        (Val::Span(left), Val::Span(right)) => left == right,
        (Val::Regex(left), Val::Regex(right)) => {
            (&left.source, left.ignore_case, left.dot_all) == (&right.source, right.ignore_case, right.dot_all)
        }
        (Val::Set(left), Val::Set(right)) => {
            pay_for(left, pay)?;
            left.len() == right.len() && left.members.iter().all(|member| right.has(member))
        }
        (Val::View(left), Val::View(right)) => return views(left, right, pay),
        (Val::Set(set), Val::View(view)) | (Val::View(view), Val::Set(set)) => {
            pay_for(set, pay)?;
            view.is_set() && view.dict.len() == set.len() && view.iter().all(|item| set.has(&Key::known(item)))
        }
        (Val::Iter(left), Val::Iter(right)) => Rc::ptr_eq(&left.0, &right.0),
        (Val::Ordering(left), Val::Ordering(right)) => Rc::ptr_eq(left, right),
        (Val::Scope(left), Val::Scope(right)) => Rc::ptr_eq(left, right),
        (Val::Rule(left), Val::Rule(right)) => Rc::ptr_eq(left, right),
        _ => numbers(left, right),
    })
}

/// Pays for looking all members of a set up in another one.
pub(crate) fn pay_for<'a>(set: &Set<'a>, pay: &dyn Fn(usize) -> Res<()>) -> Res<()> {
    set.members.iter().try_for_each(|member| equal(member.value(), member.value(), pay).map(|_| ()))
}

fn numbers<'a>(left: &Val<'a>, right: &Val<'a>) -> bool {
    match (left, right) {
        (Val::Float(left), Val::Float(right)) => left == right,
        (Val::Float(float), other) | (other, Val::Float(float)) => {
            other.as_int().is_some_and(|number| whole(*float) == Some(number))
        }
        (left, right) => left.as_int().is_some_and(|left| right.as_int() == Some(left)),
    }
}

fn lists<'a>(left: &List<'a>, right: &List<'a>, pay: &dyn Fn(usize) -> Res<()>) -> Res<bool> {
    if left.len() != right.len() || left.kind() != right.kind() {
        return Ok(false);
    }
    if let (List::Json(left, _), List::Json(right, _)) = (left, right) {
        return every(left.iter().zip(right.iter()), |(left, right)| equal_json(left, right, pay));
    }
    every(left.iter().zip(right.iter()), |(left, right)| equal(&left, &right, pay))
}

fn every<T>(items: impl Iterator<Item = T>, mut holds: impl FnMut(T) -> Res<bool>) -> Res<bool> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_json<'a>(left: &'a Json, right: &'a Json, pay: &dyn Fn(usize) -> Res<()>) -> Res<bool> {
    if std::ptr::eq(left, right) { Ok(true) } else { equal(&Val::of(left), &Val::of(right), pay) }
}

fn dicts<'a>(left: &Dict<'a>, right: &Dict<'a>, pay: &dyn Fn(usize) -> Res<()>) -> Res<bool> {
    if left.len() != right.len() {
        return Ok(false);
    }
    every(left.iter(), |(key, value)| {
        // Looking a key up reads all of it.
        equal(&key, &key, pay)?;
        match right.get(&Key::known(key)) {
            Some(other) => equal(&value, &other, pay),
            None => Ok(false),
        }
    })
}

fn views<'a>(left: &View<'a>, right: &View<'a>, pay: &dyn Fn(usize) -> Res<()>) -> Res<bool> {
    match (left.kind, right.kind) {
        (ViewKind::Values, _) | (_, ViewKind::Values) => Ok(std::ptr::eq(left, right)),
        _ if left.dict.len() != right.dict.len() => Ok(false),
        _ => every(left.iter(), |item| {
            let differs = |other| Ok(!equal(&item, &other, pay)?);
            every(right.iter(), differs).map(|none| !none)
        }),
    }
}

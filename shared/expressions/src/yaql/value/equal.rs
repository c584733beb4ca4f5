//! Python's `==`.

use std::rc::Rc;

use serde_json::Value as Json;

use super::dict::{Dict, Key, whole};
use super::{List, Val, View, ViewKind};

/// Whether two values are the same. Those of different types aren't, but numbers and booleans count by their value.
pub(crate) fn equal<'a>(left: &Val<'a>, right: &Val<'a>) -> bool {
    match (left, right) {
        (Val::Null, Val::Null) => true,
        (Val::Str(left), Val::Str(right)) => **left == **right,
        (Val::List(left), Val::List(right)) => lists(left, right),
        (Val::Dict(left), Val::Dict(right)) => dicts(left, right),
        (Val::Time(left), Val::Time(right)) => left.instant() == right.instant(),
        (Val::Span(left), Val::Span(right)) => left == right,
        (Val::Regex(left), Val::Regex(right)) => {
            (&left.source, left.ignore_case, left.dot_all) == (&right.source, right.ignore_case, right.dot_all)
        }
        (Val::Set(left), Val::Set(right)) => left.len() == right.len() && left.members.iter().all(|m| right.has(m)),
        (Val::View(left), Val::View(right)) => views(left, right),
        (Val::Set(set), Val::View(view)) | (Val::View(view), Val::Set(set)) => {
            view.is_set()
                && view.dict.len() == set.len()
                && view.iter().all(|item| Key::new(item).is_ok_and(|key| set.has(&key)))
        }
        (Val::Iter(left), Val::Iter(right)) => Rc::ptr_eq(&left.0, &right.0),
        (Val::Ordering(left), Val::Ordering(right)) => Rc::ptr_eq(left, right),
        (Val::Scope(left), Val::Scope(right)) => Rc::ptr_eq(left, right),
        (Val::Rule(left), Val::Rule(right)) => Rc::ptr_eq(left, right),
        _ => numbers(left, right),
    }
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

fn lists<'a>(left: &List<'a>, right: &List<'a>) -> bool {
    if left.len() != right.len() || left.kind() != right.kind() {
        return false;
    }
    if let (List::Json(left, _), List::Json(right, _)) = (left, right) {
        return left.iter().zip(right.iter()).all(|(left, right)| equal_json(left, right));
    }
    left.iter().zip(right.iter()).all(|(left, right)| equal(&left, &right))
}

fn equal_json<'a>(left: &'a Json, right: &'a Json) -> bool {
    std::ptr::eq(left, right) || equal(&Val::of(left), &Val::of(right))
}

fn dicts<'a>(left: &Dict<'a>, right: &Dict<'a>) -> bool {
    let same = |(key, value): (Val<'a>, Val<'a>)| {
        Key::new(key).ok().and_then(|key| right.get(&key)).is_some_and(|other| equal(&value, &other))
    };
    left.len() == right.len() && left.iter().all(same)
}

fn views<'a>(left: &View<'a>, right: &View<'a>) -> bool {
    match (left.kind, right.kind) {
        (ViewKind::Values, _) | (_, ViewKind::Values) => std::ptr::eq(left, right),
        _ => {
            left.dict.len() == right.dict.len()
                && left.iter().all(|item| right.iter().any(|other| equal(&item, &other)))
        }
    }
}

//! What operators do with values.

use std::cmp::Ordering;
use std::rc::Rc;

use super::ast::{Binary, Unary};
use super::clock;
use super::eval::Eval;
use super::fail::{Class, Res, bad, fail, over};
use super::feed::Feed;
use super::functions::regex;
use super::value::{Key, Kind, List, Set, Text, Val, equal, pay_for};
use crate::error::Limit;

pub(super) fn unary<'a>(operator: Unary, value: Val<'a>) -> Res<Val<'a>> {
    match (operator, value) {
        (Unary::Not, value) => Ok(Val::Bool(!value.truthy())),
        (Unary::Plus, value @ (Val::Int(_) | Val::Float(_) | Val::Span(_))) => Ok(value),
        (Unary::Minus, Val::Int(number)) => Ok(Val::Int(number.saturating_neg())),
        (Unary::Minus, Val::Float(number)) => Ok(Val::Float(-number)),
        (Unary::Minus, Val::Span(micros)) => clock::span(-i128::from(micros)),
        (operator, value) => {
            fail(Class::NoMatch, format!("`{}` can't be applied to {}", operator.symbol(), value.type_name()))
        }
    }
}

/// The value of an operator that needs both sides.
pub(crate) fn binary<'a>(ev: &Eval<'a>, operator: Binary, left: &Val<'a>, right: &Val<'a>) -> Res<Val<'a>> {
    let done = match operator {
        Binary::Equal => Some(Val::Bool(equals(ev, left, right)?)),
        Binary::NotEqual => Some(Val::Bool(!equals(ev, left, right)?)),
        Binary::Greater | Binary::Less | Binary::GreaterEqual | Binary::LessEqual => {
            compare(ev, operator, left, right)?.map(Val::Bool)
        }
        Binary::Plus => plus(ev, left, right)?,
        Binary::Minus => minus(ev, left, right)?,
        Binary::Times => times(ev, left, right)?,
        Binary::Divide => divide(left, right)?,
        Binary::Modulo => modulo(left, right)?,
        Binary::In => contains(ev, left, right)?,
        Binary::Matches => regex::matches(left, right)?.map(Val::Bool),
        Binary::NotMatches => regex::matches(left, right)?.map(|matches| Val::Bool(!matches)),
        Binary::And | Binary::Or | Binary::Send => None,
    };
    match done {
        Some(value) => Ok(value),
        None => {
            let (left, right) = (left.type_name(), right.type_name());
            fail(Class::NoMatch, format!("`{}` can't be applied to {left} and {right}", operator.symbol()))
        }
    }
}

/// `==`, paid for.
pub(crate) fn equals<'a>(ev: &Eval<'a>, left: &Val<'a>, right: &Val<'a>) -> Res<bool> {
    equal(left, right, &|bytes| ev.charge(bytes))
}

/// A number as it takes part in arithmetic: booleans are none.
#[derive(Clone, Copy)]
pub(crate) enum Num {
    Int(i128),
    Float(f64),
}

impl Num {
    pub(crate) fn of(value: &Val<'_>) -> Option<Num> {
        match value {
            Val::Int(number) => Some(Num::Int(*number)),
            Val::Float(number) => Some(Num::Float(*number)),
            _ => None,
        }
    }

    pub(crate) fn float(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "as Python does where the other side is a float")]
            Num::Int(number) => number as f64,
            Num::Float(number) => number,
        }
    }

    fn is_zero(self) -> bool {
        self.float() == 0.0
    }
}

fn both(left: &Val<'_>, right: &Val<'_>) -> Option<(Num, Num)> {
    Num::of(left).zip(Num::of(right))
}

/// The exact result, or the nearest float where it is beyond the integers that are kept exactly.
fn arithmetic<'a>(
    (left, right): (Num, Num),
    exact: fn(i128, i128) -> Option<i128>,
    rough: fn(f64, f64) -> f64,
) -> Val<'a> {
    match (left, right) {
        (Num::Int(left), Num::Int(right)) => match exact(left, right) {
            Some(number) => Val::Int(number),
            None => Val::Float(rough(Num::Int(left).float(), Num::Int(right).float())),
        },
        (left, right) => Val::Float(rough(left.float(), right.float())),
    }
}

fn compare<'a>(ev: &Eval<'a>, operator: Binary, left: &Val<'a>, right: &Val<'a>) -> Res<Option<bool>> {
    let ordering = match (left, right) {
        (Val::Null, Val::Null) => Ordering::Equal,
        (Val::Null, _) => Ordering::Less,
        (_, Val::Null) => Ordering::Greater,
        (Val::Int(left), Val::Int(right)) => left.cmp(right),
        (Val::Str(left), Val::Str(right)) => (**left).cmp(&**right),
        (Val::Span(left), Val::Span(right)) => left.cmp(right),
        (Val::Time(left), Val::Time(right)) => left.instant().cmp(&right.instant()),
        (Val::Set(_) | Val::View(_), Val::Set(_) | Val::View(_)) => return compare_sets(ev, operator, left, right),
        _ => {
            let Some((left, right)) = both(left, right) else { return Ok(None) };
            match left.float().partial_cmp(&right.float()) {
                Some(ordering) => ordering,
                None => return Ok(Some(false)),
            }
        }
    };
    Ok(Some(holds(operator, ordering)))
}

fn holds(operator: Binary, ordering: Ordering) -> bool {
    match operator {
        Binary::Greater => ordering.is_gt(),
        Binary::GreaterEqual => ordering.is_ge(),
        Binary::Less => ordering.is_lt(),
        _ => ordering.is_le(),
    }
}

/// One set within another.
fn compare_sets<'a>(ev: &Eval<'a>, operator: Binary, left: &Val<'a>, right: &Val<'a>) -> Res<Option<bool>> {
    let (Some(left), Some(right)) = (members(ev, left)?, members(ev, right)?) else { return Ok(None) };
    let (small, large) = match operator {
        Binary::Less | Binary::LessEqual => (left, right),
        _ => (right, left),
    };
    let strict = matches!(operator, Binary::Less | Binary::Greater);
    let within = small.iter().all(|member| large.contains(member));
    Ok(Some(within && (!strict || small.len() < large.len())))
}

/// The members of a set, paid for.
fn members<'a>(ev: &Eval<'a>, value: &Val<'a>) -> Res<Option<indexmap::IndexSet<Key<'a>>>> {
    match value {
        Val::Set(set) => {
            pay_for(set, &|bytes| ev.charge(bytes))?;
            Ok(Some(set.members.clone()))
        }
        Val::View(view) if view.is_set() => view.iter().map(|item| Key::new(ev, item)).collect::<Res<_>>().map(Some),
        _ => Ok(None),
    }
}

fn plus<'a>(ev: &Eval<'a>, left: &Val<'a>, right: &Val<'a>) -> Res<Option<Val<'a>>> {
    if let Some(numbers) = both(left, right) {
        return Ok(Some(arithmetic(numbers, i128::checked_add, |a, b| a + b)));
    }
    Ok(Some(match (left, right) {
        (Val::Str(left), Val::Str(right)) => join_texts(ev, &[left, right])?,
        (Val::Time(time), Val::Span(span)) | (Val::Span(span), Val::Time(time)) => time.plus(i128::from(*span))?,
        (Val::Span(left), Val::Span(right)) => clock::span(i128::from(*left) + i128::from(*right))?,
        (Val::Dict(left), Val::Dict(right)) => {
            let mut entries = indexmap::IndexMap::with_capacity(left.len() + right.len());
            for (key, value) in left.iter().chain(right.iter()) {
                entries.insert(Key::known(key), value);
            }
            ev.dict(entries, Kind::Frozen)?
        }
        (Val::Set(left), Val::Set(right)) => union(ev, left, right)?,
        (Val::List(left), Val::List(right)) if left.kind() == Kind::Frozen && right.kind() == Kind::Frozen => {
            ev.list(left.iter().chain(right.iter()).collect(), Kind::Frozen)?
        }
        _ => return chain(ev, left, right),
    }))
}

/// The items of both, one after the other.
fn chain<'a>(ev: &Eval<'a>, left: &Val<'a>, right: &Val<'a>) -> Res<Option<Val<'a>>> {
    let (Some(mut first), Some(mut second)) = (Feed::new(left), Feed::new(right)) else { return Ok(None) };
    let level = left.level().max(right.level());
    let next = move |ev: &Eval<'a>| match first.next(ev)? {
        Some(item) => Ok(Some(item)),
        None => second.next(ev),
    };
    ev.lazy(level, next).map(Some)
}

fn union<'a>(ev: &Eval<'a>, left: &Set<'a>, right: &Set<'a>) -> Res<Val<'a>> {
    [left, right].into_iter().try_for_each(|set| pay_for(set, &|bytes| ev.charge(bytes)))?;
    ev.set(left.members.iter().chain(&right.members).cloned().collect())
}

pub(super) fn join_texts<'a>(ev: &Eval<'a>, texts: &[&Text<'a>]) -> Res<Val<'a>> {
    let length = texts.iter().map(|text| text.len()).sum();
    if length > ev.limits().output_bytes {
        return over(Limit::OutputSize);
    }
    let mut joined = String::with_capacity(length);
    texts.iter().for_each(|text| joined.push_str(text));
    ev.text(joined)
}

fn minus<'a>(ev: &Eval<'a>, left: &Val<'a>, right: &Val<'a>) -> Res<Option<Val<'a>>> {
    if let Some(numbers) = both(left, right) {
        return Ok(Some(arithmetic(numbers, i128::checked_sub, |a, b| a - b)));
    }
    Ok(Some(match (left, right) {
        (Val::Time(time), Val::Span(span)) => time.plus(-i128::from(*span))?,
        (Val::Time(left), Val::Time(right)) => clock::span(i128::from(left.instant()) - i128::from(right.instant()))?,
        (Val::Span(left), Val::Span(right)) => clock::span(i128::from(*left) - i128::from(*right))?,
        (Val::Set(left), right) => match members(ev, right)? {
            Some(right) => ev.set(left.members.iter().filter(|member| !right.contains(*member)).cloned().collect())?,
            None => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

fn times<'a>(ev: &Eval<'a>, left: &Val<'a>, right: &Val<'a>) -> Res<Option<Val<'a>>> {
    if let Some(numbers) = both(left, right) {
        return Ok(Some(arithmetic(numbers, i128::checked_mul, |a, b| a * b)));
    }
    let (value, count) = match (left, right) {
        (Val::Span(micros), other) | (other, Val::Span(micros)) => {
            return Num::of(other).map(|number| clock::scale(*micros, number)).transpose();
        }
        (Val::Str(_) | Val::List(_), count) => (left, count),
        (count, Val::Str(_) | Val::List(_)) => (right, count),
        _ => return Ok(None),
    };
    let Some(count) = count.as_int() else { return Ok(None) };
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    match value {
        Val::Str(text) => {
            if text.len().saturating_mul(count) > ev.limits().output_bytes {
                return over(Limit::OutputSize);
            }
            ev.text(text.repeat(count)).map(Some)
        }
        Val::List(list) => {
            ev.charge(list.len().saturating_mul(count).saturating_mul(std::mem::size_of::<Val<'_>>()))?;
            // Nothing costs nothing, and would be gone through as often as it is asked for.
            let count = if list.len() == 0 { 0 } else { count };
            let items = std::iter::repeat_n(list, count).flat_map(List::iter).collect();
            ev.list(items, list.kind()).map(Some)
        }
        _ => Ok(None),
    }
}

fn divide<'a>(left: &Val<'a>, right: &Val<'a>) -> Res<Option<Val<'a>>> {
    if let Some((left, right)) = both(left, right) {
        if right.is_zero() {
            return bad("a division by zero");
        }
        return Ok(Some(arithmetic((left, right), floor_divide, |a, b| a / b)));
    }
    match (left, right) {
        (Val::Span(_), Val::Span(0)) => bad("a division by zero"),
        (Val::Span(left), Val::Span(right)) => {
            Ok(Some(Val::Float(Num::Int(i128::from(*left)).float() / Num::Int(i128::from(*right)).float())))
        }
        (Val::Span(micros), other) => match Num::of(other) {
            Some(number) if number.is_zero() => bad("a division by zero"),
            Some(number) => clock::scale(*micros, Num::Float(1.0 / number.float())).map(Some),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn floor_divide(left: i128, right: i128) -> Option<i128> {
    let (quotient, rest) = (left.checked_div(right)?, left.checked_rem(right)?);
    Some(if rest != 0 && (rest < 0) != (right < 0) { quotient - 1 } else { quotient })
}

pub(super) fn floor_modulo(left: i128, right: i128) -> Option<i128> {
    let rest = left.checked_rem(right)?;
    Some(if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest })
}

fn modulo<'a>(left: &Val<'a>, right: &Val<'a>) -> Res<Option<Val<'a>>> {
    let Some((left, right)) = both(left, right) else { return Ok(None) };
    if right.is_zero() {
        return bad("a division by zero");
    }
    let rough = |left: f64, right: f64| {
        let rest = left % right;
        if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest }
    };
    Ok(Some(arithmetic((left, right), floor_modulo, rough)))
}

/// `value in collection`.
pub(super) fn contains<'a>(ev: &Eval<'a>, value: &Val<'a>, collection: &Val<'a>) -> Res<Option<Val<'a>>> {
    let found = match (value, collection) {
        (Val::Str(part), Val::Str(whole)) => {
            ev.charge(whole.len())?;
            whole.contains(&**part)
        }
        (value, Val::Set(set)) => set.has(&Key::new(ev, value.clone())?),
        (value, collection) => {
            let Some(mut feed) = Feed::new(collection) else { return Ok(None) };
            loop {
                match feed.next(ev)? {
                    Some(item) if equals(ev, &item, value)? => break true,
                    Some(_) => {}
                    None => break false,
                }
            }
        }
    };
    Ok(Some(Val::Bool(found)))
}

/// `a` or `b`, whichever is greater or, for `least`, less.
pub(super) fn extreme<'a>(ev: &Eval<'a>, first: Val<'a>, second: Val<'a>, least: bool) -> Res<Val<'a>> {
    let greater = binary(ev, Binary::Greater, &second, &first)?.truthy();
    Ok(if greater == least { first } else { second })
}

/// Shares a text.
pub(super) fn shared<'a>(text: &str) -> Val<'a> {
    Val::Str(Text::Shared(Rc::from(text)))
}

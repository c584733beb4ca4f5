//! Queries over the items of one collection.

use std::collections::HashSet;

use super::super::ast::Binary;
use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, bad, fail};
use super::super::feed::Feed;
use super::super::operators::{self, extreme};
use super::super::overload::{As, Row};
use super::super::value::{Key, Kind, List, Val};
use super::to_list;

pub(super) const FUNCTIONS: &[Row] = &[
    ("where", As::Method, "collection:iterable predicate:lambda", where_),
    ("filter", As::Method, "collection:iterable predicate:lambda", where_),
    ("select", As::Method, "collection:iterable selector:lambda", select),
    ("map", As::Method, "collection:iterable selector:lambda", select),
    ("selectMany", As::Method, "collection:iterable selector:lambda", select_many),
    ("skip", As::Method, "collection:iterable count:int", skip),
    ("limit", As::Method, "collection:iterable count:int", limit),
    ("take", As::Method, "collection:iterable count:int", limit),
    ("skipWhile", As::Method, "collection:iterable predicate:lambda", skip_while),
    ("takeWhile", As::Method, "collection:iterable predicate:lambda", take_while),
    ("append", As::Both, "collection:iterable *args:any", append),
    ("distinct", As::Both, "collection:iterable keySelector:lambda=", distinct),
    ("any", As::Both, "collection:iterable predicate:lambda=", any),
    ("all", As::Both, "collection:iterable predicate:lambda=", all),
    ("memorize", As::Method, "collection:iterable", |ev, call| memorised(ev, call.val(0))),
    ("first", As::Method, "collection:iterable default:any=", first),
    ("last", As::Method, "collection:iterable default:any=", last),
    ("single", As::Method, "collection:iterable", single),
    ("defaultIfEmpty", As::Method, "collection:iterable default:iterable", default_if_empty),
    ("indexOf", As::Method, "collection:iterable item:any", |ev, call| index_of(ev, call, false)),
    ("lastIndexOf", As::Method, "collection:iterable item:any", |ev, call| index_of(ev, call, true)),
    ("indexWhere", As::Method, "collection:iterable predicate:lambda", |ev, call| index_where(ev, call, false)),
    ("lastIndexWhere", As::Method, "collection:iterable predicate:lambda", |ev, call| index_where(ev, call, true)),
    ("reverse", As::Method, "collection:iterable", reverse),
    ("aggregate", As::Method, "collection:iterable selector:lambda seed:any=", aggregate),
    ("reduce", As::Method, "collection:iterable selector:lambda seed:any=", aggregate),
    ("accumulate", As::Method, "collection:iterable selector:lambda seed:any=", accumulate),
    ("sum", As::Method, "collection:iterable initial:any=", sum),
    ("max", As::Method, "collection:iterable initial:any=", |ev, call| best(ev, call, false)),
    ("min", As::Method, "collection:iterable initial:any=", |ev, call| best(ev, call, true)),
];

fn where_<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, predicate) = (call.feed(0)?, call.lambda(1)?);
    ev.lazy(call.level(), move |ev| {
        while let Some(item) = feed.next(ev)? {
            if predicate.call1(ev, item.clone())?.truthy() {
                return Ok(Some(item));
            }
        }
        Ok(None)
    })
}

fn select<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, selector) = (call.feed(0)?, call.lambda(1)?);
    ev.lazy(call.level(), move |ev| feed.next(ev)?.map(|item| selector.call1(ev, item)).transpose())
}

fn select_many<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, selector, mut inner) = (call.feed(0)?, call.lambda(1)?, None::<Feed<'a>>);
    ev.lazy(call.level(), move |ev| {
        loop {
            if let Some(open) = &mut inner {
                if let Some(item) = open.next(ev)? {
                    return Ok(Some(item));
                }
                inner = None;
            }
            let Some(item) = feed.next(ev)? else { return Ok(None) };
            let selected = selector.call1(ev, item)?;
            match Feed::new(&selected) {
                Some(open) => inner = Some(open),
                None => return Ok(Some(selected)),
            }
        }
    })
}

/// A number of items.
fn count(call: &Call<'_>, index: usize) -> Res<u64> {
    match u64::try_from(call.int(index, 0)) {
        Ok(count) => Ok(count),
        Err(_) => bad("a number of items can't be negative"),
    }
}

fn skip<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, mut left) = (call.feed(0)?, count(call, 1)?);
    ev.lazy(call.level(), move |ev| {
        while left > 0 && feed.next(ev)?.is_some() {
            left -= 1;
        }
        left = 0;
        feed.next(ev)
    })
}

fn limit<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, mut left) = (call.feed(0)?, count(call, 1)?);
    ev.lazy(call.level(), move |ev| {
        if left == 0 {
            return Ok(None);
        }
        left -= 1;
        feed.next(ev)
    })
}

fn skip_while<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, predicate, mut skipping) = (call.feed(0)?, call.lambda(1)?, true);
    ev.lazy(call.level(), move |ev| {
        while let Some(item) = feed.next(ev)? {
            skipping = skipping && predicate.call1(ev, item.clone())?.truthy();
            if !skipping {
                return Ok(Some(item));
            }
        }
        Ok(None)
    })
}

fn take_while<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, predicate, mut ended) = (call.feed(0)?, call.lambda(1)?, false);
    ev.lazy(call.level(), move |ev| {
        if ended {
            return Ok(None);
        }
        let Some(item) = feed.next(ev)? else { return Ok(None) };
        ended = !predicate.call1(ev, item.clone())?.truthy();
        Ok((!ended).then_some(item))
    })
}

fn append<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut feed = call.feed(0)?;
    let mut more = call.rest().cloned().collect::<Vec<_>>().into_iter();
    ev.lazy(call.level(), move |ev| Ok(feed.next(ev)?.or_else(|| more.next())))
}

fn distinct<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, selector, mut seen) = (call.feed(0)?, call.opt_lambda(1), HashSet::new());
    ev.lazy(call.level(), move |ev| {
        while let Some(item) = feed.next(ev)? {
            let key = match &selector {
                Some(selector) => selector.call1(ev, item.clone())?,
                None => item.clone(),
            };
            if seen.insert(Key::new(ev, key)?) {
                ev.charge(2 * std::mem::size_of::<Val<'_>>())?;
                return Ok(Some(item));
            }
        }
        Ok(None)
    })
}

/// Each item once.
pub(super) fn distinct_items<'a>(ev: &Eval<'a>, items: impl Iterator<Item = Val<'a>>) -> Res<Vec<Val<'a>>> {
    let (mut seen, mut kept) = (HashSet::new(), Vec::new());
    for item in items {
        ev.charge(2 * std::mem::size_of::<Val<'_>>())?;
        if seen.insert(Key::new(ev, item.clone())?) {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn any<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, predicate) = (call.feed(0)?, call.opt_lambda(1));
    while let Some(item) = feed.next(ev)? {
        let Some(predicate) = &predicate else { return Ok(Val::Bool(true)) };
        if predicate.call1(ev, item)?.truthy() {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}

fn all<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, predicate) = (call.feed(0)?, call.opt_lambda(1));
    while let Some(item) = feed.next(ev)? {
        let holds = match &predicate {
            Some(predicate) => predicate.call1(ev, item)?.truthy(),
            None => item.truthy(),
        };
        if !holds {
            return Ok(Val::Bool(false));
        }
    }
    Ok(Val::Bool(true))
}

/// The value; a sequence so that it can be read more than once.
pub(super) fn memorised<'a>(ev: &Eval<'a>, value: Val<'a>) -> Res<Val<'a>> {
    match &value {
        Val::Iter(iter) if iter.0.memory.is_none() => {
            let (level, feed) = (value.level(), Feed::new(&value));
            let Some(mut feed) = feed else { return Ok(value) };
            ev.sequence(level, Box::new(move |ev| feed.next(ev)), true)
        }
        _ => Ok(value),
    }
}

fn none<'a>() -> Res<Val<'a>> {
    fail(Class::Stop, "the collection has no items; a default can be given")
}

fn first<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match (call.feed(0)?.next(ev)?, call.given(1)) {
        (Some(item), _) => Ok(item),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => none(),
    }
}

fn last<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut last = match call.val(0) {
        Val::List(list) => list.len().checked_sub(1).and_then(|index| list.get(index)),
        _ => {
            let (mut feed, mut last) = (call.feed(0)?, None);
            while let Some(item) = feed.next(ev)? {
                last = Some(item);
            }
            last
        }
    };
    match last.take().or_else(|| call.given(1).cloned()) {
        Some(item) => Ok(item),
        None => none(),
    }
}

fn single<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut feed = call.feed(0)?;
    match (feed.next(ev)?, feed.next(ev)?) {
        (Some(item), None) => Ok(item),
        (None, _) => none(),
        _ => fail(Class::Stop, "the collection has more than one item"),
    }
}

fn default_if_empty<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let collection = memorised(ev, call.val(0))?;
    let empty = match Feed::new(&collection) {
        Some(mut feed) => feed.next(ev)?.is_none(),
        None => true,
    };
    Ok(if empty { call.val(1) } else { collection })
}

/// The position of the first or last item for which `found` says so.
fn position<'a>(ev: &Eval<'a>, call: &Call<'a>, last: bool, found: impl Fn(Val<'a>) -> Res<bool>) -> Res<Val<'a>> {
    let (mut feed, mut index, mut position) = (call.feed(0)?, 0, -1);
    while let Some(item) = feed.next(ev)? {
        if found(item)? {
            position = index;
            if !last {
                break;
            }
        }
        index += 1;
    }
    Ok(Val::Int(position))
}

fn index_of<'a>(ev: &Eval<'a>, call: &Call<'a>, last: bool) -> Res<Val<'a>> {
    let wanted = call.val(1);
    position(ev, call, last, |item| operators::equals(ev, &item, &wanted))
}

fn index_where<'a>(ev: &Eval<'a>, call: &Call<'a>, last: bool) -> Res<Val<'a>> {
    let predicate = call.lambda(1)?;
    position(ev, call, last, |item| Ok(predicate.call1(ev, item)?.truthy()))
}

fn reverse<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut items = call.feed(0)?.rest(ev)?.into_iter().rev();
    ev.lazy(call.level(), move |_| Ok(items.next()))
}

/// The items taken together one after the other, beginning with the first one or what is given.
fn fold<'a>(
    ev: &Eval<'a>,
    call: &Call<'a>,
    seed: Option<&Val<'a>>,
    step: impl Fn(Val<'a>, Val<'a>) -> Res<Val<'a>>,
) -> Res<Val<'a>> {
    let mut feed = call.feed(0)?;
    let mut total = match (seed, feed_first(ev, &mut feed, seed.is_none())?) {
        (Some(seed), _) => seed.clone(),
        (None, Some(first)) => first,
        (None, None) => return fail(Class::Type, "the collection has no items; an initial value can be given"),
    };
    while let Some(item) = feed.next(ev)? {
        total = step(total, item)?;
    }
    Ok(total)
}

fn feed_first<'a>(ev: &Eval<'a>, feed: &mut Feed<'a>, wanted: bool) -> Res<Option<Val<'a>>> {
    if wanted { feed.next(ev) } else { Ok(None) }
}

fn aggregate<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let selector = call.lambda(1)?;
    fold(ev, call, call.given(2), |total, item| selector.call2(ev, total, item))
}

fn sum<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    fold(ev, call, call.given(1), |total, item| operators::binary(ev, Binary::Plus, &total, &item))
}

fn best<'a>(ev: &Eval<'a>, call: &Call<'a>, least: bool) -> Res<Val<'a>> {
    fold(ev, call, call.given(1), |total, item| extreme(ev, total, item, least))
}

fn accumulate<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, selector) = (call.feed(0)?, call.lambda(1)?);
    let (mut seed, mut total) = (call.given(2).cloned(), None::<Val<'a>>);
    ev.lazy(call.level(), move |ev| {
        let next = match total.take() {
            Some(before) => match feed.next(ev)? {
                Some(item) => selector.call2(ev, before, item)?,
                None => return Ok(None),
            },
            None => match seed.take().map_or_else(|| feed.next(ev), |seed| Ok(Some(seed)))? {
                Some(first) => first,
                None => return fail(Class::Type, "the collection has no items; a seed can be given"),
            },
        };
        total = Some(next.clone());
        Ok(Some(next))
    })
}

/// Items from one position to another.
pub(super) fn part<'a>(ev: &Eval<'a>, list: &List<'a>, from: usize, to: usize) -> Res<Val<'a>> {
    let items = (from..to).filter_map(|index| list.get(index)).collect();
    ev.list(items, Kind::Frozen)
}

/// All items of the receiver as a list.
pub(super) fn as_list<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<List<'a>> {
    match call.val(0) {
        Val::List(list) => Ok(list),
        _ => match to_list(ev, call.feed(0)?)? {
            Val::List(list) => Ok(list),
            _ => fail(Class::Type, "a collection is needed here"),
        },
    }
}

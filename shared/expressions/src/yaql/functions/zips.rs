//! Several collections taken together, and one cut in pieces.

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Res, bad};
use super::super::feed::Feed;
use super::super::operators;
use super::super::overload::{As, Row};
use super::super::value::{Kind, Val};
use super::queries::{as_list, memorised, part};

pub(super) const FUNCTIONS: &[Row] = &[
    ("concat", As::Both, "*collections:iterable", concat),
    ("zip", As::Method, "*collections:iterable", zip),
    ("zipLongest", As::Method, "*collections:iterable **kwargs", zip_longest),
    ("join", As::Method, "collection1:iterable collection2:iterable predicate:lambda selector:lambda", join),
    ("enumerate", As::Both, "collection:iterable start:int=", enumerate),
    ("slice", As::Method, "collection:iterable length:int", slice),
    ("splitWhere", As::Method, "collection:iterable predicate:lambda", split_where),
    ("sliceWhere", As::Method, "collection:iterable predicate:lambda", slice_where),
    ("splitAt", As::Method, "collection:iterable index:int", split_at),
];

fn feeds<'a>(call: &Call<'a>) -> Vec<Feed<'a>> {
    call.rest().filter_map(Feed::new).collect()
}

fn concat<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut open = feeds(call).into_iter();
    let mut current = open.next();
    ev.lazy(call.level(), move |ev| {
        while let Some(feed) = &mut current {
            if let Some(item) = feed.next(ev)? {
                return Ok(Some(item));
            }
            current = open.next();
        }
        Ok(None)
    })
}

fn zip<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut open = feeds(call);
    ev.lazy(call.level(), move |ev| {
        let mut row = Vec::with_capacity(open.len());
        for feed in &mut open {
            match feed.next(ev)? {
                Some(item) => row.push(item),
                None => return Ok(None),
            }
        }
        ev.list(row, Kind::Frozen).map(Some)
    })
}

fn zip_longest<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut open: Vec<Option<Feed<'a>>> = feeds(call).into_iter().map(Some).collect();
    let default = call.named().iter().find(|(name, _)| &**name == "default").map(|(_, value)| value.clone());
    let default = default.unwrap_or(Val::Null);
    ev.lazy(call.level(), move |ev| {
        let mut row = Vec::with_capacity(open.len());
        for place in &mut open {
            let item = match place {
                Some(feed) => feed.next(ev)?,
                None => None,
            };
            if item.is_none() {
                *place = None;
            }
            row.push(item.unwrap_or_else(|| default.clone()));
        }
        if open.iter().all(Option::is_none) { Ok(None) } else { ev.list(row, Kind::Frozen).map(Some) }
    })
}

fn join<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut outer, others) = (call.feed(0)?, memorised(ev, call.val(1))?);
    let (predicate, selector) = (call.lambda(2)?, call.lambda(3)?);
    let mut current: Option<(Val<'a>, Feed<'a>)> = None;
    ev.lazy(call.level() + 1, move |ev| {
        loop {
            if let Some((item, inner)) = &mut current {
                while let Some(other) = inner.next(ev)? {
                    if predicate.call2(ev, item.clone(), other.clone())?.truthy() {
                        return selector.call2(ev, item.clone(), other).map(Some);
                    }
                }
            }
            let (Some(item), Some(inner)) = (outer.next(ev)?, Feed::new(&others)) else { return Ok(None) };
            current = Some((item, inner));
        }
    })
}

fn enumerate<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, mut index) = (call.feed(0)?, i128::from(call.int(1, 0)));
    ev.lazy(call.level() + 1, move |ev| {
        let Some(item) = feed.next(ev)? else { return Ok(None) };
        index += 1;
        ev.list(vec![Val::Int(index - 1), item], Kind::Plain).map(Some)
    })
}

fn slice<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut feed, length) = (call.feed(0)?, call.int(1, 0));
    ev.lazy(call.level() + 1, move |ev| {
        if length < 0 {
            return bad("the length of a slice can't be negative");
        }
        let mut items = Vec::new();
        for _ in 0..length {
            let Some(item) = feed.next(ev)? else { break };
            items.push(item);
        }
        if items.is_empty() { Ok(None) } else { ev.list(items, Kind::Frozen).map(Some) }
    })
}

/// Pieces between the items for which the predicate holds; those belong to no piece.
fn split_where<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (list, predicate) = (as_list(ev, call)?, call.lambda(1)?);
    let (mut start, mut end) = (0, 0);
    ev.lazy(call.level() + 1, move |ev| {
        while let Some(item) = list.get(end) {
            end += 1;
            if predicate.call1(ev, item)?.truthy() {
                let from = std::mem::replace(&mut start, end);
                return part(ev, &list, from, end - 1).map(Some);
            }
        }
        let from = std::mem::replace(&mut start, end);
        if from == end { Ok(None) } else { part(ev, &list, from, end).map(Some) }
    })
}

/// Pieces of items for which the predicate gives the same.
fn slice_where<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (list, predicate) = (as_list(ev, call)?, call.lambda(1)?);
    let (mut start, mut end, mut before) = (0, 0, None::<Val<'a>>);
    ev.lazy(call.level() + 1, move |ev| {
        while let Some(item) = list.get(end) {
            let now = predicate.call1(ev, item)?;
            let changed = match &before {
                Some(before) => !operators::equals(ev, before, &now)?,
                None => false,
            };
            before = Some(now);
            end += 1;
            if changed {
                let from = std::mem::replace(&mut start, end - 1);
                return part(ev, &list, from, end - 1).map(Some);
            }
        }
        let from = std::mem::replace(&mut start, end);
        if from == end { Ok(None) } else { part(ev, &list, from, end).map(Some) }
    })
}

fn split_at<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (list, index) = (as_list(ev, call)?, call.int(1, 0));
    let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let at = if index < 0 { list.len().saturating_sub(back) } else { back.min(list.len()) };
    let parts = vec![part(ev, &list, 0, at)?, part(ev, &list, at, list.len())?];
    ev.list(parts, Kind::Plain)
}

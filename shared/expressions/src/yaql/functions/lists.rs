//! Lists, and sequences by position.

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::Res;
use super::super::feed::Feed;
use super::super::overload::{As, Row};
use super::super::value::{Kind, Val};
use super::to_list;

pub(super) const FUNCTIONS: &[Row] = &[
    ("list", As::Function, "*args:any", list),
    ("toList", As::Method, "collection:iterable", to_list_method),
    ("delete", As::Method, "collection:iterable position:int count:int=", delete),
    ("insert", As::Method, "collection:sequence position:int value:any", insert_into_list),
    ("insert", As::Method, "collection:listlike position:int value:any", insert_into_sequence),
    ("insertMany", As::Method, "collection:iterable position:int values:iterable", insert_many),
    ("replace", As::Method, "collection:iterable position:int value:any count:int=", replace),
    ("replaceMany", As::Method, "collection:iterable position:int values:iterable count:int=", replace_many),
];

/// All arguments, those that are sequences item by item.
pub(super) fn spread<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Vec<Val<'a>>> {
    let mut items = Vec::new();
    let mut open: Vec<Feed<'a>> = vec![Feed::Owned(call.rest().cloned().collect::<Vec<_>>().into_iter())];
    while let Some(feed) = open.last_mut() {
        match feed.next(ev)? {
            Some(item @ Val::Iter(_)) => open.extend(Feed::new(&item)),
            Some(item) => {
                ev.charge(std::mem::size_of::<Val<'_>>())?;
                items.push(item);
            }
            None => {
                open.pop();
            }
        }
    }
    Ok(items)
}

fn list<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let items = spread(ev, call)?;
    ev.list(items, Kind::Frozen)
}

fn to_list_method<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.val(0) {
        Val::List(list) if list.kind() == Kind::Frozen => Ok(Val::List(list)),
        _ => to_list(ev, call.feed(0)?),
    }
}

/// Whether `count` items from `position` on take in this one; a negative count takes in all.
fn covers(position: i64, count: i64, index: i64) -> bool {
    index >= position && (count < 0 || index < position.saturating_add(count))
}

fn delete<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (position, count) = (call.int(1, 0), call.int(2, 1));
    let (mut feed, mut index) = (call.feed(0)?, -1);
    ev.lazy(call.level(), move |ev| {
        while let Some(item) = feed.next(ev)? {
            index += 1;
            if !covers(position, count, index) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    })
}

fn insert_into_list<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut items = call.feed(0)?.rest(ev)?;
    let position = call.int(1, 0);
    let back = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    let index = if position < 0 { items.len().saturating_sub(back) } else { back.min(items.len()) };
    items.insert(index, call.val(2));
    ev.list(items, Kind::Plain)
}

/// Items, and among them those of `more` before the one at `position`.
fn with_inserted<'a>(
    ev: &Eval<'a>,
    call: &Call<'a>,
    mut more: Feed<'a>,
    mut position: i64,
    at_end: bool,
) -> Res<Val<'a>> {
    let (mut feed, mut waiting, mut ended) = (call.feed(0)?, None, false);
    let mut index = -1;
    ev.lazy(call.level(), move |ev| {
        loop {
            if index + 1 == position || (ended && at_end && position > index) {
                if let Some(item) = more.next(ev)? {
                    return Ok(Some(item));
                }
                position = i64::MIN;
            }
            if let Some(item) = waiting.take() {
                index += 1;
                return Ok(Some(item));
            }
            if ended {
                return Ok(None);
            }
            waiting = feed.next(ev)?;
            ended = waiting.is_none();
        }
    })
}

fn insert_into_sequence<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let one = Feed::Owned(vec![call.val(2)].into_iter());
    let position = call.int(1, 0);
    with_inserted(ev, call, one, if position < 0 { i64::MIN } else { position }, true)
}

fn insert_many<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let values = call.feed(2)?;
    with_inserted(ev, call, values, call.int(1, 0).max(0), true)
}

fn replaced<'a>(ev: &Eval<'a>, call: &Call<'a>, mut new: Feed<'a>) -> Res<Val<'a>> {
    let (position, count) = (call.int(1, 0), call.int(3, 1));
    let (mut feed, mut index, mut reached) = (call.feed(0)?, -1, false);
    ev.lazy(call.level(), move |ev| {
        loop {
            if reached && let Some(item) = new.next(ev)? {
                return Ok(Some(item));
            }
            let Some(item) = feed.next(ev)? else { return Ok(None) };
            index += 1;
            if !covers(position, count, index) {
                return Ok(Some(item));
            }
            reached = true;
        }
    })
}

fn replace<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    replaced(ev, call, Feed::Owned(vec![call.val(2)].into_iter()))
}

fn replace_many<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    replaced(ev, call, call.feed(2)?)
}

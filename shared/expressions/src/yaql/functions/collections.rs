//! What lists, dictionaries and sets have in common.

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, fail};
use super::super::feed::Feed;
use super::super::operators;
use super::super::overload::{As, Row};
use super::super::value::{Key, Val};

pub(super) const FUNCTIONS: &[Row] = &[
    ("#indexer", As::Function, "list:sequence index:int", index_list),
    ("#indexer", As::Function, "dict:dict key:any", index_dict),
    ("#indexer", As::Function, "dict:dict key:any default:any", super::dictionaries::get),
    ("len", As::Both, "set:set", len),
    ("len", As::Both, "collection:iterator", len),
    ("len", As::Both, "dict:dict", len),
    ("len", As::Both, "sequence:sequence", len),
    ("count", As::Method, "collection:iterable", len),
    ("contains", As::Method, "collection:iterable value:any", contains),
    ("flatten", As::Method, "collection:iterable", flatten),
    ("isList", As::Function, "arg:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::List(_))))),
    ("isDict", As::Function, "arg:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::Dict(_))))),
    ("isSet", As::Function, "arg:any", is_set),
    ("isIterable", As::Function, "value:any", is_iterable),
];

fn index_list<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let Val::List(list) = call.val(0) else { return Ok(Val::Null) };
    let index = call.int(1, 0);
    let from_end = usize::try_from(index.unsigned_abs()).ok().and_then(|back| list.len().checked_sub(back));
    let index = if index < 0 { from_end } else { usize::try_from(index).ok() };
    match index.and_then(|index| list.get(index)) {
        Some(item) => Ok(item),
        None => fail(Class::Index, "the list has no item at this position"),
    }
}

fn index_dict<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let Val::Dict(dict) = call.val(0) else { return Ok(Val::Null) };
    match dict.get(&Key::new(ev, call.val(1))?) {
        Some(value) => Ok(value),
        None => fail(Class::Key, "the dictionary has no such key"),
    }
}

fn len<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let count = match call.val(0) {
        Val::List(list) => list.len(),
        Val::Dict(dict) => dict.len(),
        Val::Set(set) => set.len(),
        Val::View(view) => view.dict.len(),
        _ => {
            let mut feed = call.feed(0)?;
            let mut count = 0;
            while feed.next(ev)?.is_some() {
                count += 1;
            }
            count
        }
    };
    Ok(Val::count(count))
}

fn contains<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    Ok(operators::contains(ev, &call.val(1), &call.val(0))?.unwrap_or(Val::Null))
}

fn is_set<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    Ok(Val::Bool(match call.val(0) {
        Val::Set(_) => true,
        Val::View(view) => view.is_set(),
        _ => false,
    }))
}

fn iterable(value: &Val<'_>) -> bool {
    matches!(value, Val::List(_) | Val::Set(_) | Val::View(_) | Val::Iter(_) | Val::Ordering(_))
}

fn is_iterable<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    Ok(Val::Bool(iterable(&call.val(0))))
}

fn flatten<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut open: Vec<Feed<'a>> = vec![call.feed(0)?];
    ev.lazy(call.level(), move |ev| {
        while let Some(feed) = open.last_mut() {
            match feed.next(ev)? {
                Some(item) if iterable(&item) => open.extend(Feed::new(&item)),
                Some(item) => return Ok(Some(item)),
                None => {
                    open.pop();
                }
            }
        }
        Ok(None)
    })
}

//! Dictionaries.

use std::rc::Rc;

use indexmap::IndexMap;

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, fail};
use super::super::feed::Feed;
use super::super::lambda::Lambda;
use super::super::operators;
use super::super::overload::{As, Row};
use super::super::value::{Dict, Key, Kind, List, Val, View, ViewKind};
use super::queries::distinct_items;

pub(super) const FUNCTIONS: &[Row] = &[
    ("dict", As::Function, "! *args:pair", dict_of_pairs),
    ("dict", As::Function, "! items:iterable", dict_of_items),
    ("toDict", As::Method, "collection:iterable keySelector:lambda valueSelector:lambda=", to_dict),
    ("get", As::Method, "dict:dict key:any default:any=", get),
    ("set", As::Method, "! dict:dict key:any value:any", set),
    ("set", As::Method, "! dict:dict *args:pair", set_pairs),
    ("set", As::Method, "! dict:dict replacements:dict", set_dict),
    ("keys", As::Method, "dict:dict", |_, call| view(call, ViewKind::Keys)),
    ("values", As::Method, "dict:dict", |_, call| view(call, ViewKind::Values)),
    ("items", As::Method, "dict:dict", |_, call| view(call, ViewKind::Items)),
    ("containsKey", As::Method, "dict:dict key:any", contains_key),
    ("containsValue", As::Method, "dict:dict value:any", contains_value),
    ("delete", As::Method, "dict:dict *keys:any", delete),
    ("deleteAll", As::Method, "dict:dict keys:iterable", delete_all),
    (
        "mergeWith",
        As::Method,
        "dict:dict another:dict listMerger:lambda= itemMerger:lambda= maxLevels:int=",
        merge_with,
    ),
];

type Map<'a> = IndexMap<Key<'a>, Val<'a>>;

fn dict<'a>(call: &Call<'a>, index: usize) -> Res<Dict<'a>> {
    match call.val(index) {
        Val::Dict(dict) => Ok(dict),
        _ => fail(Class::NoMatch, "a dictionary is needed here"),
    }
}

fn copied<'a>(ev: &Eval<'a>, dict: &Dict<'a>) -> Res<Map<'a>> {
    ev.charge(dict.len() * 3 * std::mem::size_of::<Val<'_>>())?;
    Ok(dict.iter().map(|(key, value)| (Key::known(key), value)).collect())
}

fn insert_pairs<'a>(ev: &Eval<'a>, entries: &mut Map<'a>, call: &Call<'a>) -> Res<()> {
    for pair in call.rest() {
        if let Val::Rule(sides) = pair {
            entries.insert(Key::new(ev, sides.0.clone())?, sides.1.clone());
        }
    }
    Ok(())
}

fn dict_of_pairs<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut entries = Map::new();
    insert_pairs(ev, &mut entries, call)?;
    ev.dict(entries, Kind::Frozen)
}

fn dict_of_items<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut entries, mut feed) = (Map::new(), call.feed(0)?);
    while let Some(item) = feed.next(ev)? {
        let mut sides = Feed::python(ev, &item)?;
        let (Some(key), Some(value)) = (sides.next(ev)?, sides.next(ev)?) else {
            return fail(Class::Stop, "an item that becomes an entry of a dictionary needs a key and a value");
        };
        ev.charge(3 * std::mem::size_of::<Val<'_>>())?;
        entries.insert(Key::new(ev, key)?, value);
    }
    ev.dict(entries, Kind::Frozen)
}

fn to_dict<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut entries, mut feed) = (Map::new(), call.feed(0)?);
    let (key_of, value_of) = (call.lambda(1)?, call.opt_lambda(2));
    while let Some(item) = feed.next(ev)? {
        let key = Key::new(ev, key_of.call1(ev, item.clone())?)?;
        let value = match &value_of {
            Some(value_of) => value_of.call1(ev, item)?,
            None => item,
        };
        ev.charge(3 * std::mem::size_of::<Val<'_>>())?;
        entries.insert(key, value);
    }
    ev.dict(entries, Kind::Plain)
}

pub(super) fn get<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let found = dict(call, 0)?.get(&Key::new(ev, call.val(1))?);
    Ok(found.unwrap_or_else(|| call.val(2)))
}

fn set<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut entries = copied(ev, &dict(call, 0)?)?;
    entries.insert(Key::new(ev, call.val(1))?, call.val(2));
    ev.dict(entries, Kind::Frozen)
}

fn set_pairs<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut entries = copied(ev, &dict(call, 0)?)?;
    insert_pairs(ev, &mut entries, call)?;
    ev.dict(entries, Kind::Frozen)
}

fn set_dict<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut entries = copied(ev, &dict(call, 0)?)?;
    entries.extend(copied(ev, &dict(call, 1)?)?);
    ev.dict(entries, Kind::Frozen)
}

fn view<'a>(call: &Call<'a>, kind: ViewKind) -> Res<Val<'a>> {
    Ok(Val::View(Rc::new(View { kind, dict: dict(call, 0)? })))
}

fn contains_key<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    Ok(Val::Bool(dict(call, 0)?.get(&Key::new(ev, call.val(1))?).is_some()))
}

fn contains_value<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (dict, wanted) = (dict(call, 0)?, call.val(1));
    for (_, value) in dict.iter() {
        ev.step()?;
        if operators::equals(ev, &value, &wanted)? {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}

fn delete<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut entries = copied(ev, &dict(call, 0)?)?;
    for key in call.rest() {
        entries.shift_remove(&Key::new(ev, key.clone())?);
        ev.charge(entries.len())?;
    }
    ev.dict(entries, Kind::Plain)
}

fn delete_all<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (mut entries, mut feed) = (copied(ev, &dict(call, 0)?)?, call.feed(1)?);
    while let Some(key) = feed.next(ev)? {
        entries.shift_remove(&Key::new(ev, key)?);
        ev.charge(entries.len())?;
    }
    ev.dict(entries, Kind::Plain)
}

/// How two dictionaries become one.
struct Merge<'a> {
    lists: Option<Lambda<'a>>,
    items: Option<Lambda<'a>>,
}

fn merge_with<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let merge = Merge { lists: call.opt_lambda(2), items: call.opt_lambda(3) };
    merge.dicts(ev, &dict(call, 0)?, &dict(call, 1)?, call.int(4, 0))
}

impl<'a> Merge<'a> {
    /// `levels` says how many more levels are merged: 1 is this one only, 0 is all.
    fn dicts(&self, ev: &Eval<'a>, left: &Dict<'a>, right: &Dict<'a>, levels: i64) -> Res<Val<'a>> {
        let _entered = ev.enter()?;
        let mut entries = copied(ev, left)?;
        for (key, value) in right.iter() {
            ev.step()?;
            let key = Key::known(key);
            let merged = match entries.get(&key) {
                Some(old) => self.values(ev, old, value, levels)?,
                None => value,
            };
            entries.insert(key, merged);
        }
        ev.dict(entries, Kind::Plain)
    }

    fn values(&self, ev: &Eval<'a>, old: &Val<'a>, new: Val<'a>, levels: i64) -> Res<Val<'a>> {
        match (old, &new) {
            (Val::Dict(old), Val::Dict(new)) if levels != 1 => {
                self.dicts(ev, old, new, if levels == 0 { 0 } else { levels - 1 })
            }
            (Val::List(old), Val::List(new)) if levels != 1 => self.two_lists(ev, old, new),
            (old, Val::Dict(_) | Val::List(_)) if levels != 1 => {
                fail(Class::Type, format!("{} can't be merged with {}", old.type_name(), new.type_name()))
            }
            (old, _) => match &self.items {
                Some(merger) => merger.call2(ev, old.clone(), new),
                None => Ok(new),
            },
        }
    }

    fn two_lists(&self, ev: &Eval<'a>, old: &List<'a>, new: &List<'a>) -> Res<Val<'a>> {
        if let Some(merger) = &self.lists {
            return merger.call2(ev, Val::List(old.clone()), Val::List(new.clone()));
        }
        if old.kind() != new.kind() {
            return fail(Class::Type, "the lists are of two kinds and can't be merged; use `toList` on them");
        }
        let items = distinct_items(ev, old.iter().chain(new.iter()))?;
        ev.list(items, Kind::Frozen)
    }
}

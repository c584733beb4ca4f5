//! The way back: JSON and texts of what an expression gives.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Number, Value as Json, json};

use super::eval::Eval;
use super::fail::{Class, Res, fail, over};
use super::feed::Feed;
use super::value::{Dict, Key, Kind, List, Val, charge_json, print_result};
use crate::error::Limit;
use crate::python::float_text;

/// How values that JSON lacks are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lacking {
    /// A set as an array, a date as a text, a timespan as its seconds.
    #[default]
    Plain,
    /// As objects that say what it is: `__set__`, `__datetime__` and `__timespan_s__`.
    Tagged,
}

/// JSON of a value. Sequences are read to their end.
pub(super) fn to_json<'a>(ev: &Eval<'a>, value: &Val<'a>) -> Res<Json> {
    Converter { ev, lacking: Lacking::Plain }.convert(value, 0)
}

/// JSON of a result.
pub(super) fn result_json<'a>(ev: &Eval<'a>, value: &Val<'a>, lacking: Lacking) -> Res<Json> {
    Converter { ev, lacking }.convert(value, 0)
}

/// What stands in a text in the place of the expression.
pub(super) fn result_text<'a>(ev: &Eval<'a>, value: &Val<'a>) -> Res<String> {
    print_result(ev, &finished(ev, value, 0)?)
}

struct Converter<'e, 'a> {
    ev: &'e Eval<'a>,
    lacking: Lacking,
}

impl<'a> Converter<'_, 'a> {
    fn convert(&self, value: &Val<'a>, level: usize) -> Res<Json> {
        self.ev.step()?;
        if level > self.ev.limits().depth {
            return over(Limit::Depth);
        }
        Ok(match value {
            Val::Null => Json::Null,
            Val::Bool(value) => Json::Bool(*value),
            Val::Int(number) => Json::Number(integer(*number)),
            Val::Float(number) => float(*number)?,
            Val::Str(text) => {
                self.ev.charge(text.len())?;
                Json::String(text.to_string())
            }
            Val::List(List::Json(items, _)) => {
                items.iter().try_for_each(|item| charge_json(self.ev, item, level + 1))?;
                Json::Array(items.to_vec())
            }
            Val::Dict(Dict::Json(entries, _)) => {
                entries.values().try_for_each(|item| charge_json(self.ev, item, level + 1))?;
                Json::Object((*entries).clone())
            }
            Val::Dict(dict) => self.object(dict, level)?,
            Val::Set(_) => self.set(value, level)?,
            Val::View(view) if view.is_set() => self.set(value, level)?,
            Val::Time(time) => self.lacking("__datetime__", Json::from(time.iso())),
            Val::Span(micros) => self.lacking("__timespan_s__", Json::from(super::clock::seconds(*micros))),
            value => self.array(value, level)?,
        })
    }

    fn lacking(&self, tag: &str, value: Json) -> Json {
        match self.lacking {
            Lacking::Plain => value,
            Lacking::Tagged => json!({ tag: value }),
        }
    }

    fn array(&self, value: &Val<'a>, level: usize) -> Res<Json> {
        let Some(mut feed) = Feed::new(value) else {
            return fail(Class::Type, format!("{} can't be the result", value.type_name()));
        };
        let mut items = Vec::new();
        while let Some(item) = feed.next(self.ev)? {
            self.ev.charge(std::mem::size_of::<Json>())?;
            items.push(self.convert(&item, level + 1)?);
        }
        Ok(Json::Array(items))
    }

    fn set(&self, value: &Val<'a>, level: usize) -> Res<Json> {
        let Some(mut feed) = Feed::new(value) else { return Ok(Json::Null) };
        let mut items = Vec::new();
        while let Some(item) = feed.next(self.ev)? {
            check_result_key(&item)?;
            items.push(self.convert(&item, level + 1)?);
        }
        Ok(self.lacking("__set__", Json::Array(items)))
    }

    fn object(&self, dict: &Dict<'a>, level: usize) -> Res<Json> {
        let mut entries = Map::new();
        for (key, value) in dict.iter() {
            entries.insert(key_text(&key)?, self.convert(&value, level + 1)?);
        }
        Ok(Json::Object(entries))
    }
}

/// In a result lists, dictionaries and sets are of the kind that can't be in a set or a key.
fn check_result_key(value: &Val<'_>) -> Res<()> {
    match value {
        Val::List(_) | Val::Dict(_) | Val::Set(_) | Val::View(_) | Val::Iter(_) => {
            fail(Class::Type, format!("{} can't be a key or in a set of the result", value.type_name()))
        }
        _ => Ok(()),
    }
}

fn key_text(key: &Val<'_>) -> Res<String> {
    check_result_key(key)?;
    Ok(match key {
        Val::Str(text) => text.to_string(),
        Val::Null => "null".to_owned(),
        Val::Bool(value) => value.to_string(),
        Val::Int(number) => number.to_string(),
        Val::Float(number) => float_text(*number),
        other => return fail(Class::Type, format!("{} can't be a key of the result", other.type_name())),
    })
}

fn integer(number: i128) -> Number {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => Number::from(number),
        (_, Ok(number)) => Number::from(number),
        #[expect(clippy::cast_precision_loss, reason = "JSON has no integers of this size")]
        _ => Number::from_f64(number as f64).unwrap_or_else(|| Number::from(0)),
    }
}

fn float(number: f64) -> Res<Json> {
    match Number::from_f64(number) {
        Some(number) => Ok(Json::Number(number)),
        None => fail(Class::Value, "infinities and NaN have no JSON"),
    }
}

/// The value as Python has it after the evaluation: sequences read to their end, everything of the plain kind.
fn finished<'a>(ev: &Eval<'a>, value: &Val<'a>, level: usize) -> Res<Val<'a>> {
    ev.step()?;
    if level > ev.limits().depth {
        return over(Limit::Depth);
    }
    match value {
        Val::List(List::Json(items, _)) => Ok(Val::List(List::Json(items, Kind::Plain))),
        Val::Dict(Dict::Json(entries, _)) => Ok(Val::Dict(Dict::Json(entries, Kind::Plain))),
        Val::Dict(dict) => {
            let mut entries = IndexMap::new();
            for (key, value) in dict.iter() {
                entries.insert(Key::new(ev, finished(ev, &key, level + 1)?)?, finished(ev, &value, level + 1)?);
            }
            ev.dict(entries, Kind::Plain)
        }
        value => {
            let is_set = matches!(value, Val::Set(_)) || matches!(value, Val::View(view) if view.is_set());
            let Some(feed) = Feed::new(value) else { return Ok(value.clone()) };
            let items = feed.rest(ev)?.into_iter().map(|item| finished(ev, &item, level + 1));
            if is_set {
                let members = items.map(|item| Key::new(ev, item?)).collect::<Res<IndexSet<_>>>()?;
                return ev.set_of_kind(members, Kind::Plain);
            }
            let items = items.collect::<Res<Vec<_>>>()?;
            ev.list(items, Kind::Plain)
        }
    }
}

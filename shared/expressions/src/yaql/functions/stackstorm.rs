//! Orquesta's functions that don't tell of a workflow, and StackStorm's: its Jinja filters under their names.

use std::sync::Arc;

use minijinja::value::{Kwargs, Value};

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Fail, Res, fail};
use super::super::feed::Feed;
use super::super::output;
use super::super::overload::{As, Row};
use super::super::value::{Kind, Val};
use crate::call::{Bound, Engine, Host};
use crate::error::{ErrorKind, ExpressionError, Limit, Origin};
use crate::filters;
use crate::json;

pub(super) const FUNCTIONS: &[Row] = &[
    ("basename", As::Function, "path:any", |ev, call| frozen(ev, call, "basename")),
    ("dirname", As::Function, "path:any", |ev, call| frozen(ev, call, "dirname")),
    ("from_json_string", As::Function, "value:any", |ev, call| plain(ev, call, "from_json_string")),
    ("json_parse", As::Function, "value:any", |ev, call| plain(ev, call, "from_json_string")),
    ("from_yaml_string", As::Function, "value:any", |ev, call| plain(ev, call, "from_yaml_string")),
    ("yaml_parse", As::Function, "value:any", |ev, call| plain(ev, call, "from_yaml_string")),
    ("to_json_string", As::Function, TO_JSON, |ev, call| written(ev, call, "to_json_string", false)),
    ("json_dump", As::Function, TO_JSON, |ev, call| written(ev, call, "to_json_string", false)),
    ("to_yaml_string", As::Function, TO_YAML, |ev, call| written(ev, call, "to_yaml_string", false)),
    ("yaml_dump", As::Function, TO_YAML, |ev, call| written(ev, call, "to_yaml_string", false)),
    ("json_escape", As::Function, "value:any", |ev, call| written(ev, call, "json_escape", true)),
    ("jsonpath_query", As::Function, "value:any query:any", |ev, call| plain(ev, call, "jsonpath_query")),
    ("regex_match", As::Function, MATCH, |ev, call| frozen(ev, call, "regex_match")),
    ("regex_search", As::Function, MATCH, |ev, call| frozen(ev, call, "regex_search")),
    ("regex_replace", As::Function, "value:any pattern:any replacement:any ignorecase:bool?=", |ev, call| {
        frozen(ev, call, "regex_replace")
    }),
    ("regex_substring", As::Function, "value:any pattern:any resultIndex:int?= ignorecase:bool?=", |ev, call| {
        frozen(ev, call, "regex_substring")
    }),
    ("to_human_time_from_seconds", As::Function, "seconds:any", |ev, call| {
        frozen(ev, call, "to_human_time_from_seconds")
    }),
    ("json", As::Function, "s:any", json_),
    ("zip", As::Function, "*args:any **kwargs", zip),
    ("use_none", As::Function, "value:any", use_none),
    ("version_compare", As::Function, TWO, |ev, call| frozen(ev, call, "version_compare")),
    ("version_more_than", As::Function, TWO, |ev, call| frozen(ev, call, "version_more_than")),
    ("version_less_than", As::Function, TWO, |ev, call| frozen(ev, call, "version_less_than")),
    ("version_equal", As::Function, TWO, |ev, call| frozen(ev, call, "version_equal")),
    ("version_match", As::Function, TWO, |ev, call| frozen(ev, call, "version_match")),
    ("version_bump_major", As::Function, "value:any", |ev, call| frozen(ev, call, "version_bump_major")),
    ("version_bump_minor", As::Function, "value:any", |ev, call| frozen(ev, call, "version_bump_minor")),
    ("version_bump_patch", As::Function, "value:any", |ev, call| frozen(ev, call, "version_bump_patch")),
    ("version_strip_patch", As::Function, "value:any", |ev, call| frozen(ev, call, "version_strip_patch")),
];

const TO_JSON: &str = "value:any indent:any= sortKeys:bool?= separators:sequence?=";
const TO_YAML: &str = "value:any indent:any= allowUnicode:bool?=";
const MATCH: &str = "value:any pattern:any ignorecase:bool?=";
const TWO: &str = "value:any pattern:any";

impl Engine for Eval<'_> {
    fn consume(&self, steps: u64) -> Result<(), minijinja::Error> {
        self.meter.steps(steps).map_err(|_| crate::error::over(Limit::Fuel))
    }

    fn lookup(&self, _: &str) -> Option<Value> {
        None
    }

    fn refuses_undefined(&self) -> bool {
        true
    }
}

fn frozen<'a>(ev: &Eval<'a>, call: &Call<'a>, name: &str) -> Res<Val<'a>> {
    filter(ev, call, name, Kind::Frozen)
}

fn plain<'a>(ev: &Eval<'a>, call: &Call<'a>, name: &str) -> Res<Val<'a>> {
    filter(ev, call, name, Kind::Plain)
}

/// What the filter makes of the arguments; lists and dictionaries in it are of this kind.
fn filter<'a>(ev: &Eval<'a>, call: &Call<'a>, name: &str, kind: Kind) -> Res<Val<'a>> {
    let Some((name, signature, filter)) = filters::stackstorm(name) else {
        return fail(Class::NoFunction, format!("there is no function `{name}`"));
    };
    let host = Host::new(ev, ev.limits());
    let (mut args, mut named) = (Vec::new(), Vec::new());
    for (index, parameter) in signature.split_whitespace().enumerate() {
        let Some(value) = call.given(index) else { continue };
        let value = json::to_value(&Arc::new(output::to_json(ev, value)?));
        match args.len() == index {
            true => args.push(value),
            false => named.push((parameter.trim_end_matches(['?', '~']), value)),
        }
    }
    if !named.is_empty() {
        args.push(named.into_iter().collect::<Kwargs>().into());
    }
    let result = Bound::new(&host, name, signature, &args)
        .and_then(|bound| filter(&host, &bound))
        .and_then(|value| host.json(&value));
    match result {
        Ok(result) => Ok(ev.keep(result, kind)),
        Err(error) => Err(translated(&error)),
    }
}

fn translated(error: &minijinja::Error) -> Box<Fail> {
    let error = ExpressionError::from_engine(error, Origin { template: "", added: &[] });
    let class = match error.kind {
        ErrorKind::Limit(limit) => Class::Limit(limit),
        ErrorKind::Datastore => Class::Datastore,
        ErrorKind::Unsupported => Class::Unsupported,
        _ => Class::Value,
    };
    Box::new(Fail { class, message: error.message, at: None, hint: error.hint })
}

/// Writes a value as text, which Python can't where a dictionary within a list is of the frozen kind.
fn written<'a>(ev: &Eval<'a>, call: &Call<'a>, name: &str, strict: bool) -> Res<Val<'a>> {
    let value = call.val(0);
    if strict {
        check_plain(ev, &value, 0)?
    } else {
        check_outer(ev, &value, 0)?
    }
    filter(ev, call, name, Kind::Frozen)
}

/// Dictionaries that nothing but dictionaries is around may be of either kind.
fn check_outer<'a>(ev: &Eval<'a>, value: &Val<'a>, level: usize) -> Res<()> {
    match value {
        Val::Dict(_) if level > ev.limits().depth => super::super::fail::over(Limit::Depth),
        Val::Dict(dict) => dict.iter().try_for_each(|(_, item)| check_outer(ev, &item, level + 1)),
        value => check_plain(ev, value, level),
    }
}

fn check_plain<'a>(ev: &Eval<'a>, value: &Val<'a>, level: usize) -> Res<()> {
    ev.step()?;
    if level > ev.limits().depth {
        return super::super::fail::over(Limit::Depth);
    }
    match value {
        Val::Dict(dict) if dict.kind() == Kind::Plain => {
            dict.iter().try_for_each(|(_, item)| check_plain(ev, &item, level + 1))
        }
        Val::List(list) => list.iter().try_for_each(|item| check_plain(ev, &item, level + 1)),
        Val::Null | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Str(_) => Ok(()),
        Val::Dict(_) => fail(
            Class::Type,
            "a dictionary within the value can't be written as text; publish it first, and write it in Jinja",
        ),
        other => fail(Class::Type, format!("{} can't be written as text", other.type_name())),
    }
}

/// The value of a JSON text; a dictionary of the plain kind as it is.
fn json_<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.val(0) {
        Val::Dict(dict) if dict.kind() == Kind::Plain => Ok(Val::Dict(dict)),
        Val::Str(_) => plain(ev, call, "from_json_string"),
        other => fail(Class::Type, format!("`json` takes a text and not {}", other.type_name())),
    }
}

/// The first items of all lists, the second ones, and so on, filled up with `pad`. A single list stays as it is.
fn zip<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let lists: Vec<&Val<'a>> = call.rest().collect();
    if let [only] = lists.as_slice() {
        return if only.is_null() { ev.list(Vec::new(), Kind::Plain) } else { Ok((*only).clone()) };
    }
    let items = |list: &Val<'a>| match list {
        Val::Null => Ok(Vec::new()),
        list => Feed::python(ev, list)?.rest(ev),
    };
    let lists = lists.into_iter().map(items).collect::<Res<Vec<_>>>()?;
    let pad = call.named().iter().find(|(name, _)| &**name == "pad").map_or(Val::Null, |(_, pad)| pad.clone());
    let longest = lists.iter().map(Vec::len).max().unwrap_or_default();
    let row = |index| ev.list(lists.iter().map(|list| list.get(index).unwrap_or(&pad).clone()).collect(), Kind::Frozen);
    let rows = (0..longest).map(row).collect::<Res<Vec<_>>>()?;
    ev.list(rows, Kind::Plain)
}

fn use_none<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.val(0) {
        Val::Null => frozen(ev, call, "use_none"),
        value => Ok(value),
    }
}

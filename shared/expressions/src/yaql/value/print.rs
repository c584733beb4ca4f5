//! Python's `str` and `repr` of values.

use std::fmt::{self, Write};

use serde_json::Value as Json;

use super::{Dict, Kind, List, Set, Val, View, ViewKind};
use crate::error::Limit;
use crate::python::{float_text, write_quoted};
use crate::yaql::clock;
use crate::yaql::eval::Eval;
use crate::yaql::fail::{Res, over};

/// What `str(…)` gives in YAQL.
pub(crate) fn print_text<'a>(ev: &Eval<'a>, value: &Val<'a>) -> Res<String> {
    let simple = match value {
        Val::Null => "null",
        Val::Bool(true) => "true",
        Val::Bool(false) => "false",
        _ => return print_result(ev, value),
    };
    Ok(simple.to_owned())
}

/// What Python's `str` gives.
pub(crate) fn print_result<'a>(ev: &Eval<'a>, value: &Val<'a>) -> Res<String> {
    let most = ev.limits().output_bytes;
    let mut printer = Printer { out: String::new(), most, depth: ev.limits().depth, over: Limit::OutputSize };
    let written = match value {
        Val::Str(text) => printer.write_str(text),
        Val::Time(time) => printer.write_str(&time.to_string()),
        Val::Span(micros) => printer.write_str(&clock::span_text(*micros)),
        value => printer.repr(value, 0),
    };
    ev.charge(printer.out.len())?;
    match written {
        Ok(()) => Ok(printer.out),
        Err(_) => over(printer.over),
    }
}

struct Printer {
    out: String,
    most: usize,
    depth: usize,
    /// The bound that was hit, if any was.
    over: Limit,
}

impl Write for Printer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.out.len() + text.len() > self.most {
            return Err(fmt::Error);
        }
        self.out.push_str(text);
        Ok(())
    }
}

impl Printer {
    fn repr(&mut self, value: &Val<'_>, level: usize) -> fmt::Result {
        if level > self.depth {
            self.over = Limit::Depth;
            return Err(fmt::Error);
        }
        match value {
            Val::Null => self.write_str("None"),
            Val::Bool(true) => self.write_str("True"),
            Val::Bool(false) => self.write_str("False"),
            Val::Int(number) => write!(self, "{number}"),
            Val::Float(number) => self.write_str(&float_text(*number)),
            Val::Str(text) => write_quoted(self, text),
            Val::List(list) => self.list(list, level),
            Val::Dict(dict) => self.dict(dict, level),
            Val::Set(set) => self.set(set, level),
            Val::View(view) => self.view(view, level),
            Val::Time(time) => self.write_str(&time.repr()),
            Val::Span(micros) => self.write_str(&clock::span_repr(*micros)),
            Val::Regex(regex) => {
                self.write_str("re.compile(")?;
                write_quoted(self, &regex.source)?;
                self.write_str(")")
            }
            other => write!(self, "<{}>", other.type_name()),
        }
    }

    fn separate(&mut self, first: &mut bool) -> fmt::Result {
        if std::mem::take(first) { Ok(()) } else { self.write_str(", ") }
    }

    fn list(&mut self, list: &List<'_>, level: usize) -> fmt::Result {
        let (open, close) = match (list.kind(), list.len()) {
            (Kind::Plain, _) => ("[", "]"),
            (Kind::Frozen, 1) => ("(", ",)"),
            (Kind::Frozen, _) => ("(", ")"),
        };
        self.write_str(open)?;
        let mut first = true;
        for item in list.iter() {
            self.separate(&mut first)?;
            self.repr(&item, level + 1)?;
        }
        self.write_str(close)
    }

    fn dict(&mut self, dict: &Dict<'_>, level: usize) -> fmt::Result {
        self.write_str("{")?;
        let mut first = true;
        for (key, value) in dict.iter() {
            self.separate(&mut first)?;
            self.repr(&key, level + 1)?;
            self.write_str(": ")?;
            self.repr(&value, level + 1)?;
        }
        self.write_str("}")
    }

    fn set(&mut self, set: &Set<'_>, level: usize) -> fmt::Result {
        let (open, close, empty) = match set.kind {
            Kind::Plain => ("{", "}", "set()"),
            Kind::Frozen => ("frozenset({", "})", "frozenset()"),
        };
        if set.len() == 0 {
            return self.write_str(empty);
        }
        self.write_str(open)?;
        let mut first = true;
        for member in &set.members {
            self.separate(&mut first)?;
            self.repr(member.value(), level + 1)?;
        }
        self.write_str(close)
    }

    fn view(&mut self, view: &View<'_>, level: usize) -> fmt::Result {
        let (frozen, plain) = match view.kind {
            ViewKind::Keys => ("KeysView(", "dict_keys(["),
            ViewKind::Values => ("ValuesView(", "dict_values(["),
            ViewKind::Items => ("ItemsView(", "dict_items(["),
        };
        if view.dict.kind() == Kind::Frozen {
            self.write_str(frozen)?;
            self.dict(&view.dict, level + 1)?;
            return self.write_str(")");
        }
        self.write_str(plain)?;
        let mut first = true;
        for item in view.iter() {
            self.separate(&mut first)?;
            self.repr(&item, level + 1)?;
        }
        self.write_str("])")
    }
}

/// Pays for a part of the context before it is copied.
pub(crate) fn charge_json(ev: &Eval<'_>, json: &Json, level: usize) -> Res<()> {
    const EACH: usize = 16;
    if level > ev.limits().depth {
        return over(Limit::Depth);
    }
    ev.charge(EACH)?;
    match json {
        Json::String(text) => ev.charge(text.len()),
        Json::Array(items) => items.iter().try_for_each(|item| charge_json(ev, item, level + 1)),
        Json::Object(entries) => entries.iter().try_for_each(|(key, item)| {
            ev.charge(key.len())?;
            charge_json(ev, item, level + 1)
        }),
        _ => Ok(()),
    }
}

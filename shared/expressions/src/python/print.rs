//! `str` and `repr` of template values.

use std::fmt::{self, Write};

use minijinja::value::{Value, ValueKind};

use crate::error::{Limit, over};
use crate::limits::Limits;
use crate::methods::DictView;
use crate::python::{float_text, write_quoted};

/// Writes values as Python would print them, within bounds of length and depth.
pub(crate) struct Printer<W> {
    out: W,
    left: usize,
    depth: usize,
    hit: Option<Limit>,
}

impl<W: Write> Printer<W> {
    pub(crate) fn new(out: W, limits: &Limits) -> Printer<W> {
        Printer { out, left: limits.output_bytes, depth: limits.depth, hit: None }
    }

    /// `str(value)`.
    pub(crate) fn text(&mut self, value: &Value) -> Result<(), minijinja::Error> {
        let written = match value.as_str() {
            Some(text) => self.write_str(text),
            None if value.is_undefined() => Ok(()),
            None => self.repr_at(value, 0),
        };
        self.finish(written)
    }

    /// `repr(value)`.
    pub(crate) fn repr(&mut self, value: &Value) -> Result<(), minijinja::Error> {
        let written = self.repr_at(value, 0);
        self.finish(written)
    }

    fn finish(&self, written: fmt::Result) -> Result<(), minijinja::Error> {
        written.map_err(|error| self.hit.map_or_else(|| minijinja::Error::from(error), over))
    }

    fn repr_at(&mut self, value: &Value, level: usize) -> fmt::Result {
        if let Some(text) = value.as_str() {
            return write_quoted(self, text);
        }
        match value.kind() {
            ValueKind::Undefined => self.write_str("Undefined"),
            ValueKind::Number if !value.is_integer() => {
                let number = f64::try_from(value.clone()).map_err(|_| fmt::Error)?;
                self.write_str(&float_text(number))
            }
            ValueKind::Map => self.container(value, level, ("{", "}")),
            ValueKind::Seq | ValueKind::Iterable => self.sequence(value, level),
            _ => write!(self, "{value}"),
        }
    }

    fn sequence(&mut self, value: &Value, level: usize) -> fmt::Result {
        if let Some(view) = value.downcast_object_ref::<DictView>() {
            write!(self, "{}(", view.type_name())?;
            self.container(value, level, ("[", "]"))?;
            return self.write_str(")");
        }
        let brackets = match (value.is_tuple(), value.len()) {
            (true, Some(1)) => ("(", ",)"),
            (true, _) => ("(", ")"),
            (false, _) => ("[", "]"),
        };
        self.container(value, level, brackets)
    }

    fn container(&mut self, value: &Value, level: usize, (open, close): (&str, &str)) -> fmt::Result {
        if level >= self.depth {
            self.hit = Some(Limit::Depth);
            return Err(fmt::Error);
        }
        self.write_str(open)?;
        let keyed = value.kind() == ValueKind::Map;
        let items = value.try_iter().map_err(|_| fmt::Error)?;
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.write_str(", ")?;
            }
            self.repr_at(&item, level + 1)?;
            if keyed {
                self.write_str(": ")?;
                let held = value.get_item(&item).map_err(|_| fmt::Error)?;
                self.repr_at(&held, level + 1)?;
            }
        }
        self.write_str(close)
    }
}

impl<W: Write> Write for Printer<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Some(left) = self.left.checked_sub(text.len()) else {
            self.hit = Some(Limit::OutputSize);
            return Err(fmt::Error);
        };
        self.left = left;
        self.out.write_str(text)
    }
}

/// `str(value)` as a text of its own.
pub(crate) fn text(value: &Value, limits: &Limits) -> Result<String, minijinja::Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let mut out = String::new();
    Printer::new(&mut out, limits).text(value)?;
    Ok(out)
}

/// `repr(value)` as a text of its own.
pub(crate) fn repr(value: &Value, limits: &Limits) -> Result<String, minijinja::Error> {
    let mut out = String::new();
    Printer::new(&mut out, limits).repr(value)?;
    Ok(out)
}

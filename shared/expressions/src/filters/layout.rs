//! Jinja2's filters that lay out texts and data in lines.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::call::{Bound, Host};
use crate::error::{Limit, bad_value, over};
use crate::filters::data::{indent_option, made};
use crate::methods::lines;
use crate::python::{Dumps, repr};

pub(super) fn tojson(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let indent = indent_option(call, 1)?;
    let item_separator = if indent.is_some() { "," } else { ", " };
    let dumps = Dumps { indent, sort_keys: true, item_separator: item_separator.to_owned(), ..Dumps::default() };
    let dumped = dumps.write(&host.json(&call.value(0))?);
    let safe = dumped.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    made(host, safe)
}

pub(super) fn indent(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = call.str(0)?;
    let unit = match call.given(1) {
        Some(width) if width.as_str().is_some() => width.as_str().unwrap_or_default().to_owned(),
        _ => {
            let width = usize::try_from(call.opt_int(1)?.unwrap_or(4)).unwrap_or_default();
            " ".repeat(width.min(host.limits.output_bytes))
        }
    };
    if unit.len().saturating_mul(text.matches('\n').count() + 1) > host.limits.output_bytes {
        return Err(over(Limit::OutputSize));
    }
    let blank = call.flag(3);
    // As in Jinja2, a line end at the end has an empty line after it.
    let mut all = lines(&text, false);
    if text.is_empty() || text.ends_with('\n') {
        all.push("");
    }
    let mut out = String::new();
    for (index, line) in all.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let wanted = if index == 0 { call.flag(2) } else { blank || !line.is_empty() };
        if wanted {
            out.push_str(&unit);
        }
        out.push_str(line);
    }
    Ok(Value::from(out))
}

/// The width of a page of `pprint`.
const PAGE: usize = 80;

pub(super) fn pprint(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let mut out = String::new();
    pretty(host, &call.value(0), 0, 0, &mut out)?;
    made(host, out)
}

/// Python's `pprint`: on one line where it fits, else an item a line, keys in order.
fn pretty(host: &Host<'_>, value: &Value, column: usize, level: usize, out: &mut String) -> Result<(), Error> {
    if level > host.limits.depth {
        return Err(over(Limit::Depth));
    }
    let sorted = sorted_dicts(host, value, level)?;
    let line = repr(&sorted, host.limits)?;
    host.charge(line.len())?;
    if line.chars().count() + column <= PAGE || line.len() <= 2 {
        out.push_str(&line);
        return Ok(());
    }
    let (open, close) = match sorted.kind() {
        ValueKind::Map => ('{', '}'),
        ValueKind::Seq | ValueKind::Iterable if sorted.is_tuple() => ('(', ')'),
        ValueKind::Seq | ValueKind::Iterable => ('[', ']'),
        _ => {
            out.push_str(&line);
            return Ok(());
        }
    };
    out.push(open);
    for (index, item) in sorted.try_iter()?.enumerate() {
        if index > 0 {
            out.push_str(",\n");
            out.extend(std::iter::repeat_n(' ', column + 1));
        }
        if open == '{' {
            let key = repr(&item, host.limits)?;
            let held = sorted.get_item(&item)?;
            out.push_str(&key);
            out.push_str(": ");
            pretty(host, &held, column + 3 + key.chars().count(), level + 1, out)?;
        } else {
            pretty(host, &item, column + 1, level + 1, out)?;
        }
    }
    out.push(close);
    Ok(())
}

fn sorted_dicts(host: &Host<'_>, value: &Value, level: usize) -> Result<Value, Error> {
    if level > host.limits.depth {
        return Err(over(Limit::Depth));
    }
    match value.kind() {
        ValueKind::Map => {
            let mut keys = value.try_iter()?.collect::<Vec<_>>();
            keys.sort();
            let mut pairs = Vec::new();
            for key in keys {
                host.charge(0)?;
                let held = value.get_item(&key)?;
                pairs.push((key, sorted_dicts(host, &held, level + 1)?));
            }
            Ok(Value::from_pairs(pairs))
        }
        ValueKind::Seq if !value.is_tuple() => {
            let mut items = Vec::new();
            for item in value.try_iter()?.checked() {
                host.charge(0)?;
                items.push(sorted_dicts(host, &item?, level + 1)?);
            }
            Ok(Value::from(items))
        }
        _ => Ok(value.clone()),
    }
}

pub(super) fn wordwrap(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = call.str(0)?;
    let width = usize::try_from(call.opt_int(1)?.unwrap_or(79)).ok().filter(|width| *width > 0);
    let width = width.ok_or_else(|| bad_value("`width` of `wordwrap` must be more than 0"))?;
    let options = Wrap {
        width,
        break_long: call.given(2).is_none_or(Value::is_true),
        hyphens: call.given(4).is_none_or(Value::is_true),
    };
    let newline = call.opt_str(3)?.unwrap_or_else(|| "\n".to_owned());
    let wrapped: Vec<String> = lines(&text, false).into_iter().map(|line| options.wrap(line).join(&newline)).collect();
    made(host, wrapped.join(&newline))
}

/// Python's `textwrap` for a single line.
struct Wrap {
    width: usize,
    break_long: bool,
    hyphens: bool,
}

impl Wrap {
    fn wrap(&self, line: &str) -> Vec<String> {
        let mut wrapped: Vec<String> = Vec::new();
        let mut current = String::new();
        let mut used = 0;
        for chunk in self.chunks(line) {
            let mut chunk = chunk;
            loop {
                let length = chunk.chars().count();
                let blank = chunk.trim().is_empty();
                if used + length <= self.width {
                    if !(blank && used == 0 && !wrapped.is_empty()) {
                        current.push_str(&chunk);
                        used += length;
                    }
                    break;
                }
                if length > self.width && self.break_long && !blank {
                    let head: String = chunk.chars().take(self.width - used).collect();
                    chunk = chunk.chars().skip(self.width - used).collect();
                    current.push_str(&head);
                } else if used == 0 {
                    current.push_str(&chunk);
                    break;
                } else if blank {
                    break;
                }
                wrapped.push(std::mem::take(&mut current).trim_end().to_owned());
                used = 0;
            }
        }
        let last = current.trim_end();
        if !last.is_empty() {
            wrapped.push(last.to_owned());
        }
        wrapped
    }

    /// Words, the space between them, and the parts of words with hyphens.
    fn chunks(&self, line: &str) -> Vec<String> {
        let mut chunks: Vec<String> = Vec::new();
        let mut before: Option<char> = None;
        for c in line.chars() {
            let splits = before.is_none_or(|before| {
                before.is_whitespace() != c.is_whitespace() || self.hyphens && before == '-' && c.is_alphabetic()
            });
            match chunks.last_mut() {
                Some(chunk) if !splits => chunk.push(c),
                _ => chunks.push(c.to_string()),
            }
            before = Some(c);
        }
        chunks
    }
}

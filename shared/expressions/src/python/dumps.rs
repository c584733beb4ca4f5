//! `json.dumps`.

use std::fmt::Write;

use serde_json::Value;

use crate::python::float_text;

/// How `json.dumps` writes.
#[derive(Clone, Debug)]
pub(crate) struct Dumps {
    pub(crate) indent: Option<usize>,
    pub(crate) sort_keys: bool,
    pub(crate) item_separator: String,
    pub(crate) key_separator: String,
}

impl Default for Dumps {
    fn default() -> Dumps {
        Dumps { indent: None, sort_keys: false, item_separator: ", ".to_owned(), key_separator: ": ".to_owned() }
    }
}

impl Dumps {
    pub(crate) fn write(&self, value: &Value) -> String {
        let mut out = String::new();
        self.value(&mut out, value, 1);
        out
    }

    fn value(&self, out: &mut String, value: &Value, level: usize) {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) if number.is_f64() => out.push_str(&float_text(number.as_f64().unwrap_or_default())),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::String(text) => quoted(out, text),
            Value::Array(items) => self.container(out, ('[', ']'), level, items.iter(), |out, item| {
                self.value(out, item, level + 1);
            }),
            Value::Object(entries) => {
                let mut entries: Vec<_> = entries.iter().collect();
                if self.sort_keys {
                    entries.sort_by_key(|(key, _)| *key);
                }
                self.container(out, ('{', '}'), level, entries.into_iter(), |out, (key, item)| {
                    quoted(out, key);
                    out.push_str(&self.key_separator);
                    self.value(out, item, level + 1);
                });
            }
        }
    }

    fn container<T>(
        &self,
        out: &mut String,
        (open, close): (char, char),
        level: usize,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut String, T),
    ) {
        out.push(open);
        let filled = items.len() > 0;
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push_str(&self.item_separator);
            }
            self.new_line(out, level);
            write(out, item);
        }
        if filled {
            self.new_line(out, level - 1);
        }
        out.push(close);
    }

    fn new_line(&self, out: &mut String, level: usize) {
        if let Some(indent) = self.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent.saturating_mul(level)));
        }
    }
}

/// A JSON text in ASCII.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a text can't fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

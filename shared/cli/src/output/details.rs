//! One thing as lines of name and value.

use serde_json::Value;

use super::values::Kind;
use crate::console::{Ink, Look, printable};

/// A line: its label, and where its value is.
pub(crate) struct Field {
    label: &'static str,
    pointer: &'static str,
    kind: Kind,
}

impl Field {
    pub(crate) const fn new(label: &'static str, pointer: &'static str) -> Field {
        Field { label, pointer, kind: Kind::Plain }
    }

    pub(crate) const fn of(mut self, kind: Kind) -> Field {
        self.kind = kind;
        self
    }
}

/// The fields that the value has; objects and texts of several lines follow their label, indented.
pub(crate) fn details(look: Look, fields: &[Field], value: &Value) -> String {
    let present: Vec<_> = fields
        .iter()
        .filter_map(|field| Some((field, value.pointer(field.pointer)?)))
        .filter(|(_, value)| !is_empty(value))
        .collect();
    let width = present.iter().map(|(field, _)| field.label.len()).max().unwrap_or(0) + 2;
    let mut text = String::new();
    for (field, value) in present {
        let label = look.paint(Ink::Dim, &format!("{}:", field.label));
        if is_block(value) {
            text.push_str(&format!("{label}\n{}", block(value, 1)));
        } else {
            let gap = " ".repeat(width.saturating_sub(field.label.len() + 1));
            text.push_str(&format!("{label}{gap}{}\n", field.kind.painted(look, value)));
        }
    }
    text
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty() && !items.iter().all(Value::is_string),
        Value::String(text) => text.trim_end().contains('\n'),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value as an indented block, in the manner of YAML but never quoted: it is for reading.
fn block(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| entry(&format!("{}:", printable(name)), value, depth)).collect()
        }
        Value::Array(items) => items.iter().map(|item| list_item(item, depth)).collect(),
        Value::String(text) => printable(text).trim_end().lines().map(|line| format!("{indent}{line}\n")).collect(),
        other => format!("{indent}{}\n", Kind::Plain.text(other)),
    }
}

/// An object stands right behind its dash.
fn list_item(item: &Value, depth: usize) -> String {
    let fields = block(item, depth + 1);
    match fields.split_at_checked(2 * depth + 2) {
        Some((_, rest)) if item.is_object() && is_block(item) => format!("{}- {rest}", "  ".repeat(depth)),
        _ => entry("-", item, depth),
    }
}

fn entry(label: &str, value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    if is_block(value) {
        return format!("{indent}{label}\n{}", block(value, depth + 1));
    }
    let text = match value {
        Value::Null => "null".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        other => Kind::Plain.text(other),
    };
    format!("{indent}{label} {}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use serde_json::json;

    #[test]
    fn nested_values_and_long_texts_are_indented() {
        let fields = [
            Field::new("id", "/id"),
            Field::new("action", "/action/ref"),
            Field::new("status", "/status").of(Kind::Status),
            Field::new("absent", "/absent"),
            Field::new("elapsed", "/elapsed_seconds").of(Kind::Seconds),
            Field::new("parameters", "/parameters"),
            Field::new("result", "/result"),
        ];
        let value = json!({
            "id": "696f", "action": {"ref": "core.local"}, "status": "succeeded", "elapsed_seconds": 0.0123,
            "parameters": {"cmd": "ls", "env": {}, "hosts": ["a", "b"]},
            "result": {"stdout": "a\nb\n", "stderr": "", "list": [{"n": 1, "m": null}, "x"], "succeeded": true},
        });
        assert_snapshot!(details(Look::default(), &fields, &value), @r#"
        id:         696f
        action:     core.local
        status:     succeeded
        elapsed:    12 ms
        parameters:
          cmd: ls
          env: {}
          hosts: a, b
        result:
          stdout:
            a
            b
          stderr: ""
          list:
            - n: 1
              m: null
            - x
          succeeded: true
        "#);
    }
}

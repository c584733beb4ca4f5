//! Jinja as Orquesta evaluates it: every text of a value, natively typed, and again where the outcome is itself an expression.
//!
//! The functions that tell of a workflow (`ctx`, `task`, `result`, `item`, …) come with the [`Context`].

mod patterns;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::{ErrorKind, ExpressionError, Limit, limit_message};
use crate::jinja::Jinja;
use patterns::{each_block, each_expression, each_raw, strip};

/// How often the outcome of an expression may be an expression again.
const MOST_ROUNDS: usize = 32;

/// An expression that can't be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The expression as written: the whole text, or one `{{ … }}` of it.
    pub expression: String,
    /// What is wrong with it.
    pub error: ExpressionError,
}

/// Whether the text has a `{{ … }}` or `{% … %}`.
pub fn has_expressions(text: &str) -> bool {
    each_expression(text).next().is_some() || each_block(text).next().is_some()
}

/// The value with all expressions in it evaluated, those in keys included.
pub fn evaluate(jinja: &Jinja, value: &Value, context: &Context) -> Result<Value, ExpressionError> {
    jinja.map_texts(value, 0, &|text| {
        if has_expressions(text) { evaluate_text(jinja, text, context) } else { Ok(Value::from(text)) }
    })
}

/// The value of one text.
pub fn evaluate_text(jinja: &Jinja, text: &str, context: &Context) -> Result<Value, ExpressionError> {
    let raw_blocks: Vec<&str> = each_raw(text).collect();
    let mut bare = text.to_owned();
    for (index, raw) in raw_blocks.iter().enumerate() {
        bare = bare.replace(raw, &format!("{{{index}}}"));
    }
    let Value::String(mut output) = expand(jinja, &bare, context, 0)? else { return expand(jinja, &bare, context, 0) };
    if let Some(unresolved) = each_expression(&output).next() {
        return Err(ExpressionError::new(ErrorKind::Undefined, format!("`{}` has no value", strip(unresolved))));
    }
    if raw_blocks.is_empty() {
        return Ok(Value::String(output));
    }
    for (index, raw) in raw_blocks.iter().enumerate() {
        output = output.replace(&format!("{{{index}}}"), raw);
    }
    jinja.render(&output, context).map(Value::String)
}

fn expand(jinja: &Jinja, text: &str, context: &Context, round: usize) -> Result<Value, ExpressionError> {
    if round > MOST_ROUNDS {
        return Err(ExpressionError::new(ErrorKind::Limit(Limit::Depth), limit_message(Limit::Depth)));
    }
    if each_block(text).next().is_some() {
        let output = jinja.render(text, context)?;
        return if has_expressions(&output) {
            expand(jinja, &output, context, round + 1)
        } else {
            Ok(Value::String(output))
        };
    }
    let expressions: Vec<&str> = each_expression(text).collect();
    let mut output = Value::from(text);
    for expression in &expressions {
        let result = match jinja.evaluate(&format!("{{{{ {} }}}}", strip(expression)), context)? {
            Value::String(result) if has_expressions(&result) => expand(jinja, &result, context, round + 1)?,
            result => result,
        };
        output = match output {
            Value::String(whole) if expressions.len() > 1 || whole != *expression => {
                let replaced = whole.replace(expression, &python_text(jinja, result)?);
                if replaced.len() > jinja.limits().output_bytes {
                    return Err(ExpressionError::new(
                        ErrorKind::Limit(Limit::OutputSize),
                        limit_message(Limit::OutputSize),
                    ));
                }
                Value::String(replaced)
            }
            _ => result,
        };
    }
    Ok(output)
}

fn python_text(jinja: &Jinja, value: Value) -> Result<String, ExpressionError> {
    match value {
        Value::String(text) => Ok(text),
        other => jinja.render("{{ value }}", &Context::new().with("value", other)),
    }
}

/// What is wrong with the expressions in a value, those in keys included.
pub fn validate(jinja: &Jinja, value: &Value) -> Vec<Invalid> {
    let mut found = Vec::new();
    each_text(value, &mut |text| {
        if !has_expressions(text) {
            return;
        }
        let mut check = |expression: &str| match jinja.validate(expression) {
            Ok(()) => {}
            Err(error) => found.push(Invalid { expression: expression.to_owned(), error }),
        };
        check(text);
        each_expression(text).filter(|expression| *expression != text).for_each(check);
    });
    found
}

/// The context variables that a value reads: each expression's whole text, and the variable.
pub fn variables(value: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    each_text(value, &mut |text| {
        for reference in references(text) {
            found.extend(patterns::variables(&reference).map(|name| (text.to_owned(), name)));
        }
    });
    found
}

/// The references to the context in a text, as written: `ctx().a.b`.
pub fn references(text: &str) -> BTreeSet<String> {
    each_expression(text).flat_map(|expression| patterns::references(strip(expression))).collect()
}

fn each_text(value: &Value, take: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, take)),
        Value::Object(entries) => entries.iter().for_each(|(key, item)| {
            take(key);
            each_text(item, take);
        }),
        _ => {}
    }
}

/// What Orquesta's function `zip` gives: the first items of all lists, the second ones, and so on, filled up with `pad`.
pub fn zip(lists: &[Value], named: &Map<String, Value>) -> Result<Value, String> {
    let pad = named.get("pad").cloned().unwrap_or_default();
    let lists = lists.iter().map(list_of).collect::<Result<Vec<_>, _>>()?;
    if let [only] = lists.as_slice() {
        return Ok(Value::Array(only.clone()));
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or_default();
    let row = |index| Value::Array(lists.iter().map(|list| list.get(index).unwrap_or(&pad).clone()).collect());
    Ok(Value::Array((0..longest).map(row).collect()))
}

fn list_of(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => Ok(items.clone()),
        Value::String(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        Value::Object(entries) => Ok(entries.keys().map(|key| Value::from(key.as_str())).collect()),
        _ => Err("takes lists only".to_owned()),
    }
}

/// What Orquesta's function `json` gives: the value of a JSON text; an object as it is.
pub fn json(value: &Value) -> Result<Value, String> {
    match value {
        Value::Object(_) => Ok(value.clone()),
        Value::String(text) => serde_json::from_str(text)
            .map_err(|e| format!("the text isn't JSON at its line {}, column {}", e.line(), e.column())),
        _ => Err("takes a text".to_owned()),
    }
}

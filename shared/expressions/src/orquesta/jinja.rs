//! Jinja in Orquesta's texts.

use serde_json::Value;

use super::patterns::{each_block, each_jinja, each_raw};
use super::{MOST_ROUNDS, over};
use crate::context::Context;
use crate::error::{ErrorKind, ExpressionError, Limit};
use crate::jinja::Jinja;

/// Whether the text has a `{{ … }}` or `{% … %}`.
pub(super) fn has_expressions(text: &str) -> bool {
    each_jinja(text).next().is_some() || each_block(text).next().is_some()
}

/// The inside of a `{{ … }}`.
pub(super) fn strip(expression: &str) -> &str {
    expression.trim_matches(['{', '}']).trim()
}

/// The value of a text. Raw blocks are put aside, and rendered at the end.
pub(super) fn evaluate(jinja: &Jinja, text: &str, context: &Context) -> Result<Value, ExpressionError> {
    let raw_blocks: Vec<&str> = each_raw(text).collect();
    let mut bare = text.to_owned();
    for (index, raw) in raw_blocks.iter().enumerate() {
        bare = bare.replace(raw, &format!("{{{index}}}"));
    }
    let mut output = match expand(jinja, &bare, context, 0)? {
        Value::String(output) => output,
        other => return Ok(other),
    };
    if let Some(unresolved) = each_jinja(&output).next() {
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
        return Err(over(Limit::Depth));
    }
    if each_block(text).next().is_some() {
        let output = jinja.render(text, context)?;
        return if has_expressions(&output) {
            expand(jinja, &output, context, round + 1)
        } else {
            Ok(Value::String(output))
        };
    }
    let expressions: Vec<&str> = each_jinja(text).collect();
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
                    return Err(over(Limit::OutputSize));
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

/// What is wrong with the text as a whole, and with each expression in it.
pub(super) fn validate(jinja: &Jinja, text: &str) -> Vec<(String, ExpressionError)> {
    let others = each_jinja(text).filter(|expression| *expression != text);
    let check = |expression: &str| Some((expression.to_owned(), jinja.validate(expression).err()?));
    std::iter::once(text).chain(others).filter_map(check).collect()
}

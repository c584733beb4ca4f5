//! YAQL in Orquesta's texts.

use serde_json::Value;

use super::patterns::each_yaql;
use super::{MOST_ROUNDS, over};
use crate::context::Context;
use crate::error::{ExpressionError, Limit};
use crate::yaql::{Outcome, Yaql};

/// The inside of a `<% … %>`.
pub(super) fn strip(expression: &str) -> &str {
    expression.trim_matches(['<', '%', '>']).trim()
}

/// The value of a text: that of the expression that it is, or the text with its expressions replaced by what they give.
pub(super) fn evaluate(yaql: &Yaql, text: &str, context: &Context, round: usize) -> Result<Value, ExpressionError> {
    if round > MOST_ROUNDS {
        return Err(over(Limit::Depth));
    }
    let expressions: Vec<&str> = each_yaql(text).collect();
    let mut output = text.to_owned();
    for expression in &expressions {
        let whole = expressions.len() == 1 && output == *expression;
        let replacement = match yaql.evaluate_in_text(strip(expression), context, whole)? {
            Outcome::Value(value) => return Ok(value),
            Outcome::Printed(printed) => printed,
            Outcome::Text(result) => match again(yaql, result, context, round)? {
                other if whole => return Ok(other),
                Value::String(result) => result,
                other => printed(yaql, &other),
            },
        };
        let added = replacement.len().saturating_mul(output.matches(expression).count());
        if output.len().saturating_add(added) > yaql.limits().output_bytes {
            return Err(over(Limit::OutputSize));
        }
        output = output.replace(expression, &replacement);
    }
    Ok(Value::String(output))
}

/// A text that an expression gave, evaluated where it has expressions itself.
fn again(yaql: &Yaql, text: String, context: &Context, round: usize) -> Result<Value, ExpressionError> {
    if each_yaql(&text).next().is_none() {
        return Ok(Value::String(text));
    }
    evaluate(yaql, &text, context, round + 1)
}

fn printed(yaql: &Yaql, value: &Value) -> String {
    let context = Context::new().with("1", value.clone());
    match yaql.evaluate_in_text("$", &context, false) {
        Ok(Outcome::Printed(printed) | Outcome::Text(printed)) => printed,
        _ => value.to_string(),
    }
}

/// What is wrong with each expression.
pub(super) fn validate(yaql: &Yaql, text: &str) -> Vec<(String, ExpressionError)> {
    let check = |expression: &str| Some((expression.to_owned(), yaql.validate(strip(expression)).err()?));
    each_yaql(text).filter_map(check).collect()
}

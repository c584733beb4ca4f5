//! Jinja2's tests, where the engine's own differ.

use std::cmp::Ordering;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, State};

use crate::error::bad_value;
use crate::limits::Limits;
use crate::python;

/// Tests of the engine that Jinja2 doesn't have.
const FOREIGN: [&str; 4] = ["startingwith", "endingwith", "safe", "int"];

/// A comparison: its names, and which outcomes it holds for.
type Comparison = (&'static [&'static str], fn(Ordering) -> bool);

const COMPARISONS: [Comparison; 4] = [
    (&["lt", "lessthan", "<"], Ordering::is_lt),
    (&["le", "<="], Ordering::is_le),
    (&["gt", "greaterthan", ">"], Ordering::is_gt),
    (&["ge", ">="], Ordering::is_ge),
];

/// Makes the environment's tests those of Jinja2.
pub(crate) fn install(env: &mut Environment<'static>, limits: Limits) {
    for name in FOREIGN {
        env.remove_test(name);
    }
    env.add_test("callable", |value: &Value| value.kind() == ValueKind::Plain);
    env.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::String | ValueKind::Seq | ValueKind::Map)
    });
    env.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    env.add_test("odd", |value: &Value| remainder(value, 2.0).map(|rest| rest == 1.0));
    env.add_test("even", |value: &Value| remainder(value, 2.0).map(|rest| rest == 0.0));
    env.add_test("divisibleby", |value: &Value, by: &Value| remainder(value, number(by)?).map(|rest| rest == 0.0));
    env.add_test("lower", move |value: &Value| {
        python::text(value, &limits)
            .map(|text| text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase))
    });
    env.add_test("upper", move |value: &Value| {
        python::text(value, &limits)
            .map(|text| text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase))
    });
    for (names, holds) in COMPARISONS {
        for name in names {
            env.add_test(*name, move |state: &State, left: &Value, right: &Value| -> Result<bool, Error> {
                state.consume_fuel(1)?;
                compare(left, right).map(holds)
            });
        }
    }
}

fn number(value: &Value) -> Result<f64, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()),
        _ => Err(bad_value("the test takes numbers")),
    }
}

/// Python's `%`.
fn remainder(value: &Value, by: f64) -> Result<f64, Error> {
    let number = number(value)?;
    if by == 0.0 {
        return Err(bad_value("numbers can't be divided by zero"));
    }
    Ok(number - by * (number / by).floor())
}

fn compare(left: &Value, right: &Value) -> Result<Ordering, Error> {
    let class = |value: &Value| match value.kind() {
        ValueKind::Bool | ValueKind::Number => Some(0),
        ValueKind::String => Some(1),
        ValueKind::Seq => Some(2),
        _ => None,
    };
    match (class(left), class(right)) {
        (Some(a), Some(b)) if a == b => Ok(left.cmp(right)),
        _ => Err(bad_value(format!("values of type {} and {} can't be compared", left.kind(), right.kind()))),
    }
}

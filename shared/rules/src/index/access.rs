//! By what a rule can be found.

use expressions::python::Numeric;
use serde_json::Value;

use crate::{
    compiled::CompiledRule,
    criterion::{Check, Criterion},
    operator::{Operator, Prepared},
    pattern::Pattern,
};

/// A condition on the value at a path of the payload, without which the rule does not match and does not fail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Access {
    /// Names from the payload on.
    pub(super) names: Box<[Box<str>]>,
    /// The value fulfils one of these.
    pub(super) probes: Vec<Probe>,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Probe {
    /// Null or missing.
    Null,
    Number(NumberKey),
    Text(Box<str>),
    /// A text that fulfils this, or no text at all: then the rule may fail.
    Part {
        part: Part,
        text: Box<str>,
        lower: bool,
    },
}

/// How a text must be part of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Whole,
    Beginning,
    Anywhere,
}

/// Equal numbers have equal keys: 1, 1.0 and true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum NumberKey {
    Int(i128),
    Float(u64),
}

impl NumberKey {
    pub(super) fn of(value: &Value) -> Option<NumberKey> {
        let number = Numeric::of(value)?;
        Some(number.as_int().map_or_else(|| NumberKey::Float(number.as_f64().to_bits()), NumberKey::Int))
    }
}

/// What is known about finding a rule.
pub(super) enum Found {
    /// It never matches and never fails.
    Never,
    /// By any of these; where there are none it must always be tried.
    By(Vec<Access>),
}

/// All ways to find the rule: its first criteria, up to the first that could fail, and that one too.
pub(super) fn of_rule(rule: &CompiledRule) -> Found {
    let mut ways = Vec::new();
    for criterion in rule.criteria() {
        if criterion.is_never() {
            return Found::Never;
        }
        ways.extend(of_criterion(criterion));
        if !criterion.is_infallible() {
            break;
        }
    }
    Found::By(ways)
}

fn of_criterion(criterion: &Criterion) -> Option<Access> {
    let test = criterion.test()?;
    let names = test.path.payload_names()?;
    let (Check::Known(prepared), Pattern::Literal(pattern)) = (&test.check, &test.pattern) else { return None };
    let probes = probes(prepared, pattern)?;
    Some(Access { names: names.into(), probes })
}

fn probes(prepared: &Prepared, pattern: &Value) -> Option<Vec<Probe>> {
    // An empty text is in every text.
    let part = |part, text: &str, lower| {
        (part == Part::Whole || !text.is_empty()).then(|| vec![Probe::Part { part, text: text.into(), lower }])
    };
    match (prepared.operator(), pattern) {
        (Operator::Equals, value) => scalar(value).map(|probe| vec![probe]),
        (Operator::Inside, Value::Array(values)) => values.iter().map(scalar).collect(),
        (Operator::Iequals, _) => part(Part::Whole, prepared.lower()?, true),
        (Operator::Startswith, Value::String(text)) => part(Part::Beginning, text, false),
        (Operator::Istartswith, _) => part(Part::Beginning, prepared.lower()?, true),
        (Operator::Contains | Operator::Endswith, Value::String(text)) => part(Part::Anywhere, text, false),
        (Operator::Icontains | Operator::Iendswith, _) => part(Part::Anywhere, prepared.lower()?, true),
        (Operator::Regex | Operator::Matchregex | Operator::Matchwildcard, _) => {
            part(Part::Anywhere, prepared.required_literal()?, false)
        }
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<Probe> {
    match value {
        Value::Null => Some(Probe::Null),
        Value::String(text) => Some(Probe::Text(text.as_str().into())),
        other => NumberKey::of(other).map(Probe::Number),
    }
}

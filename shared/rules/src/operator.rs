//! The operators of criteria: 33 names for 24 functions.

use expressions::{
    python::{self, Membership, Numeric},
    regexes::{Flags, Matcher},
};
use model::Timestamp;
use serde_json::Value;
use std::{borrow::Cow, cmp::Ordering};

use crate::{date, event::Clock, wildcard};

/// Why an operator could not answer, for the author of the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct OperatorError(pub(crate) String);

/// What a criterion does with the value and the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are StackStorm's")]
pub enum Operator {
    Equals,
    Nequals,
    Iequals,
    Contains,
    Icontains,
    Ncontains,
    Incontains,
    Startswith,
    Istartswith,
    Endswith,
    Iendswith,
    Lessthan,
    Greaterthan,
    Matchwildcard,
    Matchregex,
    Regex,
    Iregex,
    TimediffLt,
    TimediffGt,
    Exists,
    Nexists,
    Inside,
    Ninside,
    Search,
}

/// Every name with its function.
const NAMES: [(&str, Operator); 33] = [
    ("matchwildcard", Operator::Matchwildcard),
    ("matchregex", Operator::Matchregex),
    ("regex", Operator::Regex),
    ("iregex", Operator::Iregex),
    ("equals", Operator::Equals),
    ("eq", Operator::Equals),
    ("nequals", Operator::Nequals),
    ("neq", Operator::Nequals),
    ("iequals", Operator::Iequals),
    ("ieq", Operator::Iequals),
    ("contains", Operator::Contains),
    ("icontains", Operator::Icontains),
    ("ncontains", Operator::Ncontains),
    ("incontains", Operator::Incontains),
    ("startswith", Operator::Startswith),
    ("istartswith", Operator::Istartswith),
    ("endswith", Operator::Endswith),
    ("iendswith", Operator::Iendswith),
    ("lessthan", Operator::Lessthan),
    ("lt", Operator::Lessthan),
    ("greaterthan", Operator::Greaterthan),
    ("gt", Operator::Greaterthan),
    ("timediff_lt", Operator::TimediffLt),
    ("td_lt", Operator::TimediffLt),
    ("timediff_gt", Operator::TimediffGt),
    ("td_gt", Operator::TimediffGt),
    ("exists", Operator::Exists),
    ("nexists", Operator::Nexists),
    ("inside", Operator::Inside),
    ("in", Operator::Inside),
    ("ninside", Operator::Ninside),
    ("nin", Operator::Ninside),
    ("search", Operator::Search),
];

impl Operator {
    /// The operator of that name, in any case, as StackStorm evaluates rules. Rules are accepted with the exact names only.
    pub fn named(name: &str) -> Option<Operator> {
        let named = |wanted: &str| NAMES.iter().find(|(known, _)| *known == wanted).map(|(_, operator)| *operator);
        named(name).or_else(|| named(&name.to_lowercase()))
    }

    /// Every name, aliases too.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The full name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }

    /// Applies the operator once. Rules keep what can be prepared from a pattern; this is for one-off questions.
    pub fn apply(self, value: &Value, pattern: &Value, now: Timestamp) -> Result<bool, String> {
        Prepared::new(self, pattern).test(value, pattern, Clock { now, today: now }).map_err(|error| error.0)
    }

    /// What is the case where it does not hold.
    pub(crate) const fn denial(self) -> &'static str {
        match self {
            Operator::Equals => "the value is not equal to the pattern",
            Operator::Nequals => "the value is equal to the pattern",
            Operator::Iequals => "the value is another text than the pattern, also without regard to case",
            Operator::Contains => "the value does not contain the pattern",
            Operator::Icontains => "the value does not contain the pattern, also without regard to case",
            Operator::Ncontains => "the value contains the pattern",
            Operator::Incontains => "the value contains the pattern, without regard to case",
            Operator::Startswith => "the value does not start with the pattern",
            Operator::Istartswith => "the value does not start with the pattern, also without regard to case",
            Operator::Endswith => "the value does not end with the pattern",
            Operator::Iendswith => "the value does not end with the pattern, also without regard to case",
            Operator::Lessthan => "the value is not less than the pattern",
            Operator::Greaterthan => "the value is not greater than the pattern",
            Operator::Matchwildcard => "the whole value does not fit the wildcards",
            Operator::Matchregex => "the regular expression does not match at the start of the value",
            Operator::Regex | Operator::Iregex => "the regular expression matches nowhere in the value",
            Operator::TimediffLt => "not less time has passed since the value",
            Operator::TimediffGt => "not more time has passed since the value",
            Operator::Exists => "there is no value",
            Operator::Nexists => "there is a value",
            Operator::Inside => "the value is not in the pattern",
            Operator::Ninside => "the value is in the pattern",
            Operator::Search => "too few items fulfil the criteria of the pattern",
        }
    }

    /// Does a null pattern make this operator false whatever the value?
    const fn needs_pattern(self) -> bool {
        !matches!(self, Operator::Nequals | Operator::Exists | Operator::Nexists | Operator::Search)
    }
}

/// `re.search`
const SEARCH: Flags = Flags { ignore_case: false, dot_all: false, anchored: false };
/// `re.match` with `DOTALL`
pub(crate) const MATCH: Flags = Flags { ignore_case: false, dot_all: true, anchored: true };

/// An operator and what can be computed from the pattern alone.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    operator: Operator,
    aid: Aid,
}

#[derive(Clone, Debug)]
enum Aid {
    None,
    Lower(String),
    Regex(Result<Box<Matcher>, OperatorError>),
}

impl Prepared {
    pub(crate) fn new(operator: Operator, pattern: &Value) -> Prepared {
        let aid = match (operator, pattern) {
            (
                Operator::Iequals
                | Operator::Icontains
                | Operator::Incontains
                | Operator::Istartswith
                | Operator::Iendswith,
                Value::String(text),
            ) => Aid::Lower(text.to_lowercase()),
            (Operator::Matchregex, Value::String(text)) => Aid::regex(text, MATCH),
            (Operator::Regex, Value::String(text)) => Aid::regex(text, SEARCH),
            (Operator::Iregex, Value::String(text)) => Aid::regex(text, Flags { ignore_case: true, ..SEARCH }),
            (Operator::Matchwildcard, Value::String(text)) => Aid::regex(&wildcard::to_regex(text), MATCH),
            _ => Aid::None,
        };
        Prepared { operator, aid }
    }

    pub(crate) const fn operator(&self) -> Operator {
        self.operator
    }

    /// The lower-cased pattern of an operator that ignores case.
    pub(crate) fn lower(&self) -> Option<&str> {
        match &self.aid {
            Aid::Lower(text) => Some(text),
            _ => None,
        }
    }

    /// The regular expression, where the pattern is one and can be read.
    pub(crate) fn regex(&self) -> Option<&Matcher> {
        match &self.aid {
            Aid::Regex(Ok(regex)) => Some(regex),
            _ => None,
        }
    }

    /// What is wrong with the pattern, whatever the value.
    pub(crate) fn problem(&self) -> Option<&OperatorError> {
        match &self.aid {
            Aid::Regex(Err(error)) => Some(error),
            _ => None,
        }
    }

    /// False for every value.
    pub(crate) fn is_never(&self, pattern: &Value) -> bool {
        pattern.is_null() && self.operator.needs_pattern()
    }

    /// Does it hold? A missing value is null. `search` is not asked here, for it needs its criteria.
    pub(crate) fn test(&self, value: &Value, pattern: &Value, clock: Clock) -> Result<bool, OperatorError> {
        if self.is_never(pattern) {
            return Ok(false);
        }
        match self.operator {
            Operator::Equals => Ok(python::equal(value, pattern)),
            Operator::Nequals => Ok(!python::equal(value, pattern)),
            Operator::Exists => Ok(!value.is_null()),
            Operator::Nexists => Ok(value.is_null()),
            Operator::Contains => member(value, pattern, "value"),
            Operator::Ncontains => member(value, pattern, "value").map(|found| !found),
            Operator::Inside => member(pattern, value, "pattern"),
            Operator::Ninside => member(pattern, value, "pattern").map(|found| !found),
            Operator::Startswith => texts(value, pattern).map(|(text, part)| text.starts_with(part)),
            Operator::Endswith => texts(value, pattern).map(|(text, part)| text.ends_with(part)),
            Operator::Lessthan => ordered(value, pattern).map(Ordering::is_lt),
            Operator::Greaterthan => ordered(value, pattern).map(Ordering::is_gt),
            Operator::TimediffLt => timediff(value, pattern, clock).map(|(passed, limit)| passed < limit),
            Operator::TimediffGt => timediff(value, pattern, clock).map(|(passed, limit)| passed > limit),
            Operator::Matchwildcard | Operator::Matchregex | Operator::Regex | Operator::Iregex => {
                self.matches(value, pattern)
            }
            Operator::Iequals
            | Operator::Icontains
            | Operator::Incontains
            | Operator::Istartswith
            | Operator::Iendswith => self.ignoring_case(value, pattern),
            Operator::Search => Err(OperatorError("\"search\" must be written in lower case".to_owned())),
        }
    }

    fn matches(&self, value: &Value, pattern: &Value) -> Result<bool, OperatorError> {
        match (&self.aid, value) {
            (Aid::Regex(Err(error)), _) => Err(error.clone()),
            (Aid::Regex(Ok(regex)), Value::String(text)) => {
                regex.is_match(text).map_err(|error| OperatorError(error.to_string()))
            }
            (Aid::Regex(Ok(_)), _) => Err(needs_text("value", value)),
            _ => Err(needs_text("pattern", pattern)),
        }
    }

    fn ignoring_case(&self, value: &Value, pattern: &Value) -> Result<bool, OperatorError> {
        let (Value::String(text), Aid::Lower(part)) = (value, &self.aid) else {
            return Err(if value.is_string() { needs_text("pattern", pattern) } else { needs_text("value", value) });
        };
        let text = lower(text);
        Ok(match self.operator {
            Operator::Iequals => text == *part,
            Operator::Icontains => text.contains(part.as_str()),
            Operator::Incontains => !text.contains(part.as_str()),
            Operator::Istartswith => text.starts_with(part.as_str()),
            _ => text.ends_with(part.as_str()),
        })
    }
}

impl Aid {
    fn regex(text: &str, flags: Flags) -> Aid {
        Aid::Regex(Matcher::new(text, flags).map(Box::new).map_err(|error| OperatorError(error.to_string())))
    }
}

/// `str.lower()`, without a copy where there is nothing to change.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

fn needs_text(what: &str, found: &Value) -> OperatorError {
    OperatorError(format!("the {what} must be a text, it is {}", python::kind(found)))
}

fn texts<'a>(value: &'a Value, pattern: &'a Value) -> Result<(&'a str, &'a str), OperatorError> {
    match (value, pattern) {
        (Value::String(value), Value::String(pattern)) => Ok((value, pattern)),
        (Value::String(_), _) => Err(needs_text("pattern", pattern)),
        _ => Err(needs_text("value", value)),
    }
}

fn member(container: &Value, item: &Value, container_is: &str) -> Result<bool, OperatorError> {
    let item_is = if container_is == "value" { "pattern" } else { "value" };
    python::contains(container, item).map_err(|error| {
        OperatorError(match error {
            Membership::NoContainer => {
                format!("the {container_is} must be a text, a list or an object, it is {}", python::kind(container))
            }
            Membership::NotText => {
                format!("the {container_is} is a text, so the {item_is} must be one, it is {}", python::kind(item))
            }
            Membership::NoKey => {
                format!("the {container_is} is an object, so the {item_is} can't be {}", python::kind(item))
            }
        })
    })
}

fn ordered(value: &Value, pattern: &Value) -> Result<Ordering, OperatorError> {
    python::order(value, pattern).ok_or_else(|| {
        let (value, pattern) = (python::kind(value), python::kind(pattern));
        OperatorError(format!(
            "the value ({value}) can't be compared with the pattern ({pattern}); nothing is converted"
        ))
    })
}

/// Seconds since the time that the value tells, and the limit.
fn timediff(value: &Value, pattern: &Value, clock: Clock) -> Result<(f64, f64), OperatorError> {
    let limit = seconds(pattern).ok_or_else(|| OperatorError("the pattern must be a number of seconds".to_owned()))?;
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        other => return Err(OperatorError(format!("the value must be a time, it is {}", python::kind(other)))),
    };
    let time = date::parse(&text, clock.today).map_err(|error| OperatorError(error.to_string()))?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of some thousand years fit a float")]
    let passed = clock.now.micros().saturating_sub(time.micros()) as f64 / 1_000_000.0;
    Ok((passed, limit))
}

/// `float(pattern)`
fn seconds(pattern: &Value) -> Option<f64> {
    match pattern {
        Value::String(text) => python_float(text.trim()),
        other => Numeric::of(other).map(Numeric::as_f64),
    }
}

/// Python's float literals are Rust's, and may have single underscores between digits.
fn python_float(text: &str) -> Option<f64> {
    let well_placed = |at: usize| {
        let digit = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(at.checked_add(1))
    };
    if text.match_indices('_').all(|(at, _)| well_placed(at)) { text.replace('_', "").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[operator, value, pattern, answer]`, as Python answered on 2026-01-15T12:00:00Z; a null answer is an exception.
    const CASES: &str = include_str!("../tests/data/operators.json");

    #[test]
    fn operators_answer_as_python_does() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let cases: Vec<(String, Value, Value, Option<bool>)> = serde_json::from_str(CASES).unwrap();
        let wrong: Vec<String> = cases
            .iter()
            .filter_map(|(name, value, pattern, expected)| {
                let answer = Operator::named(name).unwrap().apply(value, pattern, now);
                (answer.clone().ok() != *expected)
                    .then(|| format!("{value} {name} {pattern}: {answer:?}, not {expected:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
        for (name, operator) in NAMES {
            assert!(operator == Operator::Search || cases.iter().any(|case| case.0 == name), "{name} has no cases");
        }
    }

    #[test]
    fn names_are_those_that_rules_are_accepted_with() {
        assert_eq!(Operator::names().collect::<Vec<_>>(), model::OPERATOR_NAMES);
        assert_eq!(Operator::named("EXISTS"), Some(Operator::Exists));
        assert_eq!(Operator::named("unknown"), None);
        assert_eq!(Operator::Inside.name(), "inside");
    }
}

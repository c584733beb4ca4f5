//! The expressions of one field: `*`, `*/a`, `a`, `a-b`, `a-b/c`, names, `last`, `2nd fri`, and lists of them.

use super::TimerError;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ORDINALS: [&str; 6] = ["1st", "2nd", "3rd", "4th", "5th", "last"];

/// A field, its range, and the names that its values may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldKind {
    pub(super) name: &'static str,
    least: u16,
    most: u16,
    /// Where it is omitted and stands behind the last given field.
    pub(super) default: &'static str,
}

const fn kind(name: &'static str, least: u16, most: u16, default: &'static str) -> FieldKind {
    FieldKind { name, least, most, default }
}

pub(super) const YEAR: FieldKind = kind("year", 1970, 9999, "*");
pub(super) const MONTH: FieldKind = kind("month", 1, 12, "1");
pub(super) const DAY: FieldKind = kind("day", 1, 31, "1");
pub(super) const WEEK: FieldKind = kind("week", 1, 53, "*");
pub(super) const DAY_OF_WEEK: FieldKind = kind("day_of_week", 0, 6, "*");
pub(super) const HOUR: FieldKind = kind("hour", 0, 23, "0");
pub(super) const MINUTE: FieldKind = kind("minute", 0, 59, "0");
pub(super) const SECOND: FieldKind = kind("second", 0, 59, "0");

/// From the most to the least significant.
pub(super) const FIELDS: [FieldKind; 8] = [YEAR, MONTH, DAY, WEEK, DAY_OF_WEEK, HOUR, MINUTE, SECOND];

/// One expression of a list.
#[derive(Clone, Debug, PartialEq)]
enum Expression {
    /// Every `step`th value from the first to the last.
    Range { first: u16, last: u16, step: u16 },
    /// The last day of the month.
    LastDay,
    /// The nth such weekday of the month, counted from 0; 5 is the last.
    Weekday { nth: u8, weekday: u8 },
}

/// A field's expressions: a value fits where it fits one of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field(Vec<Expression>);

impl Field {
    pub(super) fn parse(kind: FieldKind, text: &str) -> Result<Field, TimerError> {
        let expressions = text.split(',').map(|part| expression(kind, part.trim()));
        expressions.collect::<Result<_, _>>().map(Field).map_err(|problem| TimerError::new(kind.name, problem))
    }

    /// Does the value fit, by its number alone?
    pub(super) fn has(&self, value: u16) -> bool {
        self.0.iter().any(|expression| match expression {
            Expression::Range { first, last, step } => {
                (first..=last).contains(&&value) && (value - first).is_multiple_of(*step)
            }
            _ => false,
        })
    }

    /// The least value from `from` on that fits by its number.
    pub(super) fn next(&self, from: u16, most: u16) -> Option<u16> {
        let next = |expression: &Expression| match expression {
            Expression::Range { first, last, step } => {
                let steps = from.saturating_sub(*first).div_ceil(*step);
                first.checked_add(steps.checked_mul(*step)?).filter(|value| value <= last)
            }
            _ => None,
        };
        self.0.iter().filter_map(next).min().filter(|value| *value <= most)
    }

    /// Does the day fit in a month of `days` days whose first day is `first_weekday`?
    pub(super) fn has_day(&self, day: u8, days: u8, first_weekday: u8) -> bool {
        let special = |expression: &Expression| match expression {
            Expression::LastDay => day == days,
            Expression::Weekday { nth, weekday } => {
                let first = (7 + weekday - first_weekday) % 7 + 1;
                let wanted = if *nth < 5 { first + nth * 7 } else { first + (days - first) / 7 * 7 };
                day == wanted
            }
            Expression::Range { .. } => false,
        };
        self.has(u16::from(day)) || self.0.iter().any(special)
    }

    /// Does every value of the field fit?
    pub(super) fn has_all(&self, kind: FieldKind) -> bool {
        (kind.least..=kind.most).all(|value| self.has(value))
    }
}

fn expression(kind: FieldKind, text: &str) -> Result<Expression, String> {
    let lower = text.to_ascii_lowercase();
    if kind.name == DAY.name
        && let Some(special) = special_day(&lower)?
    {
        return Ok(special);
    }
    let (range, step) = match lower.split_once('/') {
        Some((range, step)) => (range, Some(number(step.trim(), text)?)),
        None => (lower.as_str(), None),
    };
    let (first, last) = match range.trim() {
        "*" => (kind.least, kind.most),
        range => match range.split_once('-') {
            Some((first, last)) => (value(kind, first, text)?, value(kind, last, text)?),
            None => {
                let first = value(kind, range, text)?;
                (first, if step.is_some() { kind.most } else { first })
            }
        },
    };
    if first > last {
        return Err(format!("\"{text}\" begins behind its end"));
    }
    match step {
        Some(0) => Err(format!("the step of \"{text}\" must be more than 0")),
        Some(step) if step > last - first => Err(format!("the step of \"{text}\" is larger than its range")),
        step => Ok(Expression::Range { first, last, step: step.unwrap_or(1) }),
    }
}

fn special_day(text: &str) -> Result<Option<Expression>, String> {
    if text == "last" {
        return Ok(Some(Expression::LastDay));
    }
    let Some((ordinal, weekday)) = text.split_once(' ') else { return Ok(None) };
    let nth =
        index(&ORDINALS, ordinal).ok_or_else(|| format!("\"{ordinal}\" must be one of {}", ORDINALS.join(", ")))?;
    let weekday = weekday.trim();
    let weekday =
        index(&WEEKDAYS, weekday).ok_or_else(|| format!("\"{weekday}\" must be one of {}", WEEKDAYS.join(", ")))?;
    Ok(Some(Expression::Weekday { nth, weekday }))
}

fn index(names: &[&str], name: &str) -> Option<u8> {
    names.iter().position(|known| *known == name).and_then(|at| u8::try_from(at).ok())
}

fn value(kind: FieldKind, text: &str, whole: &str) -> Result<u16, String> {
    let text = text.trim();
    let named = match kind.name {
        "month" => index(&MONTHS, text).map(|at| u16::from(at) + 1),
        "day_of_week" => index(&WEEKDAYS, text).map(u16::from),
        _ => None,
    };
    let value = named.map_or_else(|| number(text, whole), Ok)?;
    if (kind.least..=kind.most).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{value} is not between {} and {}", kind.least, kind.most))
    }
}

fn number(text: &str, whole: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| format!("\"{whole}\" is not an expression; write for example 5, 1-5, */10 or a list of such"))
}

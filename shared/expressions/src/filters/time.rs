//! `to_human_time_from_seconds`.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::call::{Bound, Host};
use crate::error::bad_value;
use crate::python::float_text;

const MINUTE: i128 = 60;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;
/// The calendar that StackStorm counts in ends with the year 9999.
const LAST_DAY: i128 = 3_652_058;

pub(super) fn to_human_time_from_seconds(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let value = call.value(0);
    let seconds = match value.kind() {
        ValueKind::Bool => f64::from(u8::from(value.is_true())),
        ValueKind::Number => f64::try_from(value.clone())?,
        _ => return Err(bad_value("`to_human_time_from_seconds` takes a number")),
    };
    if seconds == 0.0 {
        return Ok(Value::from("0s"));
    }
    if seconds < 1.0 {
        let number = if value.is_integer() { value.to_string() } else { float_text(seconds) };
        return Ok(Value::from(format!("{number}\u{3bc}s")));
    }
    let whole = if value.is_integer() { i128::try_from(value)? } else { half_even(seconds)? };
    human(whole).map(Value::from)
}

fn half_even(seconds: f64) -> Result<i128, Error> {
    const LONGEST: f64 = 1e12;
    if !seconds.is_finite() || seconds > LONGEST {
        return Err(bad_value("the time is too long"));
    }
    format!("{:.0}", seconds.round_ties_even()).parse().map_err(|_| bad_value("the time is too long"))
}

/// Years of a calendar that begins with the year 1, days, hours, minutes and seconds, from the first that isn't zero.
fn human(seconds: i128) -> Result<String, Error> {
    let (year, day) = year_and_day(seconds / DAY)?;
    let parts =
        [(year, 'y'), (day, 'd'), (seconds % DAY / HOUR, 'h'), (seconds % HOUR / MINUTE, 'm'), (seconds % MINUTE, 's')];
    let first = parts.iter().position(|(count, _)| *count != 0).unwrap_or(parts.len() - 1);
    Ok(parts.iter().skip(first).map(|(count, unit)| format!("{count}{unit}")).collect())
}

/// How many years have passed after `days`, and the day of the month that it is then, both from 0: StackStorm shows the day of the month.
fn year_and_day(mut days: i128) -> Result<(i128, i128), Error> {
    if days > LAST_DAY {
        return Err(bad_value("the time is too long"));
    }
    let mut year = 1;
    let length = |year: i128| if is_leap(year) { 366 } else { 365 };
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let months = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for month in months {
        if days < month {
            break;
        }
        days -= month;
    }
    Ok((year - 1, days))
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn times_are_told_as_stackstorm_tells_them() {
        let cases = [
            (1, "1s"),
            (76, "1m16s"),
            (7265, "2h1m5s"),
            (3600, "1h0m0s"),
            (34_560_000, "1y4d0h0m0s"),
            (45_678_815_640, "1447y2d23h54m0s"),
        ];
        for (seconds, text) in cases {
            assert_eq!(human(seconds).unwrap(), text);
        }
        assert!(human(i128::MAX).is_err());
    }
}

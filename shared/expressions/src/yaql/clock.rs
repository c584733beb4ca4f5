//! Dates and timespans.

mod format;
mod guess;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::fail::{Res, bad};
use super::operators::Num;
use super::value::Val;

pub(super) use format::{parse_as, write_as};
pub(super) use guess::guess;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The years that Python's dates have.
const FIRST: i64 = -62_135_596_800 * SECOND;
const LAST: i64 = 253_402_300_800 * SECOND - 1;

/// A date with its time, in microseconds since 1970 on the clock of a place, and how far that clock is ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    local: i64,
    offset: i64,
}

impl Time {
    /// Refused outside of the years 1 to 9999.
    pub(super) fn new(local: i128, offset: i64) -> Res<Time> {
        match i64::try_from(local) {
            Ok(local) if (FIRST..=LAST).contains(&local) && offset.abs() < DAY => Ok(Time { local, offset }),
            _ => bad("the date is out of range"),
        }
    }

    /// The date with these fields: year, month, day, hour, minute, second, microsecond.
    pub(super) fn of(fields: [i64; 7], offset: i64) -> Res<Time> {
        let [year, month, day, hour, minute, second, micro] = fields;
        let date = (|| {
            let small = |field: i64| i8::try_from(field).ok();
            let nanos = i32::try_from(micro.checked_mul(1000)?).ok()?;
            let year = i16::try_from(year).ok()?;
            let (month, day, hour) = (small(month)?, small(day)?, small(hour)?);
            DateTime::new(year, month, day, hour, small(minute)?, small(second)?, nanos).ok()
        })();
        match date.and_then(|date| TimeZone::UTC.to_timestamp(date).ok()) {
            Some(stamp) => Time::new(i128::from(stamp.as_microsecond()), offset),
            None => bad("there is no such date"),
        }
    }

    /// The date of an instant on a clock that is this far ahead of UTC.
    pub(super) fn at(instant: i128, offset: i64) -> Res<Time> {
        Time::new(instant + i128::from(offset), offset)
    }

    /// Microseconds since 1970 in UTC.
    pub(super) fn instant(self) -> i64 {
        self.local - self.offset
    }

    pub(super) fn offset(self) -> i64 {
        self.offset
    }

    fn civil(self) -> DateTime {
        Timestamp::from_microsecond(self.local).map(|stamp| TimeZone::UTC.to_datetime(stamp)).unwrap_or_default()
    }

    /// Year, month, day, hour, minute, second, microsecond.
    pub(super) fn fields(self) -> [i64; 7] {
        let civil = self.civil();
        [
            i64::from(civil.year()),
            i64::from(civil.month()),
            i64::from(civil.day()),
            i64::from(civil.hour()),
            i64::from(civil.minute()),
            i64::from(civil.second()),
            i64::from(civil.subsec_nanosecond() / 1000),
        ]
    }

    pub(super) fn plus<'a>(self, micros: i128) -> Res<Val<'a>> {
        Time::new(i128::from(self.local) + micros, self.offset).map(Val::Time)
    }

    fn since_midnight(self) -> i64 {
        self.local.rem_euclid(DAY)
    }

    /// As in ISO 8601, with this between date and time.
    fn written(self, between: char) -> String {
        let [year, month, day, hour, minute, second, micro] = self.fields();
        let fraction = if micro == 0 { String::new() } else { format!(".{micro:06}") };
        let offset = offset_text(self.offset, ":");
        format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{fraction}{offset}")
    }

    /// As in ISO 8601.
    pub(crate) fn iso(self) -> String {
        self.written('T')
    }

    /// Python's `repr`.
    pub(super) fn repr(self) -> String {
        let fields = self.fields();
        let shown = match fields {
            [.., 0, 0] => 5,
            [.., 0] => 6,
            _ => 7,
        };
        let numbers: Vec<String> = fields.iter().take(shown).map(i64::to_string).collect();
        let zone = match self.offset {
            0 => "tzutc()".to_owned(),
            offset => format!("tzoffset(None, {})", offset / SECOND),
        };
        format!("datetime.datetime({}, tzinfo={zone})", numbers.join(", "))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(' '))
    }
}

/// `+03:00`, and seconds where there are some.
fn offset_text(offset: i64, between: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let seconds = offset.abs() / SECOND;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{sign}{hours:02}{between}{minutes:02}");
    if seconds != 0 {
        text.push_str(&format!("{between}{seconds:02}"));
    }
    text
}

/// A timespan, refused where it is too long.
pub(super) fn span<'a>(micros: i128) -> Res<Val<'a>> {
    match i64::try_from(micros) {
        Ok(micros) => Ok(Val::Span(micros)),
        Err(_) => bad("the timespan is too long"),
    }
}

/// A timespan of a number of microseconds that may have a fraction: the nearest one, even where two are as near.
pub(super) fn span_of_float<'a>(micros: f64) -> Res<Val<'a>> {
    const MOST: f64 = 9e18;
    if micros.is_nan() || micros.abs() > MOST {
        return bad("the timespan is too long");
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is rounded and within the range")]
    Ok(Val::Span(micros.round_ties_even() as i64))
}

/// A timespan so many times.
pub(super) fn scale<'a>(micros: i64, times: Num) -> Res<Val<'a>> {
    match times {
        Num::Int(times) => match i128::from(micros).checked_mul(times) {
            Some(micros) => span(micros),
            None => bad("the timespan is too long"),
        },
        Num::Float(times) => span_of_float(Num::Int(i128::from(micros)).float() * times),
    }
}

pub(super) fn seconds(micros: i64) -> f64 {
    parts(micros, SECOND)
}

fn parts(micros: i64, unit: i64) -> f64 {
    Num::Int(i128::from(micros)).float() / Num::Int(i128::from(unit)).float()
}

/// Python's `str` of a timespan.
pub(super) fn span_text(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, micro) = (rest / SECOND, rest % SECOND);
    let mut text = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        days => format!("{days} days, "),
    };
    text.push_str(&format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if micro != 0 {
        text.push_str(&format!(".{micro:06}"));
    }
    text
}

/// Python's `repr` of a timespan.
pub(super) fn span_repr(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let fields = [("days", days), ("seconds", rest / SECOND), ("microseconds", rest % SECOND)];
    let shown: Vec<String> =
        fields.iter().filter(|(_, value)| *value != 0).map(|(name, value)| format!("{name}={value}")).collect();
    if shown.is_empty() {
        "datetime.timedelta(0)".to_owned()
    } else {
        format!("datetime.timedelta({})", shown.join(", "))
    }
}

/// `date.year`, `timespan.hours` and the like.
pub(super) fn property<'a>(value: &Val<'a>, name: &str) -> Option<Res<Val<'a>>> {
    match value {
        Val::Time(time) => time_property(*time, name),
        Val::Span(micros) => span_property(*micros, name).map(Ok),
        _ => None,
    }
}

fn time_property<'a>(time: Time, name: &str) -> Option<Res<Val<'a>>> {
    let [year, month, day, hour, minute, second, micro] = time.fields();
    let number = match name {
        "year" => year,
        "month" => month,
        "day" => day,
        "hour" => hour,
        "minute" => minute,
        "second" => second,
        "microsecond" => micro,
        "weekday" => i64::from(time.civil().weekday().to_monday_zero_offset()),
        "offset" => return Some(Ok(Val::Span(time.offset))),
        // Upstream takes the offset off twice for all but UTC.
        "timestamp" => return Some(Ok(Val::Float(seconds(time.instant() - time.offset)))),
        "date" => return Some(time.plus(-i128::from(time.since_midnight()))),
        "time" => return Some(Ok(Val::Span(time.since_midnight()))),
        "utc" => return Some(time.plus(-i128::from(time.offset))),
        _ => return None,
    };
    Some(Ok(Val::Int(i128::from(number))))
}

fn span_property<'a>(micros: i64, name: &str) -> Option<Val<'a>> {
    let unit = match name {
        "microseconds" => return Some(Val::Int(i128::from(micros))),
        "milliseconds" => 1000,
        "seconds" => SECOND,
        "minutes" => 60 * SECOND,
        "hours" => 3600 * SECOND,
        "days" => DAY,
        _ => return None,
    };
    Some(Val::Float(parts(micros, unit)))
}

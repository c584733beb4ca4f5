//! Times as people and programs write them, read as `dateutil` does: no format is given, fields that are missing come from today.

mod day;
mod fields;
mod token;
mod words;

use jiff::civil::{Date, DateTime, Time, Weekday};
use model::Timestamp;

use fields::{Fields, Zone};

/// The longest text that is looked at, in bytes.
pub(crate) const MAX_BYTES: usize = 256;

/// Why a text is not a time. The text itself may be a secret, so it is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DateError {
    #[error("the value is not written as a time")]
    Unknown,
    #[error("the value is empty and tells no time")]
    NoDate,
    #[error("the value is no day of the calendar, or no time of the day")]
    OutOfRange,
    #[error("the value is longer than the {MAX_BYTES} bytes that a time may have")]
    TooLong,
}

/// The time that `text` tells. Without a zone it is UTC; a zone that is named without an offset is taken for UTC too.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, DateError> {
    if text.len() > MAX_BYTES {
        return Err(DateError::TooLong);
    }
    let today = today(now);
    let fields = Fields::read(text, today.year()).ok_or(DateError::Unknown)?;
    if fields.is_empty() {
        return Err(DateError::NoDate);
    }
    place(&fields, today).ok_or(DateError::OutOfRange)
}

fn today(now: Timestamp) -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(now.to_jiff().unwrap_or_default()).date()
}

/// The fields on today's date.
fn place(fields: &Fields, today: Date) -> Option<Timestamp> {
    let year = fields.day.year.map_or(Some(today.year()), |year| i16::try_from(year).ok().filter(|year| *year > 0))?;
    let month = fields.day.month.map_or(Some(today.month()), |month| i8::try_from(month).ok())?;
    let last = Date::new(year, month, 1).ok()?.days_in_month();
    let day = fields.day.day.map_or(Some(today.day().min(last)), |day| i8::try_from(day).ok())?;
    let mut date = Date::new(year, month, day).ok()?;
    if let (Some(weekday), None | Some(0)) = (fields.weekday, fields.day.day) {
        date = on_or_after(date, weekday)?;
    }
    let part = |field: Option<i64>| field.map_or(Some(0), |number| i8::try_from(number).ok());
    let second = part(fields.second).filter(|second| *second < 60)?;
    let nanosecond = i32::try_from(fields.microsecond.unwrap_or(0)).ok()?.checked_mul(1_000)?;
    let time = Time::new(part(fields.hour)?, part(fields.minute)?, second, nanosecond).ok()?;
    let since_epoch = DateTime::from_parts(date, time).duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    let utc = i64::try_from(since_epoch.as_micros()).ok()?;
    let offset = match fields.zone {
        Zone::Offset(seconds) => seconds,
        Zone::None | Zone::Named => 0,
    };
    Some(Timestamp::from_micros(utc.checked_sub(offset.checked_mul(1_000_000)?)?))
}

fn on_or_after(date: Date, weekday: Weekday) -> Option<Date> {
    let days = i32::from(date.weekday().until(weekday));
    date.checked_add(jiff::Span::new().days(days)).ok()
}

#[cfg(test)]
mod tests;

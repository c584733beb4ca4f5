//! Calendar fields, and the clock of a time zone.

use jiff::{
    Timestamp as Instant, ToSpan,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};
use serde_json::{Map, Value};

use super::{
    TimerError,
    field::{DAY, DAY_OF_WEEK, FIELDS, Field, FieldKind, HOUR, MINUTE, MONTH, SECOND, WEEK, YEAR},
};
use crate::Timestamp;

/// So many years that fit are looked through: 29 February falls on a given weekday once in at most 40 years.
const MOST_YEARS: usize = 100;
/// No clock is further from UTC, in seconds.
const WIDEST_OFFSET: i64 = 26 * 3_600;

/// A cron timer.
#[derive(Clone, Debug)]
pub(super) struct Cron {
    zone: TimeZone,
    year: Field,
    month: Field,
    day: Field,
    week: Field,
    day_of_week: Field,
    hour: Field,
    minute: Field,
    second: Field,
    every_hour: bool,
}

impl Cron {
    pub(super) fn parse(parameters: &Map<String, Value>, zone: TimeZone) -> Result<Cron, TimerError> {
        let given = |kind: &FieldKind| parameters.get(kind.name).filter(|value| !value.is_null());
        let Some(last_given) = FIELDS.iter().rposition(|kind| given(kind).is_some()) else {
            let names: Vec<_> = FIELDS.iter().map(|kind| kind.name).collect();
            return Err(TimerError::new("parameters", format!("at least one of {} must be given", names.join(", "))));
        };
        // An omitted field is open where a less significant one is given, and at its minimum where not.
        let field = |wanted: FieldKind| {
            let at = FIELDS.iter().position(|kind| kind.name == wanted.name).unwrap_or_default();
            match given(&wanted) {
                Some(Value::String(text)) => Field::parse(wanted, text),
                Some(Value::Number(number)) => Field::parse(wanted, &number.to_string()),
                Some(_) => Err(TimerError::new(wanted.name, "must be a number or a text")),
                None => Field::parse(wanted, if at < last_given { "*" } else { wanted.default }),
            }
        };
        let hour = field(HOUR)?;
        Ok(Cron {
            zone,
            year: field(YEAR)?,
            month: field(MONTH)?,
            day: field(DAY)?,
            week: field(WEEK)?,
            day_of_week: field(DAY_OF_WEEK)?,
            every_hour: hour.has_all(HOUR),
            hour,
            minute: field(MINUTE)?,
            second: field(SECOND)?,
        })
    }

    /// The first instant strictly after `after` that fits.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut from = Instant::from_second(after.seconds().checked_add(1)?).ok()?;
        // Between two changes of the clock its time only grows. Each round looks through one such span, or skips those without a fit.
        loop {
            let span = Span::around(&self.zone, from);
            let (found, beyond) = self.next_in(&span, from);
            if let Some(found) = found {
                return Some(found.into());
            }
            let next_span = span.end?;
            let earliest = Offset::UTC.to_timestamp(beyond?).ok()?.as_second() - WIDEST_OFFSET;
            from = Instant::from_second(earliest).ok()?.max(next_span);
        }
    }

    /// The first instant of the span from `from` on that fits, else the next time of the clock that would.
    fn next_in(&self, span: &Span, from: Instant) -> (Option<Instant>, Option<DateTime>) {
        let in_gap = span.gap().and_then(|(before, gap_end)| {
            let civil = Some(before.to_datetime(from)).filter(|civil| *civil < gap_end)?;
            let skipped = self.next_civil(civil).filter(|civil| *civil < gap_end)?;
            before.to_timestamp(skipped).ok()
        });
        let mut civil = span.offset.to_datetime(from);
        if let Some(first_pass_end) = span.fold().filter(|_| !self.every_hour) {
            civil = civil.max(first_pass_end);
        }
        let next = self.next_civil(civil);
        let on_clock = next.and_then(|civil| span.offset.to_timestamp(civil).ok());
        let on_clock = on_clock.filter(|instant| span.end.is_none_or(|end| *instant < end));
        let found = match (in_gap, on_clock) {
            (Some(skipped), Some(shown)) => Some(skipped.min(shown)),
            (skipped, shown) => skipped.or(shown),
        };
        (found, next)
    }

    /// The first time of the clock from `from` on that fits.
    fn next_civil(&self, from: DateTime) -> Option<DateTime> {
        let mut date = self.next_date(from.date())?;
        if date == from.date() {
            if let Some(time) = self.next_time(from.time()) {
                return Some(date.to_datetime(time));
            }
            date = self.next_date(date.tomorrow().ok()?)?;
        }
        Some(date.to_datetime(self.next_time(Time::midnight())?))
    }

    fn next_date(&self, from: Date) -> Option<Date> {
        let mut from = from;
        for _ in 0..MOST_YEARS {
            let year = self.year.next(u16::try_from(from.year()).ok()?, 9999)?;
            let year = i16::try_from(year).ok()?;
            if year > from.year() {
                from = Date::new(year, 1, 1).ok()?;
            }
            if let Some(date) = self.next_date_in_year(from) {
                return Some(date);
            }
            from = Date::new(year.checked_add(1)?, 1, 1).ok()?;
        }
        None
    }

    fn next_date_in_year(&self, from: Date) -> Option<Date> {
        let mut from = from;
        let year = from.year();
        loop {
            let month = i8::try_from(self.month.next(from.month().unsigned_abs().into(), 12)?).ok()?;
            if month > from.month() {
                from = Date::new(year, month, 1).ok()?;
            }
            let days = from.days_in_month().unsigned_abs();
            let first_weekday = from.first_of_month().weekday().to_monday_zero_offset().unsigned_abs();
            let fits = |date: &Date| self.fits(*date, days, first_weekday);
            let rest =
                (0..).map_while(|n: i64| from.checked_add(n.days()).ok()).take_while(|date| date.month() == month);
            if let Some(date) = rest.take(31).find(fits) {
                return Some(date);
            }
            if month == 12 {
                return None;
            }
            from = Date::new(year, month + 1, 1).ok()?;
        }
    }

    fn fits(&self, date: Date, days: u8, first_weekday: u8) -> bool {
        self.day.has_day(date.day().unsigned_abs(), days, first_weekday)
            && self.day_of_week.has(date.weekday().to_monday_zero_offset().unsigned_abs().into())
            && self.week.has(date.iso_week_date().week().unsigned_abs().into())
    }

    fn next_time(&self, from: Time) -> Option<Time> {
        let part = |value: i8| u16::from(value.unsigned_abs());
        let (hour, minute) = (part(from.hour()), part(from.minute()));
        let first_minute = || self.minute.next(0, 59);
        let first_second = || self.second.next(0, 59);
        let same_minute = || {
            let second = self.second.next(part(from.second()), 59)?;
            (self.hour.has(hour) && self.minute.has(minute)).then_some((hour, minute, second))
        };
        let same_hour = || {
            let minute = self.minute.next(minute + 1, 59)?;
            self.hour.has(hour).then_some((hour, minute, first_second()?))
        };
        let later = || Some((self.hour.next(hour + 1, 23)?, first_minute()?, first_second()?));
        let (hour, minute, second) = same_minute().or_else(same_hour).or_else(later)?;
        let narrow = |value: u16| i8::try_from(value).ok();
        Time::new(narrow(hour)?, narrow(minute)?, narrow(second)?, 0).ok()
    }

    /// Does the clock's time fit? For tests: the slow way to the same answer.
    #[cfg(test)]
    pub(super) fn shows(&self, civil: DateTime) -> bool {
        self.next_civil(civil) == Some(civil)
    }

    #[cfg(test)]
    pub(super) fn fires_every_hour(&self) -> bool {
        self.every_hour
    }

    #[cfg(test)]
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// The time between two changes of the clock.
struct Span {
    /// The change that it begins with, and the offset before that.
    start: Option<(Instant, Offset)>,
    offset: Offset,
    end: Option<Instant>,
}

impl Span {
    fn around(zone: &TimeZone, instant: Instant) -> Span {
        let just_after = instant.checked_add(1.second()).unwrap_or(instant);
        let start = zone.preceding(just_after).next().map(|change| change.timestamp());
        let before = |change: Instant| Some((change, zone.to_offset(change.checked_sub(1.second()).ok()?)));
        Span {
            start: start.and_then(before),
            offset: zone.to_offset(instant),
            end: zone.following(instant).next().map(|change| change.timestamp()),
        }
    }

    /// Where the span begins with a jump forward: the offset before, and the clock's time at which the skipped ones end.
    fn gap(&self) -> Option<(Offset, DateTime)> {
        let (change, before) = self.start?;
        (self.offset > before).then(|| (before, self.offset.to_datetime(change)))
    }

    /// Where the span begins with a jump back: the clock's time before which it was shown already.
    fn fold(&self) -> Option<DateTime> {
        let (change, before) = self.start?;
        (self.offset < before).then(|| before.to_datetime(change))
    }
}

//! When timers fire next.
//!
//! Cron timers take the fields of APScheduler, which StackStorm uses, with the clock of their time zone:
//!
//! - A time of day that the clock skips in spring fires as long after the jump as it stands behind the jump's beginning: 02:30 fires when
//!   the clock shows 03:30.
//! - A time of day that the clock shows twice in autumn fires the first time only, unless the timer fires in every hour of the day: then
//!   it goes on through both hours. (APScheduler fires twice.)

mod cron;
mod field;

#[cfg(test)]
mod tests;

use jiff::{
    civil::DateTime,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde_json::{Map, Value};
use std::{collections::VecDeque, sync::OnceLock};

use crate::{Ref, Timestamp, core_types};
use cron::Cron;

const MICROS: i64 = 1_000_000;
/// The first look back for missed occurrences, in microseconds; each further one looks eight times as far.
const FIRST_LOOK_BACK: i64 = 3_600 * MICROS;

/// What to do about occurrences that passed while nothing was running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// Nothing.
    Skip,
    /// Fire once, for the last of them.
    #[default]
    Once,
    /// Fire each.
    All,
}

/// The parameters of a timer are wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {problem}")]
pub struct TimerError {
    /// The parameter.
    pub parameter: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl TimerError {
    pub(crate) fn new(parameter: &'static str, problem: impl Into<String>) -> TimerError {
        TimerError { parameter, problem: problem.into() }
    }
}

/// When a timer fires.
#[derive(Clone, Debug)]
pub struct TimerSchedule(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// Every so many microseconds.
    Interval(i64),
    Date(Timestamp),
    Cron(Box<Cron>),
}

impl TimerSchedule {
    /// Is this one of the trigger types of timers?
    pub fn is_timer(kind: &Ref) -> bool {
        matches!(kind.as_str(), core_types::INTERVAL_TIMER | core_types::DATE_TIMER | core_types::CRON_TIMER)
    }

    /// Reads the parameters of a timer's trigger.
    pub fn parse(kind: &Ref, parameters: &Map<String, Value>) -> Result<TimerSchedule, TimerError> {
        let zone = time_zone(parameters)?;
        let schedule = match kind.as_str() {
            core_types::INTERVAL_TIMER => Kind::Interval(interval(parameters)?),
            core_types::DATE_TIMER => Kind::Date(date(parameters, &zone)?),
            core_types::CRON_TIMER => Kind::Cron(Box::new(Cron::parse(parameters, zone)?)),
            other => return Err(TimerError::new("type", format!("{other} is not the trigger type of a timer"))),
        };
        Ok(TimerSchedule(schedule))
    }

    /// The first occurrence strictly after `after`; `start` is when the timer came to be, from which intervals count. `None` where
    /// there is none any more: a date that passed, or fields that never fit, such as 30 February.
    pub fn next_after(&self, after: Timestamp, start: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            Kind::Interval(length) => {
                let passed = after.micros().saturating_sub(start.micros()).max(0) / length;
                let next = start.micros().checked_add(length.checked_mul(passed.checked_add(1)?)?)?;
                Some(Timestamp::from_micros(next)).filter(|next| *next > after)
            }
            Kind::Date(date) => Some(*date).filter(|date| *date > after),
            Kind::Cron(cron) => cron.next_after(after),
        }
    }

    /// The occurrences in `(last, now]` that are to be fired, in order; at most `limit`, the latest ones.
    pub fn missed(
        &self,
        last: Timestamp,
        now: Timestamp,
        start: Timestamp,
        policy: CatchUp,
        limit: usize,
    ) -> Vec<Timestamp> {
        let wanted = match policy {
            CatchUp::Skip => 0,
            CatchUp::Once => limit.min(1),
            CatchUp::All => limit,
        };
        let mut look_back = FIRST_LOOK_BACK;
        loop {
            let from = Timestamp::from_micros(now.micros().saturating_sub(look_back)).max(last);
            let found = self.latest(from, now, start, wanted);
            if found.len() >= wanted || from == last {
                return found;
            }
            look_back = look_back.saturating_mul(8);
        }
    }

    fn latest(&self, from: Timestamp, now: Timestamp, start: Timestamp, wanted: usize) -> Vec<Timestamp> {
        let mut latest = VecDeque::new();
        let mut from = match self.0 {
            Kind::Interval(length) => from.max(skip_intervals(length, now, wanted)),
            _ => from,
        };
        while let Some(next) = self.next_after(from, start).filter(|next| wanted > 0 && *next <= now) {
            latest.push_back(next);
            if latest.len() > wanted {
                latest.pop_front();
            }
            from = next;
        }
        latest.into()
    }
}

/// So long before `now` that the wanted number of intervals fits in between.
fn skip_intervals(length: i64, now: Timestamp, wanted: usize) -> Timestamp {
    let back = length.saturating_mul(i64::try_from(wanted).unwrap_or(i64::MAX).saturating_add(1));
    Timestamp::from_micros(now.micros().saturating_sub(back))
}

/// UTC where none is given. The zones are those that the program brings along.
fn time_zone(parameters: &Map<String, Value>) -> Result<TimeZone, TimerError> {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    let wrong = |name: &Value| {
        let hint = "write it as in Europe/Berlin, or leave it out for UTC";
        TimerError::new("timezone", format!("{name} is not a time zone; {hint}"))
    };
    match parameters.get("timezone") {
        None | Some(Value::Null) => Ok(TimeZone::UTC),
        Some(Value::String(name)) if name.is_empty() => Ok(TimeZone::UTC),
        Some(name) => {
            let zones = ZONES.get_or_init(TimeZoneDatabase::bundled);
            name.as_str().and_then(|name| zones.get(name).ok()).ok_or_else(|| wrong(name))
        }
    }
}

fn interval(parameters: &Map<String, Value>) -> Result<i64, TimerError> {
    let unit = parameters.get("unit").and_then(Value::as_str).unwrap_or_default();
    let seconds: i64 = match unit {
        "weeks" => 7 * 24 * 3_600,
        "days" => 24 * 3_600,
        "hours" => 3_600,
        "minutes" => 60,
        "seconds" => 1,
        _ => return Err(TimerError::new("unit", "must be one of weeks, days, hours, minutes, seconds")),
    };
    let delta = parameters.get("delta").and_then(Value::as_i64).filter(|delta| *delta > 0);
    let delta = delta.ok_or_else(|| TimerError::new("delta", "must be a whole number from 1"))?;
    let length = delta.checked_mul(seconds * MICROS);
    length.ok_or_else(|| TimerError::new("delta", "is so large that the timer would never fire"))
}

fn date(parameters: &Map<String, Value>, zone: &TimeZone) -> Result<Timestamp, TimerError> {
    let text = parameters.get("date").and_then(Value::as_str).unwrap_or_default().trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.into());
    }
    let civil = text.parse::<DateTime>().ok().and_then(|civil| zone.to_timestamp(civil).ok());
    civil.map(Timestamp::from).ok_or_else(|| {
        let hint = "write it as 2030-12-31T23:59:59, or with an offset as 2030-12-31T23:59:59+01:00";
        TimerError::new("date", format!("\"{text}\" is not a time; {hint}"))
    })
}

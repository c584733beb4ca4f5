//! Points in time, as the REST contract writes them.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// Microseconds since the Unix epoch. Stored as a number, shown as `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The text is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time: write it as 2026-01-31T12:00:00Z, with a zone or an offset")]
pub struct TimeError(pub String);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis.saturating_mul(1_000))
    }

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// Whole milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time plus `duration`; stops at the last representable time.
    pub fn after(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero where it is before.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same point as jiff's type; `None` outside of the years that it knows.
    pub fn to_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(self.0).ok()
    }

    /// A fixed-width text whose order is the order of time: the head of sort keys.
    pub fn sort_key(self) -> String {
        format!("{:016}", self.0.max(0))
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Timestamp {
        Timestamp(time.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_jiff().unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{}", time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ"))
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// ISO 8601 with a zone or an offset; without one the time is UTC, as StackStorm reads it.
    fn from_str(text: &str) -> Result<Timestamp, TimeError> {
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(time.into());
        }
        let civil = text.parse::<jiff::civil::DateTime>().map_err(|_| TimeError(text.chars().take(64).collect()))?;
        let utc = jiff::tz::TimeZone::UTC.to_timestamp(civil);
        utc.map(Timestamp::from).map_err(|_| TimeError(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_the_contract_says() {
        let time: Timestamp = "2026-11-24T15:00:00.25+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-24T14:00:00.250000Z");
        assert_eq!("2026-11-24T14:00:00.25".parse::<Timestamp>(), Ok(time));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn sort_keys_follow_time() {
        assert!(Timestamp::from_millis(9).sort_key() < Timestamp::from_millis(10).sort_key());
    }
}

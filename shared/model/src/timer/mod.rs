//! When timers fire next.

use serde_json::{Map, Value};

use crate::{Ref, Timestamp};

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

/// When a timer fires.
#[derive(Clone, Debug, PartialEq)]
pub struct TimerSchedule(());

impl TimerSchedule {
    /// Is this one of the trigger types of timers?
    pub fn is_timer(_kind: &Ref) -> bool {
        false
    }

    /// Reads the parameters of a timer's trigger.
    pub fn parse(_kind: &Ref, _parameters: &Map<String, Value>) -> Result<TimerSchedule, TimerError> {
        Ok(TimerSchedule(()))
    }

    /// The first occurrence strictly after `after`; `start` is when the timer came to be, from which intervals count.
    pub fn next_after(&self, _after: Timestamp, _start: Timestamp) -> Option<Timestamp> {
        None
    }

    /// The occurrences in `(last, now]` that are to be fired, in order; at most `limit`, the latest ones.
    pub fn missed(
        &self,
        _last: Timestamp,
        _now: Timestamp,
        _start: Timestamp,
        _policy: CatchUp,
        _limit: usize,
    ) -> Vec<Timestamp> {
        Vec::new()
    }
}

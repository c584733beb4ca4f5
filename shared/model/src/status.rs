//! The 14 statuses of an execution, and the one table of their transitions.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionStatus {
    /// Accepted, not yet looked at.
    Requested,
    /// Held back by a concurrency policy.
    Delayed,
    /// Given to a runner.
    Scheduled,
    /// At work.
    Running,
    /// Waiting for a person's answer.
    Pending,
    /// Asked to pause, still at work.
    Pausing,
    /// Holding.
    Paused,
    /// Asked to go on.
    Resuming,
    /// Asked to stop, still at work.
    Canceling,
    /// Final: did what it should.
    Succeeded,
    /// Final: did not.
    Failed,
    /// Final: stopped by its time limit.
    Timeout,
    /// Final: stopped by a person or a policy.
    Canceled,
    /// Final: its worker was lost.
    Abandoned,
}

use ExecutionStatus::{
    Abandoned, Canceled, Canceling, Delayed, Failed, Paused, Pausing, Pending, Requested, Resuming, Running, Scheduled,
    Succeeded, Timeout,
};

/// A change of status that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an execution that is {from} can't become {to}")]
pub struct TransitionError {
    /// The status it has.
    pub from: ExecutionStatus,
    /// The status asked for.
    pub to: ExecutionStatus,
}

impl ExecutionStatus {
    /// All of them, in the order of a life.
    pub const ALL: [ExecutionStatus; 14] = [
        Requested, Delayed, Scheduled, Running, Pending, Pausing, Paused, Resuming, Canceling, Succeeded, Failed,
        Timeout, Canceled, Abandoned,
    ];

    /// The statuses that may follow this one. Everything that changes a status asks here.
    pub const fn next(self) -> &'static [ExecutionStatus] {
        match self {
            Requested => &[Delayed, Scheduled, Canceling, Canceled, Failed],
            Delayed => &[Requested, Scheduled, Canceling, Canceled, Failed],
            Scheduled => &[Running, Delayed, Canceling, Canceled, Failed, Abandoned],
            Running => {
                &[Succeeded, Failed, Timeout, Abandoned, Canceling, Canceled, Pausing, Paused, Pending, Scheduled]
            }
            Pending => &[Running, Resuming, Succeeded, Failed, Timeout, Canceled],
            Pausing => &[Paused, Running, Canceling, Canceled, Succeeded, Failed, Timeout, Abandoned],
            Paused => &[Resuming, Canceling, Canceled, Failed, Timeout],
            Resuming => &[Running, Canceling, Canceled, Failed, Timeout, Abandoned],
            Canceling => &[Canceled, Succeeded, Failed, Timeout, Abandoned],
            Succeeded | Failed | Timeout | Canceled | Abandoned => &[],
        }
    }

    /// `Ok` where the table has the change.
    pub fn check(self, to: ExecutionStatus) -> Result<(), TransitionError> {
        if self.next().contains(&to) { Ok(()) } else { Err(TransitionError { from: self, to }) }
    }

    /// The way to a status by way of those of an execution that goes on: scheduled, resuming, running, as few as it takes.
    pub fn way_to(self, to: ExecutionStatus) -> Result<Vec<ExecutionStatus>, TransitionError> {
        let mut way = Vec::new();
        let mut at = self;
        if at == to {
            return Ok(way);
        }
        for between in [Scheduled, Resuming, Running] {
            if !at.next().contains(&to) && at.next().contains(&between) {
                way.push(between);
                at = between;
            }
        }
        at.check(to).map_err(|_| TransitionError { from: self, to })?;
        way.push(to);
        Ok(way)
    }

    /// Nothing follows it.
    pub const fn is_final(self) -> bool {
        self.next().is_empty()
    }

    /// Final and not a success nor a cancel: what `on-failure` means.
    pub const fn is_failure(self) -> bool {
        matches!(self, Failed | Timeout | Abandoned)
    }

    /// May a user cancel it? A pending inquiry and what is being canceled already may not, as in StackStorm.
    pub const fn is_cancelable(self) -> bool {
        matches!(self, Requested | Scheduled | Delayed | Running | Pausing | Paused | Resuming)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Requested => "requested",
            Delayed => "delayed",
            Scheduled => "scheduled",
            Running => "running",
            Pending => "pending",
            Pausing => "pausing",
            Paused => "paused",
            Resuming => "resuming",
            Canceling => "canceling",
            Succeeded => "succeeded",
            Failed => "failed",
            Timeout => "timeout",
            Canceled => "canceled",
            Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExecutionStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<ExecutionStatus, String> {
        ExecutionStatus::ALL.into_iter().find(|status| status.name() == text).ok_or_else(|| {
            let names: Vec<_> = ExecutionStatus::ALL.iter().map(|status| status.name()).collect();
            format!("\"{text}\" is not a status; there are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_statuses_are_final_and_every_other_can_end() {
        for status in ExecutionStatus::ALL {
            assert_eq!(status.name().parse::<ExecutionStatus>(), Ok(status));
            let can_fail = status.next().contains(&Failed) && status.next().contains(&Canceled);
            assert!(status.is_final() != can_fail, "{status}");
        }
    }

    #[test]
    fn the_way_to_an_end_goes_through_work() {
        assert_eq!(Requested.way_to(Succeeded), Ok(vec![Scheduled, Running, Succeeded]));
        assert_eq!(Paused.way_to(Succeeded), Ok(vec![Resuming, Running, Succeeded]));
        assert_eq!((Running.way_to(Running), Running.way_to(Failed)), (Ok(vec![]), Ok(vec![Failed])));
        assert!(Failed.way_to(Running).is_err() && Running.way_to(Resuming).is_err());
    }
}

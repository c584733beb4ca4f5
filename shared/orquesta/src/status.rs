//! The statuses of a workflow and of its tasks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a workflow, a task or an item of a task stands: an execution's statuses, and two of the conductor's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing has happened yet.
    #[default]
    #[serde(rename = "null")]
    Unset,
    /// Asked for.
    Requested,
    /// Given to a runner.
    Scheduled,
    /// Held back.
    Delayed,
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
    /// Did what it should.
    Succeeded,
    /// Did not.
    Failed,
    /// Stopped by its time limit.
    Timeout,
    /// Its worker was lost.
    Abandoned,
    /// About to be tried again.
    Retrying,
    /// Asked to stop, still at work.
    Canceling,
    /// Stopped.
    Canceled,
}

use Status::{
    Abandoned, Canceled, Canceling, Delayed, Failed, Paused, Pausing, Pending, Requested, Resuming, Retrying, Running,
    Scheduled, Succeeded, Timeout, Unset,
};

impl Status {
    /// All of them.
    pub const ALL: [Status; 16] = [
        Unset, Requested, Scheduled, Delayed, Running, Pending, Pausing, Paused, Resuming, Succeeded, Failed, Timeout,
        Abandoned, Retrying, Canceling, Canceled,
    ];

    /// Nothing follows but a retry or a re-run.
    pub const fn is_completed(self) -> bool {
        matches!(self, Succeeded | Failed | Timeout | Abandoned | Canceled)
    }

    /// Completed, neither by success nor by a cancel.
    pub const fn is_abended(self) -> bool {
        matches!(self, Failed | Timeout | Abandoned)
    }

    /// Something is at work or about to be.
    pub const fn is_active(self) -> bool {
        matches!(self, Requested | Scheduled | Delayed | Running | Resuming | Pausing | Canceling)
    }

    /// A workflow of this status starts tasks.
    pub const fn is_running(self) -> bool {
        matches!(self, Requested | Scheduled | Delayed | Running | Resuming | Retrying)
    }

    /// An action of this status has just begun.
    pub const fn is_starting(self) -> bool {
        matches!(self, Requested | Scheduled | Delayed | Running | Pending)
    }

    pub(crate) const fn is_pause(self) -> bool {
        matches!(self, Pausing | Paused)
    }

    pub(crate) const fn is_cancel(self) -> bool {
        matches!(self, Canceling | Canceled)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Unset => "null",
            Requested => "requested",
            Scheduled => "scheduled",
            Delayed => "delayed",
            Running => "running",
            Pending => "pending",
            Pausing => "pausing",
            Paused => "paused",
            Resuming => "resuming",
            Succeeded => "succeeded",
            Failed => "failed",
            Timeout => "timeout",
            Abandoned => "abandoned",
            Retrying => "retrying",
            Canceling => "canceling",
            Canceled => "canceled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Status, String> {
        Status::ALL
            .into_iter()
            .find(|status| status.name() == text)
            .ok_or_else(|| format!("\"{text}\" is not a status"))
    }
}

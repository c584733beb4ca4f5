//! Executions: what was requested of an action, how far it is, what came of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ExecutionStatus, Id, Ref, Timestamp, TraceContext, TransitionError};

/// A JSON value in a record: inline, or where it is large by digest in the blob store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Payload {
    /// Too large for the record.
    Blob {
        /// The blob's content address.
        blob: String,
        /// Its length in bytes.
        size: u64,
    },
    /// In the record itself.
    Inline {
        /// The value.
        value: Value,
    },
}

/// Who works on a record, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The host's epoch; leases of an older epoch have lapsed, whatever the time.
    pub epoch: u64,
    /// The end.
    pub until: Timestamp,
    /// Who holds it: every claim has an id of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Id>,
}

/// What a policy's limit let an execution have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where it was counted: a function of the policy and of the values that count together.
    pub gate: Id,
    /// Is it given back at the end?
    pub held: bool,
}

/// One line of an execution's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionLog {
    /// When.
    pub timestamp: Timestamp,
    /// The status it took.
    pub status: ExecutionStatus,
}

/// The rule that requested an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleLink {
    /// The rule's id.
    pub id: Id,
    /// The rule's ref.
    #[serde(rename = "ref")]
    pub reference: Ref,
}

/// The event that led to an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerLink {
    /// The trigger instance.
    pub instance: Id,
    /// The trigger's ref.
    pub trigger: Ref,
    /// The trigger type's ref.
    pub kind: Ref,
}

/// The task of a workflow that an execution is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLink {
    /// The task.
    pub name: String,
    /// The route on which it runs.
    pub route: u32,
    /// The item, where the task has items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
}

/// One execution. What is secret in it is in `sealed` alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Derived where the request may come twice.
    pub id: Id,
    /// The action.
    pub action: Ref,
    /// The runner type.
    pub runner: String,
    /// The digest of the pack version that it runs; `None` for actions that came by the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_version: Option<String>,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it was requested.
    pub start: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Not to be started before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// How long it waits where it is pending or delayed; without it, for others to let it go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<Timestamp>,
    /// Rendered, cast and validated; secrets masked.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// The parameters that are masked above, encrypted under this execution's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Payload>,
    /// What is masked in the result, encrypted under this execution's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_result: Option<String>,
    /// The result's length as JSON text.
    #[serde(default)]
    pub result_size: u64,
    /// Who asked, in what context.
    #[serde(default)]
    pub context: Map<String, Value>,
    /// Every status it took, in order.
    pub log: Vec<ExecutionLog>,
    /// The execution that requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    /// The task that it is for, where a workflow requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskLink>,
    /// The rule that requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleLink>,
    /// The event that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerLink>,
    /// The user in whose name it runs.
    pub user: String,
    /// May its templates decrypt the system's keys?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decrypts: bool,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// Who is told at the end, where the request said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Value>,
    /// What the action's policies let it have so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
}

impl Execution {
    /// Takes a new status, where the table of transitions has the change: the log gets its line, a final status ends the execution.
    pub fn advance(&mut self, to: ExecutionStatus, now: Timestamp) -> Result<(), TransitionError> {
        self.status.check(to)?;
        self.status = to;
        self.log.push(ExecutionLog { timestamp: now, status: to });
        if to.is_final() {
            self.end = Some(now);
            self.lease = None;
        }
        Ok(())
    }

    /// Takes a status by way of those that lead to it; a status that it has already is no change.
    pub fn advance_by(&mut self, to: ExecutionStatus, now: Timestamp) -> Result<(), TransitionError> {
        for status in self.status.way_to(to)? {
            self.advance(status, now)?;
        }
        Ok(())
    }

    /// The time by which someone must look at it: the end of the worker's lease, of its waiting, the time it is to start; none where it
    /// has ended, or where others let it go on.
    pub fn due(&self) -> Option<Timestamp> {
        match self.status {
            status if status.is_final() => None,
            ExecutionStatus::Pending | ExecutionStatus::Delayed => self.waits_until,
            _ => Some(self.lease.as_ref().map_or_else(|| self.not_before.unwrap_or(self.start), |lease| lease.until)),
        }
    }

    /// Does a worker of this epoch hold it at this time?
    pub fn is_leased(&self, epoch: u64, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.epoch == epoch && lease.until > now)
    }
}

/// Where a piece of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say all")]
pub enum OutputStream {
    Stdout,
    Stderr,
}

impl OutputStream {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            OutputStream::Stdout => "stdout",
            OutputStream::Stderr => "stderr",
        }
    }
}

/// A piece of an execution's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChunk {
    /// Its place in the output, from 0.
    pub sequence: u64,
    /// Where it came from.
    pub stream: OutputStream,
    /// When.
    pub timestamp: Timestamp,
    /// The text; bytes that are no UTF-8 are replaced.
    pub data: String,
}

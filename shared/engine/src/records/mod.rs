//! How each noun stands in the store: its key, its body, its places in the indexes. The one place that knows.

mod enforcement;
mod execution;
mod trigger_instance;

use model::{Id, KeyScope, Ref, Timestamp};
use ports::{Guard, IndexEntry, Key, NewRecord, Operation, Record, Slot};
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// The one sort key of a record that has a partition to itself.
const ONLY: &str = "record";

const SETTLE: &str = "settle";

/// What a wake's key is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Execution(Id),
    /// Of that execution.
    Inbox(Id),
    /// Of that execution, which is a workflow's.
    Workflow(Id),
    TriggerInstance(Id),
    Timer(Id),
    Settle(u64),
    Gate(Id),
}

impl Subject {
    /// What that record is; `None` for keys that nobody has to look at.
    pub(crate) fn of(key: &Key) -> Option<Subject> {
        if key.partition == SETTLE {
            return key.sort.parse().ok().map(Subject::Settle);
        }
        let (kind, id) = key.partition.split_once('/')?;
        let id = id.parse().ok()?;
        match kind {
            "execution" => Some(Subject::Execution(id)),
            "inbox" => Some(Subject::Inbox(id)),
            "workflow" => Some(Subject::Workflow(id)),
            "trigger_instance" => Some(Subject::TriggerInstance(id)),
            "gate" | "gate_inbox" => Some(Subject::Gate(id)),
            "timer" => Some(Subject::Timer(id)),
            _ => None,
        }
    }
}

pub(crate) fn execution_key(id: Id) -> Key {
    Key::new(format!("execution/{id}"), ONLY)
}

pub(crate) fn trigger_instance_key(id: Id) -> Key {
    Key::new(format!("trigger_instance/{id}"), ONLY)
}

pub(crate) fn enforcement_key(id: Id) -> Key {
    Key::new(format!("enforcement/{id}"), ONLY)
}

/// What a rule's throttle has counted for one group.
pub(crate) fn throttle_key(rule: &Ref, group: Id) -> Key {
    Key::new(format!("throttle/{rule}"), group.to_string())
}

pub(crate) fn timer_key(trigger: Id) -> Key {
    Key::new(format!("timer/{trigger}"), ONLY)
}

/// Which packs are installed, in which version.
pub(crate) fn head_key() -> Key {
    Key::new("content", "head")
}

/// The partition of what changes of content replaced.
pub(crate) const CONTENT_HISTORY: &str = "content_history";

/// What the change to that revision replaced.
pub(crate) fn content_history_key(revision: u64) -> Key {
    Key::new(CONTENT_HISTORY, format!("{revision:012}"))
}

/// Stands while something is left to do after a change of content.
pub(crate) fn settle_key(revision: u64) -> Key {
    Key::new(SETTLE, revision.to_string())
}

pub(crate) fn pack_version_key(pack: &str, digest: &str) -> Key {
    Key::new(format!("pack_version/{pack}"), digest)
}

/// The partition of what users changed beside the packs.
pub(crate) const OVERLAY: &str = "overlay";

pub(crate) fn overlay_key(kind: &str, reference: &str) -> Key {
    Key::new(OVERLAY, format!("{kind}/{reference}"))
}

/// The partition of an execution's output.
pub(crate) fn output_partition(execution: Id) -> String {
    format!("output/{execution}")
}

pub(crate) fn output_key(execution: Id, sequence: u64) -> Key {
    Key::new(output_partition(execution), format!("{sequence:012}"))
}

/// The partition of what was sent to a record that somebody else may be working on.
pub(crate) fn inbox_partition(execution: Id) -> String {
    format!("inbox/{execution}")
}

pub(crate) fn inbox_key(execution: Id, row: Id) -> Key {
    Key::new(inbox_partition(execution), row.to_string())
}

/// The partition of a workflow's journal.
pub(crate) fn workflow_partition(execution: Id) -> String {
    format!("workflow/{execution}")
}

pub(crate) fn workflow_key(execution: Id, row: u64) -> Key {
    Key::new(workflow_partition(execution), format!("{row:012}"))
}

/// What wakes for a workflow name, so that they find their way to who conducts.
pub(crate) fn workflow_wake_key(execution: Id) -> Key {
    Key::new(workflow_partition(execution), ONLY)
}

/// The number of a row of a workflow's journal.
pub(crate) fn workflow_row(key: &Key) -> Result<u64, Error> {
    key.sort.parse().map_err(|_| Error::damaged(key))
}

/// Where a policy counts.
pub(crate) fn gate_key(gate: Id) -> Key {
    Key::new(format!("gate/{gate}"), ONLY)
}

/// The partition of the executions that wait before a gate, in the order in which they came.
pub(crate) fn gate_queue_partition(gate: Id) -> String {
    format!("gate_queue/{gate}")
}

pub(crate) fn gate_queue_key(gate: Id, number: u64) -> Key {
    Key::new(gate_queue_partition(gate), format!("{number:016x}"))
}

/// The partition of what executions that have ended give back.
pub(crate) fn gate_inbox_partition(gate: Id) -> String {
    format!("gate_inbox/{gate}")
}

pub(crate) fn gate_inbox_key(gate: Id, execution: Id) -> Key {
    Key::new(gate_inbox_partition(gate), execution.to_string())
}

pub(crate) fn upload_key(id: Id) -> Key {
    Key::new(format!("upload/{id}"), ONLY)
}

pub(crate) fn api_key_key(hash: &str) -> Key {
    Key::new("api_key", hash)
}

/// The partition of a scope's keys.
pub(crate) fn datastore_partition(scope: KeyScope, user: Option<&str>) -> String {
    match scope {
        KeyScope::System => "datastore/system".to_owned(),
        KeyScope::User => format!("datastore/user/{}", user.unwrap_or_default()),
    }
}

pub(crate) fn entry(slot: Slot, partition: impl Into<String>, sort: &str) -> IndexEntry {
    IndexEntry { slot, partition: partition.into(), sort: sort.to_owned() }
}

/// Where in the indexes something of that time and id stands.
pub(crate) fn place(time: Timestamp, id: Id) -> String {
    format!("{}/{id}", time.sort_key())
}

/// A noun that is a record: its key, its index entries, its `due` and `ttl` follow from it alone.
pub(crate) trait Stored: Serialize + DeserializeOwned {
    fn key(&self) -> Key;
    fn index(&self) -> Vec<IndexEntry>;

    /// The operation that writes it.
    fn put(&self, guard: Guard, due: Option<Timestamp>, ttl: Option<Timestamp>) -> Result<Operation, Error> {
        put(self.key(), self, self.index(), guard, Life { due, ttl })
    }
}

/// When a record must be looked at, and when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life {
    pub(crate) due: Option<Timestamp>,
    pub(crate) ttl: Option<Timestamp>,
}

/// The operation that writes `body` there.
pub(crate) fn put<T: Serialize>(
    key: Key,
    body: &T,
    index: Vec<IndexEntry>,
    guard: Guard,
    life: Life,
) -> Result<Operation, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::damaged(format!("{key}: {error}")))?.into();
    Ok(Operation::Put(NewRecord { key, body, index, due: life.due, ttl: life.ttl }, guard))
}

/// The noun in a record.
pub(crate) fn read<T: DeserializeOwned>(record: &Record) -> Result<T, Error> {
    serde_json::from_slice(&record.body).map_err(|error| Error::damaged(format!("{}: {error}", record.key)))
}

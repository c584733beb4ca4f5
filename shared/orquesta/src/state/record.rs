//! The records that the state of a workflow is made of, and that the journal of a step holds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Status;

/// The name of a record: unique within a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKey {
    /// The one [`Head`].
    Head,
    /// A [`Context`].
    Context(u32),
    /// A [`Route`].
    Route(u32),
    /// An [`Entry`].
    Entry(u32),
    /// A [`Staged`] task.
    Staged(u64),
    /// An [`Arrival`] at a staged task.
    Arrival(u64, u32),
    /// The [`Item`] of a staged task.
    Item(u64, u32),
    /// An entry of the log.
    Log(u64),
}

/// One record as it is after a step, or that it is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The workflow as a whole.
    Head(Head),
    /// A place in the flow of data.
    Context(Context),
    /// A way through the splits of the graph.
    Route(Route),
    /// A run of a task.
    Entry(Entry),
    /// A task that is about to run, or whose items run.
    Staged(Staged),
    /// A transition into a staged task.
    Arrival(Arrival),
    /// An item of a staged task.
    Item(Item),
    /// A message for people.
    Log(LogEntry),
    /// The record is no longer.
    Gone(RecordKey),
}

/// The workflow as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Its status.
    pub status: Status,
    /// Its output, once it is rendered and not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Map<String, Value>>,
    /// The number of the next staged task.
    pub next_staged: u64,
    /// The number of the next log entry.
    pub next_log: u64,
    /// The runs of tasks that re-runs began from, re-run by re-run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reruns: Vec<Vec<u32>>,
}

/// A place in the flow of data: what it adds to another one. Never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Its number. 0 is what the workflow begins with.
    pub index: u32,
    /// What it adds to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u32>,
    /// The context of a branch that arrived at a join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<u32>,
    /// What was published.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub published: Map<String, Value>,
}

/// A transition, by the task that it leaves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Arrow {
    /// The task.
    pub from: Arc<str>,
    /// Which of the task's transitions to the same target.
    pub key: u32,
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}__t{}", self.from, self.key)
    }
}

/// A way through the splits of the graph. Never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Its number.
    pub index: u32,
    /// The transitions into splits that it took.
    pub arrows: Vec<Arrow>,
}

/// A run of a task, retries included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, in the order of starts.
    pub index: u32,
    /// The task.
    pub task: Arc<str>,
    /// The route on which it runs.
    pub route: u32,
    /// What it sees.
    pub context: u32,
    /// The staged task that it came from: names the arrivals.
    pub staged: u64,
    /// Its status, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Of its transitions, by their place in the graph, which have fired.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub next: BTreeMap<u32, bool>,
    /// The branch ends here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
    /// How it is tried again, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Tries>,
}

/// How a run of a task is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tries {
    /// How often at most.
    pub count: i64,
    /// After how many seconds.
    pub delay: Option<i64>,
    /// How often it was.
    pub tally: i64,
}

/// A task that is about to run, or whose items run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staged {
    /// Its number.
    pub index: u64,
    /// The task.
    pub task: Arc<str>,
    /// The route on which it is to run.
    pub route: u32,
    /// What it is to see.
    pub context: u32,
    /// All that it waits for has arrived.
    pub ready: bool,
    /// Its items are done, and some failed: it stays for a re-run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub completed: bool,
    /// It runs although the workflow has failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub run_on_fail: bool,
    /// It is a retry, after so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
    /// How many items there are, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// How many transitions arrived.
    pub arrivals: u32,
}

/// A transition into a staged task. Never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The staged task.
    pub staged: u64,
    /// The how manieth arrival.
    pub index: u32,
    /// The transition.
    pub arrow: Arrow,
    /// The run of the task that it left.
    pub entry: u32,
}

/// An item of a task with items that has begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The staged task.
    pub staged: u64,
    /// Its place in the list of items.
    pub index: u32,
    /// Its status.
    pub status: Status,
    /// Its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Arc<Value>>,
}

/// How bad a message of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogType {
    /// For information.
    Info,
    /// A warning.
    Warn,
    /// An error.
    Error,
}

/// A message for people. On the wire it has Orquesta's keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number.
    #[serde(skip_serializing_if = "is_unnumbered", default)]
    pub index: u64,
    /// How bad it is.
    #[serde(rename = "type")]
    pub kind: LogType,
    /// What happened.
    pub message: String,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Arc<str>>,
    /// The route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<u32>,
    /// The transition, by target and key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_transition_id: Option<String>,
    /// The result of the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Arc<Value>>,
    /// Further data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

fn is_unnumbered(index: &u64) -> bool {
    *index == 0
}

impl LogEntry {
    /// A message about the workflow as a whole.
    pub fn new(kind: LogType, message: impl Into<String>) -> LogEntry {
        LogEntry {
            index: 0,
            kind,
            message: message.into(),
            task_id: None,
            route: None,
            task_transition_id: None,
            result: None,
            data: None,
        }
    }

    /// The entry as Orquesta tells it, without its number.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(LogEntry { index: 0, ..self.clone() }).unwrap_or_default()
    }
}

impl Record {
    /// The name of the record.
    pub fn key(&self) -> RecordKey {
        match self {
            Record::Head(_) => RecordKey::Head,
            Record::Context(context) => RecordKey::Context(context.index),
            Record::Route(route) => RecordKey::Route(route.index),
            Record::Entry(entry) => RecordKey::Entry(entry.index),
            Record::Staged(staged) => RecordKey::Staged(staged.index),
            Record::Arrival(arrival) => RecordKey::Arrival(arrival.staged, arrival.index),
            Record::Item(item) => RecordKey::Item(item.staged, item.index),
            Record::Log(entry) => RecordKey::Log(entry.index),
            Record::Gone(key) => *key,
        }
    }
}

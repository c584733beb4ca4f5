//! The conductor: from what happened to a workflow to what is to happen next.
//!
//! | what happens | file |
//! |---|---|
//! | the transitions of statuses | `table` |
//! | a workflow begins | `begin` |
//! | a workflow is asked to run, pause, go on, stop | `request` |
//! | an action or an item of a task takes on a status | `update` |
//! | a completed task is tried again | `retry` |
//! | a completed task leads to others | `transitions` |
//! | tasks that are ready start | `next` |
//! | a completed workflow gives its output | `output` |
//! | a completed workflow is run again from some tasks on | `rerun` |
//! | all of these for one event | `step` |

mod begin;
mod next;
mod output;
mod request;
mod rerun;
mod retry;
mod step;
mod table;
mod transitions;
mod update;

use std::sync::Arc;

use expressions::orquesta::Expressions;
use serde_json::Value;

use crate::Status;
use crate::expression::{CurrentTask, Scope, Surroundings};
use crate::graph::Graph;
use crate::spec::Workflow;
use crate::state::{LogEntry, LogType, Merging, Record, State, Variables};
pub use next::NextTask;
pub use rerun::Rerun;
pub use step::{Start, Step, StepEvent};
pub use update::Event;

/// Conducts runs of one workflow. Cheap to clone.
#[derive(Clone)]
pub struct Conductor {
    workflow: Arc<Workflow>,
    graph: Arc<Graph>,
    expressions: Expressions,
    surroundings: Arc<dyn Surroundings>,
}

/// Why the conductor refuses an event. What it did up to there stays done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such task in the graph.
    #[error("Task \"{0}\" does not exist.")]
    NoSuchTask(String),
    /// The task has not come about yet.
    #[error("Task \"{0}\" is not staged or has not started yet.")]
    NotStaged(String),
    /// The event is none that a workflow, a task or an item can have.
    #[error("Event \"{0}\" is not valid.")]
    InvalidEvent(String),
    /// The workflow's status does not allow it.
    #[error("Unable to process event \"workflow_{event}\" for workflow in \"{status}\" status.")]
    WorkflowStatus {
        /// The status.
        status: Status,
        /// What was asked for.
        event: Status,
    },
    /// The task's status does not allow it.
    #[error("Unable to process event \"{event}\" for task \"{task}\" in \"{status}\" status.")]
    TaskStatus {
        /// The task.
        task: String,
        /// The status.
        status: Status,
        /// What happened.
        event: String,
    },
    /// There is no such item, or the task has none.
    #[error("task \"{task}\" has no item {item}")]
    NoSuchItem {
        /// The task.
        task: String,
        /// The item.
        item: usize,
    },
    /// An expression of a retry has no value, or an unsuitable one.
    #[error("the retry of task \"{task}\": {message}")]
    Retry {
        /// The task.
        task: String,
        /// What is wrong.
        message: String,
    },
    /// A re-run was asked of a workflow that is still at work.
    #[error("Unable to rerun workflow because it is not in a completed state.")]
    NotCompleted,
    /// A re-run was asked of tasks that have not run.
    #[error("Unable to rerun task|route(s) because it doesn't exist or isn't rerunnable: {0}")]
    NotRerunnable(String),
}

impl std::fmt::Debug for Conductor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conductor").field("graph", &self.graph).finish_non_exhaustive()
    }
}

impl Conductor {
    /// A conductor of a workflow.
    pub fn new(workflow: Arc<Workflow>, expressions: Expressions, surroundings: Arc<dyn Surroundings>) -> Conductor {
        let graph = Arc::new(Graph::compose(&workflow));
        Conductor { workflow, graph, expressions, surroundings }
    }

    /// The same conductor, of which expressions ask something else about the world around.
    pub fn with_surroundings(&self, surroundings: Arc<dyn Surroundings>) -> Conductor {
        Conductor { surroundings, ..self.clone() }
    }

    /// The workflow.
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// Its graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// A run of the workflow from its records, which may be in any order: of each name the last one that a step gave.
    pub fn restore(&self, records: impl IntoIterator<Item = Record>) -> State {
        State::from_records(Arc::clone(&self.graph), self.merging(), records)
    }

    /// Takes a message into the log.
    pub fn log(&self, state: &mut State, entry: LogEntry) {
        state.log(entry);
    }

    fn merging(&self) -> Merging {
        if self.workflow.strict { Merging::Newest } else { Merging::Deep }
    }

    fn scope<'s>(&'s self, state: &'s State, variables: Variables, task: Option<CurrentTask>) -> Scope<'s> {
        Scope { variables, task, item: None, statuses: state.statuses(), surroundings: &self.surroundings }
    }
}

/// An error of a task for the log.
fn error(message: impl Into<String>, task: &Arc<str>, route: u32) -> LogEntry {
    let task_id = Some(Arc::clone(task));
    LogEntry { task_id, route: Some(route), ..LogEntry::new(LogType::Error, message) }
}

/// Whether Python takes a value for true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// A whole number as Python has it, where truth values are numbers, too.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Number(number) => number.as_i64().or_else(|| number.as_u64().map(|_| i64::MAX)),
        _ => None,
    }
}

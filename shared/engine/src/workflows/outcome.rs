//! The result of a workflow, and the statuses of workflows and executions in each other's words.

use model::ExecutionStatus;
use orquesta::{LogEntry, State, Status, locate};
use serde_json::{Value, json};

use super::definition::Definition;

/// `{output, errors}` as StackStorm has it: errors only of a workflow that has failed. Each says in which line of the text it stands.
pub(super) fn result(state: &State, definition: &Definition) -> Value {
    let mut result = json!({"output": state.output()});
    let has_failed = state.status().is_abended() && state.errors().next().is_some();
    if let Some(result) = result.as_object_mut().filter(|_| has_failed) {
        result.insert("errors".to_owned(), Value::Array(errors(state, definition)));
    }
    result
}

/// What went wrong, and where.
fn errors(state: &State, definition: &Definition) -> Vec<Value> {
    let root = definition.root();
    let told = |entry: &LogEntry| {
        let mut told = entry.to_json();
        let place = root.as_ref().and_then(|root| locate(root, definition.conductor.graph(), entry));
        if let Some((told, place)) = told.as_object_mut().zip(place) {
            told.insert("line".to_owned(), json!(place.line));
        }
        told
    };
    state.errors().map(told).collect()
}

/// What an execution is whose workflow has that status.
pub(super) fn execution_status(status: Status) -> ExecutionStatus {
    match status {
        Status::Succeeded => ExecutionStatus::Succeeded,
        Status::Failed => ExecutionStatus::Failed,
        Status::Canceled => ExecutionStatus::Canceled,
        Status::Canceling => ExecutionStatus::Canceling,
        Status::Pausing => ExecutionStatus::Pausing,
        Status::Paused => ExecutionStatus::Paused,
        Status::Timeout => ExecutionStatus::Timeout,
        Status::Abandoned => ExecutionStatus::Abandoned,
        _ => ExecutionStatus::Running,
    }
}

/// What a task is told of an execution of its own. What was stopped by its time limit or lost has failed, for a workflow.
pub(super) fn task_status(status: ExecutionStatus) -> Status {
    match status {
        ExecutionStatus::Requested => Status::Requested,
        ExecutionStatus::Delayed => Status::Delayed,
        ExecutionStatus::Scheduled => Status::Scheduled,
        ExecutionStatus::Running => Status::Running,
        ExecutionStatus::Pending => Status::Pending,
        ExecutionStatus::Pausing => Status::Pausing,
        ExecutionStatus::Paused => Status::Paused,
        ExecutionStatus::Resuming => Status::Resuming,
        ExecutionStatus::Canceling => Status::Canceling,
        ExecutionStatus::Canceled => Status::Canceled,
        ExecutionStatus::Succeeded => Status::Succeeded,
        ExecutionStatus::Failed | ExecutionStatus::Timeout | ExecutionStatus::Abandoned => Status::Failed,
    }
}

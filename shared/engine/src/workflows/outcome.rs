//! The result of a workflow, and the statuses of workflows and executions in each other's words.

use model::ExecutionStatus;
use orquesta::{State, Status};
use serde_json::{Value, json};

/// `{output, errors}` as StackStorm has it: errors only of a workflow that has failed.
pub(super) fn result(state: &State) -> Value {
    let mut result = json!({"output": state.output()});
    let errors: Vec<Value> = state.errors().map(orquesta::LogEntry::to_json).collect();
    let has_failed = state.status().is_abended() && !errors.is_empty();
    if let Some(result) = result.as_object_mut().filter(|_| has_failed) {
        result.insert("errors".to_owned(), Value::Array(errors));
    }
    result
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

//! The transitions of statuses, all of them: of a workflow on a request and on what its tasks come to, of a task on what its action or items
//! come to. `None`: the event changes nothing.

use crate::Status::{
    self, Abandoned, Canceled, Canceling, Delayed, Failed, Paused, Pausing, Pending, Requested, Resuming, Retrying,
    Running, Scheduled, Succeeded, Timeout, Unset,
};
use crate::state::Others;

/// How a workflow goes on once a task did what it should, or its failure was seen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A task was canceled, or is to be.
    Canceled,
    /// A task holds, or is to.
    Paused,
    /// There is more to do.
    Incomplete,
    /// There is not.
    Completed,
}

/// What an event about a task says to its workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Succeeded(Ending),
    /// The task failed, and something follows that.
    Remediated(Ending),
    /// Any other status of the task.
    Became(Status),
}

/// A command to a task, other than an event of its action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Continue,
    Noop,
    Fail,
    Retry,
}

/// A workflow is asked to take on a status. `active`: tasks are at work. `idle`: nothing is at work, staged or held.
pub(super) const fn workflow_on_request(workflow: Status, request: Status, active: bool, idle: bool) -> Option<Status> {
    Some(match (workflow, request) {
        (Unset, Requested | Scheduled | Delayed | Running | Failed) => request,
        (Requested, Scheduled | Delayed | Running | Failed) => request,
        (Scheduled, Delayed | Running | Failed) | (Delayed, Scheduled | Running | Failed) => request,
        (Requested | Scheduled | Delayed, Pausing | Paused) if !active => Paused,
        (Requested | Scheduled | Delayed, Canceling | Canceled) if !active => Canceled,
        (Running | Pausing | Resuming, Pausing | Paused) => if_active(active, Pausing, Paused),
        (Running | Pausing | Resuming | Canceling, Canceling | Canceled) => if_active(active, Canceling, Canceled),
        (Running, Succeeded | Failed) => request,
        (Pausing, Running | Resuming | Failed) | (Resuming, Running | Failed) | (Canceling, Failed) => request,
        (Paused, Running | Resuming) if idle => Succeeded,
        (Paused, Running | Resuming | Failed) => request,
        (Paused, Canceling | Canceled) if !active => Canceled,
        (Succeeded, Failed) => Failed,
        _ => return None,
    })
}

const fn if_active(active: bool, then: Status, otherwise: Status) -> Status {
    if active { then } else { otherwise }
}

/// Something became of a task.
pub(super) const fn workflow_on_task(workflow: Status, outcome: Outcome, active: bool) -> Option<Status> {
    match workflow {
        Running => running_on_task(outcome, active),
        Pausing => pausing_on_task(outcome, active),
        Paused => match outcome {
            Outcome::Became(Running | Resuming) => Some(Running),
            _ => None,
        },
        Resuming => resuming_on_task(outcome, active),
        Canceling => canceling_on_task(outcome, active),
        _ => None,
    }
}

const fn running_on_task(outcome: Outcome, active: bool) -> Option<Status> {
    Some(match outcome {
        Outcome::Succeeded(ending) | Outcome::Remediated(ending) => match ending {
            Ending::Canceled => if_active(active, Canceling, Canceled),
            Ending::Paused => if_active(active, Pausing, Paused),
            Ending::Incomplete => Running,
            Ending::Completed => if_active(active, Running, Succeeded),
        },
        Outcome::Became(Pending) => if_active(active, Pausing, Paused),
        // One task may be held while others go on.
        Outcome::Became(Pausing) => Running,
        Outcome::Became(Paused) => if_active(active, Running, Paused),
        Outcome::Became(Failed) => Failed,
        Outcome::Became(Canceling) => Canceling,
        Outcome::Became(Canceled) => if_active(active, Canceling, Canceled),
        Outcome::Became(_) => return None,
    })
}

const fn pausing_on_task(outcome: Outcome, active: bool) -> Option<Status> {
    Some(match outcome {
        Outcome::Succeeded(Ending::Canceled) => if_active(active, Pausing, Canceled),
        Outcome::Remediated(Ending::Canceled) => if_active(active, Canceling, Canceled),
        Outcome::Succeeded(_) | Outcome::Remediated(_) => if_active(active, Pausing, Paused),
        Outcome::Became(Pending | Paused | Retrying) => if_active(active, Pausing, Paused),
        Outcome::Became(Failed) => Failed,
        Outcome::Became(Canceling) => Canceling,
        Outcome::Became(Canceled) => if_active(active, Canceling, Canceled),
        Outcome::Became(_) => return None,
    })
}

const fn resuming_on_task(outcome: Outcome, active: bool) -> Option<Status> {
    Some(match outcome {
        Outcome::Succeeded(Ending::Incomplete) | Outcome::Remediated(Ending::Incomplete) => Running,
        Outcome::Succeeded(Ending::Completed) | Outcome::Remediated(Ending::Completed) => {
            if_active(active, Running, Succeeded)
        }
        Outcome::Succeeded(Ending::Paused) | Outcome::Remediated(Ending::Paused) if !active => Paused,
        Outcome::Succeeded(Ending::Canceled) | Outcome::Remediated(Ending::Canceled) if !active => Canceled,
        Outcome::Became(Running) => Running,
        Outcome::Became(Pending) => if_active(active, Pausing, Paused),
        Outcome::Became(Failed) => Failed,
        Outcome::Became(Canceling) => Canceling,
        Outcome::Became(Canceled) => if_active(active, Canceling, Canceled),
        _ => return None,
    })
}

const fn canceling_on_task(outcome: Outcome, active: bool) -> Option<Status> {
    match outcome {
        Outcome::Succeeded(_)
        | Outcome::Remediated(_)
        | Outcome::Became(Pending | Paused | Failed | Canceled | Retrying) => {
            Some(if_active(active, Canceling, Canceled))
        }
        Outcome::Became(_) => None,
    }
}

/// A task's action took on a status.
pub(super) const fn task_on_action(task: Status, action: Status) -> Option<Status> {
    Some(match (task, action) {
        (Unset, Requested | Scheduled | Delayed | Running | Pending) => action,
        (Requested, Scheduled | Delayed) | (Scheduled, Delayed) | (Delayed, Scheduled) => action,
        (Requested | Scheduled | Delayed, Running | Pending | Pausing | Paused) => action,
        (Requested | Scheduled | Delayed, Canceling | Canceled | Failed | Timeout | Abandoned) => action,
        (Running, Running | Pending | Pausing | Paused | Canceling | Canceled | Failed | Succeeded) => action,
        (Pending, Canceled | Failed | Succeeded) => action,
        (Pausing, Paused | Resuming | Canceling | Canceled | Failed) => action,
        (Running | Pending | Pausing | Canceling, Timeout | Abandoned) => Failed,
        (Paused, Running | Resuming | Canceling | Canceled) => action,
        (Resuming | Retrying, Running | Canceling | Canceled) => action,
        (Canceling, Paused | Canceled) => Canceled,
        (Canceling, Failed) => Failed,
        _ => return None,
    })
}

/// The conductor's own command to a task.
pub(super) const fn task_on_command(task: Status, command: Command) -> Option<Status> {
    match (task, command) {
        (Unset, Command::Continue | Command::Noop) => Some(Succeeded),
        (Unset, Command::Fail) => Some(Failed),
        (Succeeded | Failed, Command::Retry) => Some(Retrying),
        _ => None,
    }
}

/// An item of a task took on a status after which the others count.
pub(super) const fn task_on_item(task: Status, item: Status, others: Others) -> Option<Status> {
    match task {
        Running => running_on_item(item, others),
        Pausing => pausing_on_item(item, others),
        Canceling => match (item, others) {
            (_, Others::Active) | (Resuming, _) => None,
            (Succeeded, Others::Completed) => Some(Succeeded),
            _ => Some(Canceled),
        },
        _ => None,
    }
}

const fn running_on_item(item: Status, others: Others) -> Option<Status> {
    Some(match (item, others) {
        (Pending | Paused, Others::Active) => Pausing,
        (Pending | Paused, _) => held_on_item(others),
        (Canceled, Others::Active) => Canceling,
        (Canceled, _) => Canceled,
        // The others go on: a task fails once none of its items is at work.
        (Failed | Timeout | Abandoned, Others::Active) => return None,
        (Failed | Timeout | Abandoned, _) => failed_on_item(others),
        (Succeeded, Others::Active | Others::Incomplete) => Running,
        (Succeeded, _) => succeeded_on_item(others),
        _ => return None,
    })
}

const fn pausing_on_item(item: Status, others: Others) -> Option<Status> {
    Some(match (item, others) {
        (_, Others::Active) => return None,
        (Pending | Paused, _) => held_on_item(others),
        (Canceled, _) => Canceled,
        (Failed | Timeout | Abandoned, _) => failed_on_item(others),
        (Succeeded, Others::Incomplete) => Paused,
        (Succeeded, _) => succeeded_on_item(others),
        _ => return None,
    })
}

const fn held_on_item(others: Others) -> Status {
    match others {
        Others::Canceled => Canceled,
        Others::Failed => Failed,
        _ => Paused,
    }
}

const fn failed_on_item(others: Others) -> Status {
    match others {
        Others::Canceled => Canceled,
        _ => Failed,
    }
}

const fn succeeded_on_item(others: Others) -> Status {
    match others {
        Others::Canceled => Canceled,
        Others::Paused => Paused,
        Others::Failed => Failed,
        _ => Succeeded,
    }
}

/// The workflow of a task with items, some of which have still to complete, is asked to pause or to cancel.
pub(super) const fn items_on_request(task: Status, request: Status, active: bool) -> Option<Status> {
    match (task, request) {
        (Running, Pausing | Paused) => Some(if_active(active, Pausing, Paused)),
        (Running, Canceling | Canceled) => Some(if_active(active, Canceling, Canceled)),
        _ => None,
    }
}

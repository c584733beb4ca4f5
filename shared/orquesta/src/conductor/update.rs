//! An action or an item of a task takes on a status.

use std::sync::Arc;

use serde_json::{Value, json};

use super::retry::or_null;
use super::table::{Command, Ending, Outcome, task_on_action, task_on_command, task_on_item, workflow_on_task};
use super::transitions::Seen;
use super::{Conductor, Refused, error};
use crate::Status;
use crate::expression::CurrentTask;
use crate::spec::is_command;
use crate::state::{LogEntry, LogType, Staged, State};

/// What happened to an action of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The action of a task without items took on a status.
    Action {
        /// The status.
        status: Status,
        /// The result, where it is completed.
        result: Option<Arc<Value>>,
    },
    /// The action of an item took on a status.
    Item {
        /// Which item.
        item: usize,
        /// The status.
        status: Status,
        /// The result, where it is completed.
        result: Option<Arc<Value>>,
        /// The results of all items, where the host keeps them. Otherwise the conductor does.
        accumulated: Option<Arc<Value>>,
    },
}

/// What a task is updated by.
enum Cause {
    Event(Event),
    Command(Command),
}

impl Cause {
    fn status(&self) -> Status {
        match self {
            Cause::Event(Event::Action { status, .. } | Event::Item { status, .. }) => *status,
            Cause::Command(Command::Continue | Command::Noop) => Status::Succeeded,
            Cause::Command(Command::Fail) => Status::Failed,
            Cause::Command(Command::Retry) => Status::Retrying,
        }
    }

    fn result(&self) -> Option<Arc<Value>> {
        match self {
            Cause::Event(Event::Action { result, .. } | Event::Item { result, .. }) => result.clone(),
            Cause::Command(_) => None,
        }
    }
}

impl Conductor {
    /// Takes in what happened to a task.
    pub fn update(&self, state: &mut State, task: &str, route: u32, event: Event) -> Result<(), Refused> {
        if let Event::Action { status, .. } | Event::Item { status, .. } = &event
            && matches!(status, Status::Unset | Status::Retrying)
        {
            return Err(Refused::InvalidEvent(format!("action_{status}")));
        }
        self.update_by(state, task, route, &Cause::Event(event))
    }

    fn update_by(&self, state: &mut State, task: &str, route: u32, cause: &Cause) -> Result<(), Refused> {
        let node = self.graph.node(task).ok_or_else(|| Refused::NoSuchTask(task.to_owned()))?;
        let task = &node.name;
        let staged = state.staged_task(task, route).cloned();
        let at = self.entry_for(state, task, route, staged.as_ref(), cause)?;
        if let Some(staged) = staged.as_ref().filter(|staged| staged.items.is_none()) {
            state.unstage(staged.index);
        }
        note_item(state, task, staged.as_ref(), cause)?;
        if cause.status() == Status::Failed {
            let message = "Execution failed. See result for details.";
            let (task_id, result) = (Some(Arc::clone(task)), cause.result().filter(|result| !result.is_null()));
            state.log(LogEntry { task_id, result, ..LogEntry::new(LogType::Error, message) });
        }
        let before = state.entry(at).and_then(|entry| entry.status).unwrap_or_default();
        let after = self.status_after(state, task, route, before, cause)?.unwrap_or(before);
        if after != before {
            state.set_entry_status(at, after);
        }
        let mut commands = Vec::new();
        if after == Status::Retrying && after != before {
            self.try_again(state, at);
        }
        if after.is_completed() {
            match self.complete(state, at, before != after, cause)? {
                Completion::TriedAgain => return Ok(()),
                Completion::Fired(fired) => commands = fired,
            }
        }
        self.tell_workflow(state, at)?;
        for (command, route) in commands {
            self.obey(state, &command, route)?;
        }
        if state.status().is_completed() {
            state.set_terminal(at, true);
        }
        Ok(())
    }

    /// The run of the task that the event is about: a new one where none is, or where the last one is completed and the event begins one.
    fn entry_for(
        &self,
        state: &mut State,
        task: &Arc<str>,
        route: u32,
        staged: Option<&Staged>,
        cause: &Cause,
    ) -> Result<u32, Refused> {
        let last = state.last_entry(task, route);
        let is_over = last.is_some_and(|entry| entry.status.is_some_and(Status::is_completed));
        let begins_anew = is_command(task) || (is_over && cause.status().is_starting());
        if let Some(entry) = last.filter(|_| !begins_anew) {
            return Ok(entry.index);
        }
        let staged = staged.ok_or_else(|| Refused::NotStaged(task.to_string()))?;
        let tries = self.tries(state, task, staged.context)?;
        Ok(state.add_entry(staged, tries))
    }

    fn status_after(
        &self,
        state: &State,
        task: &str,
        route: u32,
        before: Status,
        cause: &Cause,
    ) -> Result<Option<Status>, Refused> {
        if matches!(before, Status::Timeout | Status::Abandoned) {
            let event = format!("action_{}", cause.status());
            return Err(Refused::TaskStatus { task: task.to_owned(), status: before, event });
        }
        match cause {
            Cause::Command(command) => Ok(task_on_command(before, *command)),
            Cause::Event(Event::Item { item, status, .. }) if asks_for_others(*status) => {
                let items = state.staged_task(task, route).and_then(|staged| state.items(staged.index));
                let items = items.ok_or_else(|| Refused::NoSuchItem { task: task.to_owned(), item: *item })?;
                Ok(task_on_item(before, *status, items.others(*item)))
            }
            Cause::Event(Event::Action { status, .. } | Event::Item { status, .. }) => {
                Ok(task_on_action(before, *status))
            }
        }
    }

    fn complete(&self, state: &mut State, at: u32, is_new: bool, cause: &Cause) -> Result<Completion, Refused> {
        let Some(entry) = state.entry(at).cloned() else { return Ok(Completion::Fired(Vec::new())) };
        let has_items = self.workflow.tasks.get(&entry.task).is_some_and(|task| task.with.is_some());
        let staged = state.staged_task(&entry.task, entry.route).map(|staged| staged.index);
        let result = if has_items { of_items(state, staged, cause) } else { or_null(cause.result()) };
        if has_items && entry.status.is_some_and(Status::is_abended) {
            // What failed stays for a re-run of the items that did.
            let staged = staged.ok_or_else(|| Refused::NotStaged(entry.task.to_string()))?;
            state.change_staged(staged, |staged| staged.completed = true);
        } else {
            self.unstage(state, &entry.task, entry.route);
        }
        let task = CurrentTask { name: Arc::clone(&entry.task), route: entry.route, result };
        let seen = Seen { variables: state.variables(entry.context), task };
        if state.status().is_active() && self.is_tried_again(state, at, &seen.scope(self, state))? {
            self.update_by(state, &entry.task, entry.route, &Cause::Command(Command::Retry))?;
            return Ok(Completion::TriedAgain);
        }
        let fired = if is_new { self.fire(state, &entry, &seen)? } else { Vec::new() };
        Ok(Completion::Fired(fired))
    }

    /// Does what a command says.
    pub(super) fn obey(&self, state: &mut State, command: &str, route: u32) -> Result<(), Refused> {
        let command_of = |name| match name {
            "fail" => Command::Fail,
            "noop" => Command::Noop,
            _ => Command::Continue,
        };
        self.update_by(state, command, route, &Cause::Command(command_of(command)))
    }

    /// Tells the workflow what became of a task.
    fn tell_workflow(&self, state: &mut State, at: u32) -> Result<(), Refused> {
        let Some(entry) = state.entry(at) else { return Ok(()) };
        let status = entry.status.unwrap_or_default();
        let goes_on = self.has_next(state, entry, true);
        let is_remediated = status.is_abended() && (goes_on || self.has_next(state, entry, false));
        let outcome = match status {
            Status::Succeeded => Outcome::Succeeded(ending(state, goes_on)),
            _ if is_remediated => Outcome::Remediated(ending(state, goes_on)),
            Status::Unset | Status::Timeout | Status::Abandoned => {
                return Err(Refused::InvalidEvent(format!("task_{status}")));
            }
            status => Outcome::Became(status),
        };
        let Some(after) = workflow_on_task(state.status(), outcome, state.has_active()) else { return Ok(()) };
        if after != state.status() {
            state.set_status(after);
        }
        // Who was stopped has not failed for what never came.
        if after.is_completed() && after != Status::Canceled {
            self.fail_on_unreachable_joins(state);
        }
        Ok(())
    }

    /// A workflow that ends while a join waits for what never comes has failed.
    fn fail_on_unreachable_joins(&self, state: &mut State) {
        let unreachable: Vec<(Arc<str>, u32)> = state
            .all_staged()
            .filter(|staged| !staged.ready && self.is_unreachable_join(state, &staged.task, staged.route))
            .map(|staged| (Arc::clone(&staged.task), staged.route))
            .collect();
        for (task, route) in unreachable {
            state.set_status(Status::Failed);
            let message = format!(
                "UnreachableJoinError: The join task|route \"{task}|{route}\" is partially satisfied but unreachable."
            );
            state.log(error(message, &task, route));
        }
    }
}

/// What a completed task came to.
enum Completion {
    TriedAgain,
    /// It led to these commands.
    Fired(Vec<(Arc<str>, u32)>),
}

/// Whether an item's status is one after which it matters how the others stand.
fn asks_for_others(status: Status) -> bool {
    status.is_completed() || matches!(status, Status::Resuming | Status::Pending | Status::Paused)
}

fn note_item(state: &mut State, task: &str, staged: Option<&Staged>, cause: &Cause) -> Result<(), Refused> {
    let (Some(staged), Cause::Event(Event::Item { item, status, result, accumulated })) = (staged, cause) else {
        return Ok(());
    };
    let kept = result.clone().filter(|_| accumulated.is_none());
    let is_there = staged.items.is_some() && state.set_item(staged.index, *item, *status, kept);
    if is_there { Ok(()) } else { Err(Refused::NoSuchItem { task: task.to_owned(), item: *item }) }
}

fn of_items(state: &State, staged: Option<u64>, cause: &Cause) -> Arc<Value> {
    let results = match cause {
        Cause::Event(Event::Item { accumulated: Some(results), .. }) => Some(Arc::clone(results)),
        Cause::Event(Event::Item { .. }) => {
            staged.and_then(|staged| state.items(staged)).map(|items| Arc::new(items.results()))
        }
        _ => cause.result(),
    };
    results.filter(|results| super::is_truthy(results)).unwrap_or_else(|| Arc::new(json!([])))
}

fn ending(state: &State, goes_on: bool) -> Ending {
    if state.has_any(&[Status::Canceling, Status::Canceled]) {
        Ending::Canceled
    } else if state.has_any(&[Status::Pausing, Status::Paused, Status::Pending]) {
        Ending::Paused
    } else if state.has_ready() || goes_on {
        Ending::Incomplete
    } else {
        Ending::Completed
    }
}

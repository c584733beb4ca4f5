//! One event, from its arrival to what is to start because of it.

use std::sync::Arc;

use serde_json::json;

use super::{Conductor, Event, NextTask, Refused, Rerun, error};
use crate::Status;
use crate::spec::is_command;
use crate::state::{Action, LogEntry, LogType, Record, State};

/// Rounds in which tasks without items complete at once. A workflow with more of them goes in a circle, and would for ever.
const MOST_ROUNDS: usize = 1_000;

/// What a host tells the conductor.
#[derive(Clone, Debug, PartialEq)]
pub enum StepEvent {
    /// The workflow is to take on a status: `running` to begin or go on, `pausing`, `canceling`.
    Request(Status),
    /// A completed workflow is to run again from these tasks on.
    Rerun(Vec<Rerun>),
    /// Something happened to a task.
    Task {
        /// The task.
        task: Arc<str>,
        /// Its route.
        route: u32,
        /// What happened.
        event: Event,
    },
}

/// What a step comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The status of the workflow.
    pub status: Status,
    /// What the host is to start. The state has these as running.
    pub start: Vec<Start>,
    /// The records that changed.
    pub changes: Vec<Record>,
}

/// An action to start.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The task.
    pub task: Arc<str>,
    /// Its route.
    pub route: u32,
    /// The item, where the task has items.
    pub item: Option<usize>,
    /// What to run.
    pub action: Action,
    /// After how many seconds.
    pub delay: Option<i64>,
}

impl Conductor {
    /// Takes in an event, starts what is ready, and renders the output where the workflow is completed. What the step costs depends on what
    /// it starts, not on what has happened before.
    pub fn step(&self, state: &mut State, event: StepEvent) -> Result<Step, Refused> {
        match event {
            StepEvent::Request(status) => self.request_status(state, status)?,
            StepEvent::Rerun(tasks) => self.rerun(state, &tasks)?,
            StepEvent::Task { task, route, event } => self.take_in(state, &task, route, event)?,
        }
        let mut start = Vec::new();
        let mut rounds = 0;
        loop {
            let next = self.next_tasks(state)?;
            // A task without items completes at once, as a command that is run again does, and what follows may start in the same step.
            let goes_on = next.iter().any(|next| next.items == Some(0) || is_command(&next.task));
            for task in next {
                self.begin_task(state, task, &mut start)?;
            }
            rounds += 1;
            if !goes_on {
                break;
            }
            if rounds == MOST_ROUNDS {
                let message =
                    format!("after {MOST_ROUNDS} tasks without items in a row the workflow is taken to go in a circle");
                state.log(LogEntry::new(LogType::Error, message));
                self.fail(state)?;
                break;
            }
        }
        self.render_output(state);
        Ok(Step { status: state.status(), start, changes: state.take_changes() })
    }

    /// An expression of a retry that has no value fails the workflow.
    fn take_in(&self, state: &mut State, task: &Arc<str>, route: u32, event: Event) -> Result<(), Refused> {
        match self.update(state, task, route, event) {
            Err(refused @ Refused::Retry { .. }) => {
                state.log(error(refused.to_string(), task, route));
                self.fail(state)
            }
            outcome => outcome,
        }
    }

    fn begin_task(&self, state: &mut State, next: NextTask, start: &mut Vec<Start>) -> Result<(), Refused> {
        let NextTask { task, route, delay, actions, items } = next;
        if is_command(&task) {
            return self.obey(state, &task, route);
        }
        if items == Some(0) {
            let done = |status| Event::Action { status, result: Some(Arc::new(json!([]))) };
            self.take_in(state, &task, route, done(Status::Running))?;
            return self.take_in(state, &task, route, done(Status::Succeeded));
        }
        for (item, action) in actions {
            let event = match item {
                None => Event::Action { status: Status::Running, result: None },
                Some(item) => Event::Item { item, status: Status::Running, result: None, accumulated: None },
            };
            self.take_in(state, &task, route, event)?;
            start.push(Start { task: Arc::clone(&task), route, item, action, delay });
        }
        Ok(())
    }
}

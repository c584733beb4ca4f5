//! Runs of workflows in a time of their own: nothing is started, and what would come of each action is asked of the caller.
//!
//! [`direct`] drives the conductor as an embedded host does, [`compiled`] runs the compiled definition in the interpreter. Both give the same.

mod clock;
mod compiled;
mod difference;
mod direct;

use std::collections::HashMap;
use std::sync::Arc;

use orquesta::{Event, LogEntry, Start, State, Status};
use serde_json::{Map, Value};

pub use compiled::{Journey, compiled};
pub use difference::differences;
pub use direct::direct;

/// What would come of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it ends.
    pub status: Status,
    /// What it gives.
    pub result: Value,
    /// How long it takes, in microseconds.
    pub lasts: u64,
}

/// An action that is started in a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// When, in microseconds since the workflow began.
    pub at: u64,
    /// The task.
    pub task: Arc<str>,
    /// Its route.
    pub route: u32,
    /// The item, where the task has items.
    pub item: Option<usize>,
    /// How often the same task, on the same route and for the same item, was started before.
    pub again: u64,
    /// The action's reference.
    pub action: Value,
    /// What it gets.
    pub input: Value,
    /// How many seconds it has waited first, where no state of a definition did.
    pub delay: u64,
}

/// What is simulated.
pub struct Scenario<'s> {
    /// The workflow's inputs.
    pub inputs: Map<String, Value>,
    /// What the workflow is started in: variables that it has besides.
    pub context: Map<String, Value>,
    /// What comes of each action. Where nobody knows, the simulation ends there.
    pub outcomes: &'s mut dyn FnMut(&Started) -> Option<Outcome>,
    /// What people want of the workflow, and when.
    pub requests: Vec<(u64, Status)>,
    /// After so many starts it is given up.
    pub most_starts: usize,
}

/// How a simulation went.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What was started, in order.
    pub started: Vec<Started>,
    /// The workflow's status.
    pub status: Status,
    /// Its output.
    pub output: Option<Map<String, Value>>,
    /// What went wrong.
    pub errors: Vec<LogEntry>,
    /// When the last thing happened, in microseconds.
    pub ended: u64,
    /// It was given up, since it started more than it may, or nobody knew what comes of an action.
    pub is_cut_off: bool,
}

/// What has been started so far, and what will come of it.
struct Stage<'s> {
    started: Vec<Started>,
    again: HashMap<(Arc<str>, u32, Option<usize>), u64>,
    outcomes: &'s mut dyn FnMut(&Started) -> Option<Outcome>,
    most_starts: usize,
    /// Nobody knew what comes of an action.
    is_stuck: bool,
}

impl Stage<'_> {
    fn new(outcomes: &mut dyn FnMut(&Started) -> Option<Outcome>, most_starts: usize) -> Stage<'_> {
        Stage { started: Vec::new(), again: HashMap::new(), outcomes, most_starts, is_stuck: false }
    }

    /// Starts an action. When it ends, and as what; nothing where nobody knows.
    fn start(&mut self, start: Start, at: u64) -> Option<(u64, Event)> {
        let delay = seconds(&start);
        let Start { task, route, item, action, .. } = start;
        let times = self.again.entry((Arc::clone(&task), route, item)).or_default();
        let again = *times;
        *times += 1;
        let started = Started { at, task, route, item, again, action: action.action, input: action.input, delay };
        let outcome = (self.outcomes)(&started);
        self.started.push(started);
        self.is_stuck = outcome.is_none();
        let Outcome { status, result, lasts } = outcome?;
        let result = Some(Arc::new(result));
        let event = match item {
            Some(item) => Event::Item { item, status, result, accumulated: None },
            None => Event::Action { status, result },
        };
        Some((at.saturating_add(lasts), event))
    }

    fn is_over(&self) -> bool {
        self.is_stuck || self.started.len() > self.most_starts
    }

    fn report(self, state: &State, ended: u64) -> Report {
        let is_cut_off = self.is_over();
        let mut started = self.started;
        started.sort_by(|a, b| (a.at, &a.task, a.route, a.item).cmp(&(b.at, &b.task, b.route, b.item)));
        Report {
            started,
            status: state.status(),
            output: state.output().cloned(),
            errors: state.errors().cloned().collect(),
            ended,
            is_cut_off,
        }
    }
}

/// How long a start has to wait.
fn seconds(start: &Start) -> u64 {
    start.delay.and_then(|delay| u64::try_from(delay).ok()).unwrap_or(0)
}

/// Seconds as microseconds.
fn micros(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000_000)
}

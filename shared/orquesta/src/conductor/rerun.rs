//! A completed workflow is run again from some tasks on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Conductor, Refused};
use crate::Status;
use crate::state::{Entry, State};

/// A task to run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rerun {
    /// The task.
    pub task: Arc<str>,
    /// The route.
    pub route: u32,
    /// All items run again, not just those that failed.
    pub reset_items: bool,
}

impl Conductor {
    /// Runs a completed workflow again from these tasks on, or, without any, from those that it failed at.
    pub fn rerun(&self, state: &mut State, requests: &[Rerun]) -> Result<(), Refused> {
        if !state.status().is_completed() {
            return Err(Refused::NotCompleted);
        }
        let requests: BTreeMap<(Arc<str>, u32), &Rerun> =
            requests.iter().map(|request| ((Arc::clone(&request.task), request.route), request)).collect();
        let unknown: Vec<String> = requests
            .keys()
            .filter(|(task, route)| state.last_entry(task, *route).is_none())
            .map(|(task, route)| format!("{task}|{route}"))
            .collect();
        if !unknown.is_empty() {
            return Err(Refused::NotRerunnable(unknown.join(", ")));
        }
        let candidates = if requests.is_empty() { failed_ends(state) } else { independent(state, requests.keys()) };
        state.add_rerun(candidates.values().copied().collect());
        for (task, route) in candidates.keys() {
            let reset = requests.get(&(Arc::clone(task), *route)).is_some_and(|request| request.reset_items);
            self.rerun_task(state, task, *route, reset)?;
        }
        let goes_on = |entry: &&Entry| entry.next.values().any(|fired| *fired);
        let continued: Vec<u32> = state.terminal().filter(goes_on).map(|entry| entry.index).collect();
        continued.into_iter().for_each(|at| state.set_terminal(at, false));
        state.set_output(None);
        state.set_status(Status::Resuming);
        Ok(())
    }

    /// Takes in that a task is about to run on the workflow's own variables.
    pub fn add_task_state(&self, state: &mut State, task: &str, route: u32) -> Result<(), Refused> {
        let node = self.graph.node(task).ok_or_else(|| Refused::NoSuchTask(task.to_owned()))?;
        let tries = self.tries(state, &node.name, 0)?;
        state.add_entry_of(&node.name, route, 0, u64::MAX, tries);
        Ok(())
    }

    fn rerun_task(&self, state: &mut State, task: &Arc<str>, route: u32, reset_items: bool) -> Result<(), Refused> {
        let Some(entry) = state.last_entry(task, route).cloned() else { return Ok(()) };
        state.set_terminal(entry.index, false);
        let staged = state.staged_task(task, route).map(|staged| staged.index);
        if let Some(staged) = staged {
            state.change_staged(staged, |staged| staged.completed = false);
        }
        state.forgive(task);
        let has_items = self.workflow.tasks.get(task).is_some_and(|task| task.with.is_some());
        if has_items {
            let staged = staged.ok_or_else(|| Refused::NotStaged(task.to_string()))?;
            reset(state, staged, reset_items);
        } else {
            let tries = self.tries(state, task, entry.context)?;
            let staged = state.stage(task, route, entry.context);
            self.copy_arrivals(state, entry.staged, staged);
            if let Some(staged) = state.staged(staged).cloned() {
                state.add_entry(&staged, tries);
            }
        }
        let Some(last) = state.last_entry(task, route).map(|entry| entry.index) else { return Ok(()) };
        let followers = followers(state, &[(Arc::clone(task), route)]);
        for at in followers.into_values().flatten().chain([last]) {
            state.set_terminal(at, false);
        }
        Ok(())
    }
}

fn reset(state: &mut State, staged: u64, all: bool) {
    let items = state.items(staged).into_iter().flat_map(|items| items.iter());
    let again: Vec<usize> = items.filter(|(_, status)| all || status.is_abended()).map(|(item, _)| item).collect();
    for item in again {
        state.set_item(staged, item, Status::Unset, None);
    }
}

type Candidates = BTreeMap<(Arc<str>, u32), u32>;

/// The runs that ended their branch by failing.
fn failed_ends(state: &State) -> Candidates {
    let failed = state.terminal().filter(|entry| entry.status.is_some_and(Status::is_abended));
    failed.map(|entry| ((Arc::clone(&entry.task), entry.route), entry.index)).collect()
}

/// Of these tasks the ones that don't merely follow the others.
fn independent<'a>(state: &State, tasks: impl Iterator<Item = &'a (Arc<str>, u32)>) -> Candidates {
    let tasks: Vec<(Arc<str>, u32)> = tasks.cloned().collect();
    let last = |(task, route): &(Arc<str>, u32)| state.last_entry(task, *route).map(|entry| entry.index);
    let mut sequences = followers(state, &tasks);
    for task in &tasks {
        sequences.entry(task.clone()).or_default().extend(last(task));
    }
    let stands_alone = |task: &(Arc<str>, u32)| {
        let own = sequences.get(task);
        tasks.len() == 1 || sequences.values().any(|other| own.is_some_and(|own| !own.is_subset(other)))
    };
    let chosen = tasks.iter().filter(|task| stands_alone(task));
    chosen.filter_map(|task| Some((task.clone(), last(task)?))).collect()
}

/// The runs that each of these tasks led to directly.
fn followers(state: &State, tasks: &[(Arc<str>, u32)]) -> HashMap<(Arc<str>, u32), BTreeSet<u32>> {
    let mut found: HashMap<(Arc<str>, u32), BTreeSet<u32>> = HashMap::new();
    for entry in state.entries() {
        for arrival in state.arrivals(entry.staged) {
            let Some(from) = state.entry(arrival.entry) else { continue };
            let from = (Arc::clone(&from.task), from.route);
            if tasks.contains(&from) {
                found.entry(from).or_default().insert(entry.index);
            }
        }
    }
    found
}

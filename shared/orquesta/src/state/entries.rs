//! Runs of tasks, and how they stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::{Arrival, Entry, RecordKey, Staged, Tries};
use super::{Inbound, Last, State, index};
use crate::Status;
use crate::graph::{Graph, Node};

impl State {
    pub(crate) fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(at).ok()?)
    }

    pub(crate) fn add_entry(&mut self, staged: &Staged, retry: Option<Tries>) -> u32 {
        self.add_entry_of(&staged.task, staged.route, staged.context, staged.index, retry)
    }

    pub(crate) fn add_entry_of(
        &mut self,
        task: &Arc<str>,
        route: u32,
        context: u32,
        staged: u64,
        retry: Option<Tries>,
    ) -> u32 {
        let entry = Entry {
            index: index(self.entries.len()),
            task: Arc::clone(task),
            route,
            context,
            staged,
            status: None,
            next: BTreeMap::new(),
            terminal: false,
            retry,
        };
        let at = entry.index;
        self.put_entry(entry);
        at
    }

    /// Takes in a run of a task as the last one on its route.
    pub(super) fn put_entry(&mut self, entry: Entry) {
        let last = Last { entry: entry.index, status: entry.status.unwrap_or_default() };
        let statuses = Arc::make_mut(&mut self.statuses);
        let replaced = statuses.last.insert(&entry.task, entry.route, last);
        if let Some(replaced) = replaced {
            self.forget_last(replaced);
        }
        self.derived.count(last.status, last.entry, true);
        if entry.terminal {
            self.derived.terminal.insert(entry.index);
        }
        self.count_inbound(&entry, true);
        self.changed.insert(RecordKey::Entry(entry.index));
        self.entries.push(entry);
    }

    fn forget_last(&mut self, replaced: Last) {
        self.derived.count(replaced.status, replaced.entry, false);
        if let Some(entry) = self.entry(replaced.entry).cloned() {
            self.count_inbound(&entry, false);
        }
    }

    fn count_inbound(&mut self, entry: &Entry, more: bool) {
        let graph = Arc::clone(&self.graph);
        let Some(node) = graph.node(&entry.task) else { return };
        for (target, fired) in barriers(&graph, node, entry) {
            let inbound = self.derived.joins.at(target, entry.route);
            for (count, counts) in [(&mut inbound.known, true), (&mut inbound.satisfied, fired)] {
                let by = usize::from(counts);
                *count = if more { *count + by } else { count.saturating_sub(by) };
            }
        }
    }

    pub(crate) fn inbound(&self, join: &str, route: u32) -> Inbound {
        self.derived.joins.get(join, route).copied().unwrap_or_default()
    }

    /// The transition that let a run of a task begin: the last one that arrived. None where it began with the workflow.
    pub fn origin(&self, entry: &Entry) -> Option<&Arrival> {
        self.arrivals(entry.staged).last()
    }

    fn change_entry(&mut self, at: u32, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = usize::try_from(at).ok().and_then(|at| self.entries.get_mut(at)) {
            change(entry);
            self.changed.insert(RecordKey::Entry(at));
        }
    }

    fn is_last(&self, at: u32) -> bool {
        self.entry(at)
            .is_some_and(|entry| self.statuses.last.get(&entry.task, entry.route).is_some_and(|last| last.entry == at))
    }

    pub(crate) fn set_entry_status(&mut self, at: u32, status: Status) {
        let Some((task, route)) = self.entry(at).map(|entry| (Arc::clone(&entry.task), entry.route)) else { return };
        if self.is_last(at) {
            let statuses = Arc::make_mut(&mut self.statuses);
            let before = statuses.last.insert(&task, route, Last { entry: at, status });
            if let Some(before) = before {
                self.derived.count(before.status, at, false);
            }
            self.derived.count(status, at, true);
        }
        self.change_entry(at, |entry| entry.status = Some(status));
    }

    pub(crate) fn set_terminal(&mut self, at: u32, terminal: bool) {
        if terminal {
            self.derived.terminal.insert(at);
        } else {
            self.derived.terminal.remove(&at);
        }
        self.change_entry(at, |entry| entry.terminal = terminal);
    }

    pub(crate) fn set_next(&mut self, at: u32, edge: usize, fired: bool) {
        let Some(entry) = self.entry(at) else { return };
        let graph = Arc::clone(&self.graph);
        let target = graph.node(&entry.task).and_then(|node| node.edges.get(edge)).map(|edge| &edge.target);
        let counts = target.filter(|target| is_barrier(&graph, target) && self.is_last(at));
        let route = entry.route;
        let before = counts.is_some_and(|target| has_fired(&graph, entry, target));
        self.change_entry(at, |entry| {
            entry.next.insert(index(edge), fired);
        });
        let Some(target) = counts else { return };
        let after = self.entry(at).is_some_and(|entry| has_fired(&graph, entry, target));
        let inbound = self.derived.joins.at(target, route);
        match (before, after) {
            (false, true) => inbound.satisfied += 1,
            (true, false) => inbound.satisfied = inbound.satisfied.saturating_sub(1),
            _ => {}
        }
    }

    pub(crate) fn add_try(&mut self, at: u32) {
        self.change_entry(at, |entry| {
            if let Some(tries) = &mut entry.retry {
                tries.tally += 1;
            }
        });
    }

    /// The runs that tasks ended their branches with, in the order of their starts.
    pub(crate) fn terminal(&self) -> impl Iterator<Item = &Entry> {
        self.derived.terminal.iter().filter_map(|at| self.entry(*at))
    }

    /// The last runs of tasks that are at work.
    pub fn active(&self) -> impl Iterator<Item = &Entry> {
        self.derived.active.iter().filter_map(|at| self.entry(*at))
    }

    /// Is any task at work?
    pub fn has_active(&self) -> bool {
        !self.derived.active.is_empty()
    }

    /// Whether the last run of any task has one of these statuses.
    pub(crate) fn has_any(&self, statuses: &[Status]) -> bool {
        statuses.iter().any(|status| self.derived.last.get(status).is_some_and(|count| *count > 0))
    }
}

fn is_barrier(graph: &Graph, name: &str) -> bool {
    graph.node(name).is_some_and(|node| node.barrier.is_some())
}

/// The joins that a task leads to, and whether it has fired into each.
fn barriers<'g>(graph: &'g Graph, node: &'g Node, entry: &Entry) -> Vec<(&'g Arc<str>, bool)> {
    let mut targets: Vec<&Arc<str>> =
        node.edges.iter().map(|edge| &edge.target).filter(|target| is_barrier(graph, target)).collect();
    targets.dedup();
    targets.into_iter().map(|target| (target, has_fired(graph, entry, target))).collect()
}

fn has_fired(graph: &Graph, entry: &Entry, target: &str) -> bool {
    let Some(node) = graph.node(&entry.task) else { return false };
    let fired = |at: &u32| usize::try_from(*at).ok().and_then(|at| node.edges.get(at));
    entry.next.iter().any(|(at, holds)| *holds && fired(at).is_some_and(|edge| &*edge.target == target))
}

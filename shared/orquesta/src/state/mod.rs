//! What a conductor knows of a run of a workflow: records, and what is derived from them so that no question takes longer the more has
//! happened.

mod items;
mod journal;
mod record;
mod statuses;
mod variables;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexSet;
use serde_json::{Map, Value};

use crate::Status;
use crate::graph::{Graph, Node};
pub(crate) use items::{Items, Others};
pub use record::{
    Arrival, Arrow, Context, Entry, Head, Item, LogEntry, LogType, Record, RecordKey, Route, Staged, Tries,
};
pub(crate) use statuses::{ByTask, Last, Statuses};
pub(crate) use variables::{Merging, Variables, merge_into};

/// A run of a workflow.
///
/// It is made of [`Record`]s. Each operation of the conductor changes few of them, and [`State::take_changes`] gives those: written to a
/// store one by one, and read back with [`State::restore`], they are the same state.
#[derive(Clone, Debug)]
pub struct State {
    graph: Arc<Graph>,
    merging: Merging,
    head: Head,
    contexts: Vec<(Context, Variables)>,
    statuses: Arc<Statuses>,
    entries: Vec<Entry>,
    staged: BTreeMap<u64, Staged>,
    arrivals: BTreeMap<(u64, u32), Arrival>,
    items: HashMap<u64, Items>,
    log: BTreeMap<u64, LogEntry>,
    derived: Derived,
    rendered: HashMap<u64, Arc<Vec<Action>>>,
    changed: IndexSet<RecordKey>,
}

/// What follows from the records.
#[derive(Clone, Debug, Default)]
struct Derived {
    /// How many last runs of tasks have each status.
    last: HashMap<Status, usize>,
    active: BTreeSet<u32>,
    terminal: BTreeSet<u32>,
    ready: BTreeSet<u64>,
    staged: ByTask<BTreeSet<u64>>,
    joins: ByTask<Inbound>,
    /// Fingerprints of the log's entries.
    logged: HashSet<u64>,
}

/// How the tasks that lead to a join stand on a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inbound {
    /// So many have run or run.
    pub(crate) known: usize,
    /// Of so many a transition into the join has fired.
    pub(crate) satisfied: usize,
}

/// What a task is to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The reference of the action; null where the task has none.
    pub action: Value,
    /// Its parameters.
    pub input: Value,
}

impl State {
    pub(crate) fn new(graph: Arc<Graph>, merging: Merging) -> State {
        State {
            graph,
            merging,
            head: Head::default(),
            contexts: Vec::new(),
            statuses: Arc::default(),
            entries: Vec::new(),
            staged: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            items: HashMap::new(),
            log: BTreeMap::new(),
            derived: Derived::default(),
            rendered: HashMap::new(),
            changed: IndexSet::new(),
        }
    }

    /// The status of the workflow.
    pub fn status(&self) -> Status {
        self.head.status
    }

    /// The output, once it is rendered; none where it is empty.
    pub fn output(&self) -> Option<&Map<String, Value>> {
        self.head.output.as_ref()
    }

    /// What went wrong, in order.
    pub fn errors(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.values().filter(|entry| entry.kind == LogType::Error)
    }

    /// The messages that are no errors, in order.
    pub fn messages(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.values().filter(|entry| entry.kind != LogType::Error)
    }

    /// The runs of tasks, in the order of their starts.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The last run of a task on a route.
    pub fn last_entry(&self, task: &str, route: u32) -> Option<&Entry> {
        self.entry(self.statuses.last.get(task, route)?.entry)
    }

    pub(crate) fn merging(&self) -> Merging {
        self.merging
    }

    pub(crate) fn statuses(&self) -> &Arc<Statuses> {
        &self.statuses
    }

    pub(crate) fn set_status(&mut self, status: Status) {
        self.head.status = status;
        self.changed.insert(RecordKey::Head);
    }

    pub(crate) fn set_output(&mut self, output: Option<Map<String, Value>>) {
        self.head.output = output;
        self.changed.insert(RecordKey::Head);
    }

    pub(crate) fn add_rerun(&mut self, entries: Vec<u32>) {
        self.head.reruns.push(entries);
        self.changed.insert(RecordKey::Head);
    }

    // Contexts and routes.

    pub(crate) fn variables(&self, context: u32) -> Variables {
        usize::try_from(context)
            .ok()
            .and_then(|at| self.contexts.get(at))
            .map(|(_, seen)| seen.clone())
            .unwrap_or_default()
    }

    pub(crate) fn begin_with(&mut self, variables: Map<String, Value>) {
        self.put_context(Context { index: 0, base: None, joined: None, published: variables });
    }

    pub(crate) fn publish(&mut self, base: u32, published: Map<String, Value>) -> u32 {
        self.put_context(Context { index: index(self.contexts.len()), base: Some(base), joined: None, published })
    }

    pub(crate) fn join(&mut self, base: u32, joined: u32) -> u32 {
        let published = Map::new();
        self.put_context(Context {
            index: index(self.contexts.len()),
            base: Some(base),
            joined: Some(joined),
            published,
        })
    }

    fn put_context(&mut self, context: Context) -> u32 {
        let mut seen = match context.base {
            Some(base) => self.variables(base),
            None => Variables::new(context.published.clone()),
        };
        if let Some(joined) = context.joined {
            seen.join(&self.variables(joined), self.merging);
        }
        if context.base.is_some() {
            let published = context.published.iter();
            let published: Vec<_> =
                published.map(|(name, value)| (Arc::from(name.as_str()), Arc::new(value.clone()))).collect();
            seen.publish(&published, context.index, self.merging);
        }
        let index = context.index;
        self.changed.insert(RecordKey::Context(index));
        self.contexts.push((context, seen));
        index
    }

    pub(crate) fn add_route(&mut self, arrows: Vec<Arrow>) -> u32 {
        let statuses = Arc::make_mut(&mut self.statuses);
        let route = index(statuses.routes.len());
        statuses.routes.push(arrows);
        self.changed.insert(RecordKey::Route(route));
        route
    }

    // Runs of tasks.

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
    fn put_entry(&mut self, entry: Entry) {
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
    pub(crate) fn active(&self) -> impl Iterator<Item = &Entry> {
        self.derived.active.iter().filter_map(|at| self.entry(*at))
    }

    pub(crate) fn has_active(&self) -> bool {
        !self.derived.active.is_empty()
    }

    /// Whether the last run of any task has one of these statuses.
    pub(crate) fn has_any(&self, statuses: &[Status]) -> bool {
        statuses.iter().any(|status| self.derived.last.get(status).is_some_and(|count| *count > 0))
    }

    // Staged tasks.

    pub(crate) fn staged(&self, at: u64) -> Option<&Staged> {
        self.staged.get(&at)
    }

    pub(crate) fn all_staged(&self) -> impl Iterator<Item = &Staged> {
        self.staged.values()
    }

    /// The first staged task of that name on a route.
    pub(crate) fn staged_task(&self, task: &str, route: u32) -> Option<&Staged> {
        self.staged.get(self.derived.staged.get(task, route)?.first()?)
    }

    pub(crate) fn ready(&self) -> impl Iterator<Item = &Staged> {
        self.derived.ready.iter().filter_map(|at| self.staged.get(at))
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.derived.ready.is_empty()
    }

    pub(crate) fn stage(&mut self, task: &Arc<str>, route: u32, context: u32) -> u64 {
        let at = self.head.next_staged;
        self.head.next_staged += 1;
        self.changed.insert(RecordKey::Head);
        self.put_staged(Staged {
            index: at,
            task: Arc::clone(task),
            route,
            context,
            ready: true,
            completed: false,
            run_on_fail: false,
            retry_after: None,
            items: None,
            arrivals: 0,
        });
        at
    }

    pub(crate) fn change_staged(&mut self, at: u64, change: impl FnOnce(&mut Staged)) {
        if let Some(mut staged) = self.staged.get(&at).cloned() {
            change(&mut staged);
            self.put_staged(staged);
        }
    }

    fn put_staged(&mut self, staged: Staged) {
        let at = staged.index;
        self.changed.insert(RecordKey::Staged(at));
        if staged.ready && !staged.completed {
            self.derived.ready.insert(at);
        } else {
            self.derived.ready.remove(&at);
        }
        match staged.items {
            Some(count) if !self.items.contains_key(&at) => {
                self.items.insert(at, Items::new(usize::try_from(count).unwrap_or(usize::MAX)));
            }
            Some(_) => {}
            None => self.drop_items(at),
        }
        self.derived.staged.at(&staged.task, staged.route).insert(at);
        self.staged.insert(at, staged);
    }

    fn drop_items(&mut self, at: u64) {
        self.rendered.remove(&at);
        let items = self.items.remove(&at);
        let begun = items.iter().flat_map(Items::iter).filter(|(_, status)| *status != Status::Unset);
        self.changed.extend(begun.map(|(item, _)| RecordKey::Item(at, index(item))));
    }

    pub(crate) fn unstage(&mut self, at: u64) {
        let Some(staged) = self.staged.remove(&at) else { return };
        self.derived.staged.at(&staged.task, staged.route).remove(&at);
        self.derived.ready.remove(&at);
        self.drop_items(at);
        self.changed.insert(RecordKey::Staged(at));
    }

    pub(crate) fn arrive(&mut self, at: u64, arrow: Arrow, entry: u32) {
        let Some(arrivals) = self.staged.get(&at).map(|staged| staged.arrivals) else { return };
        self.change_staged(at, |staged| staged.arrivals += 1);
        self.arrivals.insert((at, arrivals), Arrival { staged: at, index: arrivals, arrow, entry });
        self.changed.insert(RecordKey::Arrival(at, arrivals));
    }

    pub(crate) fn arrivals(&self, at: u64) -> impl Iterator<Item = &Arrival> {
        self.arrivals.range((at, 0)..=(at, u32::MAX)).map(|(_, arrival)| arrival)
    }

    pub(crate) fn items(&self, at: u64) -> Option<&Items> {
        self.items.get(&at)
    }

    /// False where there is no such item.
    pub(crate) fn set_item(&mut self, at: u64, item: usize, status: Status, result: Option<Arc<Value>>) -> bool {
        self.changed.insert(RecordKey::Item(at, index(item)));
        self.items.get_mut(&at).is_some_and(|items| items.set(item, status, result))
    }

    pub(crate) fn rendered(&self, at: u64) -> Option<&Arc<Vec<Action>>> {
        self.rendered.get(&at)
    }

    pub(crate) fn keep_rendered(&mut self, at: u64, actions: Arc<Vec<Action>>) {
        self.rendered.insert(at, actions);
    }

    // The log.

    /// Takes in a message, unless the same one is there.
    pub(crate) fn log(&mut self, mut entry: LogEntry) {
        entry.index = 0;
        if !self.derived.logged.insert(fingerprint(&entry)) {
            return;
        }
        // Numbers begin at 1: an entry without one is not in a log yet.
        self.head.next_log += 1;
        entry.index = self.head.next_log;
        self.changed.insert(RecordKey::Head);
        self.changed.insert(RecordKey::Log(entry.index));
        self.log.insert(entry.index, entry);
    }

    /// Forgets the errors of a task.
    pub(crate) fn forgive(&mut self, task: &str) {
        let of_task = |entry: &&LogEntry| entry.kind == LogType::Error && entry.task_id.as_deref() == Some(task);
        let forgiven: Vec<u64> = self.log.values().filter(of_task).map(|entry| entry.index).collect();
        for at in forgiven {
            if let Some(entry) = self.log.remove(&at) {
                self.derived.logged.remove(&fingerprint(&LogEntry { index: 0, ..entry }));
                self.changed.insert(RecordKey::Log(at));
            }
        }
    }
}

impl Derived {
    fn count(&mut self, status: Status, entry: u32, more: bool) {
        let count = self.last.entry(status).or_default();
        *count = if more { *count + 1 } else { count.saturating_sub(1) };
        match (status.is_active(), more) {
            (true, true) => {
                self.active.insert(entry);
            }
            (true, false) => {
                self.active.remove(&entry);
            }
            (false, _) => {}
        }
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

fn fingerprint(entry: &LogEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    (entry.kind, &entry.message, &entry.task_id, entry.route, &entry.task_transition_id).hash(&mut hasher);
    (&entry.result, &entry.data).hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

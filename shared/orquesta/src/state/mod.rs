//! What a conductor knows of a run of a workflow: records, and what is derived from them so that no question takes longer the more has
//! happened.

mod entries;
mod items;
mod journal;
mod record;
mod staging;
mod statuses;
mod variables;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexSet;
use serde_json::{Map, Value};

use crate::Status;
use crate::graph::Graph;
pub(crate) use items::{Items, Others};
pub use record::{
    Arrival, Arrow, Context, Entry, Head, Item, LogEntry, LogType, Record, RecordKey, Route, Staged, Tries,
};
pub(crate) use statuses::{ByTask, Last, Statuses};
pub(crate) use variables::{Merging, Variables, merge_into};

/// A run of a workflow.
///
/// It is made of [`Record`]s. Each operation of the conductor changes few of them, and [`State::take_changes`] gives those: written to a
/// store one by one, and read back with [`crate::Conductor::restore`], they are the same state.
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

    /// Sets a variable of those that a run which has not begun to run is to begin with.
    pub fn set_initial(&mut self, name: &str, value: Value) {
        if let [(context, seen)] = self.contexts.as_mut_slice() {
            context.published.insert(name.to_owned(), value);
            *seen = Variables::new(context.published.clone());
            self.changed.insert(RecordKey::Context(0));
        }
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

fn fingerprint(entry: &LogEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    (entry.kind, &entry.message, &entry.task_id, entry.route, &entry.task_transition_id).hash(&mut hasher);
    (&entry.result, &entry.data).hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

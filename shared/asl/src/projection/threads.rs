//! What is kept of a run that a state machine pictures, besides the conductor's own state: little, and of what is under way only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orquesta::{Entry, State, Status};
use serde::{Deserialize, Serialize};

use crate::reply::Reply;

/// What Step Functions gives with a call, and gets back with the answer.
pub type Token = Arc<str>;

/// The threads of a state machine, as far as the conductor has to know them. They are made of [`ThreadRecord`]s.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Threads {
    pub(super) head: ThreadHead,
    visits: BTreeMap<u64, Visit>,
    changed: BTreeSet<Option<u64>>,
}

/// What is there once for a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadHead {
    /// The number of the next visit.
    pub next: u64,
    /// About how many events the history of the execution has.
    pub events: u64,
    /// The token of the task at which the workflow failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<Token>,
    /// Other tokens of that call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Token>,
}

impl ThreadHead {
    /// The workflow has failed at a call of these tokens.
    pub(super) fn blame(&mut self, (culprit, former): (Option<Token>, Vec<Token>)) {
        (self.culprit, self.former) = (culprit, former);
    }
}

/// A visit of the state machine to a task, from the moment at which the conductor starts the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its number. Actions are started under it.
    pub number: u64,
    /// The task; of a box that drives, the one that it comes after.
    pub task: Arc<str>,
    /// The route.
    pub route: u32,
    /// The conductor's run of the task.
    pub entry: u32,
    /// How often that had been tried again.
    #[serde(default)]
    pub tries: i64,
    /// How far it is.
    pub phase: Phase,
    /// Other tokens of the call that waits, which may be the live one: a call that was given up may be heard after the one in its stead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Token>,
    /// The visit in whose box it runs; then the state machine has no box for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<u64>,
}

/// How far a visit is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The conductor has started the task, and the state machine has not come to it yet.
    Awaited {
        /// The run of the task that it comes after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u32>,
        /// Seconds before it is to begin.
        delay: u64,
        /// The state machine sees to that itself.
        is_waited: bool,
        /// The token that was told to wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<Token>,
    },
    /// There was nothing to do, and the state machine has not come yet.
    Passed {
        /// The run of the task that it comes after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u32>,
        /// What it is answered.
        reply: Reply,
    },
    /// Actions are at work.
    Open {
        /// Whom the answer is for; nobody where it is driven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Token>,
    },
    /// Done, and not answered, since the workflow starts nothing at the moment.
    Held {
        /// Whom the answer is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Token>,
    },
    /// The state machine has come, and the conductor has not started the task, since the workflow starts nothing at the moment.
    Early {
        /// Whom the answer is for.
        token: Token,
    },
    /// A box in which the conductor starts what comes itself.
    Driving {
        /// Whom the answer is for.
        token: Token,
    },
}

impl Visit {
    /// The task is started, and not done.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Awaited { .. } | Phase::Open { .. })
    }

    pub(super) fn token(&self) -> Option<&Token> {
        match &self.phase {
            Phase::Open { token } | Phase::Held { token } => token.as_ref(),
            Phase::Early { token } | Phase::Driving { token } => Some(token),
            Phase::Awaited { .. } | Phase::Passed { .. } => None,
        }
    }

    /// All tokens of the call that waits: the one that was heard last, and the others.
    pub(super) fn tokens(&self) -> (Option<Token>, Vec<Token>) {
        (self.token().cloned(), self.former.clone())
    }

    /// The call is made again.
    pub(super) fn bind(&mut self, token: &Token) {
        let before = self.token().filter(|before| *before != token).cloned();
        self.former.retain(|former| former != token);
        self.former.extend(before);
        match &mut self.phase {
            Phase::Open { token: own } | Phase::Held { token: own } => *own = Some(Arc::clone(token)),
            Phase::Early { token: own } | Phase::Driving { token: own } => *own = Arc::clone(token),
            Phase::Awaited { .. } | Phase::Passed { .. } => {}
        }
    }

    pub(super) fn is_of(&self, task: &str, route: u32) -> bool {
        &*self.task == task && self.route == route
    }
}

/// One record as it is now, or that it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadRecord {
    /// What is there once.
    Head(ThreadHead),
    /// A visit.
    Visit(Visit),
    /// The visit of that number is no longer.
    Gone(u64),
}

impl ThreadRecord {
    /// The number of the visit that it is about; none for what is there once.
    pub fn visit(&self) -> Option<u64> {
        match self {
            ThreadRecord::Head(_) => None,
            ThreadRecord::Visit(visit) => Some(visit.number),
            ThreadRecord::Gone(number) => Some(*number),
        }
    }
}

impl Threads {
    /// The threads that these records are of, in the order in which turns gave them; those of them that were replaced may be left out.
    pub fn from_records(records: impl IntoIterator<Item = ThreadRecord>) -> Threads {
        let mut threads = Threads::default();
        for record in records {
            match record {
                ThreadRecord::Head(head) => threads.head = head,
                ThreadRecord::Visit(visit) => drop(threads.visits.insert(visit.number, visit)),
                ThreadRecord::Gone(number) => drop(threads.visits.remove(&number)),
            }
        }
        threads
    }

    /// All of them.
    pub fn records(&self) -> impl Iterator<Item = ThreadRecord> {
        let visits = self.visits.values().cloned().map(ThreadRecord::Visit);
        std::iter::once(ThreadRecord::Head(self.head.clone())).chain(visits)
    }

    /// The visit to a task whose actions are at work, or wait for the state machine to come.
    pub fn visit_of(&self, task: &str, route: u32) -> Option<u64> {
        self.find(|visit| visit.is_open() && visit.is_of(task, route)).map(|visit| visit.number)
    }

    /// What a visit was to start could not be requested: for the state machine, nothing of it is at work.
    pub fn refuse(&mut self, task: &str, route: u32) {
        self.visit_of(task, route).into_iter().for_each(|visit| self.hold(visit));
    }

    /// Nothing of a visit is at work any more.
    pub(super) fn hold(&mut self, visit: u64) {
        self.change(visit, |visit| visit.phase = Phase::Held { token: visit.token().cloned() });
    }

    /// The state machine is expected at that task.
    pub fn expects(&self, task: &str, route: u32) -> bool {
        let waits = |visit: &Visit| matches!(visit.phase, Phase::Awaited { .. } | Phase::Passed { .. });
        self.find(|visit| waits(visit) && visit.is_of(task, route)).is_some()
    }

    /// All visits.
    pub fn visits(&self) -> impl Iterator<Item = &Visit> {
        self.visits.values()
    }

    /// The records that have changed since this was asked last.
    pub(super) fn take_changes(&mut self) -> Vec<ThreadRecord> {
        let changed = std::mem::take(&mut self.changed);
        let record = |key| match key {
            None => ThreadRecord::Head(self.head.clone()),
            Some(number) => self.visits.get(&number).cloned().map_or(ThreadRecord::Gone(number), ThreadRecord::Visit),
        };
        changed.into_iter().map(record).collect()
    }

    /// The visit of that number, unless it is over.
    pub fn get(&self, number: u64) -> Option<&Visit> {
        self.visits.get(&number)
    }

    pub(super) fn head_mut(&mut self) -> &mut ThreadHead {
        self.changed.insert(None);
        &mut self.head
    }

    pub(super) fn add(&mut self, task: &Arc<str>, route: u32, entry: u32, phase: Phase) -> u64 {
        let head = self.head_mut();
        let number = head.next;
        head.next += 1;
        self.put(Visit {
            number,
            task: Arc::clone(task),
            route,
            entry,
            tries: 0,
            phase,
            former: Vec::new(),
            driver: None,
        });
        number
    }

    pub(super) fn put(&mut self, visit: Visit) {
        self.changed.insert(Some(visit.number));
        self.visits.insert(visit.number, visit);
    }

    pub(super) fn change(&mut self, number: u64, change: impl FnOnce(&mut Visit)) {
        if let Some(visit) = self.visits.get_mut(&number) {
            change(visit);
            self.changed.insert(Some(number));
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Visit> {
        let visit = self.visits.remove(&number)?;
        self.changed.insert(Some(number));
        Some(visit)
    }

    pub(super) fn clear(&mut self) {
        let numbers: Vec<u64> = self.visits.keys().copied().collect();
        for number in numbers {
            self.remove(number);
        }
    }

    pub(super) fn find(&self, wanted: impl Fn(&Visit) -> bool) -> Option<&Visit> {
        self.visits.values().find(|visit| wanted(visit))
    }

    pub(super) fn all(&self, wanted: impl Fn(&Visit) -> bool) -> Vec<u64> {
        self.visits.values().filter(|visit| wanted(visit)).map(|visit| visit.number).collect()
    }

    /// Actions are at work, or about to be.
    pub(super) fn any_at_work(&self, state: &State) -> bool {
        let is_at_work = |visit: &Visit| {
            let entry = usize::try_from(visit.entry).ok().and_then(|entry| state.entries().get(entry));
            let holds =
                |entry: &Entry| matches!(entry.status, Some(Status::Pending | Status::Paused | Status::Retrying));
            entry.is_none_or(|entry| state.items_at_work(entry).unwrap_or(!holds(entry)))
        };
        self.visits.values().any(|visit| visit.is_open() && is_at_work(visit))
    }
}

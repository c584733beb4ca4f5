//! The auditor's eyes while the run goes on: it sees every commit that the store takes, and every start of an action.

use model::{Execution, ExecutionLog, ExecutionStatus, Id, Timestamp, Trigger, TriggerInstance};
use ports::{Key, NewRecord, Record};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::executor::TaskId;

/// A timer's record, as far as an auditor cares.
#[derive(Debug, Deserialize)]
pub(crate) struct TimerBody {
    /// What it fires.
    pub(crate) trigger: Trigger,
    started: Timestamp,
    last: Timestamp,
}

/// A timer from its creation until it is removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerLife {
    /// Between two occurrences.
    pub(crate) period: Duration,
    /// Until when its occurrences are done.
    pub(crate) done: Timestamp,
}

/// How an action ended, as its runner saw it.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// The status it gave.
    pub(crate) status: ExecutionStatus,
    /// All that it wrote.
    pub(crate) stdout: String,
    /// All that it wrote.
    pub(crate) stderr: String,
}

/// One operation of a commit that the store took: the record before, and what was written in its place (`None`: deleted).
pub(crate) struct Change<'a> {
    /// Which record.
    pub(crate) key: &'a Key,
    /// As it was.
    pub(crate) before: Option<Record>,
    /// As it is.
    pub(crate) after: Option<&'a NewRecord>,
}

/// Who commits, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The task.
    pub(crate) task: Option<TaskId>,
    /// The time.
    pub(crate) now: Timestamp,
    /// The epoch whose leases count.
    pub(crate) epoch: u64,
}

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Journal {
    /// What must not be.
    pub(crate) violations: Vec<String>,
    /// Events whose sender was told that they are safe.
    pub(crate) accepted: BTreeSet<Id>,
    /// Executions whose requester was told so.
    pub(crate) requested: BTreeSet<Id>,
    /// Executions of which somebody was told that they are canceled.
    pub(crate) canceled: BTreeSet<Id>,
    /// Every execution that there ever was.
    pub(crate) executions: BTreeSet<Id>,
    /// The task that holds an execution, or held it last.
    pub(crate) claims: BTreeMap<Id, TaskId>,
    /// Executions whose last status was written by the task that held them.
    pub(crate) ended_by_worker: BTreeSet<Id>,
    /// How actions ended.
    pub(crate) ended: BTreeMap<Id, Ended>,
    /// The content revision that was live when an event was last written.
    pub(crate) revision_at: BTreeMap<Id, u64>,
    /// Since which revision a rule was on or off, in order; a rule that is not here was never changed.
    pub(crate) switched: BTreeMap<String, Vec<(u64, bool)>>,
    /// The content revision that brought the rules, and when.
    pub(crate) installed: Option<(u64, Timestamp)>,
    /// The content revision that is live.
    pub(crate) revision: u64,
    /// Timers by trigger and creation.
    pub(crate) timers: BTreeMap<(Id, Timestamp), TimerLife>,
    started: BTreeSet<Id>,
    deliveries: BTreeMap<String, Vec<Id>>,
}

impl Journal {
    /// An action is started.
    pub(crate) fn start(&mut self, id: Id, moment: Moment, record: Option<&Record>) {
        if !self.started.insert(id) {
            self.violations.push(format!("execution {id} is started a second time"));
        }
        let execution = record.and_then(|record| self.read::<Execution>(&record.key, &record.body));
        let leased = execution.is_some_and(|execution| execution.is_leased(moment.epoch, moment.now));
        // A worker that is stalled between its claim and the start may come late; then it held the lease at least.
        let claimed = moment.task.is_some() && self.claims.get(&id).copied() == moment.task;
        if !claimed {
            self.violations.push(format!("execution {id} is started by one who did not claim it (leased: {leased})"));
        }
    }

    /// A sender was told that its delivery became these events.
    pub(crate) fn deliver(&mut self, delivery: Option<String>, ids: Vec<Id>) {
        self.accepted.extend(&ids);
        let Some(delivery) = delivery else { return };
        let first = self.deliveries.entry(delivery.clone()).or_insert_with(|| ids.clone());
        // Rules come and go between two deliveries, and triggers with them; what is there both times must be the same event.
        if first.len() == ids.len() && *first != ids {
            self.violations.push(format!("delivery {delivery} became events {first:?}, and once more {ids:?}"));
        }
    }

    /// The store took a commit.
    pub(crate) fn commit(
        &mut self,
        moment: Moment,
        changes: &[Change<'_>],
        execution_of: impl Fn(&Key) -> Option<Record>,
    ) {
        for change in changes {
            let Some((kind, rest)) = change.key.partition.split_once('/') else {
                self.content(moment.now, change, changes);
                continue;
            };
            let Ok(id) = rest.parse::<Id>() else { continue };
            match kind {
                "execution" => self.execution(id, moment, change),
                "trigger_instance" => self.instance(id, change),
                "output" => self.output(id, moment, change, &execution_of),
                "timer" => self.timer(id, change),
                _ => {}
            }
        }
    }

    fn execution(&mut self, id: Id, moment: Moment, change: &Change<'_>) {
        let before: Option<Execution> = change.before.as_ref().and_then(|record| self.read(change.key, &record.body));
        let Some(after) = change.after else {
            self.violations.push(format!("execution {id} is deleted before its time"));
            return;
        };
        let Some(after): Option<Execution> = self.read(change.key, &after.body) else { return };
        self.executions.insert(id);
        self.check_log(id, before.as_ref(), &after, moment.now);
        let Some(before) = before else { return };
        if before.status.is_final() {
            self.violations.push(format!("execution {id} is {} for good, and is written once more", before.status));
        }
        let holder = self.claims.get(&id).copied();
        if before.is_leased(moment.epoch, moment.now) && holder != moment.task {
            self.violations.push(format!("execution {id} is held by {holder:?}, and {:?} writes it", moment.task));
        }
        if let (None, Some(_), Some(task)) = (&before.lease, &after.lease, moment.task) {
            self.claims.insert(id, task);
        }
        if after.status.is_final() && before.lease.is_some() && holder == moment.task {
            self.ended_by_worker.insert(id);
        }
    }

    fn check_log(&mut self, id: Id, before: Option<&Execution>, after: &Execution, now: Timestamp) {
        let old = before.map(|execution| execution.log.as_slice()).unwrap_or_default();
        let mut wrong = None;
        if after.log.get(..old.len()) != Some(old) {
            wrong = Some("forgets what it said");
        }
        if after.log.first().map(|line| line.status) != Some(ExecutionStatus::Requested) {
            wrong = Some("does not begin with requested");
        }
        if after.log.last().map(|line| line.status) != Some(after.status) {
            wrong = Some("does not end with the status");
        }
        let follows =
            |(a, b): (&ExecutionLog, &ExecutionLog)| a.status.check(b.status).is_ok() && a.timestamp <= b.timestamp;
        if !after.log.iter().zip(after.log.iter().skip(1)).all(follows) {
            wrong = Some("has a step that the table does not have, or goes back in time");
        }
        if after.log.iter().any(|line| line.timestamp > now) {
            wrong = Some("tells of the future");
        }
        if let Some(wrong) = wrong {
            self.violations.push(format!("the log of execution {id} {wrong}: {:?}", after.log));
        }
    }

    fn output(&mut self, id: Id, moment: Moment, change: &Change<'_>, execution_of: impl Fn(&Key) -> Option<Record>) {
        let key = Key::new(format!("execution/{id}"), "record");
        let execution = execution_of(&key).and_then(|record| self.read::<Execution>(&key, &record.body));
        let held = execution.is_some_and(|execution| execution.lease.is_some());
        if !held || self.claims.get(&id).copied() != moment.task {
            self.violations
                .push(format!("output of execution {id} is written by {:?}, who does not hold it", moment.task));
        }
        if change.before.is_some() {
            self.violations.push(format!("output {} of execution {id} is written over", change.key.sort));
        }
    }

    fn instance(&mut self, id: Id, change: &Change<'_>) {
        let before: Option<TriggerInstance> =
            change.before.as_ref().and_then(|record| self.read(change.key, &record.body));
        if before.is_some_and(|instance| instance.status.is_final()) {
            self.violations.push(format!("trigger instance {id} is finished, and is written once more"));
        }
        self.revision_at.insert(id, self.revision);
    }

    fn timer(&mut self, id: Id, change: &Change<'_>) {
        let Some(after) = change.after else { return };
        let Some(timer): Option<TimerBody> = self.read(change.key, &after.body) else { return };
        if timer.trigger.id() != id {
            self.violations.push(format!("timer {id} stands for another trigger"));
        }
        let seconds = timer.trigger.parameters.get("delta").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let first = TimerLife { period: Duration::from_secs(seconds), done: timer.last };
        let life = self.timers.entry((id, timer.started)).or_insert(first);
        life.done = timer.last.max(life.done);
    }

    /// The content head is the first of a change; the rules that the change is about stand in the same commit.
    fn content(&mut self, now: Timestamp, change: &Change<'_>, all: &[Change<'_>]) {
        if change.key.partition != "content" {
            return;
        }
        self.revision = change.before.as_ref().map_or(1, |record| record.version + 1);
        let head: Option<serde_json::Value> = change.after.and_then(|after| self.read(change.key, &after.body));
        if self.installed.is_none() && head.is_some_and(|head| head.pointer("/packs/sim").is_some()) {
            self.installed = Some((self.revision, now));
        }
        let rules = all.iter().filter(|change| change.key.partition == "overlay").filter_map(|change| change.after);
        for rule in rules {
            let Some(body): Option<serde_json::Value> = self.read(&rule.key, &rule.body) else { continue };
            let reference = body.pointer("/resource/ref").and_then(serde_json::Value::as_str);
            let enabled = body.pointer("/resource/enabled").and_then(serde_json::Value::as_bool);
            if let (Some(reference), Some(enabled)) = (reference, enabled) {
                self.switched.entry(reference.to_owned()).or_default().push((self.revision, enabled));
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self, key: &Key, body: &[u8]) -> Option<T> {
        match serde_json::from_slice(body) {
            Ok(value) => Some(value),
            Err(error) => {
                self.violations.push(format!("record {key} can't be read: {error}"));
                None
            }
        }
    }
}

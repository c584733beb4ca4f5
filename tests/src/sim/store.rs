//! The store of the simulated world: the one in memory, with all that can go wrong on the way to it and back.

use async_trait::async_trait;
use model::Timestamp;
use ports::{Guard, IndexEntry, Key, Operation, Page, Query, Record, Scope, Slot, Store, StoreError};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    executor::lock,
    journal::{Change, Moment},
    mutant::Mutant,
    world::World,
};

/// Commits that a losing store loses, in 10,000.
const LOST: u32 = 500;

/// How far an index may be behind the table.
const MAX_LAG_MILLIS: u64 = 5_000;

/// Since when each index entry stands.
#[derive(Default)]
pub(crate) struct Lag(BTreeMap<Key, Vec<(IndexEntry, Timestamp)>>);

impl Lag {
    fn follow(&mut self, operations: &[Operation], now: Timestamp) {
        for operation in operations {
            if matches!(operation, Operation::Check(..)) {
                continue;
            }
            let before = self.0.remove(operation.key()).unwrap_or_default();
            let Operation::Put(record, _) = operation else { continue };
            let since =
                |entry: &IndexEntry| before.iter().find(|(old, _)| old == entry).map_or(now, |(_, since)| *since);
            self.0.insert(record.key.clone(), record.index.iter().map(|entry| (entry.clone(), since(entry))).collect());
        }
    }

    fn since(&self, slot: Slot, partition: &str, key: &Key) -> Option<Timestamp> {
        let mut entries = self.0.get(key)?.iter();
        entries.find(|(entry, _)| entry.slot == slot && entry.partition == partition).map(|(_, since)| *since)
    }
}

/// What one host sees of the store.
pub(crate) struct SimStore {
    world: Arc<World>,
    host: usize,
}

impl SimStore {
    /// The store as seen from that host.
    pub(crate) fn new(world: Arc<World>, host: usize) -> SimStore {
        SimStore { world, host }
    }

    async fn reach(&self, dies: bool) -> Result<(), StoreError> {
        self.world.occasion(self.host, dies).await;
        self.world.maybe_slow().await;
        self.world.occasion(self.host, false).await;
        if self.world.fault(self.world.faults.unreachable) {
            return Err(StoreError::Unavailable("simulated".to_owned()));
        }
        Ok(())
    }

    /// Writes, in the way of the mutant where there is one.
    async fn write(&self, mut operations: Vec<Operation>) -> Result<(), StoreError> {
        let world = &self.world;
        match world.mutant {
            Some(Mutant::GuardsIgnored) => {
                operations = operations.into_iter().map(|operation| self.unguarded(operation)).collect()
            }
            Some(Mutant::CommitsLost) if world.fault(LOST) => return Ok(()),
            Some(Mutant::DueForgotten) => operations.iter_mut().for_each(forget_due),
            Some(Mutant::OutputDropped) => {
                operations.retain(|operation| !operation.key().partition.starts_with("output/"))
            }
            _ => {}
        }
        if operations.is_empty() {
            return Ok(());
        }
        let before: Vec<Option<Record>> = operations.iter().map(|operation| world.record(operation.key())).collect();
        let executions = executions_of(world, &operations);
        world.memory.commit(operations.clone()).await?;
        lock(&world.lag).follow(&operations, world.now());
        let changes: Vec<Change<'_>> =
            operations.iter().zip(before).filter_map(|(operation, before)| change(operation, before)).collect();
        let moment = Moment { task: world.spawner.current(), now: world.now(), epoch: world.epoch() };
        lock(&world.journal)
            .commit(moment, &changes, |key| executions.iter().find(|record| record.key == *key).cloned());
        Ok(())
    }

    /// Leaves out records whose entries are so new that the index does not have them yet.
    fn hide_the_latest(&self, page: &mut Page, slot: Slot, partition: &str) {
        let world = &self.world;
        if world.setting.serverless && world.fault(world.faults.index_lags) {
            let behind = Duration::from_millis(world.draw(|random| random.below(MAX_LAG_MILLIS)));
            let (lag, now) = (lock(&world.lag), world.now());
            page.records
                .retain(|record| lag.since(slot, partition, &record.key).is_none_or(|since| now.since(since) > behind));
        }
    }

    fn unguarded(&self, operation: Operation) -> Operation {
        let stands = |key: &Key| self.world.record(key).map_or(Guard::Absent, |record| Guard::Version(record.version));
        match operation {
            Operation::Put(record, _) => {
                let guard = stands(&record.key);
                Operation::Put(record, guard)
            }
            Operation::Delete(key, _) => Operation::Delete(key, None),
            Operation::Check(key, _) => {
                let guard = stands(&key);
                Operation::Check(key, guard)
            }
        }
    }

    fn trace(&self, operations: &[Operation], outcome: &str) {
        let world = &self.world;
        world.step(format_args!("host {} {} commit: {outcome}", self.host, Named(world)));
        for operation in operations {
            let (verb, body) = match operation {
                Operation::Put(record, _) => ("put", record.body.as_ref()),
                Operation::Delete(..) => ("delete", [].as_slice()),
                Operation::Check(..) => ("check", [].as_slice()),
            };
            world.step(format_args!("    {verb} {}", operation.key()));
            world.detail(body);
        }
    }
}

/// The current task, for the trace.
struct Named<'a>(&'a World);

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.spawner.current().map_or(Ok(()), |task| write!(f, "{task}"))
    }
}

fn forget_due(operation: &mut Operation) {
    if let Operation::Put(record, _) = operation {
        record.due = None;
    }
}

fn change<'a>(operation: &'a Operation, before: Option<Record>) -> Option<Change<'a>> {
    match operation {
        Operation::Put(record, _) => Some(Change { key: &record.key, before, after: Some(record) }),
        Operation::Delete(key, _) => Some(Change { key, before, after: None }),
        Operation::Check(..) => None,
    }
}

/// The executions whose output is written, as they are before the commit.
fn executions_of(world: &World, operations: &[Operation]) -> Vec<Record> {
    let ids = operations.iter().filter_map(|operation| operation.key().partition.strip_prefix("output/"));
    let mut keys: Vec<Key> = ids.map(|id| Key::new(format!("execution/{id}"), "record")).collect();
    keys.dedup();
    keys.iter().filter_map(|key| world.record(key)).collect()
}

#[async_trait]
impl Store for SimStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.reach(false).await?;
        let record = self.world.memory.get(key).await;
        self.world.maybe_slow().await;
        self.world.occasion(self.host, false).await;
        record
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.reach(false).await?;
        let mut page = self.world.memory.query(query).await;
        if let (Ok(page), Scope::Index(slot, partition)) = (&mut page, &query.scope) {
            self.hide_the_latest(page, *slot, partition);
        }
        self.world.maybe_slow().await;
        self.world.occasion(self.host, false).await;
        page
    }

    async fn commit(&self, operations: Vec<Operation>) -> Result<(), StoreError> {
        self.reach(true).await?;
        let world = &self.world;
        if world.fault(world.faults.conflict) {
            self.trace(&operations, "conflict, made up");
            let place = world.draw(|random| random.below(operations.len() as u64));
            return Err(StoreError::Conflict { failed: vec![usize::try_from(place).unwrap_or(0)] });
        }
        let written = self.write(operations.clone()).await;
        match &written {
            Ok(()) => self.trace(&operations, "done"),
            Err(error) => self.trace(&operations, &error.to_string()),
        }
        world.occasion(self.host, true).await;
        world.maybe_slow().await;
        world.occasion(self.host, false).await;
        written?;
        if world.fault(world.faults.answer_lost) {
            return Err(StoreError::Unavailable("simulated, after it was done".to_owned()));
        }
        Ok(())
    }
}

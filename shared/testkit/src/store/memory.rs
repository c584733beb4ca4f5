//! Records in memory: what the promises of the port mean, in as few lines as possible.

use async_trait::async_trait;
use model::Timestamp;
use ports::{
    Clock, Cursor, Guard, IndexEntry, Key, NewRecord, Operation, Page, Query, Record, Scope, Slot, Store, StoreError,
    check_operations, check_query,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, PoisonError},
};

/// The specification of a store: deterministic, without a runtime, nothing survives it.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// A place in the order of a scope: the sort key or time, then the record.
type Place<T> = (T, Key);

#[derive(Default)]
struct State {
    records: BTreeMap<Key, (Record, Vec<IndexEntry>)>,
    index: BTreeMap<(Slot, String), BTreeSet<Place<String>>>,
    due: BTreeSet<Place<Timestamp>>,
    ttl: BTreeSet<Place<Timestamp>>,
}

impl MemoryStore {
    /// An empty store; `clock` tells which records have expired.
    pub fn new(clock: Arc<dyn Clock>) -> MemoryStore {
        MemoryStore { clock, state: Mutex::default() }
    }

    /// Every record, in the order of the keys: for auditors that look at everything after a run.
    pub fn records(&self) -> Vec<Record> {
        self.with(|state| state.records.values().map(|(record, _)| record.clone()).collect())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.expire(self.clock.now());
        act(&mut state)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        Ok(self.with(|state| state.records.get(key).map(|(record, _)| record.clone())))
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        check_query(query)?;
        Ok(self.with(|state| state.query(query)))
    }

    async fn commit(&self, operations: Vec<Operation>) -> Result<(), StoreError> {
        check_operations(&operations)?;
        self.with(|state| state.commit(operations))
    }
}

impl State {
    fn expire(&mut self, now: Timestamp) {
        while let Some((ttl, key)) = self.ttl.first().cloned() {
            if ttl > now {
                break;
            }
            self.remove(&key);
        }
    }

    fn commit(&mut self, operations: Vec<Operation>) -> Result<(), StoreError> {
        let failed: Vec<usize> = operations
            .iter()
            .enumerate()
            .filter(|(_, operation)| !self.holds(operation))
            .map(|(place, _)| place)
            .collect();
        if !failed.is_empty() {
            return Err(StoreError::Conflict { failed });
        }
        for operation in operations {
            match operation {
                Operation::Put(record, _) => self.put(record),
                Operation::Delete(key, _) => self.remove(&key),
                Operation::Check(..) => {}
            }
        }
        Ok(())
    }

    fn holds(&self, operation: &Operation) -> bool {
        let guard = match operation {
            Operation::Put(_, guard) | Operation::Check(_, guard) => *guard,
            Operation::Delete(_, Some(guard)) => *guard,
            Operation::Delete(_, None) => return true,
        };
        let version = self.records.get(operation.key()).map(|(record, _)| record.version);
        match guard {
            Guard::Absent => version.is_none(),
            Guard::Version(wanted) => version == Some(wanted),
        }
    }

    fn put(&mut self, new: NewRecord) {
        let version = self.records.get(&new.key).map_or(1, |(record, _)| record.version + 1);
        self.remove(&new.key);
        let NewRecord { key, body, index, due, ttl } = new;
        for entry in &index {
            let places = self.index.entry((entry.slot, entry.partition.clone())).or_default();
            places.insert((entry.sort.clone(), key.clone()));
        }
        self.due.extend(due.map(|due| (due, key.clone())));
        self.ttl.extend(ttl.map(|ttl| (ttl, key.clone())));
        self.records.insert(key.clone(), (Record { key, version, body, due, ttl }, index));
    }

    fn remove(&mut self, key: &Key) {
        let Some((record, index)) = self.records.remove(key) else { return };
        for entry in index {
            let partition = (entry.slot, entry.partition);
            if let Some(places) = self.index.get_mut(&partition) {
                places.remove(&(entry.sort, key.clone()));
                if places.is_empty() {
                    self.index.remove(&partition);
                }
            }
        }
        if let Some(due) = record.due {
            self.due.remove(&(due, key.clone()));
        }
        if let Some(ttl) = record.ttl {
            self.ttl.remove(&(ttl, key.clone()));
        }
    }

    fn query(&self, query: &Query) -> Page {
        match &query.scope {
            Scope::Partition(name) => {
                let key = |sort: &str| Key::new(name.clone(), sort);
                let whole = || self.records.range(key("")..Key::new(format!("{name}\0"), ""));
                let mut within =
                    Within { low: Bound::Included(key("")), high: Bound::Excluded(Key::new(format!("{name}\0"), "")) };
                within.narrow(query, key, query.cursor.as_ref().map(|cursor| key(&cursor.sort)));
                let rows = within.range().into_iter().flat_map(|range| self.records.range(range));
                let total = query.count.then(|| whole().count());
                self.page(query, rows.map(|(key, _)| (key, || Cursor { sort: key.sort.clone(), key: None })), total)
            }
            Scope::Index(slot, partition) => {
                let Some(places) = self.index.get(&(*slot, partition.clone())) else {
                    return Page { total: query.count.then_some(0), ..Page::default() };
                };
                let mut within = Within { low: Bound::Unbounded, high: Bound::Unbounded };
                let last = query.cursor.clone().and_then(|cursor| Some((cursor.sort, cursor.key?)));
                within.narrow(query, |sort| (sort.to_owned(), Key::new("", "")), last);
                let rows = within.range().into_iter().flat_map(|range| places.range(range));
                let cursor = |(sort, key): &Place<String>| Cursor { sort: sort.clone(), key: Some(key.clone()) };
                self.page(
                    query,
                    rows.map(|place| (&place.1, move || cursor(place))),
                    query.count.then_some(places.len()),
                )
            }
            Scope::Due(time) => {
                let last = query
                    .cursor
                    .clone()
                    .and_then(|last| Some((Timestamp::from_micros(last.sort.parse().ok()?), last.key?)));
                let low = last.map_or(Bound::Unbounded, Bound::Excluded);
                let rows = self.due.range((low, Bound::Unbounded)).take_while(|(due, _)| due <= time);
                let cursor =
                    |(due, key): &Place<Timestamp>| Cursor { sort: due.micros().to_string(), key: Some(key.clone()) };
                let rows: Vec<_> = rows.map(|place| (&place.1, move || cursor(place))).collect();
                self.page(&Query { descending: false, ..query.clone() }, rows.into_iter(), None)
            }
        }
    }

    /// Cuts the page out of the scope's rows, which come in ascending order.
    fn page<'a, C: Fn() -> Cursor>(
        &self,
        query: &Query,
        rows: impl DoubleEndedIterator<Item = (&'a Key, C)>,
        total: Option<usize>,
    ) -> Page {
        let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
        let mut rows: Vec<_> = if query.descending {
            rows.rev().skip(skip).take(query.limit + 1).collect()
        } else {
            rows.skip(skip).take(query.limit + 1).collect()
        };
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let next = rows.last().filter(|_| more).map(|(_, cursor)| cursor());
        let records = rows.iter().filter_map(|(key, _)| self.records.get(key)).map(|(record, _)| record.clone());
        Page { records: records.collect(), next, total: total.map(|total| total as u64) }
    }
}

/// The part of an order that a query goes through.
struct Within<P> {
    low: Bound<P>,
    high: Bound<P>,
}

impl<P: Ord + Clone> Within<P> {
    fn narrow(&mut self, query: &Query, place: impl Fn(&str) -> P, last: Option<P>) {
        if let Some(from) = &query.from {
            self.low = Bound::Included(place(from));
        }
        if let Some(until) = &query.until {
            self.high = Bound::Excluded(place(until));
        }
        match (last, query.descending) {
            (Some(last), false) if below(&self.low, &last) => self.low = Bound::Excluded(last),
            (Some(last), true) if above(&self.high, &last) => self.high = Bound::Excluded(last),
            _ => {}
        }
    }

    /// `None` where nothing can be between the bounds, which the ranges of the collections don't take.
    fn range(&self) -> Option<(Bound<P>, Bound<P>)> {
        let low = match &self.low {
            Bound::Included(low) => above(&self.high, low),
            Bound::Excluded(low) => above(&self.high, low),
            Bound::Unbounded => true,
        };
        low.then(|| (self.low.clone(), self.high.clone()))
    }
}

/// Whether `place` is not cut off by the lower bound.
fn below<P: Ord>(low: &Bound<P>, place: &P) -> bool {
    match low {
        Bound::Included(low) => low <= place,
        Bound::Excluded(low) => low < place,
        Bound::Unbounded => true,
    }
}

/// Whether `place` is not cut off by the upper bound.
fn above<P: Ord>(high: &Bound<P>, place: &P) -> bool {
    match high {
        Bound::Included(high) => high >= place,
        Bound::Excluded(high) => high > place,
        Bound::Unbounded => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FakeClock;
    use futures::FutureExt;

    fn run(case: impl Future<Output = ()>) {
        case.now_or_never().expect("nothing here waits");
    }

    fn open(clock: Arc<FakeClock>) -> (Arc<dyn Store>, ()) {
        (Arc::new(MemoryStore::new(clock)), ())
    }

    crate::store_contract!(run, open);
}

//! From a state to records, and back.

use std::sync::Arc;

use super::record::{Item, Record, RecordKey, Route};
use super::{Merging, State, fingerprint, index};
use crate::Status;
use crate::graph::Graph;

impl State {
    /// The records that have changed since this was asked last, each as it is now.
    pub fn take_changes(&mut self) -> Vec<Record> {
        let keys = std::mem::take(&mut self.changed);
        keys.into_iter().map(|key| self.record(key)).collect()
    }

    /// All records.
    pub fn records(&self) -> Vec<Record> {
        let contexts = (0..index(self.contexts.len())).map(RecordKey::Context);
        let routes = (0..index(self.statuses.routes.len())).map(RecordKey::Route);
        let entries = (0..index(self.entries.len())).map(RecordKey::Entry);
        let staged = self.staged.keys().copied().map(RecordKey::Staged);
        let arrivals = self.arrivals.keys().map(|(staged, at)| RecordKey::Arrival(*staged, *at));
        let items = self.staged.keys().filter_map(|at| Some((*at, self.items.get(at)?)));
        let begun = items.flat_map(|(at, items)| {
            let begun = items.iter().filter(|(_, status)| *status != Status::Unset);
            begun.map(move |(item, _)| RecordKey::Item(at, index(item)))
        });
        let log = self.log.keys().copied().map(RecordKey::Log);
        let keys = std::iter::once(RecordKey::Head).chain(contexts).chain(routes).chain(entries).chain(staged);
        keys.chain(arrivals).chain(begun).chain(log).map(|key| self.record(key)).collect()
    }

    fn record(&self, key: RecordKey) -> Record {
        self.find(key).unwrap_or(Record::Gone(key))
    }

    fn find(&self, key: RecordKey) -> Option<Record> {
        Some(match key {
            RecordKey::Head => Record::Head(self.head.clone()),
            RecordKey::Context(at) => Record::Context(self.contexts.get(usize::try_from(at).ok()?)?.0.clone()),
            RecordKey::Route(at) => Record::Route(Route { index: at, arrows: self.statuses.arrows(at)?.to_vec() }),
            RecordKey::Entry(at) => Record::Entry(self.entry(at)?.clone()),
            RecordKey::Staged(at) => Record::Staged(self.staged.get(&at)?.clone()),
            RecordKey::Arrival(staged, at) => Record::Arrival(self.arrivals.get(&(staged, at))?.clone()),
            RecordKey::Item(staged, at) => {
                let (status, result) = self.items.get(&staged)?.get(usize::try_from(at).ok()?)?.clone();
                if status == Status::Unset {
                    return None;
                }
                Record::Item(Item { staged, index: at, status, result })
            }
            RecordKey::Log(at) => Record::Log(self.log.get(&at)?.clone()),
        })
    }

    /// The state that these records, one of each name, are of.
    pub(crate) fn from_records(
        graph: Arc<Graph>,
        merging: Merging,
        records: impl IntoIterator<Item = Record>,
    ) -> State {
        let mut records: Vec<Record> = records.into_iter().collect();
        records.sort_by_key(Record::key);
        let mut state = State::new(graph, merging);
        for record in records {
            state.take_in(record);
        }
        state.changed.clear();
        state
    }

    fn take_in(&mut self, record: Record) {
        match record {
            Record::Head(head) => self.head = head,
            Record::Context(context) => {
                self.put_context(context);
            }
            Record::Route(route) => {
                self.add_route(route.arrows);
            }
            Record::Entry(entry) => self.put_entry(entry),
            Record::Staged(staged) => self.put_staged(staged),
            Record::Arrival(arrival) => {
                self.arrivals.insert((arrival.staged, arrival.index), arrival);
            }
            Record::Item(Item { staged, index, status, result }) => {
                self.set_item(staged, usize::try_from(index).unwrap_or(usize::MAX), status, result);
            }
            Record::Log(entry) => {
                let unnumbered = super::LogEntry { index: 0, ..entry.clone() };
                self.derived.logged.insert(fingerprint(&unnumbered));
                self.log.insert(entry.index, entry);
            }
            Record::Gone(_) => {}
        }
    }
}

//! What every store does.

pub mod commits;
pub mod expiry;
pub mod limits;
pub mod queries;
pub mod random;

use bytes::Bytes;
use model::Timestamp;
use ports::{Guard, IndexEntry, Key, NewRecord, Operation, Page, Query, Slot, Store};
use std::sync::Arc;

use crate::FakeClock;

/// The clock that every case starts with.
pub fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::new(time(1_000), 1))
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn key(sort: &str) -> Key {
    Key::new("p", sort)
}

/// A record whose body names it, without anything else.
fn record(key: Key) -> NewRecord {
    let body = Bytes::from(serde_json::json!({ "name": key.to_string() }).to_string());
    NewRecord { key, body, index: Vec::new(), due: None, ttl: None }
}

fn entry(slot: Slot, partition: &str, sort: &str) -> IndexEntry {
    IndexEntry { slot, partition: partition.to_owned(), sort: sort.to_owned() }
}

/// A new record of partition `p`, indexed as running at `place`.
fn indexed(sort: &str, place: &str) -> Operation {
    let index = vec![entry(Slot::Status, "running", place), entry(Slot::Kind, "execution", sort)];
    Operation::Put(NewRecord { index, ..record(key(sort)) }, Guard::Absent)
}

fn create(key: Key) -> Operation {
    Operation::Put(record(key), Guard::Absent)
}

fn update(key: Key, version: u64) -> Operation {
    Operation::Put(record(key), Guard::Version(version))
}

fn sorts(page: &Page) -> Vec<&str> {
    page.records.iter().map(|record| record.key.sort.as_str()).collect()
}

/// The sort keys of all pages of a query, each page as long as it can be.
async fn walk(store: &dyn Store, mut query: Query) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = ask(store, &query).await;
        assert!(page.next.is_none() || page.records.len() == query.limit, "a page that is not the last is full");
        all.extend(page.records.into_iter().map(|record| record.key.sort));
        let Some(next) = page.next else { return all };
        query.cursor = Some(next);
        query.skip = 0;
    }
}

#[expect(clippy::unwrap_used, reason = "a case fails by panicking")]
async fn ask(store: &dyn Store, query: &Query) -> Page {
    store.query(query).await.unwrap()
}

#[expect(clippy::unwrap_used, reason = "a case fails by panicking")]
async fn commit(store: &dyn Store, operations: Vec<Operation>) {
    store.commit(operations).await.unwrap();
}

#[expect(clippy::unwrap_used, reason = "a case fails by panicking")]
async fn version(store: &dyn Store, key: &Key) -> Option<u64> {
    store.get(key).await.unwrap().map(|record| record.version)
}

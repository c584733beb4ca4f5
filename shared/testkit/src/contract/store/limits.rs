//! What no store takes, so that every host refuses the same.

use bytes::Bytes;
use ports::{
    Cursor, Guard, IndexEntry, Key, MAX_COMMIT_BYTES, MAX_OPERATIONS, MAX_PAGE, MAX_PARTITION_BYTES, MAX_PLACE_BYTES,
    MAX_RECORD_BYTES, MAX_SORT_BYTES, NewRecord, Operation, Query, Scope, Slot, Store, StoreError,
};
use std::sync::Arc;

use super::{ask, commit, create, entry, key, record, sorts, time, version};
use crate::FakeClock;

async fn refuses(store: &dyn Store, operations: Vec<Operation>) {
    let answer = store.commit(operations).await;
    assert!(matches!(answer, Err(StoreError::Limit(_))), "{answer:?}");
    assert_eq!(ask(store, &Query::partition("p", 1)).await.records, [], "nothing is written");
}

/// None at all is a mistake, and 101 are too many.
pub async fn a_commit_has_1_to_100_operations(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let many = |count: usize| (0..count).map(|n| create(key(&n.to_string()))).collect::<Vec<_>>();
    refuses(&*store, many(0)).await;
    refuses(&*store, many(MAX_OPERATIONS + 1)).await;
    commit(&*store, many(MAX_OPERATIONS)).await;
}

/// One record, one operation.
pub async fn no_key_stands_twice(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    refuses(&*store, vec![create(key("a")), Operation::Check(key("a"), Guard::Absent)]).await;
    refuses(&*store, vec![create(key("a")), create(key("b")), Operation::Delete(key("a"), None)]).await;
}

/// Neither part of a key is empty or longer than DynamoDB has it, in records and in index entries.
pub async fn keys_have_a_length(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let (long, longer) = ("x".repeat(MAX_SORT_BYTES), "x".repeat(MAX_SORT_BYTES + 1));
    let (wide, wider) = ("x".repeat(MAX_PARTITION_BYTES), "x".repeat(MAX_PARTITION_BYTES + 1));
    for (partition, sort) in [("", "a"), ("p", ""), (&wider, "a"), ("p", &longer)] {
        refuses(&*store, vec![create(Key::new(partition, sort))]).await;
        refuses(&*store, vec![Operation::Check(Key::new(partition, sort), Guard::Absent)]).await;
        let index = vec![entry(Slot::Kind, partition, sort)];
        refuses(&*store, vec![Operation::Put(NewRecord { index, ..record(key("a")) }, Guard::Absent)]).await;
    }
    let widest = Key::new(wide, long);
    commit(&*store, vec![create(widest.clone())]).await;
    assert_eq!(version(&*store, &widest).await, Some(1));
}

/// An entry's place and the record's key together, and the key of what is due; a NUL counts twice.
pub async fn places_have_a_length(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let wide = "x".repeat(MAX_PARTITION_BYTES);
    let indexed = |sort: &str, place: String| {
        let index = vec![entry(Slot::Kind, &wide, &place)];
        vec![Operation::Put(NewRecord { index, ..record(key(sort)) }, Guard::Absent)]
    };
    let due = |key: Key| vec![Operation::Put(NewRecord { due: Some(time(1)), ..record(key) }, Guard::Absent)];
    let rest = |taken: usize| "x".repeat(MAX_PLACE_BYTES - taken - "pa".len());
    refuses(&*store, indexed("a", rest(0) + "x")).await;
    refuses(&*store, indexed("a", rest(1) + "\0")).await;
    refuses(&*store, due(Key::new("pax", rest(0)))).await;
    commit(&*store, indexed("a", rest(0))).await;
    commit(&*store, indexed("b", rest(2) + "\0")).await;
    commit(&*store, due(Key::new("pa", rest(0)))).await;
    assert_eq!(sorts(&ask(&*store, &Query::index(Slot::Kind, wide, 9)).await), ["b", "a"]);
    assert_eq!(ask(&*store, &Query::new(Scope::Due(time(1)), 9)).await.records.len(), 1);
}

/// A second entry in one index is refused.
pub async fn an_index_has_one_entry_per_record(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let twice = vec![entry(Slot::Rule, "one", "1"), entry(Slot::Rule, "other", "1")];
    refuses(&*store, vec![Operation::Put(NewRecord { index: twice, ..record(key("a")) }, Guard::Absent)]).await;
    let index: Vec<IndexEntry> = Slot::ALL.iter().map(|slot| entry(*slot, "same", "1")).collect();
    commit(&*store, vec![Operation::Put(NewRecord { index, ..record(key("a")) }, Guard::Absent)]).await;
    for slot in Slot::ALL {
        assert_eq!(ask(&*store, &Query::index(slot, "same", 9)).await.records.len(), 1);
    }
}

/// A record of `size` bytes: key, body, index entry.
fn sized(sort: &str, size: usize) -> Operation {
    let index = vec![entry(Slot::Kind, "k", "1")];
    let body = Bytes::from("x".repeat(size - "p".len() - sort.len() - "k".len() - "1".len()));
    Operation::Put(NewRecord { body, index, ..record(key(sort)) }, Guard::Absent)
}

/// Key, body and index entries together.
pub async fn a_record_has_a_size(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    refuses(&*store, vec![sized("a", MAX_RECORD_BYTES + 1)]).await;
    commit(&*store, vec![sized("a", MAX_RECORD_BYTES)]).await;
}

/// All records together.
pub async fn a_commit_has_a_size(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let many = |rest: usize| {
        let whole = MAX_COMMIT_BYTES / MAX_RECORD_BYTES - 1;
        let left = MAX_COMMIT_BYTES - whole * MAX_RECORD_BYTES;
        let parts = [sized("half", left / 2), sized("other", left - left / 2 + rest)];
        (0..whole).map(|n| sized(&n.to_string(), MAX_RECORD_BYTES)).chain(parts).collect::<Vec<_>>()
    };
    refuses(&*store, many(1)).await;
    commit(&*store, many(0)).await;
}

/// An empty page and one that is too long are refused.
pub async fn a_page_has_1_to_1000_records(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    for limit in [0, MAX_PAGE + 1] {
        let answer = store.query(&Query::partition("p", limit)).await;
        assert!(matches!(answer, Err(StoreError::Limit(_))), "{answer:?}");
    }
}

/// A cursor that the scope can't have made is refused, not guessed at.
pub async fn cursors_of_other_queries_are_refused(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let keyless = Cursor { sort: "7".to_owned(), key: None };
    let timeless = Cursor { sort: "x".to_owned(), key: Some(key("a")) };
    let index = Scope::Index(Slot::Kind, "k".to_owned());
    for (scope, cursor) in [(index, keyless.clone()), (Scope::Due(time(9)), keyless), (Scope::Due(time(9)), timeless)] {
        let answer = store.query(&Query { cursor: Some(cursor), ..Query::new(scope, 1) }).await;
        assert!(matches!(answer, Err(StoreError::Limit(_))), "{answer:?}");
    }
}

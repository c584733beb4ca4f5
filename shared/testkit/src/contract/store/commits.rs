//! Guards, versions, atomicity.
#![expect(clippy::unwrap_used, reason = "a case fails by panicking")]

use bytes::Bytes;
use futures::future::join_all;
use ports::{Guard, Key, NewRecord, Operation, Query, Slot, Store, StoreError};
use std::sync::Arc;

use super::{ask, commit, create, entry, key, record, sorts, time, update, version};
use crate::FakeClock;

fn conflict(failed: &[usize]) -> Result<(), StoreError> {
    Err(StoreError::Conflict { failed: failed.to_vec() })
}

/// 1, 2, 3, and from 1 again for a record that was deleted in between.
pub async fn versions_count_from_one(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let store = &*store;
    assert_eq!(version(store, &key("a")).await, None);
    commit(store, vec![create(key("a"))]).await;
    for expected in 1..4 {
        assert_eq!(version(store, &key("a")).await, Some(expected));
        commit(store, vec![update(key("a"), expected)]).await;
    }
    commit(store, vec![Operation::Delete(key("a"), Some(Guard::Version(4)))]).await;
    assert_eq!(version(store, &key("a")).await, None);
    commit(store, vec![create(key("a"))]).await;
    assert_eq!(version(store, &key("a")).await, Some(1));
}

/// All of them, by their place, and none that holds.
pub async fn conflicts_name_every_failed_operation(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    commit(&*store, ["a", "b", "c", "d"].map(|sort| create(key(sort))).to_vec()).await;
    let mixed = vec![
        create(key("a")),
        Operation::Check(key("b"), Guard::Version(1)),
        Operation::Check(key("c"), Guard::Version(2)),
        Operation::Delete(key("d"), Some(Guard::Absent)),
        create(key("e")),
        update(key("f"), 1),
        Operation::Check(key("g"), Guard::Absent),
    ];
    assert_eq!(store.commit(mixed).await, conflict(&[0, 2, 3, 5]));
    assert_eq!(version(&*store, &key("e")).await, None);
}

/// A guard that fails in the last of a hundred operations undoes the other ninety-nine.
pub async fn a_commit_is_all_or_nothing(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    commit(&*store, vec![create(key("old"))]).await;
    let mut operations: Vec<_> = (0..98).map(|n| create(key(&format!("{n:02}")))).collect();
    operations.push(Operation::Delete(key("old"), None));
    operations.push(Operation::Check(key("none"), Guard::Version(1)));
    assert_eq!(store.commit(operations.clone()).await, conflict(&[99]));
    assert_eq!(sorts(&ask(&*store, &Query::partition("p", 1_000)).await), ["old"]);
    operations.pop();
    commit(&*store, operations).await;
    assert_eq!(ask(&*store, &Query::partition("p", 1_000)).await.records.len(), 98);
}

/// Without a guard a delete always goes through; with one it is as any other operation.
pub async fn deletes_are_guarded(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let delete = |guard| vec![Operation::Delete(key("a"), guard)];
    commit(&*store, delete(None)).await;
    commit(&*store, delete(Some(Guard::Absent))).await;
    assert_eq!(store.commit(delete(Some(Guard::Version(1)))).await, conflict(&[0]));
    commit(&*store, vec![create(key("a"))]).await;
    assert_eq!(store.commit(delete(Some(Guard::Version(2)))).await, conflict(&[0]));
    assert_eq!(version(&*store, &key("a")).await, Some(1));
    commit(&*store, delete(None)).await;
    assert_eq!(version(&*store, &key("a")).await, None);
}

/// A check holds or fails, and the record stays as it is.
pub async fn checks_change_nothing(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    commit(&*store, vec![create(key("a"))]).await;
    let before = store.get(&key("a")).await.unwrap();
    commit(&*store, vec![Operation::Check(key("a"), Guard::Version(1)), Operation::Check(key("b"), Guard::Absent)])
        .await;
    assert_eq!(store.get(&key("a")).await.unwrap(), before);
    assert_eq!(version(&*store, &key("b")).await, None);
}

/// Body, entries, `due` and `ttl` are those of the last put; nothing is kept of the one before.
pub async fn a_put_replaces_the_whole_record(store: Arc<dyn Store>, clock: Arc<FakeClock>) {
    let full = NewRecord {
        body: Bytes::from_static(b"{\"n\":\"\\u0000\xc3\xa9\"}"),
        index: vec![entry(Slot::Kind, "k", "1"), entry(Slot::User, "u", "1")],
        due: Some(time(2_000)),
        ttl: Some(time(3_000)),
        ..record(key("a"))
    };
    commit(&*store, vec![Operation::Put(full.clone(), Guard::Absent)]).await;
    let found = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((found.body, found.due, found.ttl), (full.body, full.due, full.ttl));
    commit(&*store, vec![update(key("a"), 1)]).await;
    let found = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((found.body, found.due, found.ttl), (record(key("a")).body, None, None));
    clock.set(time(9_000));
    assert_eq!(version(&*store, &key("a")).await, Some(2));
    assert_eq!(ask(&*store, &Query::index(Slot::User, "u", 9)).await.records, []);
}

/// Many write the same record at once: each version is written by exactly one, and the others learn of it.
pub async fn one_committer_wins_per_version(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    const COMMITTERS: usize = 8;
    let shared = key("shared");
    commit(&*store, vec![create(shared.clone())]).await;
    for version in 1..=20 {
        let attempt = |n: usize| {
            let own = create(Key::new("won", format!("{version:02}-{n}")));
            store.commit(vec![own, update(shared.clone(), version)])
        };
        let answers = join_all((0..COMMITTERS).map(attempt)).await;
        let lost = answers.iter().filter(|answer| **answer == conflict(&[1])).count();
        assert_eq!((answers.iter().filter(|answer| answer.is_ok()).count(), lost), (1, COMMITTERS - 1));
    }
    assert_eq!(version(&*store, &shared).await, Some(21));
    assert_eq!(ask(&*store, &Query::partition("won", 1_000)).await.records.len(), 20);
}

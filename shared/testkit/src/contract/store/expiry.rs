//! A record whose `ttl` has come is gone, whenever it is removed.

use ports::{Guard, NewRecord, Operation, Query, Scope, Slot, Store, StoreError};
use std::sync::Arc;

use super::{ask, commit, entry, key, record, sorts, time, update, version};
use crate::FakeClock;

/// Three records in a partition, an index and the due index; `b` is gone from 2,000 ms on.
async fn three(store: &dyn Store) {
    let put = |sort: &str| {
        let ttl = (sort == "b").then(|| time(2_000));
        let index = vec![entry(Slot::Kind, "k", sort)];
        Operation::Put(NewRecord { index, due: Some(time(500)), ttl, ..record(key(sort)) }, Guard::Absent)
    };
    commit(store, vec![put("a"), put("b"), put("c")]).await;
}

fn scopes() -> [Scope; 3] {
    [Scope::Partition("p".to_owned()), Scope::Index(Slot::Kind, "k".to_owned()), Scope::Due(time(9_000))]
}

/// To `get` and to every query, from the very moment.
pub async fn expired_records_are_invisible(store: Arc<dyn Store>, clock: Arc<FakeClock>) {
    three(&*store).await;
    clock.set(time(1_999));
    assert_eq!(version(&*store, &key("b")).await, Some(1));
    for scope in scopes() {
        assert_eq!(sorts(&ask(&*store, &Query::new(scope, 9)).await), ["a", "b", "c"]);
    }
    clock.set(time(2_000));
    assert_eq!(version(&*store, &key("b")).await, None);
    for scope in scopes() {
        let page = ask(&*store, &Query::new(scope.clone(), 2)).await;
        assert_eq!((sorts(&page), &page.next), (vec!["a", "c"], &None));
        let skipped = ask(&*store, &Query { skip: 1, ..Query::new(scope, 2) }).await;
        assert_eq!(sorts(&skipped), ["c"]);
    }
}

/// Totals leave them out.
pub async fn expired_records_do_not_count(store: Arc<dyn Store>, clock: Arc<FakeClock>) {
    three(&*store).await;
    for (now, expected) in [(1_000, 3), (2_000, 2)] {
        clock.set(time(now));
        for scope in scopes().into_iter().take(2) {
            let total = ask(&*store, &Query { count: true, ..Query::new(scope, 1) }).await.total;
            assert!(total.is_none_or(|total| total == expected), "{total:?} instead of {expected}");
        }
    }
}

/// To a guard there is no such record; a new one starts at version 1 and inherits no index entry.
pub async fn expired_records_fail_no_absent_guard(store: Arc<dyn Store>, clock: Arc<FakeClock>) {
    three(&*store).await;
    commit(&*store, vec![Operation::Put(NewRecord { ttl: Some(time(2_000)), ..record(key("a")) }, Guard::Version(1))])
        .await;
    clock.set(time(2_000));
    let failed = Err(StoreError::Conflict { failed: vec![0] });
    assert_eq!(store.commit(vec![update(key("b"), 1)]).await, failed);
    assert_eq!(store.commit(vec![Operation::Check(key("a"), Guard::Version(2))]).await, failed);
    assert_eq!(store.commit(vec![Operation::Delete(key("b"), Some(Guard::Version(1)))]).await, failed);
    commit(&*store, vec![Operation::Check(key("a"), Guard::Absent), Operation::Put(record(key("b")), Guard::Absent)])
        .await;
    assert_eq!(version(&*store, &key("b")).await, Some(1));
    assert_eq!(sorts(&ask(&*store, &Query::partition("p", 9)).await), ["b", "c"]);
    assert_eq!(sorts(&ask(&*store, &Query::index(Slot::Kind, "k", 9)).await), ["c"]);
    commit(&*store, vec![Operation::Delete(key("a"), None)]).await;
    assert_eq!(version(&*store, &key("a")).await, None);
}

/// The last put's `ttl` is the one that counts, also where it is later than the one before or has passed already.
pub async fn a_later_ttl_keeps_a_record(store: Arc<dyn Store>, clock: Arc<FakeClock>) {
    three(&*store).await;
    let until = |millis, version| {
        vec![Operation::Put(NewRecord { ttl: Some(time(millis)), ..record(key("b")) }, Guard::Version(version))]
    };
    commit(&*store, until(4_000, 1)).await;
    clock.set(time(3_999));
    assert_eq!(version(&*store, &key("b")).await, Some(2));
    commit(&*store, until(3_000, 2)).await;
    assert_eq!(version(&*store, &key("b")).await, None);
}

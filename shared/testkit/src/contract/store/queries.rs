//! Order, pages, ranges, what is due.
#![expect(clippy::unwrap_used, reason = "a case fails by panicking")]

use model::Timestamp;
use ports::{Guard, Key, NewRecord, Operation, Query, Scope, Slot, Store};
use std::sync::Arc;

use super::{ask, commit, create, entry, indexed, key, record, sorts, time, walk};
use crate::FakeClock;

/// Texts in the order of their bytes, which is not that of UTF-16 and knows no language.
const ORDERED: [&str; 9] = ["\u{1}", "A", "Z", "a", "a\u{0}", "a!", "aa", "\u{ffff}", "\u{10000}"];

fn scopes() -> [Scope; 2] {
    [Scope::Partition("p".to_owned()), Scope::Index(Slot::Status, "running".to_owned())]
}

/// Records `names` in that order of both scopes: the place in the index is the sort key.
async fn fill(store: &dyn Store, names: &[&str]) {
    commit(store, names.iter().map(|name| indexed(name, name)).collect()).await;
}

/// In both directions, and in an index as well.
pub async fn partitions_are_ordered_by_bytes(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let mut names = ORDERED;
    names.reverse();
    fill(&*store, &names).await;
    for scope in scopes() {
        assert_eq!(sorts(&ask(&*store, &Query::new(scope.clone(), 99)).await), ORDERED);
        assert_eq!(sorts(&ask(&*store, &Query::new(scope, 99).descending()).await), names);
    }
}

/// Not with those whose name begins alike, nor with an index partition of that name, nor with the same of another slot.
pub async fn partitions_do_not_mix(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    for partition in ["p", "p\u{0}", "p1", "P", "running"] {
        let own = NewRecord { index: vec![entry(Slot::Rule, partition, "1")], ..record(Key::new(partition, "only")) };
        commit(&*store, vec![Operation::Put(own, Guard::Absent)]).await;
    }
    fill(&*store, &["a"]).await;
    assert_eq!(sorts(&ask(&*store, &Query::partition("p", 9)).await), ["a", "only"]);
    assert_eq!(sorts(&ask(&*store, &Query::partition("p", 9).descending()).await), ["only", "a"]);
    assert_eq!(sorts(&ask(&*store, &Query::index(Slot::Status, "running", 9)).await), ["a"]);
    assert_eq!(ask(&*store, &Query::index(Slot::Rule, "p", 9)).await.records.len(), 1);
    assert_eq!(ask(&*store, &Query::index(Slot::Action, "running", 9)).await.records, []);
}

/// Records with equal places come by partition, then by sort key.
pub async fn index_ties_are_ordered_by_key(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let put = |partition: &str, sort: &str, place: &str| {
        let index = vec![entry(Slot::Parent, "x", place)];
        Operation::Put(NewRecord { index, ..record(Key::new(partition, sort)) }, Guard::Absent)
    };
    commit(
        &*store,
        vec![put("q", "2", "m"), put("p", "4", "m"), put("q", "1", "m"), put("r", "0", "a"), put("p", "3", "m")],
    )
    .await;
    let ordered = ["0", "3", "4", "1", "2"];
    for limit in 1..=5 {
        assert_eq!(walk(&*store, Query::index(Slot::Parent, "x", limit)).await, ordered);
        let mut reversed = walk(&*store, Query::index(Slot::Parent, "x", limit).descending()).await;
        reversed.reverse();
        assert_eq!(reversed, ordered);
    }
}

/// Whatever the page's length, nothing is repeated or left out, and the last page says that it is.
pub async fn pages_join_to_the_whole(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    fill(&*store, &ORDERED).await;
    for scope in scopes() {
        for limit in 1..=10 {
            assert_eq!(walk(&*store, Query::new(scope.clone(), limit)).await, ORDERED);
            let mut reversed = walk(&*store, Query::new(scope.clone(), limit).descending()).await;
            reversed.reverse();
            assert_eq!(reversed, ORDERED);
        }
        assert_eq!(ask(&*store, &Query::new(scope, 9)).await.next, None);
    }
}

/// Between two pages records come and go, among them the one that the first page ended with.
pub async fn pages_are_stable_while_writes_go_on(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    fill(&*store, &["b", "d", "f", "h", "j"]).await;
    for (scope, new) in scopes().into_iter().zip([["a", "g", "z"], ["a1", "g1", "z1"]]) {
        let before = walk(&*store, Query::new(scope.clone(), 1_000)).await;
        let first = ask(&*store, &Query::new(scope.clone(), 2)).await;
        let back = ask(&*store, &Query::new(scope.clone(), 2).descending()).await;
        let last = first.records.last().unwrap();
        commit(&*store, vec![Operation::Delete(last.key.clone(), Some(Guard::Version(last.version)))]).await;
        fill(&*store, &new).await;
        let after = walk(&*store, Query::new(scope.clone(), 1_000)).await;
        let behind = |sort: &String| *sort > last.key.sort;
        let rest = walk(&*store, Query { cursor: first.next.clone(), ..Query::new(scope.clone(), 2) }).await;
        assert_eq!(rest, after.iter().filter(|sort| behind(sort)).cloned().collect::<Vec<_>>());
        let end = &back.records.last().unwrap().key.sort;
        let mut rest =
            walk(&*store, Query { cursor: back.next.clone(), ..Query::new(scope.clone(), 2).descending() }).await;
        rest.reverse();
        assert_eq!(rest, after.iter().filter(|sort| *sort < end).cloned().collect::<Vec<_>>());
        assert_eq!(before.len() + new.len() - 1, after.len());
    }
}

/// From is inside and until is not, in both directions, with a cursor on either side of the range.
pub async fn ranges_cut_both_ends(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    fill(&*store, &["a", "b", "c", "d", "e"]).await;
    let range = |scope: &Scope, from: Option<&str>, until: Option<&str>| Query {
        from: from.map(str::to_owned),
        until: until.map(str::to_owned),
        ..Query::new(scope.clone(), 2)
    };
    for scope in scopes() {
        for (from, until, expected) in [
            (Some("b"), Some("e"), "bcd"),
            (Some("aa"), Some("dd"), "bcd"),
            (Some("b"), None, "bcde"),
            (None, Some("c"), "ab"),
            (Some("c"), Some("c"), ""),
            (Some("d"), Some("b"), ""),
            (Some("f"), None, ""),
        ] {
            let query = range(&scope, from, until);
            assert_eq!(walk(&*store, query.clone()).await.concat(), expected);
            let reversed: String = expected.chars().rev().collect();
            assert_eq!(walk(&*store, query.descending()).await.concat(), reversed);
        }
        let low = ask(&*store, &Query::new(scope.clone(), 1)).await.next;
        let high = ask(&*store, &Query::new(scope.clone(), 1).descending()).await.next;
        let within = range(&scope, Some("c"), Some("e"));
        assert_eq!(walk(&*store, Query { cursor: low.clone(), ..within.clone() }).await.concat(), "cd");
        assert_eq!(walk(&*store, Query { cursor: high.clone(), ..within.clone() }).await.concat(), "");
        assert_eq!(walk(&*store, Query { cursor: high, ..within.clone().descending() }).await.concat(), "dc");
        assert_eq!(walk(&*store, Query { cursor: low, ..within.descending() }).await.concat(), "");
    }
}

/// From the start, from the end, in a range, behind a cursor, and past all of them.
pub async fn skip_leaves_out_the_first(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    fill(&*store, &["a", "b", "c", "d", "e"]).await;
    for scope in scopes() {
        let skip = |skip| Query { skip, ..Query::new(scope.clone(), 2) };
        assert_eq!(walk(&*store, skip(0)).await.concat(), "abcde");
        assert_eq!(walk(&*store, skip(3)).await.concat(), "de");
        assert_eq!(walk(&*store, skip(1).descending()).await.concat(), "dcba");
        assert_eq!(walk(&*store, Query { from: Some("b".to_owned()), ..skip(2) }).await.concat(), "de");
        assert_eq!(walk(&*store, Query { until: Some("d".to_owned()), ..skip(1).descending() }).await.concat(), "ba");
        let cursor = ask(&*store, &skip(0)).await.next;
        assert_eq!(walk(&*store, Query { cursor, ..skip(1) }).await.concat(), "de");
        for past in [5, 6, u64::MAX] {
            let page = ask(&*store, &skip(past)).await;
            assert_eq!((page.records.len(), page.next), (0, None));
        }
    }
}

/// A total is of the whole scope, whatever the page, and right after every commit.
pub async fn totals_follow_the_scope(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let names = ["a", "b", "c", "d", "e"];
    for (step, name) in names.iter().enumerate() {
        fill(&*store, &[name]).await;
        for scope in scopes() {
            let query = Query { count: true, from: Some("c".to_owned()), skip: 1, ..Query::new(scope, 1) };
            let total = ask(&*store, &query).await.total;
            assert!(total.is_none_or(|total| total == step as u64 + 1), "{total:?} in step {step}");
            assert_eq!(ask(&*store, &Query { count: false, ..query }).await.total, None);
        }
    }
    commit(&*store, vec![Operation::Delete(key("a"), None), Operation::Put(record(key("b")), Guard::Version(1))]).await;
    for (scope, expected) in scopes().into_iter().zip([4, 3]) {
        let total = ask(&*store, &Query { count: true, ..Query::new(scope, 1) }).await.total;
        assert!(total.is_none_or(|total| total == expected), "{total:?} instead of {expected}");
    }
    let none = ask(&*store, &Query { count: true, ..Query::partition("none", 1) }).await;
    assert!(none.total.is_none_or(|total| total == 0));
}

/// They move, change, come and go in the commit of their record.
pub async fn index_entries_follow_their_record(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let store = &*store;
    let put = |index, guard| vec![Operation::Put(NewRecord { index, ..record(key("a")) }, guard)];
    let status = |name: &'static str| async move { ask(store, &Query::index(Slot::Status, name, 9)).await.records };
    commit(store, put(vec![entry(Slot::Status, "running", "1"), entry(Slot::Kind, "k", "1")], Guard::Absent)).await;
    assert_eq!(status("running").await.len(), 1);
    commit(store, put(vec![entry(Slot::Kind, "k", "1"), entry(Slot::Status, "failed", "1")], Guard::Version(1))).await;
    assert_eq!((status("running").await.len(), status("failed").await.len()), (0, 1));
    let kinds = ask(store, &Query::index(Slot::Kind, "k", 9)).await.records;
    assert_eq!(kinds.first().map(|record| record.version), Some(2));
    commit(store, put(vec![entry(Slot::Status, "failed", "2"), entry(Slot::User, "u", "1")], Guard::Version(2))).await;
    let late = Query { from: Some("2".to_owned()), ..Query::index(Slot::Status, "failed", 9) };
    assert_eq!((status("failed").await.len(), ask(store, &late).await.records.len()), (1, 1));
    assert_eq!(ask(store, &Query::index(Slot::Kind, "k", 9)).await.records, []);
    commit(store, vec![Operation::Delete(key("a"), Some(Guard::Version(3)))]).await;
    assert_eq!(status("failed").await, []);
    assert_eq!(ask(store, &Query::index(Slot::User, "u", 9)).await.records, []);
}

/// A query gives what `get` gives.
pub async fn records_come_whole(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let index = vec![entry(Slot::Status, "running", "1")];
    let full = NewRecord { index, due: Some(time(5)), ttl: Some(time(5_000)), ..record(key("a")) };
    commit(&*store, vec![Operation::Put(full, Guard::Absent)]).await;
    let record = store.get(&key("a")).await.unwrap().unwrap();
    for scope in scopes().into_iter().chain([Scope::Due(time(5))]) {
        assert_eq!(ask(&*store, &Query::new(scope, 1)).await.records, std::slice::from_ref(&record));
    }
}

/// By time, then by key; up to the time asked for; in pages; not once `due` is taken away.
pub async fn due_records_come_in_order(store: Arc<dyn Store>, _: Arc<FakeClock>) {
    let put = |sort: &str, due: i64| {
        Operation::Put(NewRecord { due: Some(Timestamp::from_micros(due)), ..record(key(sort)) }, Guard::Absent)
    };
    let other = NewRecord { due: Some(Timestamp::from_micros(7)), ..record(Key::new("o", "z")) };
    commit(&*store, vec![put("c", 7), put("e", 9), put("b", 7), put("a", 10), put("past", -1), create(key("never"))])
        .await;
    commit(&*store, vec![Operation::Put(other, Guard::Absent)]).await;
    for limit in 1..=6 {
        let due = |micros| Query::new(Scope::Due(Timestamp::from_micros(micros)), limit);
        assert_eq!(walk(&*store, due(9)).await, ["past", "z", "b", "c", "e"]);
        assert_eq!(walk(&*store, due(6)).await, ["past"]);
        assert_eq!(walk(&*store, due(-2)).await, Vec::<String>::new());
    }
    let earlier = NewRecord { due: Some(Timestamp::from_micros(1)), ..record(key("e")) };
    commit(
        &*store,
        vec![Operation::Put(record(key("b")), Guard::Version(1)), Operation::Put(earlier, Guard::Version(1))],
    )
    .await;
    assert_eq!(walk(&*store, Query::new(Scope::Due(Timestamp::from_micros(9)), 2)).await, ["past", "e", "z", "c"]);
}

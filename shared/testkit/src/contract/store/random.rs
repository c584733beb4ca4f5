//! Random operations on the store in memory, which is the specification, and on another: every answer must be the same.
#![expect(clippy::unwrap_used, reason = "a case fails by panicking")]

use bytes::Bytes;
use futures::future::BoxFuture;
use ports::{Clock, Guard, IndexEntry, Key, NewRecord, Operation, Page, Query, Scope, Slot, Store};
use proptest::{collection::vec, option, prelude::*};
use std::sync::Arc;

use super::time;
use crate::{FakeClock, MemoryStore};

/// What is done to both stores.
#[derive(Clone, Debug)]
pub struct Step(Action);

#[derive(Clone, Debug)]
enum Action {
    Commit(Vec<Draft>),
    Get(Key),
    /// All pages of a query, or as many as there are before the next one; the drafts are what is committed between them.
    Walk(Query, Vec<Draft>),
    Advance(i64),
    Purge,
}

/// An operation whose guard is made when it is committed: mostly right, so that commits go through.
#[derive(Clone, Debug)]
struct Draft {
    key: Key,
    kind: Kind,
    right: bool,
    version: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Put(NewRecord),
    Delete,
    DeleteAny,
    Check,
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "ba", "b\0", "é", "z"]).prop_map(str::to_owned)
}

fn partition() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["p", "p\0", "q"]).prop_map(str::to_owned)
}

fn a_key() -> impl Strategy<Value = Key> {
    (partition(), name()).prop_map(|(partition, sort)| Key::new(partition, sort))
}

fn slot() -> impl Strategy<Value = Slot> {
    prop::sample::select(vec![Slot::Kind, Slot::Status])
}

fn index() -> impl Strategy<Value = Vec<IndexEntry>> {
    let entry = |slot| {
        option::of((partition(), name()))
            .prop_map(move |found| found.map(|(partition, sort)| IndexEntry { slot, partition, sort }))
    };
    (entry(Slot::Kind), entry(Slot::Status)).prop_map(|(kind, status)| [status, kind].into_iter().flatten().collect())
}

fn draft() -> impl Strategy<Value = Draft> {
    let record = (0..9u8, index(), option::of(0..40i64), option::weighted(0.3, 0..60i64));
    let kind = prop_oneof![
        6 => record.prop_map(|(body, index, due, ttl)| Kind::Put(NewRecord {
            key: Key::new("", ""),
            body: Bytes::from(body.to_string()),
            index,
            due: due.map(time),
            ttl: ttl.map(time),
        })),
        1 => Just(Kind::Delete),
        1 => Just(Kind::DeleteAny),
        1 => Just(Kind::Check),
    ];
    (a_key(), kind, prop::bool::weighted(0.9), 0..3u64).prop_map(|(key, kind, right, version)| Draft {
        key,
        kind,
        right,
        version,
    })
}

fn query() -> impl Strategy<Value = Query> {
    let scope = prop_oneof![
        partition().prop_map(Scope::Partition),
        (slot(), partition()).prop_map(|(slot, partition)| Scope::Index(slot, partition)),
        (0..40i64).prop_map(|due| Scope::Due(time(due))),
    ];
    let range = (option::weighted(0.3, name()), option::weighted(0.3, name()));
    let skip = prop_oneof![3 => Just(0), 1 => 0..4u64];
    (scope, range, any::<bool>(), 1..5usize, skip, any::<bool>()).prop_map(
        |(scope, (from, until), descending, limit, skip, count)| Query {
            scope,
            from,
            until,
            descending,
            limit,
            skip,
            cursor: None,
            count,
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => vec(draft(), 1..6).prop_map(Action::Commit),
        2 => a_key().prop_map(Action::Get),
        5 => (query(), vec(draft(), 0..4)).prop_map(|(query, drafts)| Action::Walk(query, drafts)),
        1 => (1..10i64).prop_map(Action::Advance),
        1 => Just(Action::Purge),
    ]
}

/// Up to so many steps.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(action().prop_map(Step), 1..most)
}

/// The clock that a case starts with.
pub fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::new(time(0), 1))
}

/// Takes out what has expired, or leaves that to later.
pub type Purge<'a> = &'a (dyn Fn() -> BoxFuture<'a, ()> + Sync);

struct Pair<'a> {
    clock: Arc<FakeClock>,
    model: MemoryStore,
    store: &'a dyn Store,
    purge: Purge<'a>,
}

impl Pair<'_> {
    async fn step(&self, step: Action) {
        match step {
            Action::Commit(drafts) => self.commit(drafts).await,
            Action::Get(key) => assert_eq!(self.store.get(&key).await, self.model.get(&key).await),
            Action::Walk(query, drafts) => self.walk(query, drafts).await,
            Action::Advance(millis) => self.clock.set(time(self.clock.now().millis() + millis)),
            Action::Purge => (self.purge)().await,
        }
    }

    async fn commit(&self, drafts: Vec<Draft>) {
        let mut operations = Vec::new();
        for Draft { key, kind, right, version } in drafts {
            let found =
                self.model.get(&key).await.unwrap().map_or(Guard::Absent, |record| Guard::Version(record.version));
            let guard = match (right, version) {
                (true, _) => found,
                (false, 0) => Guard::Absent,
                (false, version) => Guard::Version(version),
            };
            operations.push(match kind {
                Kind::Put(record) => Operation::Put(NewRecord { key, ..record }, guard),
                Kind::Delete => Operation::Delete(key, Some(guard)),
                Kind::DeleteAny => Operation::Delete(key, None),
                Kind::Check => Operation::Check(key, guard),
            });
        }
        assert_eq!(self.store.commit(operations.clone()).await, self.model.commit(operations).await);
    }

    async fn walk(&self, mut query: Query, drafts: Vec<Draft>) {
        let mut drafts = drafts.into_iter();
        loop {
            let (found, expected) = (self.store.query(&query).await.unwrap(), self.model.query(&query).await.unwrap());
            // A store may leave out what it can't tell cheaply.
            let total = found.total.and(expected.total);
            assert_eq!(found, Page { total, ..expected }, "{query:?}");
            let Some(cursor) = found.next else { return };
            query.cursor = Some(cursor);
            query.skip = 0;
            if let Some(draft) = drafts.next() {
                self.commit(vec![draft]).await;
            }
        }
    }
}

/// Does the steps to an empty store, whose clock is that of [`clock`], and to the model, and compares every answer.
pub async fn agree<'a>(store: &'a dyn Store, purge: Purge<'a>, clock: Arc<FakeClock>, steps: Vec<Step>) {
    let pair = Pair { model: MemoryStore::new(clock.clone()), store, purge, clock };
    for Step(action) in steps {
        pair.step(action).await;
    }
    for record in pair.model.records() {
        assert_eq!(store.get(&record.key).await, Ok(Some(record)));
    }
}

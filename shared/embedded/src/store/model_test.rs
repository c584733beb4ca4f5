//! Random operations on the model in memory and on SQLite: every answer must be the same.

use super::*;
use bytes::Bytes;
use model::Timestamp;
use ports::{Cursor, Guard, IndexEntry, NewRecord, Scope, Slot};
use proptest::{collection::vec, option, prelude::*};
use testkit::{FakeClock, MemoryStore};

/// What is done to both stores.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Draft>),
    Get(Key),
    /// All pages of a query, or as many as there are before the next one; the number says what follows a page.
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

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "ba", "b\0", "é", "z"]).prop_map(str::to_owned)
}

fn partition() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["p", "p\0", "q"]).prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = Key> {
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
    (key(), kind, prop::bool::weighted(0.9), 0..3u64).prop_map(|(key, kind, right, version)| Draft {
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

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(draft(), 1..6).prop_map(Step::Commit),
        2 => key().prop_map(Step::Get),
        5 => (query(), vec(draft(), 0..4)).prop_map(|(query, drafts)| Step::Walk(query, drafts)),
        1 => (1..10i64).prop_map(Step::Advance),
        1 => Just(Step::Purge),
    ]
}

struct Pair {
    clock: Arc<FakeClock>,
    model: MemoryStore,
    sqlite: SqliteStore,
}

impl Pair {
    async fn step(&self, step: Step) {
        match step {
            Step::Commit(drafts) => self.commit(drafts).await,
            Step::Get(key) => assert_eq!(self.sqlite.get(&key).await, self.model.get(&key).await),
            Step::Walk(query, drafts) => self.walk(query, drafts).await,
            Step::Advance(millis) => self.clock.set(time(self.clock.now().millis() + millis)),
            Step::Purge => drop(self.sqlite.purge_expired().await.unwrap()),
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
        assert_eq!(self.sqlite.commit(operations.clone()).await, self.model.commit(operations).await);
    }

    async fn walk(&self, mut query: Query, drafts: Vec<Draft>) {
        let mut drafts = drafts.into_iter();
        loop {
            let (found, expected) = (self.sqlite.query(&query).await.unwrap(), self.model.query(&query).await.unwrap());
            assert_eq!(found, expected, "{query:?}");
            let Some(Cursor { sort, key }) = found.next else { return };
            query.cursor = Some(Cursor { sort, key });
            query.skip = 0;
            if let Some(draft) = drafts.next() {
                self.commit(vec![draft]).await;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_does_what_the_model_does(steps in vec(step(), 1..80)) {
        let directory = tempfile::TempDir::new().unwrap();
        let clock = Arc::new(FakeClock::new(time(0), 1));
        let sqlite = SqliteStore::open(&directory.path().join("store.sqlite3"), clock.clone()).unwrap();
        let pair = Pair { model: MemoryStore::new(clock.clone()), sqlite, clock };
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            for step in steps {
                pair.step(step).await;
            }
            for record in pair.model.records() {
                assert_eq!(pair.sqlite.get(&record.key).await, Ok(Some(record)));
            }
        });
    }
}

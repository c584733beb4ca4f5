use super::*;
use bytes::Bytes;
use model::Timestamp;
use ports::{Guard, IndexEntry, NewRecord, Slot};
use proptest::prelude::*;
use tempfile::TempDir;
use testkit::{FakeClock, contract::store::random};

fn run(case: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(case);
}

fn open(clock: Arc<FakeClock>) -> (Arc<dyn Store>, TempDir) {
    let directory = TempDir::new().unwrap();
    (Arc::new(open_in(&directory, clock)), directory)
}

fn open_in(directory: &TempDir, clock: Arc<FakeClock>) -> SqliteStore {
    SqliteStore::open(&file(directory), clock).unwrap()
}

fn file(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("store.sqlite3")
}

testkit::store_contract!(run, open);

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_does_what_the_model_does(steps in random::steps(80)) {
        let (directory, clock) = (TempDir::new().unwrap(), random::clock());
        let store = open_in(&directory, clock.clone());
        let purge = || {
            let purged = async {
                store.purge_expired().await.unwrap();
            };
            Box::pin(purged) as _
        };
        run(random::agree(&store, &purge, clock, steps));
    }
}

fn clock() -> Arc<FakeClock> {
    testkit::contract::store::clock()
}

fn numbered(n: usize) -> Operation {
    let sort = format!("{n:05}");
    let index = vec![IndexEntry { slot: Slot::Kind, partition: "k".to_owned(), sort: sort.clone() }];
    let record = NewRecord { key: Key::new("p", sort), body: Bytes::from_static(b"{}"), index, due: None, ttl: None };
    Operation::Put(record, Guard::Absent)
}

async fn fill(store: &SqliteStore, numbers: std::ops::Range<usize>) {
    for chunk in numbers.collect::<Vec<_>>().chunks(100) {
        store.commit(chunk.iter().map(|n| numbered(*n)).collect()).await.unwrap();
    }
}

/// The number of the record behind `skip` others, and the total.
async fn at(store: &SqliteStore, query: Query, skip: u64) -> (Option<String>, Option<u64>) {
    let page = store.query(&Query { skip, count: true, limit: 1, ..query }).await.unwrap();
    (page.records.into_iter().next().map(|record| record.key.sort), page.total)
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    run(async {
        let directory = TempDir::new().unwrap();
        let store = open_in(&directory, clock());
        fill(&store, 0..10).await;
        let before = store.query(&Query::index(Slot::Kind, "k", 100)).await.unwrap();
        drop(store);
        let store = open_in(&directory, clock());
        assert_eq!(store.query(&Query::index(Slot::Kind, "k", 100)).await.unwrap(), before);
    });
}

#[test]
fn long_skips_and_totals_are_right_while_records_come_and_go() {
    run(async {
        let directory = TempDir::new().unwrap();
        let store = open_in(&directory, clock());
        fill(&store, 0..3_000).await;
        let queries = [Query::partition("p", 1), Query::index(Slot::Kind, "k", 1)];
        for query in queries.clone() {
            assert_eq!(at(&store, query.clone(), 2_500).await, (Some("02500".to_owned()), Some(3_000)));
            assert_eq!(at(&store, query.clone().descending(), 2_500).await, (Some("00499".to_owned()), Some(3_000)));
            assert_eq!(at(&store, query, 3_000).await, (None, Some(3_000)));
        }
        fill(&store, 3_000..4_000).await;
        let gone =
            (0..1_000).map(|n| Operation::Delete(Key::new("p", format!("{:05}", 2 * n)), None)).collect::<Vec<_>>();
        for chunk in gone.chunks(100) {
            store.commit(chunk.to_vec()).await.unwrap();
        }
        for query in queries {
            assert_eq!(at(&store, query.clone(), 1_500).await, (Some("02500".to_owned()), Some(3_000)));
            assert_eq!(at(&store, query.clone().descending(), 1_500).await, (Some("02499".to_owned()), Some(3_000)));
            assert_eq!(at(&store, query.descending(), 2_999).await, (Some("00001".to_owned()), Some(3_000)));
        }
    });
}

#[test]
fn purging_takes_out_what_has_expired_and_nothing_else() {
    run(async {
        let (directory, clock) = (TempDir::new().unwrap(), clock());
        let store = open_in(&directory, clock.clone());
        fill(&store, 0..700).await;
        let expiring = (0..600).map(|n| match numbered(n) {
            Operation::Put(record, _) => {
                Operation::Put(NewRecord { ttl: Some(Timestamp::from_millis(2_000)), ..record }, Guard::Version(1))
            }
            other => other,
        });
        for chunk in expiring.collect::<Vec<_>>().chunks(100) {
            store.commit(chunk.to_vec()).await.unwrap();
        }
        assert_eq!(store.purge_expired().await, Ok(0));
        clock.set(Timestamp::from_millis(2_000));
        assert_eq!(store.purge_expired().await, Ok(600));
        let left = |table: &'static str| {
            let count = format!("SELECT count(*) FROM {table}");
            store.pool.read(|connection| connection.query_row(&count, [], |row| row.get::<_, i64>(0)))
        };
        assert_eq!((left("records"), left("places")), (Ok(100), Ok(100)));
    });
}

#[test]
fn a_newer_file_is_refused() {
    let directory = TempDir::new().unwrap();
    drop(open_in(&directory, clock()));
    Connection::open(file(&directory)).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open(&file(&directory), clock()).err().unwrap();
    assert_eq!(error, OpenError::Newer { path: file(&directory), found: 99, known: 1 });
    assert!(error.to_string().contains("version 99"), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let directory = TempDir::new().unwrap();
    std::fs::write(file(&directory), "no database at all, but long enough to look like one: ".repeat(99)).unwrap();
    let error = SqliteStore::open(&file(&directory), clock()).err().unwrap();
    assert!(
        matches!(&error, OpenError::Store { reason: StoreError::Damaged(hint), .. } if hint.contains("backup")),
        "{error}"
    );
}

#[test]
fn a_damaged_page_is_an_error_and_no_answer() {
    run(async {
        let directory = TempDir::new().unwrap();
        let store = open_in(&directory, clock());
        fill(&store, 0..500).await;
        drop(store);
        let mut bytes = std::fs::read(file(&directory)).unwrap();
        bytes.iter_mut().skip(4_096).for_each(|byte| *byte = 0xa5);
        std::fs::write(file(&directory), bytes).unwrap();
        let store = open_in(&directory, clock());
        let damaged =
            |answer: Result<(), StoreError>| assert!(matches!(answer, Err(StoreError::Damaged(_))), "{answer:?}");
        damaged(store.get(&Key::new("p", "00001")).await.map(|_| ()));
        damaged(store.query(&Query::partition("p", 1)).await.map(|_| ()));
        damaged(store.commit(vec![numbered(7)]).await);
    });
}

#[test]
fn a_full_disk_is_no_lasting_failure() {
    run(async {
        let directory = TempDir::new().unwrap();
        let connection = schema::open_writer(&file(&directory)).unwrap();
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
        let clock: Arc<dyn Clock> = clock();
        let store = SqliteStore::start(connection, &file(&directory), clock).unwrap();
        let big = |n: usize, size: usize| match numbered(n) {
            Operation::Put(record, guard) => {
                Operation::Put(NewRecord { body: Bytes::from("x".repeat(size)), ..record }, guard)
            }
            other => other,
        };
        let (full, small) = futures::join!(store.commit(vec![big(1, 100_000)]), store.commit(vec![big(2, 10)]));
        assert!(matches!(&full, Err(StoreError::Unavailable(hint)) if hint.contains("room")), "{full:?}");
        assert_eq!(small, Ok(()), "a neighbour in the same transaction is written");
        assert_eq!(store.get(&Key::new("p", "00001")).await, Ok(None));
        assert!(store.get(&Key::new("p", "00002")).await.unwrap().is_some());
    });
}

#[test]
fn commits_that_were_taken_are_written_before_the_store_closes() {
    run(async {
        let directory = TempDir::new().unwrap();
        let store = open_in(&directory, clock());
        let mut commits: Vec<_> = (0..50).map(|n| Box::pin(store.commit(vec![numbered(n)]))).collect();
        for commit in &mut commits {
            assert!(futures::poll!(commit).is_pending());
        }
        drop(commits);
        drop(store);
        let store = open_in(&directory, clock());
        assert_eq!(store.query(&Query::partition("p", 100)).await.unwrap().records.len(), 50);
    });
}

#[test]
fn plans_use_the_indexes_and_sort_nothing() {
    let directory = TempDir::new().unwrap();
    let store = open_in(&directory, clock());
    for text in reader::statements() {
        let plan = store.pool.read(|connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>()
        });
        let plan = plan.unwrap().join("; ");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}\n{text}");
    }
}

//! The store's contract, the model, and what the emulator does not do by itself.

use aws::DynamoStore;
use model::Timestamp;
use ports::{Clock, Guard, IndexEntry, Key, NewRecord, Operation, Query, Slot, Store, StoreError};
use proptest::prelude::*;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;
use testkit::{FakeClock, contract::store::random};

use crate::{
    fixture::{Place, patience, run},
    network::{Call, Fault, network},
};

fn store(place: &Place, clock: Arc<dyn Clock>) -> DynamoStore {
    DynamoStore::new(place.clients.dynamodb().clone(), &place.settings.table, clock, patience())
}

fn open(clock: Arc<FakeClock>) -> (Arc<dyn Store>, Place) {
    run(async {
        let place = Place::new().await;
        place.create_table().await;
        (Arc::new(store(&place, clock)) as Arc<dyn Store>, place)
    })
}

testkit::store_contract!(run, open);

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dynamodb_does_what_the_model_does(steps in random::steps(60)) {
        let clock = random::clock();
        let (store, _place) = open(clock.clone());
        run(random::agree(&*store, &|| Box::pin(async {}), clock, steps));
    }

    /// Half of the writes are refused at first, by throttling or by another transaction, or their answers are lost.
    #[test]
    fn faults_that_pass_are_not_seen(steps in random::steps(40), seed in any::<u64>()) {
        let clock = random::clock();
        run(async {
            let place = Place::behind(network(move |call| fault(call, seed))).await;
            place.create_table().await;
            let store = store(&place, clock.clone());
            random::agree(&store, &|| Box::pin(async {}), clock, steps).await;
        });
    }
}

/// The first try of a request, by its number; the second one always goes through.
fn fault(call: &Call<'_>, seed: u64) -> Fault {
    let is_write = ["PutItem", "DeleteItem", "TransactWriteItems"].contains(&call.operation);
    let draw = (call.number ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
    match (call.operation, draw) {
        ("CreateTable", _) => Fault::None,
        _ if call.repeated => Fault::None,
        ("TransactWriteItems", 0..=2) => Fault::conflict(),
        (_, 3..=4) => Fault::refusal(400, "ProvisionedThroughputExceededException"),
        (_, 5) => Fault::refusal(500, "InternalServerError"),
        (_, 6..=8) if is_write => Fault::LostAnswer,
        (_, 9) => Fault::Unreachable,
        _ => Fault::None,
    }
}

fn record(sort: &str) -> NewRecord {
    NewRecord { key: Key::new("p", sort), body: "{}".into(), index: Vec::new(), due: None, ttl: None }
}

fn put(sort: &str, guard: Guard) -> Operation {
    Operation::Put(record(sort), guard)
}

#[test]
fn a_commit_of_one_put_is_no_transaction() {
    run(async {
        let place = Place::new().await;
        place.create_table().await;
        let store = store(&place, testkit::contract::store::clock());
        place.requests.take();
        store.commit(vec![put("a", Guard::Absent)]).await.unwrap();
        store.commit(vec![put("b", Guard::Absent), put("c", Guard::Absent)]).await.unwrap();
        store.get(&Key::new("p", "a")).await.unwrap();
        store.query(&Query::partition("p", 10)).await.unwrap();
        let counts = place.requests.take().into_iter().collect::<Vec<_>>();
        let names = ["DynamoDB.GetItem", "DynamoDB.PutItem", "DynamoDB.Query", "DynamoDB.TransactWriteItems"];
        assert_eq!(counts, names.map(|name| (name.to_owned(), 1)));
    });
}

#[test]
fn what_never_passes_is_given_up_after_the_budget_and_nothing_is_written() {
    run(async {
        let refuse = |call: &Call<'_>| match call.operation {
            "CreateTable" | "GetItem" => Fault::None,
            "TransactWriteItems" => Fault::conflict(),
            _ => Fault::refusal(400, "ThrottlingException"),
        };
        let place = Place::behind(network(refuse)).await;
        place.create_table().await;
        let (client, clock) = (place.clients.dynamodb().clone(), testkit::contract::store::clock());
        let store =
            DynamoStore::new(client, &place.settings.table, clock, patience().with_budget(Duration::from_millis(100)));
        for operations in [vec![put("a", Guard::Absent)], vec![put("a", Guard::Absent), put("b", Guard::Absent)]] {
            let answer = store.commit(operations).await;
            assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        }
        assert_eq!(store.get(&Key::new("p", "a")).await, Ok(None));
        assert!(matches!(store.query(&Query::partition("p", 1)).await, Err(StoreError::Unavailable(_))));
    });
}

/// Index entries that have not followed their record, as DynamoDB has them for moments.
#[test]
fn a_listing_shows_records_as_they_stand() {
    run(async {
        let is_late = Arc::new(AtomicBool::new(false));
        let late = Arc::clone(&is_late);
        let plan = move |call: &Call<'_>| match call.operation {
            "Query" if late.load(Ordering::Relaxed) => Fault::Replay,
            _ => Fault::None,
        };
        let place = Place::behind(network(plan)).await;
        place.create_table().await;
        let store = store(&place, testkit::contract::store::clock());
        let with = |sort: &str, status: &str, guard| {
            let index = vec![IndexEntry { slot: Slot::Status, partition: status.to_owned(), sort: "1".to_owned() }];
            vec![Operation::Put(NewRecord { index, ..record(sort) }, guard)]
        };
        for sort in ["gone", "moved", "stays"] {
            store.commit(with(sort, "running", Guard::Absent)).await.unwrap();
        }
        let running = || async {
            let page = store.query(&Query::index(Slot::Status, "running", 10)).await.unwrap();
            page.records.into_iter().map(|record| (record.key.sort, record.version)).collect::<Vec<_>>()
        };
        assert_eq!(running().await.len(), 3);
        is_late.store(true, Ordering::Relaxed);
        store.commit(with("moved", "failed", Guard::Version(1))).await.unwrap();
        store.commit(with("stays", "running", Guard::Version(1))).await.unwrap();
        store.commit(vec![Operation::Delete(Key::new("p", "gone"), None)]).await.unwrap();
        assert_eq!(running().await, [("stays".to_owned(), 2)]);
    });
}

#[test]
fn the_sweep_finds_what_is_due_in_its_range_the_earliest_first() {
    run(async {
        let place = Place::new().await;
        place.create_table().await;
        let store = store(&place, testkit::contract::store::clock());
        let due = |n: i64| {
            let key = Key::new(format!("execution/{n}"), "record");
            Operation::Put(NewRecord { key, due: Some(Timestamp::from_millis(n)), ..record("") }, Guard::Absent)
        };
        store.commit((0..40).map(due).collect()).await.unwrap();
        let found = |from: Option<i64>, before, limit| {
            let (from, before) = (from.map(Timestamp::from_millis), Timestamp::from_millis(before));
            let wakes = store.due_wakes(from, before, limit);
            async { wakes.await.unwrap().iter().map(|wake| wake.at.millis()).collect::<Vec<_>>() }
        };
        assert_eq!(found(None, 40, 1_000).await, (0..40).collect::<Vec<_>>());
        assert_eq!(found(Some(10), 30, 1_000).await, (10..30).collect::<Vec<_>>());
        assert_eq!(found(Some(10), 30, 7).await, (10..17).collect::<Vec<_>>());
        assert_eq!(found(Some(30), 30, 7).await, Vec::<i64>::new());
    });
}

//! The minute's sweep.

use aws::{DynamoStore, SqsWakes, Swept, SystemClock, sweep};
use model::Timestamp;
use ports::{Clock, Guard, Key, NewRecord, Operation, Store, Wake, Wakes};
use std::sync::Arc;

use crate::fixture::{Place, patience, run};

async fn open() -> (Place, DynamoStore, SqsWakes) {
    let mut place = Place::new().await;
    place.create_table().await;
    place.settings.actions_queue_url = place.create_queue("actions").await;
    place.settings.workflows_queue_url = place.create_queue("workflows").await;
    place.settings.engine_queue_url = place.create_queue("engine").await;
    let client = place.clients.dynamodb().clone();
    let store = DynamoStore::new(client, &place.settings.table, Arc::new(SystemClock), patience());
    let wakes = SqsWakes::new(place.clients.sqs().clone(), &place.settings, patience());
    (place, store, wakes)
}

/// A record that is due so many seconds from then.
fn due(partition: &str, now: Timestamp, seconds: i64) -> Operation {
    let due = Some(Timestamp::from_micros(now.micros() + seconds * 1_000_000));
    let key = Key::new(partition, seconds.to_string());
    Operation::Put(NewRecord { key, body: "{}".into(), index: Vec::new(), due, ttl: None }, Guard::Absent)
}

#[test]
fn what_comes_into_reach_is_sent_ahead_and_what_is_overdue_is_sent_again() {
    run(async {
        let (place, store, wakes) = open().await;
        let now = SystemClock.now();
        // Due in 5 minutes was sent by an earlier sweep, in 20 minutes will be by a later one, since 10 s its first wake is on its way.
        let records = [-600, -61, -10, 300, 839, 899, 901, 1_200].map(|seconds| due("timer/1", now, seconds));
        store.commit(records.into()).await.unwrap();
        assert_eq!(sweep(&store, &wakes, now).await, Ok(Swept { ahead: 2, overdue: 2, left_out: 0 }));
        let mut at_once = place.receive(&place.settings.engine_queue_url).await;
        at_once.sort();
        let expected = ["-600", "-61"].map(|sort| Key::new("timer/1", sort));
        let found: Vec<_> = at_once.iter().map(|body| aws::key_of(body).unwrap()).collect();
        assert_eq!(found, expected);
    });
}

#[test]
fn a_long_queue_is_not_made_longer() {
    run(async {
        let (_place, store, wakes) = open().await;
        let now = SystemClock.now();
        store.commit(vec![due("execution/1", now, -600), due("timer/1", now, -600)]).await.unwrap();
        let waiting = |n: i64| Wake { key: Key::new("execution/2", n.to_string()), at: now };
        wakes.send((0..1_000).map(waiting).collect()).await;
        assert_eq!(sweep(&store, &wakes, now).await, Ok(Swept { ahead: 0, overdue: 2, left_out: 1 }));
    });
}

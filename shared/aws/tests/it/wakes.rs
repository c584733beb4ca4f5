//! Wakes: to whom, when, how many at once, and what a full or broken queue does to them.

use aws::{Settings, SqsWakes, SystemClock, key_of};
use model::Timestamp;
use ports::{Clock, Key, Wake, Wakes};
use std::{collections::BTreeSet, time::Duration};

use crate::{
    fixture::{Place, patience, run},
    network::{Call, Fault, network},
};

async fn queues(place: &mut Place) -> SqsWakes {
    let (actions, engine) = (place.create_queue("actions").await, place.create_queue("engine").await);
    place.settings = Settings { actions_queue_url: actions, engine_queue_url: engine, ..place.settings.clone() };
    place.requests.take();
    SqsWakes::new(place.clients.sqs().clone(), &place.settings, patience())
}

fn wake(partition: &str, sort: usize, at: Timestamp) -> Wake {
    Wake { key: Key::new(partition, sort.to_string()), at }
}

/// Everything that can be taken from a queue now.
async fn taken(place: &Place, url: &str) -> Vec<Key> {
    place.receive(url).await.iter().map(|body| key_of(body).unwrap()).collect()
}

#[test]
fn each_wake_goes_to_its_queue_ten_to_a_request() {
    run(async {
        let mut place = Place::new().await;
        let wakes = queues(&mut place).await;
        let now = SystemClock.now();
        let executions = (0..25).map(|n| wake("execution/1", n, now));
        let others = (0..11).map(|n| wake("trigger_instance/1", n, now));
        wakes.send(executions.chain(others).chain([wake("execution/1", 0, now)]).collect()).await;
        assert_eq!(place.requests.take().into_iter().collect::<Vec<_>>(), [("SQS.SendMessageBatch".to_owned(), 5)]);
        let actions = taken(&place, &place.settings.actions_queue_url).await;
        assert_eq!((actions.len(), actions.iter().collect::<BTreeSet<_>>().len()), (25, 25));
        assert!(actions.iter().all(|key| key.partition == "execution/1"));
        assert_eq!(taken(&place, &place.settings.engine_queue_url).await.len(), 11);
    });
}

#[test]
fn what_is_for_later_is_held_back_and_what_is_for_much_later_is_left_to_the_sweep() {
    run(async {
        let mut place = Place::new().await;
        let wakes = queues(&mut place).await;
        let after = |seconds| SystemClock.now().after(Duration::from_secs(seconds));
        wakes.send(vec![wake("timer/1", 1, after(600)), wake("timer/1", 2, after(100_000))]).await;
        let url = &place.settings.engine_queue_url;
        assert_eq!(taken(&place, url).await, []);
        let held_back = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessagesDelayed;
        let request = place.clients.sqs().get_queue_attributes().queue_url(url).attribute_names(held_back.clone());
        let attributes = request.send().await.unwrap().attributes.unwrap();
        assert_eq!(attributes[&held_back], "1");
    });
}

#[test]
fn a_batch_that_is_taken_in_part_is_sent_again_in_part() {
    run(async {
        let first = |call: &Call<'_>| match (call.operation, call.number) {
            ("SendMessageBatch", 2) => {
                let refused = serde_json::json!([{"Id": "1", "Code": "InternalError", "SenderFault": false}]);
                let taken = serde_json::json!([{"Id": "0", "MessageId": "m", "MD5OfMessageBody": ""}]);
                Fault::Answer(200, serde_json::json!({"Failed": refused, "Successful": taken}).to_string())
            }
            _ => Fault::None,
        };
        let mut place = Place::behind(network(first)).await;
        let wakes = queues(&mut place).await;
        let now = SystemClock.now();
        wakes.send(vec![wake("timer/1", 0, now), wake("timer/1", 1, now)]).await;
        // The first was taken by the answer that was made up, which no queue has seen.
        assert_eq!(taken(&place, &place.settings.engine_queue_url).await, [Key::new("timer/1", "1")]);
    });
}

#[test]
fn a_queue_that_is_not_there_stops_nobody() {
    run(async {
        let place = Place::new().await;
        let wakes = SqsWakes::new(place.clients.sqs().clone(), &place.settings, patience());
        wakes.send(vec![wake("execution/1", 0, SystemClock.now())]).await;
    });
}

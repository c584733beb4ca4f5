//! Events from the bus to a queue and back into events.

use aws::{EventBridgeBus, EventError, S3Blobs, event_of};
use model::{Id, Timestamp, TraceContext, Trigger};
use ports::{Blobs, Bus, BusError, TriggerEvent};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};
use testkit::MemoryBlobs;

use crate::{
    fixture::{Place, patience, run},
    network::{Call, Fault, network},
};

fn event(number: u64, payload: Value) -> TriggerEvent {
    let id = Id::at(Timestamp::from_millis(1_700_000_000_000), number);
    TriggerEvent {
        id,
        trigger: Trigger::new("core.st2.webhook".parse().unwrap(), Map::from_iter([("url".to_owned(), json!("x"))])),
        payload,
        occurrence_time: Timestamp::from_micros(1_700_000_000_000_001),
        trace: TraceContext::new(id, "tag é"),
    }
}

/// A bus all of whose events go to a queue.
struct Line {
    place: Place,
    bus: EventBridgeBus,
    blobs: Arc<dyn Blobs>,
    queue: String,
}

async fn line(place: Place) -> Line {
    place.create_bucket().await;
    let queue = place.create_bus_to("events").await;
    let blobs: Arc<dyn Blobs> = Arc::new(S3Blobs::new(place.clients.s3().clone(), &place.settings.bucket, patience()));
    let client = place.clients.eventbridge().clone();
    let bus = EventBridgeBus::new(client, &place.settings.bus, Arc::clone(&blobs), patience());
    place.requests.take();
    Line { place, bus, blobs, queue }
}

impl Line {
    /// What has arrived, by id, once there are so many.
    async fn arrived(&self, count: usize) -> BTreeMap<Id, TriggerEvent> {
        let mut events = BTreeMap::new();
        while events.len() < count {
            let bodies = self.place.receive(&self.queue).await;
            assert!(!bodies.is_empty(), "{} of {count} events arrived", events.len());
            for body in bodies {
                let envelope: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(envelope["detail-type"], "core.st2.webhook");
                let event = event_of(&envelope["detail"], &*self.blobs).await.unwrap();
                events.insert(event.id, event);
            }
        }
        events
    }
}

fn by_id(events: &[TriggerEvent]) -> BTreeMap<Id, TriggerEvent> {
    events.iter().map(|event| (event.id, event.clone())).collect()
}

#[test]
fn events_arrive_as_they_were_ten_to_a_request() {
    run(async {
        let line = line(Place::new().await).await;
        let events: Vec<_> = (0..25).map(|n| event(n, json!({"n": n, "text": "é\u{0}\n", "f": 0.1}))).collect();
        line.bus.publish(events.clone()).await.unwrap();
        let counts = line.place.requests.take().into_iter().collect::<Vec<_>>();
        assert_eq!(counts, [("EventBridge.PutEvents".to_owned(), 3)]);
        assert_eq!(line.arrived(25).await, by_id(&events));
    });
}

#[test]
fn large_events_go_by_reference_and_many_that_are_not_small_in_several_requests() {
    run(async {
        let line = line(Place::new().await).await;
        let sized = |n, bytes| event(n, json!({"text": "x".repeat(bytes)}));
        let sizes = [300_000, 200_000, 200_000, 249_000, 255_000, 1_000];
        let events: Vec<_> = (0..).zip(sizes).map(|(n, size)| sized(n, size)).collect();
        line.bus.publish(events.clone()).await.unwrap();
        let counts = line.place.requests.take();
        assert_eq!((counts["S3.PutObject"], counts["EventBridge.PutEvents"]), (2, 4));
        assert_eq!(line.arrived(sizes.len()).await, by_id(&events));
    });
}

#[test]
fn entries_that_are_not_taken_are_sent_again_and_no_others() {
    run(async {
        let plan = |call: &Call<'_>| match (call.operation, call.repeated) {
            ("PutEvents", false) if call.number.is_multiple_of(2) => {
                let refused = json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "made up"});
                Fault::Answer(
                    200,
                    json!({"FailedEntryCount": 2, "Entries": [{"EventId": "1"}, refused, refused]}).to_string(),
                )
            }
            ("PutEvents", false) => Fault::Unreachable,
            _ => Fault::None,
        };
        let line = line(Place::behind(network(plan)).await).await;
        let events: Vec<_> = (0..3).map(|n| event(n, json!({}))).collect();
        line.bus.publish(events.clone()).await.unwrap();
        assert!(line.arrived(2).await.into_iter().all(|(id, event)| by_id(&events)[&id] == event));
    });
}

#[test]
fn what_is_refused_for_good_is_said_at_once() {
    run(async {
        let refused = json!({"ErrorCode": "MalformedDetail", "ErrorMessage": "made up"});
        let answer = json!({"FailedEntryCount": 1, "Entries": [refused]}).to_string();
        let place = Place::behind(network(move |_| Fault::Answer(200, answer.clone()))).await;
        let blobs = Arc::new(MemoryBlobs::default());
        let bus = EventBridgeBus::new(place.clients.eventbridge().clone(), "any", blobs, patience());
        let answer = bus.publish(vec![event(1, json!({}))]).await;
        assert_eq!(answer, Err(BusError::Refused("made up (MalformedDetail)".to_owned())));
        assert_eq!(place.requests.take()["EventBridge.PutEvents"], 1);
    });
}

#[test]
fn other_details_are_unreadable() {
    run(async {
        let blobs = MemoryBlobs::default();
        let bare = json!({"specversion": "1.0", "id": "1", "source": "squall", "type": "a.b", "time": "", "datacontenttype": ""});
        let mut referring = bare.clone();
        referring["dataref"] = json!(format!("urn:sha256:{}", "0".repeat(64)));
        for detail in [Value::Null, json!([]), json!({}), bare, referring] {
            assert!(matches!(event_of(&detail, &blobs).await, Err(EventError::Unreadable(_))), "{detail}");
        }
    });
}

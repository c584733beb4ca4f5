//! Requests to AWS for an event, counted as they go out.

use async_trait::async_trait;
use aws::{event_of, key_of};
use engine::{Engine, EngineOptions, Principal};
use model::{
    ExecutionStatus,
    content::{PackFiles, SourceFile},
};
use ports::{Blobs, Canceled, Job, Outcome, OutputSink, Runner};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::fixture::{Place, run};

#[derive(Default)]
struct Runs(AtomicUsize);

#[async_trait]
impl Runner for Runs {
    async fn run(&self, _: Job, _: &dyn OutputSink, _: Canceled) -> Outcome {
        self.0.fetch_add(1, Ordering::Relaxed);
        Outcome { status: ExecutionStatus::Succeeded, result: json!({"succeeded": true}) }
    }
}

/// A pack with a rule on one of its two triggers.
fn pack() -> PackFiles {
    let files = [
        ("pack.yaml", "ref: t\nname: t\ndescription: d\nversion: 1.0.0\nauthor: a\n"),
        (
            "actions/act.yaml",
            "name: act\nrunner_type: local-shell-cmd\nparameters:\n  cmd: {default: \"true\", immutable: true}\n",
        ),
        ("triggers/tick.yaml", "name: tick\npack: t\n"),
        ("triggers/alone.yaml", "name: alone\npack: t\n"),
        ("rules/r.yaml", "name: r\npack: t\nenabled: true\ntrigger: {type: t.tick}\naction: {ref: t.act}\n"),
    ];
    let file = |(path, text): (&str, &str)| SourceFile { path: path.to_owned(), bytes: text.into(), executable: false };
    PackFiles::new(files.map(file).into())
}

/// The platform as its functions see it, and this test in their stead.
struct Platform {
    place: Place,
    engine: Engine,
    events: String,
    runs: Arc<Runs>,
}

impl Platform {
    async fn new() -> Platform {
        let mut place = Place::new().await;
        place.create_table().await;
        place.create_bucket().await;
        place.settings.actions_queue_url = place.create_queue("actions").await;
        place.settings.engine_queue_url = place.create_queue("engine").await;
        let events = place.create_bus_to("events").await;
        let runs = Arc::<Runs>::default();
        let ports = aws::ports(&place.clients, &place.settings, Arc::clone(&runs) as Arc<dyn Runner>);
        let platform = Platform { engine: Engine::new(ports, EngineOptions::default()), place, events, runs };
        platform.engine.register_pack(&Principal::system(), pack()).await.unwrap();
        platform.handle(&platform.place.settings.engine_queue_url).await;
        platform.place.requests.take();
        platform
    }

    /// What a function does with the wakes of a queue.
    async fn handle(&self, queue: &str) {
        for body in self.place.receive(queue).await {
            self.engine.handle(&key_of(&body).unwrap()).await.unwrap();
        }
    }

    /// Emits an event and does what follows from it; says how many requests there were to each service, reads of queues aside.
    async fn cost_of(&self, trigger: &str) -> BTreeMap<String, u64> {
        self.engine.emit(&Principal::system(), trigger, json!({}), None).await.unwrap();
        let blobs: &dyn Blobs = self.engine.ports().blobs.as_ref();
        for body in self.place.receive(&self.events).await {
            let envelope: Value = serde_json::from_str(&body).unwrap();
            self.engine.receive(event_of(&envelope["detail"], blobs).await.unwrap()).await.unwrap();
        }
        self.handle(&self.place.settings.actions_queue_url).await;
        let mut counts = self.place.requests.take();
        counts.retain(|operation, _| !operation.starts_with("SQS.Receive") && !operation.starts_with("SQS.Delete"));
        counts
    }
}

#[test]
fn an_event_that_starts_an_action_takes_three_writes_a_read_and_two_hops() {
    run(async {
        let platform = Platform::new().await;
        let cost = platform.cost_of("t.tick").await.into_iter().collect::<Vec<_>>();
        let expected = [
            ("DynamoDB.GetItem", 1),
            ("DynamoDB.PutItem", 2),
            ("DynamoDB.TransactWriteItems", 1),
            ("EventBridge.PutEvents", 1),
            ("SQS.SendMessageBatch", 1),
        ];
        assert_eq!(cost, expected.map(|(operation, count)| (operation.to_owned(), count)));
        assert_eq!(platform.runs.0.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn an_event_that_nobody_listens_to_takes_one_write() {
    run(async {
        let platform = Platform::new().await;
        let cost = platform.cost_of("t.alone").await.into_iter().collect::<Vec<_>>();
        let expected = [("DynamoDB.PutItem", 1), ("EventBridge.PutEvents", 1)];
        assert_eq!(cost, expected.map(|(operation, count)| (operation.to_owned(), count)));
        assert_eq!(platform.runs.0.load(Ordering::Relaxed), 0);
    });
}

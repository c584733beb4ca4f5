//! Requests to AWS for an event, counted as they go out.

use async_trait::async_trait;
use aws::{event_of, key_of};
use engine::{Engine, EngineOptions, ExecutionRequest, Principal, TraceRequest, WorkflowCall};
use model::{
    ExecutionStatus,
    content::{PackFiles, SourceFile},
};
use ports::{Blobs, Canceled, Job, Outcome, OutputSink, Runner, StateMachineError, StateMachines};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
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

/// Five tasks, one after the other.
const FIVE: &str = "\
version: 1.0
tasks:
  a: {action: t.act, next: [{when: <% succeeded() %>, do: b}]}
  b: {action: t.act, next: [{when: <% succeeded() %>, do: c}]}
  c: {action: t.act, next: [{when: <% succeeded() %>, do: d}]}
  d: {action: t.act, next: [{when: <% succeeded() %>, do: e}]}
  e: {action: t.act}
";

/// A pack with a workflow, and a rule on one of its two triggers.
fn pack() -> PackFiles {
    let files = [
        ("pack.yaml", "ref: t\nname: t\ndescription: d\nversion: 1.0.0\nauthor: a\n"),
        (
            "actions/act.yaml",
            "name: act\nrunner_type: local-shell-cmd\nparameters:\n  cmd: {default: \"true\", immutable: true}\n",
        ),
        ("triggers/tick.yaml", "name: tick\npack: t\n"),
        ("triggers/alone.yaml", "name: alone\npack: t\n"),
        ("actions/five.yaml", "name: five\nrunner_type: orquesta\nentry_point: workflows/five.yaml\nparameters: {}\n"),
        ("actions/workflows/five.yaml", FIVE),
        ("rules/r.yaml", "name: r\npack: t\nenabled: true\ntrigger: {type: t.tick}\naction: {ref: t.act}\n"),
    ];
    let file = |(path, text): (&str, &str)| SourceFile { path: path.to_owned(), bytes: text.into(), executable: false };
    PackFiles::new(files.map(file).into())
}

/// The platform as its functions see it, and this test in their stead.
struct Platform {
    place: Place,
    engine: Engine,
    /// Runs actions, and conducts nothing.
    workers: Engine,
    events: String,
    runs: Arc<Runs>,
}

impl Platform {
    async fn new() -> Platform {
        Platform::with(None).await
    }

    async fn with(machines: Option<Arc<Machines>>) -> Platform {
        let mut place = Place::new().await;
        place.create_table().await;
        place.create_bucket().await;
        let key = place.clients.kms().create_key().send().await.unwrap();
        place.settings.key_id = key.key_metadata.unwrap().key_id;
        place.settings.actions_queue_url = place.create_queue("actions").await;
        place.settings.workflows_queue_url = place.create_queue("workflows").await;
        place.settings.engine_queue_url = place.create_queue("engine").await;
        let events = place.create_bus_to("events").await;
        let runs = Arc::<Runs>::default();
        let mut ports = aws::ports(&place.clients, &place.settings, Arc::clone(&runs) as Arc<dyn Runner>);
        ports.state_machines = machines.map(|machines| machines as Arc<dyn StateMachines>);
        let workers = Engine::new(ports.clone(), EngineOptions { conducts: false, ..EngineOptions::default() });
        let platform = Platform { engine: Engine::new(ports, EngineOptions::default()), workers, place, events, runs };
        platform.engine.register_pack(&Principal::system(), pack()).await.unwrap();
        platform.handle(&platform.place.settings.engine_queue_url).await;
        platform.workers.catalog().await.unwrap();
        platform.place.requests.take();
        platform
    }

    /// What a function does with the wakes of a queue; says how many there were.
    async fn handle(&self, queue: &str) -> usize {
        let bodies = self.place.receive(queue).await;
        let engine = if *queue == self.place.settings.actions_queue_url { &self.workers } else { &self.engine };
        for body in &bodies {
            engine.handle(&key_of(body).unwrap()).await.unwrap();
        }
        bodies.len()
    }

    /// Emits an event and does what follows from it; says how many requests there were to each service, reads of queues aside.
    async fn cost_of(&self, trigger: &str) -> BTreeMap<String, u64> {
        self.engine.emit(&Principal::system(), trigger, json!({}), TraceRequest::default()).await.unwrap();
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

/// Step Functions as far as requests are counted: the interpreter walks, and each request is one.
#[derive(Default)]
struct Machines {
    definition: Mutex<Option<asl::StateMachine>>,
    walk: Mutex<Option<asl::Execution<'static>>>,
    requests: AtomicUsize,
}

impl Machines {
    fn request(&self, act: impl FnOnce(&mut asl::Execution<'static>)) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        act(self.walk.lock().unwrap().as_mut().unwrap());
    }
}

#[async_trait]
impl StateMachines for Machines {
    fn function(&self) -> &str {
        "workflow-engine"
    }

    async fn keep(&self, machines: &BTreeMap<String, String>) -> Result<(), StateMachineError> {
        let (_, definition) = machines.iter().find(|(name, _)| name.starts_with("five-")).unwrap();
        *self.definition.lock().unwrap() = Some(serde_json::from_str(definition).unwrap());
        Ok(())
    }

    async fn start(&self, _: &str, _: &str, input: &Value) -> Result<(), StateMachineError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let definition: &'static asl::StateMachine =
            Box::leak(Box::new(self.definition.lock().unwrap().clone().unwrap()));
        *self.walk.lock().unwrap() = Some(asl::Execution::new(definition, input.clone(), 0));
        Ok(())
    }

    async fn succeed(&self, token: &str, answer: &Value) -> Result<(), StateMachineError> {
        self.request(|walk| walk.succeed(&Arc::from(token), answer.clone()).unwrap());
        Ok(())
    }

    async fn fail(&self, _: &str, _: &str, _: &str) -> Result<(), StateMachineError> {
        unreachable!("nothing fails here")
    }

    async fn stop(&self, _: &str, _: &str, _: &str, _: &str) -> Result<(), StateMachineError> {
        unreachable!("nothing is stopped here")
    }
}

impl Platform {
    /// Runs the workflow to its end; gives its requests.
    async fn cost_of_five(&self, machines: Option<&Machines>) -> BTreeMap<String, u64> {
        let request = ExecutionRequest { action: "t.five".to_owned(), ..ExecutionRequest::default() };
        let id = self.engine.request(&Principal::system(), request).await.unwrap().id;
        loop {
            let mut work = self.handle(&self.place.settings.workflows_queue_url).await;
            let calls = machines.and_then(|machines| Some(machines.walk.lock().unwrap().as_mut()?.take_calls()));
            for call in calls.unwrap_or_default() {
                let task = call.payload["task"].as_str().unwrap().to_owned();
                let token = call.token.to_string();
                self.engine.call_workflow(id, WorkflowCall::Run { task, route: 0, token }).await.unwrap();
                work += 1;
            }
            work += self.handle(&self.place.settings.actions_queue_url).await;
            let cost = self.place.requests.counts();
            if work == 0 {
                let ended = self.engine.execution(&Principal::system(), id).await.unwrap();
                assert_eq!(ended.status, ExecutionStatus::Succeeded);
                let read = |operation: &String| {
                    ["SQS.Receive", "SQS.Delete"].iter().any(|prefix| operation.starts_with(prefix))
                };
                return cost.into_iter().filter(|(operation, _)| !read(operation)).collect();
            }
        }
    }
}

fn expected(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
}

#[test]
fn a_workflow_of_five_tasks_conducted_directly() {
    run(async {
        let platform = Platform::new().await;
        let cost = platform.cost_of_five(None).await;
        let counts = [
            ("DynamoDB.GetItem", 12),
            ("DynamoDB.PutItem", 6),
            ("DynamoDB.Query", 7),
            ("DynamoDB.TransactWriteItems", 11),
            ("KMS.GenerateDataKey", 1),
            ("S3.GetObject", 1),
            ("SQS.SendMessageBatch", 11),
        ];
        assert_eq!(cost, expected(&counts));
    });
}

#[test]
fn a_workflow_of_five_tasks_walked_through_by_a_state_machine() {
    run(async {
        let machines = Arc::<Machines>::default();
        let platform = Platform::with(Some(Arc::clone(&machines))).await;
        platform.engine.draw_workflows().await.unwrap();
        platform.place.requests.take();
        let cost = platform.cost_of_five(Some(&machines)).await;
        let transitions = machines.walk.lock().unwrap().as_ref().unwrap().visited().len();
        assert_eq!((transitions, machines.requests.load(Ordering::Relaxed)), (5, 6));
        let counts = [
            ("DynamoDB.GetItem", 12),
            ("DynamoDB.PutItem", 6),
            ("DynamoDB.Query", 12),
            ("DynamoDB.TransactWriteItems", 16),
            ("KMS.GenerateDataKey", 1),
            ("SQS.SendMessageBatch", 11),
        ];
        assert_eq!(cost, expected(&counts));
    });
}

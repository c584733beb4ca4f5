//! What an event costs, counted.

use async_trait::async_trait;
use engine::{EngineOptions, ExecutionRequest, PageRequest, Principal, TraceRequest};
use model::{
    ExecutionStatus, Timestamp,
    content::{PackFiles, SourceFile},
};
use ports::{Canceled, Job, Outcome, OutputSink, Runner};
use serde_json::json;
use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicUsize, Ordering},
};
use testkit::{CountingStore, Counts, FakeClock, Platform};

/// Counts what was committed before an action started.
#[derive(Default)]
struct Probe {
    store: OnceLock<Arc<CountingStore>>,
    at_start: Mutex<Option<Counts>>,
    runs: AtomicUsize,
}

#[async_trait]
impl Runner for Probe {
    async fn run(&self, _: Job, _: &dyn OutputSink, _: Canceled) -> Outcome {
        self.runs.fetch_add(1, Ordering::Relaxed);
        *self.at_start.lock().unwrap() = self.store.get().map(|store| store.counts());
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

fn pack(rules: usize) -> PackFiles {
    let mut files = vec![
        ("pack.yaml".to_owned(), "ref: t\nname: t\ndescription: d\nversion: 1.0.0\nauthor: a\n".to_owned()),
        (
            "actions/act.yaml".to_owned(),
            "name: act\nrunner_type: announcement\nparameters:\n  n: {type: integer}\n".to_owned(),
        ),
        (
            "actions/five.yaml".to_owned(),
            "name: five\nrunner_type: orquesta\nentry_point: workflows/five.yaml\n".to_owned(),
        ),
        ("actions/workflows/five.yaml".to_owned(), FIVE.to_owned()),
        ("triggers/tick.yaml".to_owned(), "name: tick\npack: t\n".to_owned()),
        ("triggers/alone.yaml".to_owned(), "name: alone\npack: t\n".to_owned()),
    ];
    for number in 0..rules {
        let rule = format!(
            "name: r{number}\npack: t\nenabled: true\ntrigger: {{type: t.tick}}\ncriteria:\n  trigger.n: {{type: gt, pattern: 0}}\n\
             action: {{ref: t.act, parameters: {{n: '{{{{ trigger.n }}}}'}}}}\n"
        );
        files.push((format!("rules/r{number}.yaml"), rule));
    }
    PackFiles::new(
        files
            .into_iter()
            .map(|(path, text)| SourceFile { path, bytes: text.into_bytes(), executable: false })
            .collect(),
    )
}

async fn platform(rules: usize) -> (Platform, Arc<Probe>) {
    let probe = Arc::<Probe>::default();
    let clock = FakeClock::new(Timestamp::from_millis(1_700_000_000_000), 1);
    let platform = Platform::new(clock, Arc::clone(&probe) as Arc<dyn Runner>, EngineOptions::default());
    assert!(probe.store.set(Arc::clone(&platform.store)).is_ok());
    platform.engine.register_pack(&Principal::system(), pack(rules)).await.unwrap();
    platform.settle().await;
    platform.store.take();
    (platform, probe)
}

#[tokio::test]
async fn an_event_takes_two_commits_before_its_action_starts_and_one_after() {
    let (platform, probe) = platform(1).await;
    platform.engine.emit(&Principal::system(), "t.tick", json!({"n": 1}), TraceRequest::default()).await.unwrap();
    platform.settle().await;
    let before = probe.at_start.lock().unwrap().unwrap();
    let all = platform.store.counts();
    assert_eq!((before.commits, all.commits), (2, 3));
    // One read of the execution that the wake names; content and rules are never read on the way.
    assert_eq!((all.gets, all.queries), (1, 0));
}

#[tokio::test]
async fn an_event_without_listeners_takes_one_commit_and_no_read() {
    let (platform, probe) = platform(1).await;
    platform.engine.emit(&Principal::system(), "t.alone", json!({}), TraceRequest::default()).await.unwrap();
    platform.settle().await;
    let all = platform.store.counts();
    assert_eq!((all.commits, all.gets, all.queries), (1, 0, 0));
    assert_eq!(probe.runs.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_event_for_many_rules_is_committed_in_few_steps_and_every_rule_acts_once() {
    let (platform, probe) = platform(120).await;
    let event =
        platform.engine.emit(&Principal::system(), "t.tick", json!({"n": 5}), TraceRequest::default()).await.unwrap();
    // 120 rules are 240 records: three commits of at most 100.
    assert_eq!(platform.store.counts().commits, 3);
    platform.settle().await;
    assert_eq!(probe.runs.load(Ordering::Relaxed), 120);
    let filter = engine::ExecutionFilter { trigger_instance: Some(event), ..Default::default() };
    let page = PageRequest { limit: 1_000, ..PageRequest::default() };
    let executions = platform.engine.executions(&Principal::system(), &filter, &page).await.unwrap().items;
    assert_eq!(executions.len(), 120);
    assert!(executions.iter().all(|execution| execution.parameters.get("n") == Some(&json!(5))));
}

#[tokio::test]
async fn a_request_by_hand_takes_one_commit_to_accept_and_two_to_run() {
    let (platform, _) = platform(0).await;
    let request = ExecutionRequest { action: "t.act".to_owned(), ..ExecutionRequest::default() };
    platform.engine.request(&Principal::system(), request).await.unwrap();
    assert_eq!(platform.store.take().commits, 1);
    platform.settle().await;
    assert_eq!(platform.store.counts().commits, 2);
}

#[tokio::test]
async fn a_task_of_a_workflow_takes_two_commits() {
    let (platform, probe) = platform(0).await;
    let request = ExecutionRequest { action: "t.five".to_owned(), ..ExecutionRequest::default() };
    let id = platform.engine.request(&Principal::system(), request).await.unwrap().id;
    assert_eq!(platform.settle().await, 0);
    let ended = platform.engine.execution(&Principal::system(), id).await.unwrap();
    assert_eq!((ended.status, probe.runs.load(Ordering::Relaxed)), (ExecutionStatus::Succeeded, 5));
    // The request, the first turn; for each task its claim, and its end with the turn that follows from it.
    assert_eq!(platform.store.counts().commits, 2 + 5 * 2);
}

#[tokio::test]
async fn a_repeated_delivery_is_one_event() {
    let (platform, probe) = platform(1).await;
    let engine = &platform.engine;
    let trigger = model::Trigger::new("t.tick".parse().unwrap(), serde_json::Map::new());
    let id = model::Id::named(&["delivery", "1"]);
    let event = ports::TriggerEvent {
        id,
        trigger,
        payload: json!({"n": 1}),
        occurrence_time: Timestamp::from_millis(1_700_000_000_000),
        trace: model::TraceContext::new(id, "t"),
    };
    for _ in 0..3 {
        engine.receive(event.clone()).await.unwrap();
        platform.settle().await;
    }
    assert_eq!(probe.runs.load(Ordering::Relaxed), 1);
}

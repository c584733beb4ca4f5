//! What an event costs on AWS, in requests.

use aws::{Clients, RequestCounter, Settings};
use engine::{Engine, EngineOptions, ExecutionFilter, PageRequest, Principal};
use model::{ExecutionStatus, Id, Timestamp, TraceContext, Trigger};
use ports::{Canceled, Job, Key, Outcome, OutputSink, Runner, TriggerEvent};
use serde_json::{Map, json};
use std::{sync::Arc, time::Duration};

use crate::stack::Stack;

/// Does nothing, well.
struct Idle;

#[async_trait::async_trait]
impl Runner for Idle {
    async fn run(&self, _: Job, _: &dyn OutputSink, _: Canceled) -> Outcome {
        Outcome { status: ExecutionStatus::Succeeded, result: json!({}) }
    }
}

/// Requests that change something, and requests that look.
fn split(counter: &RequestCounter) -> (u64, u64) {
    let counts = counter.take();
    let is_read = |operation: &str| ["GetItem", "Query", "BatchGetItem"].iter().any(|name| operation.ends_with(name));
    let sum = |reads: bool| counts.iter().filter(|(name, _)| is_read(name) == reads).map(|(_, count)| count).sum();
    (sum(false), sum(true))
}

async fn host(stack: &Stack, check: Duration) -> (Engine, RequestCounter) {
    let counter = RequestCounter::default();
    let clients = Clients::new(stack.clients().await.config().clone()).counting(counter.clone());
    // Wakes go where no function takes them.
    let nobody = format!("{}-dead-letters", stack.output("UploadsQueueUrl"));
    let settings = Settings { actions_queue_url: nobody, ..stack.settings() };
    let options = EngineOptions { content_check: Some(check), renew_leases: false, ..EngineOptions::default() };
    let engine = Engine::new(aws::ports(&clients, &settings, Arc::new(Idle)), options);
    engine.catalog().await.unwrap();
    counter.take();
    (engine, counter)
}

fn event(kind: &str, parameters: Map<String, serde_json::Value>, payload: serde_json::Value) -> TriggerEvent {
    let id = Id::named(&["budget", kind]);
    TriggerEvent {
        id,
        trigger: Trigger::new(kind.parse().unwrap(), parameters),
        payload,
        occurrence_time: "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap(),
        trace: TraceContext::new(id, "budget"),
    }
}

#[tokio::test]
async fn from_a_trigger_to_the_end_of_its_action_are_four_writes_and_three_reads() {
    let stack = Stack::shared().await;
    let (matching, counter) = host(stack, Duration::ZERO).await;
    // Content that another test changes is read once more; between two changes nothing is.
    let (mut id, mut counted) = (Id::named(&[]), Vec::new());
    for attempt in 0..10 {
        let url = Map::from_iter([("url".to_owned(), json!("chain"))]);
        let mut sent =
            event("core.st2.webhook", url, json!({"headers": {}, "headers_lower": {}, "body": {"n": 7_777}}));
        sent.id = Id::named(&["budget", &attempt.to_string()]);
        id = sent.id;
        matching.receive(sent).await.unwrap();
        counted.push(split(&counter));
        if counted.last() == Some(&(2, 1)) {
            break;
        }
    }
    let Some((writes, reads @ 1)) = counted.last().copied() else {
        panic!("matching is the commit, the wake and the content's pointer: {counted:?}");
    };

    let (running, counter) = host(stack, Duration::from_secs(60)).await;
    let filter = ExecutionFilter { trigger_instance: Some(id), ..ExecutionFilter::default() };
    let listed = matching.executions(&Principal::system(), &filter, &PageRequest::default()).await.unwrap().items;
    let execution = listed.first().expect("an execution").id;
    running.handle(&Key::new(format!("execution/{execution}"), "record")).await.unwrap();
    let (more_writes, more_reads) = split(&counter);
    assert!(
        writes + more_writes <= 4 && reads + more_reads <= 3,
        "{writes}+{more_writes} writes, {reads}+{more_reads} reads"
    );
    let ended = running.execution(&Principal::system(), execution).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_trigger_that_nothing_matches_is_one_write() {
    let stack = Stack::shared().await;
    let (matching, counter) = host(stack, Duration::ZERO).await;
    matching.receive(event("core.st2.key_value_pair.create", Map::new(), json!({}))).await.unwrap();
    assert_eq!(split(&counter), (1, 1));
}

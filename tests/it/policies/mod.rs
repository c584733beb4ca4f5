//! Policies on actions: limits are exact and fair, what ends badly is tried again, and who is to be told is told.

pub(crate) mod world;

use engine::{PageRequest, Principal};
use model::{Execution, ExecutionStatus};
use ports::{Clock, Store};
use serde_json::json;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::task::yield_now;

use world::{HOST, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn limits_hold_under_load() {
    let policies = [
        ("action.concurrency", json!({"threshold": 5})),
        ("action.concurrency.attr", json!({"threshold": 2, "attributes": [HOST]})),
    ];
    let world = World::new(&policies).await;
    for n in 0..300 {
        world.request(json!({"n": n, HOST: format!("h{}", n % 4)})).await;
    }
    world.work(12).await;
    assert_eq!(world.count(ExecutionStatus::Succeeded).await, 300);
    let most = |name: &str| world.watcher.most(name);
    assert!(most("all") <= 5 && most("all") > 1, "{} at once", most("all"));
    for host in ["h0", "h1", "h2", "h3"] {
        assert!(most(host) <= 2, "{} at once on {host}", most(host));
    }
    let waited = |execution: &Execution| execution.log.iter().any(|line| line.status == ExecutionStatus::Delayed);
    assert!(world.executions().await.iter().any(waited));
    assert!(world.is_quiet().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_gets_his_turn_in_order_and_costs_nothing_meanwhile() {
    let world = World::new(&[("action.concurrency", json!({"threshold": 1}))]).await;
    world.watcher.shut.store(true, Ordering::Relaxed);
    let first = world.request(json!({"n": 0})).await;
    let platform = Arc::clone(&world.platform);
    let key = platform.next_wake().unwrap();
    let running = tokio::spawn(async move { platform.engine.handle(&key).await.unwrap() });
    while world.watcher.order().is_empty() {
        yield_now().await;
    }
    let mut waiting = Vec::new();
    for n in 1..100 {
        waiting.push(world.request(json!({"n": n})).await);
        world.platform.settle().await;
    }
    assert_eq!(world.execution(first).await.status, ExecutionStatus::Running);
    assert_eq!(world.count(ExecutionStatus::Delayed).await, 99);
    // One record stands for all who wait.
    let due = world.due(world.platform.clock.now().after(Duration::from_secs(60))).await;
    assert_eq!(due.len(), 2, "the running one and the gate: {due:?}");
    // One gives up, in the middle of the line.
    world.platform.engine.cancel(&Principal::system(), waiting[49]).await.unwrap();

    world.watcher.shut.store(false, Ordering::Relaxed);
    running.await.unwrap();
    world.work(6).await;
    let expected: Vec<i64> = (0..100).filter(|n| *n != 50).collect();
    assert_eq!(world.watcher.order(), expected);
    assert_eq!(world.watcher.most("all"), 1);
    assert_eq!(world.execution(waiting[49]).await.status, ExecutionStatus::Canceled);
    let statuses: Vec<_> = world.execution(waiting[98]).await.log.iter().map(|line| line.status.name()).collect();
    assert_eq!(statuses, ["requested", "delayed", "requested", "scheduled", "running", "succeeded"]);
    assert!(world.is_quiet().await);
}

#[tokio::test]
async fn past_the_limit_may_mean_canceled() {
    let world = World::new(&[("action.concurrency", json!({"threshold": 1, "action": "cancel"}))]).await;
    world.watcher.shut.store(true, Ordering::Relaxed);
    let first = world.request(json!({"n": 1})).await;
    let key = world.platform.next_wake().unwrap();
    let second = {
        let running = world.platform.engine.handle(&key);
        let others = async {
            while world.watcher.order().is_empty() {
                yield_now().await;
            }
            let second = world.request(json!({"n": 2})).await;
            world.platform.settle().await;
            world.watcher.shut.store(false, Ordering::Relaxed);
            second
        };
        futures::join!(running, others).1
    };
    let canceled = world.execution(second).await;
    assert_eq!(canceled.status, ExecutionStatus::Canceled);
    assert_eq!(canceled.context["cancelled_by"], "t.p0");
    assert_eq!(world.execution(first).await.status, ExecutionStatus::Succeeded);
    // The first has ended, and the gate need not have heard of it yet.
    let third = world.request(json!({"n": 3})).await;
    while let Some(key) = world.platform.next_wake() {
        if key.partition.starts_with("execution/") {
            world.platform.engine.handle(&key).await.unwrap();
        }
    }
    assert_eq!(world.execution(third).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn who_vanished_or_whose_policy_is_gone_holds_nobody_back() {
    let world = World::new(&[("action.concurrency", json!({"threshold": 1}))]).await;
    world.watcher.shut.store(true, Ordering::Relaxed);
    let lost = world.request(json!({"n": 1})).await;
    let key = world.platform.next_wake().unwrap();
    {
        // The worker is lost, and what it worked on with it.
        let running = world.platform.engine.handle(&key);
        futures::pin_mut!(running);
        assert!(futures::poll!(running.as_mut()).is_pending());
        world.platform.store.commit(vec![ports::Operation::Delete(key.clone(), None)]).await.unwrap();
    }
    world.watcher.shut.store(false, Ordering::Relaxed);
    let next = world.request(json!({"n": 2})).await;
    world.platform.settle().await;
    assert_eq!(world.execution(next).await.status, ExecutionStatus::Delayed);
    world.pass(Duration::from_secs(61)).await;
    assert_eq!(world.execution(next).await.status, ExecutionStatus::Succeeded);
    assert!(world.platform.engine.execution(&Principal::system(), lost).await.is_err());

    let never = World::new(&[("action.concurrency", json!({"threshold": 0}))]).await;
    let waits = never.request(json!({})).await;
    never.pass(Duration::from_secs(3_600)).await;
    assert_eq!(never.execution(waits).await.status, ExecutionStatus::Delayed);
    never.platform.engine.delete::<model::Policy>(&Principal::system(), &"t.p0".parse().unwrap()).await.unwrap();
    never.pass(Duration::from_secs(61)).await;
    assert_eq!(never.execution(waits).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_workflow_holds_its_place_for_as_long_as_it_runs_and_its_tasks_are_not_tried_again_by_policies() {
    let world = World::on("t.flow", &[("action.concurrency", json!({"threshold": 1}))]).await;
    let mut flows = Vec::new();
    for _ in 0..3 {
        flows.push(world.request_of("t.flow", json!({})).await);
        world.platform.settle().await;
    }
    let status = async |at: usize| world.execution(flows[at]).await.status;
    assert!(!status(0).await.is_final());
    assert_eq!((status(1).await, status(2).await), (ExecutionStatus::Delayed, ExecutionStatus::Delayed));
    let principal = Principal::system();
    world.platform.engine.cancel(&principal, flows[1]).await.unwrap();
    world.platform.settle().await;
    assert_eq!(status(1).await, ExecutionStatus::Canceled);
    for at in [0, 2] {
        let open = world.platform.engine.inquiries(&principal, &PageRequest::default()).await.unwrap().items;
        assert_eq!(open.len(), 1, "one workflow at once");
        world.platform.engine.respond(&principal, open[0].id, json!({"continue": true})).await.unwrap();
        world.platform.settle().await;
        assert_eq!(status(at).await, ExecutionStatus::Succeeded);
    }
    assert!(world.is_quiet().await);

    let world = World::on("t.ask", &[("action.retry", json!({"retry_on": "timeout"}))]).await;
    let flow = world.request_of("t.flow", json!({})).await;
    world.pass(Duration::ZERO).await;
    world.pass(Duration::from_secs(24 * 3_600)).await;
    assert_eq!(world.execution(flow).await.status, ExecutionStatus::Failed);
    assert_eq!(world.executions().await.len(), 2, "the workflow and its one task");
}

#[tokio::test]
async fn starts_are_spread_over_periods_and_an_outage_does_not_heap_them_up() {
    let policy = json!({"limit": 3, "period": 60, "attributes": [HOST]});
    let world = World::new(&[("action.rate_limit", policy)]).await;
    for n in 0..11 {
        world.request(json!({"n": n, HOST: "a"})).await;
    }
    world.request(json!({"n": 100, HOST: "b"})).await;
    let mut started = Vec::new();
    for seconds in [0, 59, 1, 1_000, 59, 1] {
        world.pass(Duration::from_secs(seconds)).await;
        started.push(world.watcher.order().len());
    }
    assert_eq!(started, [4, 4, 7, 10, 10, 12]);
    let order: Vec<i64> = world.watcher.order().into_iter().filter(|n| *n != 100).collect();
    assert_eq!(order, (0..11).collect::<Vec<_>>());
    assert!(world.is_quiet().await);
}

#[tokio::test]
async fn what_fails_is_tried_again_in_the_commit_of_its_end() {
    let world =
        World::new(&[("action.retry", json!({"retry_on": "failure", "max_retry_count": 2, "delay": 1.5}))]).await;
    let first = world.request(json!({"end": "failure", "token": "hunter22"})).await;
    world.platform.store.take();
    world.platform.settle().await;
    assert_eq!(world.platform.store.take().commits, 2, "the claim, and the end with the next try");
    for _ in 0..5 {
        world.pass(Duration::from_millis(1_500)).await;
    }
    let tries = world.executions().await;
    assert_eq!(tries.len(), 3);
    assert!(
        tries.iter().all(|tried| tried.status == ExecutionStatus::Failed && tried.parameters["token"] == "********")
    );
    assert!(tries[0].id == first && tries[0].context.get("policies").is_none());
    for (at, tried) in tries.iter().enumerate().skip(1) {
        let told =
            json!({"retry": {"applied_policy": "t.p0", "retry_count": at, "retried_liveaction_id": tries[at - 1].id}});
        assert_eq!(tried.context["policies"], told);
        assert_eq!(tried.trace, tries[0].trace);
        assert_eq!(tried.log[1].timestamp.since(tries[at - 1].end.unwrap()), Duration::from_millis(1_500));
        let clear = world.platform.engine.parameters(&Principal::system(), tried, true).await.unwrap();
        assert_eq!(clear["token"], "hunter22");
    }
    for end in ["timeout", "success"] {
        let before = world.executions().await.len();
        world.request(json!({"end": end})).await;
        world.pass(Duration::from_secs(10)).await;
        assert_eq!(world.executions().await.len(), before + 1, "{end}");
    }
}

#[tokio::test]
async fn a_limit_that_is_not_reached_costs_two_reads_and_a_commit() {
    let world = World::new(&[("action.concurrency", json!({"threshold": 2}))]).await;
    world.request(json!({})).await;
    world.platform.store.take();
    world.platform.settle().await;
    let counts = world.platform.store.take();
    // The claim and the end take the gate's part with them; then the gate takes note of who left.
    assert_eq!((counts.commits, counts.gets, counts.queries), (3, 3, 1));
}

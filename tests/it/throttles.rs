//! Rules that act only so often, with the store between them: deliveries twice and at once, on two hosts, and over a restart.

use engine::{EnforcementFilter, Engine, EngineOptions, PageRequest, Principal};
use model::{EnforcementStatus, Execution, ExecutionStatus, Id, RuleEnforcement, TraceContext, Trigger};
use ports::{Clock, TriggerEvent};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::policies::world::World;

const HOSTS: [&str; 3] = ["web", "db", "mail"];

/// A world in which `t.alarm` leads to `t.act`, as often as the throttle lets it.
async fn world(throttle: &str) -> World {
    let world = World::new(&[]).await;
    let rule = format!(
        "name: r\npack: a\nenabled: true\ntrigger: {{type: a.alarm}}\ncriteria:\n  trigger.level: {{type: greaterthan, pattern: 3}}\naction:\n  ref: t.act\n  \
         parameters: {{n: \"{{{{ trigger.n }}}}\", host: \"{{{{ trigger.host }}}}\"}}\nthrottle: {throttle}\n"
    );
    let files = [
        ("pack.yaml", "ref: a\nname: a\ndescription: d\nversion: 1.0.0\nauthor: a\n".to_owned()),
        ("triggers/alarm.yaml", "name: alarm\npack: a\n".to_owned()),
        ("rules/r.yaml", rule),
    ];
    world.register(files.map(|(path, text)| (path.to_owned(), text)).to_vec()).await;
    world
}

fn event(world: &World, host: &str, n: i64, level: i64) -> TriggerEvent {
    let id = Id::named(&[host, &n.to_string(), &level.to_string()]);
    TriggerEvent {
        id,
        trigger: Trigger::new("a.alarm".parse().unwrap(), serde_json::Map::new()),
        payload: json!({"host": host, "n": n, "level": level}),
        occurrence_time: world.platform.clock.now(),
        trace: TraceContext::new(id, "t"),
    }
}

/// Another process on the same store.
fn host_beside(world: &World) -> Arc<Engine> {
    Arc::new(Engine::new(world.platform.engine.ports().clone(), EngineOptions::default()))
}

/// Delivers events to both hosts at once; whichever is refused because of the other is delivered again.
async fn deliver(hosts: &[Arc<Engine>], events: Vec<TriggerEvent>) {
    let deliveries =
        events.into_iter().flat_map(|event| hosts.iter().map(move |host| (Arc::clone(host), event.clone())));
    let deliveries = deliveries.map(|(host, event)| {
        tokio::spawn(async move {
            let mut tries = 0;
            while let Err(error) = host.receive(event.clone()).await {
                tries += 1;
                assert!(error.is_retryable() && tries < 1_000, "{error}");
                tokio::task::yield_now().await;
            }
        })
    });
    for delivery in deliveries.collect::<Vec<_>>() {
        delivery.await.unwrap();
    }
}

async fn enforcements(world: &World) -> Vec<RuleEnforcement> {
    let page = PageRequest { limit: 1_000, ..PageRequest::default() };
    let all = world.platform.engine.enforcements(&Principal::system(), &EnforcementFilter::default(), &page).await;
    all.unwrap().items
}

fn by_host(executions: &[Execution]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for execution in executions {
        *counts.entry(execution.parameters["host"].as_str().unwrap()).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_passes_as_often_as_the_throttle_says_whoever_takes_it_in() {
    let world = world("{count: 2, window: 60, group_by: [trigger.host]}").await;
    let hosts = [Arc::clone(&world.platform.engine), host_beside(&world)];
    let flood =
        |first: i64| HOSTS.iter().flat_map(|host| (first..first + 10).map(|n| event(&world, host, n, 5))).collect();
    deliver(&hosts, flood(0)).await;
    // What does not match is not counted.
    deliver(&hosts, vec![event(&world, "quiet", 1, 1)]).await;
    assert_eq!(by_host(&world.executions().await), HOSTS.map(|host| (host, 2)).into());
    let all = enforcements(&world).await;
    let throttled = all.iter().filter(|each| each.status == EnforcementStatus::Throttled).count();
    assert_eq!((all.len(), throttled), (30, 24));

    // A host that was not there counts on in the same window, and begins the next one.
    let started = [host_beside(&world)];
    world.platform.clock.advance(Duration::from_secs(59));
    deliver(&started, flood(10)).await;
    assert_eq!(world.executions().await.len(), 6);
    world.platform.clock.advance(Duration::from_secs(2));
    deliver(&started, flood(20)).await;
    assert_eq!(by_host(&world.executions().await), HOSTS.map(|host| (host, 4)).into());
    world.work(2).await;
    assert_eq!(world.count(ExecutionStatus::Succeeded).await, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_has_to_wait_starts_in_a_later_window() {
    let world = world("{count: 2, window: 60, action: delay}").await;
    let hosts = [Arc::clone(&world.platform.engine), host_beside(&world)];
    deliver(&hosts, (0..7).map(|n| event(&world, "web", n, 5)).collect()).await;
    let ended = async || world.count(ExecutionStatus::Succeeded).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        world.pass(Duration::ZERO).await;
        seen.push(ended().await);
        world.platform.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(seen, [2, 4, 6, 7, 7]);
    assert!(world.is_quiet().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_execution_stands_for_the_rest_of_a_window() {
    let world = world("{count: 1, window: 60, action: merge}").await;
    let hosts = [Arc::clone(&world.platform.engine), host_beside(&world)];
    deliver(&hosts, (0..20).map(|n| event(&world, "web", n, 5)).collect()).await;
    world.pass(Duration::ZERO).await;
    assert_eq!(world.count(ExecutionStatus::Succeeded).await, 1);
    world.pass(Duration::from_secs(60)).await;
    let executions = world.executions().await;
    assert_eq!(executions.iter().filter(|each| each.status == ExecutionStatus::Succeeded).count(), 2);
    let last = executions.iter().max_by_key(|each| each.end).unwrap().id;
    let all = enforcements(&world).await;
    let merged = all.iter().filter(|each| each.status == EnforcementStatus::Throttled && each.execution == Some(last));
    // The one past the count, whose inputs it has, and the 18 that are in it.
    assert_eq!((all.len(), merged.count()), (20, 19));
    assert!(world.is_quiet().await);
}

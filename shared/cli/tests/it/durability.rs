//! The real binary, killed again and again in a storm of webhooks and amid workflows: nothing is lost, nothing happens twice.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::platform::{Api, Platform, write_pack};

const DELIVERIES: usize = 400;
const KILLS: usize = 20;
const CLIENTS: usize = 8;

/// Posts until it is accepted, however often the platform dies meanwhile.
async fn deliver(api: &Api, delivery: usize) {
    let body = json!({"kind": "wanted", "delivery": delivery.to_string()});
    loop {
        if let Some(request) = api.request(reqwest::Method::POST, "webhooks/storm") {
            let request = request.header("X-GitHub-Delivery", format!("delivery-{delivery}")).json(&body);
            if request.send().await.is_ok_and(|answer| answer.status().as_u16() == 202) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn storm(api: &Api, platform: &mut Platform) {
    let accepted = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let (api, accepted) = (api.clone(), Arc::clone(&accepted));
        clients.push(tokio::spawn(async move {
            for delivery in (number..DELIVERIES).step_by(CLIENTS) {
                deliver(&api, delivery).await;
                accepted.fetch_add(1, Ordering::Relaxed);
                // A sender that is not sure sends again.
                if delivery % 10 == 0 {
                    deliver(&api, delivery).await;
                }
            }
        }));
    }
    for kill in 1..=KILLS {
        let enough = DELIVERIES * kill / (KILLS + 1);
        while accepted.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        platform.kill_and_start();
    }
    for client in clients {
        client.await.unwrap();
    }
}

fn write_storm(root: &Path) {
    let effects = root.join("effects");
    let action = format!(
        "name: effect\nrunner_type: local-shell-cmd\nparameters:\n  delivery: {{type: string, required: true}}\n  \
         env: {{immutable: true, default: {{DELIVERY: '{{{{ delivery }}}}'}}}}\n  \
         cmd: {{immutable: true, default: 'echo $DELIVERY >> {}'}}\n",
        effects.display()
    );
    let rule = "name: effect\nenabled: true\ntrigger: {type: core.st2.webhook, parameters: {url: storm}}\n\
                criteria: {trigger.body.kind: {type: eq, pattern: wanted}}\n\
                action: {ref: storm.effect, parameters: {delivery: '{{ trigger.body.delivery }}'}}\n";
    write_pack(root, "storm", &[("actions/effect.yaml", &action), ("rules/effect.yaml", rule)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_webhooks_survives_twenty_kills() {
    let root = tempfile::tempdir().unwrap();
    write_storm(root.path());
    let api = Api::new(root.path());
    let mut platform = Platform::start(root.path());
    storm(&api, &mut platform).await;

    let all_ended = |found: &Value| {
        found
            .as_array()
            .is_some_and(|all| all.len() >= DELIVERIES && all.iter().all(|one| one.get("end_timestamp").is_some()))
    };
    let executions = api.until("executions?action=storm.effect&limit=-1", all_ended).await;
    let mut by_delivery: HashMap<String, Vec<String>> = HashMap::new();
    for execution in executions.as_array().unwrap() {
        let text = |path: &str| execution.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        by_delivery.entry(text("/parameters/delivery")).or_default().push(text("/status"));
    }
    assert_eq!(by_delivery.len(), DELIVERIES, "every delivery that was accepted has an execution");
    let written = std::fs::read_to_string(root.path().join("effects")).unwrap();
    for (delivery, statuses) in by_delivery {
        let times = written.lines().filter(|line| *line == delivery).count();
        match statuses.as_slice() {
            [status] if status == "succeeded" => assert_eq!(times, 1, "delivery {delivery}"),
            [status] if status == "abandoned" => assert!(times <= 1, "delivery {delivery}"),
            other => panic!("delivery {delivery} has executions {other:?}"),
        }
    }
    let instances = api.json("triggerinstances?limit=-1&trigger_type=core.st2.webhook").await.unwrap();
    assert_eq!(instances.as_array().map(Vec::len), Some(DELIVERIES), "a repeated delivery is one event");
}

const WORKFLOWS: usize = 24;
const WORKFLOW_KILLS: usize = 10;

/// A workflow that forks, goes over items and joins; each of its tasks leaves a line.
fn write_flow(root: &Path) {
    let effect = format!(
        "name: effect\nrunner_type: local-shell-cmd\nparameters:\n  line: {{type: string, required: true}}\n  \
         env: {{immutable: true, default: {{LINE: '{{{{ line }}}}'}}}}\n  \
         cmd: {{immutable: true, default: 'echo $LINE >> {}; sleep 0.02'}}\n",
        root.join("effects").display()
    );
    let meta = "name: flow\nrunner_type: orquesta\nentry_point: workflows/flow.yaml\nparameters:\n  n: {type: integer, required: true}\n";
    let flow = "\
version: 1.0
input: [n]
output: [{ended: <% ctx(n) %>}]
tasks:
  first: {action: flow.effect, input: {line: '<% ctx(n) %> first'}, next: [{when: <% succeeded() %>, do: [left, right]}]}
  left: {action: flow.effect, input: {line: '<% ctx(n) %> left'}, next: [{when: <% succeeded() %>, do: last}]}
  right:
    with: i in <% range(3) %>
    action: flow.effect
    input: {line: '<% ctx(n) %> right <% item() %>'}
    next: [{when: <% succeeded() %>, do: last}]
  last: {join: all, action: flow.effect, input: {line: '<% ctx(n) %> last'}}
";
    let files =
        [("actions/effect.yaml", effect.as_str()), ("actions/flow.yaml", meta), ("actions/workflows/flow.yaml", flow)];
    write_pack(root, "flow", &files);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workflows_survive_ten_kills() {
    let root = tempfile::tempdir().unwrap();
    write_flow(root.path());
    let api = Api::new(root.path());
    let mut platform = Platform::start(root.path());
    let path = "executions?action=flow.flow&limit=-1";
    api.until("actions/flow.flow", |found| found.get("ref").is_some()).await;
    for n in 0..WORKFLOWS {
        let request = api.request(reqwest::Method::POST, "executions").unwrap();
        let request = request.json(&serde_json::json!({"action": "flow.flow", "parameters": {"n": n}}));
        assert_eq!(request.send().await.unwrap().status().as_u16(), 201);
    }
    let lines = || std::fs::read_to_string(root.path().join("effects")).unwrap_or_default();
    for kill in 1..=WORKFLOW_KILLS {
        let began = std::time::Instant::now();
        // Each process gets somewhere before it is killed.
        while lines().lines().count() < WORKFLOWS * 6 * kill / (WORKFLOW_KILLS * 2)
            && began.elapsed() < Duration::from_secs(5)
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        platform.kill_and_start();
    }
    let is_over = |one: &Value| one.get("end_timestamp").is_some();
    let all_ended =
        |found: &Value| found.as_array().is_some_and(|all| all.len() == WORKFLOWS && all.iter().all(is_over));
    let workflows = api.until(path, all_ended).await;
    let effects = lines();
    let text = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut whole = 0;
    for workflow in workflows.as_array().unwrap() {
        let children = api.json(&format!("executions/{}/children", text(workflow, "/id"))).await.unwrap();
        let children = children.as_array().unwrap();
        assert!(children.iter().all(is_over), "{children:?}");
        let lost = children.iter().filter(|child| text(child, "/status") == "abandoned").count();
        let n = workflow.pointer("/parameters/n").and_then(Value::as_u64).unwrap();
        let of_it: Vec<&str> = effects.lines().filter(|line| line.split(' ').next() == Some(&n.to_string())).collect();
        let distinct: std::collections::HashSet<&&str> = of_it.iter().collect();
        assert_eq!(of_it.len(), distinct.len(), "a task ran twice: {of_it:?}");
        match text(workflow, "/status").as_str() {
            "succeeded" => {
                assert_eq!((lost, of_it.len(), children.len()), (0, 6, 6), "{of_it:?}");
                whole += 1;
            }
            // Only an action that was under way when its process died is lost, and fails its workflow.
            status => assert!(status == "failed" && lost > 0, "{status}, {lost} lost: {children:?}"),
        }
    }
    assert!(whole > 0, "no workflow came through");
}

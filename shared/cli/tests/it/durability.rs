//! The real binary under a storm of webhooks, killed again and again: nothing is lost, nothing happens twice.

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

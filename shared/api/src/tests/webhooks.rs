//! `/webhooks`

use http::Method;
use serde_json::{Value, json};

use super::world::World;

#[tokio::test]
async fn post_webhooks_url_takes_every_kind_of_body() {
    let world = World::new().await;
    let cases: Vec<Value> = serde_json::from_str(include_str!("webhook_bodies.json")).unwrap();
    for case in cases {
        let mut call = world.request(Method::POST, "/api/v1/webhooks/hooks/push");
        if let Some(media) = case["type"].as_str() {
            call = call.header("content-type", media);
        }
        let reply = call.send(case["body"].as_str().unwrap().to_owned()).await;
        assert_eq!(reply.status, case["status"].as_u64().unwrap() as u16, "{}: {}", case["name"], reply.text);
        match case["fault"].as_str() {
            Some(fault) => assert!(reply.fault().contains(fault), "{}: {}", case["name"], reply.fault()),
            None => assert_eq!(reply.json(), case["echo"], "{}", case["name"]),
        }
    }
}

#[tokio::test]
async fn post_webhooks_url_keeps_headers_and_no_credentials() {
    let world = World::new().await;
    let call = world.request(Method::POST, "/webhooks//hooks/push/").header("X-GitHub-Event", "push");
    let call = call.header("Authorization", "Basic c2VjcmV0").header("Cookie", "auth-token=secret");
    let reply = call.header("St2-Trace-Tag", "my-tag-é").json(&json!({"who": "eve"})).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let id = reply.header("x-trigger-instance-id").to_owned();
    let instance = world.get(&format!("/triggerinstances/{id}")).await.expect(200);
    assert_eq!(instance["payload"]["headers"]["X-Github-Event"], "push");
    assert_eq!(instance["payload"]["headers_lower"]["x-github-event"], "push");
    assert_eq!(instance["payload"]["body"], json!({"who": "eve"}));
    let text = instance.to_string().to_lowercase();
    for part in ["c2vjcmv0", "auth-token", "st2-api-key", "st2-trace-tag"] {
        assert!(!text.contains(part), "{part}");
    }
    let traces = world.get("/traces?trace_tag=my-tag-%C3%A9").await.expect(200);
    assert_eq!(traces.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn post_webhooks_url_knows_a_delivery_again() {
    let world = World::new().await;
    let deliver = async || {
        let call = world.request(Method::POST, "/webhooks/hooks/push").header("X-GitHub-Delivery", "d-1");
        call.json(&json!({"who": "eve"})).await.header("x-trigger-instance-id").to_owned()
    };
    assert_eq!(deliver().await, deliver().await);
    let total = world.get("/triggerinstances").await;
    assert_eq!(total.header("x-total-count"), "1");
}

#[tokio::test]
async fn post_webhooks_url_is_404_where_no_rule_listens() {
    let world = World::new().await;
    let reply = world.post("/webhooks/nobody/listens", json!({})).await;
    assert_eq!(reply.status, 404);
    assert!(reply.fault().contains("nobody/listens"), "{}", reply.fault());
    assert_eq!(world.get("/webhooks/nobody").await.status, 404);
}

#[tokio::test]
async fn post_webhooks_st2_emits_any_trigger() {
    let world = World::new().await;
    let reply = world.post("/webhooks/st2", json!({"trigger": "demo.deployed", "payload": {"to": "prod"}})).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    assert_eq!(reply.json(), json!({"trigger": "demo.deployed", "payload": {"to": "prod"}}));
    let id = reply.header("x-trigger-instance-id").to_owned();
    let instance = world.get(&format!("/triggerinstances/{id}")).await.expect(200);
    assert_eq!((&instance["trigger"], &instance["payload"]), (&json!("demo.deployed"), &json!({"to": "prod"})));
    for (body, status, part) in [
        (json!([1]), 400, "Webhook body needs to be an object, got: an array"),
        (json!({"payload": {}}), 400, "Trigger not specified"),
        (json!({"trigger": "demo.deployed", "payload": [1]}), 400, "must be an object"),
        (json!({"trigger": "demo.nothing"}), 404, "demo.nothing"),
    ] {
        let reply = world.post("/webhooks/st2", body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        assert!(reply.fault().contains(part), "{body}: {}", reply.fault());
    }
}

#[tokio::test]
async fn get_webhooks_lists_the_hooks_that_rules_listen_to() {
    let world = World::new().await;
    let hooks = world.get("/webhooks").await.expect(200);
    let urls: Vec<_> =
        hooks.as_array().unwrap().iter().map(|hook| hook["parameters"]["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["/hooks/push/"]);
    let hook = world.get("/webhooks/hooks/push").await.expect(200);
    assert_eq!((&hook["type"], &hook["pack"]), (&json!("core.st2.webhook"), &json!("core")));
}

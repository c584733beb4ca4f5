//! Trigger instances, enforcements, traces.

use serde_json::{Value, json};

use super::world::World;

/// Delivers a push, lets it run, and returns the trigger instance's id.
async fn push(world: &World, who: &str) -> String {
    let reply = world.post("/webhooks/hooks/push", json!({"who": who})).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let id = reply.header("x-trigger-instance-id").to_owned();
    world.settle().await;
    world.tick();
    id
}

#[tokio::test]
async fn get_triggerinstances_filters_by_trigger_status_and_time() {
    let world = World::new().await;
    let id = push(&world, "eve").await;
    let instance = world.get(&format!("/triggerinstances/{id}")).await.expect(200);
    assert_eq!(
        (&instance["status"], &instance["occurrence_time"]),
        (&json!("processed"), &json!("2026-11-24T12:00:00.000000Z"))
    );
    let count = async |query: &str| {
        let reply = world.get(&format!("/triggerinstances?{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text);
        reply.json().as_array().unwrap().iter().filter(|found| found["id"] == id.as_str()).count()
    };
    let trigger = instance["trigger"].as_str().unwrap();
    for (query, expected) in [
        (format!("trigger={trigger}"), 1),
        ("trigger_type=core.st2.webhook".into(), 1),
        ("status=processed".into(), 1),
        ("status=pending".into(), 0),
        ("timestamp_lt=2026-11-24T12:00:00Z".into(), 0),
        ("timestamp_gt=2026-11-24T11:00:00Z".into(), 1),
        (format!("id={id}"), 1),
    ] {
        assert_eq!(count(&query).await, expected, "{query}");
    }
    assert_eq!(world.get("/triggerinstances?status=done").await.status, 400);
    let bare = world.get("/triggerinstances?exclude_attributes=payload").await.expect(200);
    assert!(bare[0].get("payload").is_none());
}

#[tokio::test]
async fn post_triggerinstances_id_re_emit() {
    let world = World::new().await;
    let id = push(&world, "eve").await;
    let again = world.post(&format!("/triggerinstances/{id}/re_emit"), json!({})).await.expect(200);
    assert_eq!(again["payload"]["__context"]["original_id"], id.as_str());
    assert_eq!(again["message"], format!("Trigger instance {id} successfully re-sent."));
    assert_ne!(again["id"], id.as_str());
}

#[tokio::test]
async fn get_triggerinstances_id_explain_tells_why() {
    let world = World::new().await;
    let id = push(&world, "eve").await;
    let story = world.get(&format!("/triggerinstances/{id}/explain")).await.expect(200);
    assert_eq!(story["trigger_instance"]["payload"]["body"]["who"], "eve");
    let text = story.to_string();
    assert!(!text.contains("sealed") && !text.contains("hunter22"), "{text}");
    let rules = story["rules"].as_array().unwrap();
    let of = |name: &str| rules.iter().find(|rule| rule["rule"] == name).unwrap_or(&Value::Null);
    assert_eq!(
        (&of("demo.push")["enforcement"]["status"], &of("demo.push")["execution"]["status"]),
        (&json!("succeeded"), &json!("succeeded"))
    );
    assert_eq!(
        (&of("demo.never")["execution"], &of("demo.never")["criteria"][0]["value_found"]),
        (&Value::Null, &json!("eve"))
    );
}

#[tokio::test]
async fn get_triggerinstances_id_explain_tells_by_the_rules_of_then() {
    let world = World::new().await;
    let id = push(&world, "eve").await;
    let then = world.get(&format!("/triggerinstances/{id}/explain")).await.expect(200);
    assert_eq!((&then["content_changed"], &then["explained_revision"]), (&json!(false), &then["content_revision"]));
    // Both ways by which content changes: one rule by the API, and a pack in another version.
    let never = world.get("/rules/demo.never?show_secrets=true").await.expect(200);
    let mut changed = never.clone();
    changed["criteria"] = json!({"trigger.body.who": {"type": "equals", "pattern": "eve"}});
    world.put(&format!("/rules/{}", never["id"].as_str().unwrap()), changed).await.expect(200);
    let push_id = world.get("/rules/demo.push").await.expect(200)["id"].clone();
    world.delete(&format!("/rules/{}", push_id.as_str().unwrap())).await.expect(204);
    let metadata = "ref: demo\nname: Demo\ndescription: d\nversion: 9.0.0\nauthor: a\nemail: a@example.com\n";
    world.register(&[("pack.yaml", metadata)]).await.expect(201);
    let now = world.get(&format!("/triggerinstances/{id}/explain")).await.expect(200);
    assert_eq!((&now["content_changed"], &now["explained_revision"]), (&json!(true), &now["content_revision"]));
    assert_eq!(now["rules"], then["rules"]);
    let later = push(&world, "eve").await;
    let other = world.get(&format!("/triggerinstances/{later}/explain")).await.expect(200);
    assert_eq!(other["content_changed"], json!(false));
    assert_ne!(other["rules"], then["rules"]);
    // Where what was replaced is no longer kept, the rules are those of now, and that is said.
    world.forget_content_history().await;
    let lost = world.get(&format!("/triggerinstances/{id}/explain")).await.expect(200);
    assert_eq!((&lost["content_changed"], &lost["explained_revision"]), (&json!(true), &other["content_revision"]));
}

#[tokio::test]
async fn get_ruleenforcements_and_their_views() {
    let world = World::new().await;
    push(&world, "eve").await;
    let list = world.get("/ruleenforcements?rule_ref=demo.push").await;
    assert_eq!((list.header("x-total-count"), list.header("x-limit")), ("1", "50"));
    let one = list.json()[0].clone();
    assert_eq!(
        (&one["rule"]["ref"], &one["rule"]["uid"], &one["status"]),
        (&json!("demo.push"), &json!("rule:demo:push"), &json!("succeeded"))
    );
    let id = one["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/ruleenforcements/{id}")).await.expect(200), one);
    let view = world.get(&format!("/ruleenforcements/views/{id}")).await.expect(200);
    assert_eq!(view["trigger_instance"]["id"], one["trigger_instance_id"]);
    assert_eq!(
        (&view["execution"]["id"], &view["execution"]["action"]["ref"]),
        (&one["execution_id"], &json!("demo.greet"))
    );
    let path = format!("/ruleenforcements/views?execution={}", one["execution_id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.expect(200)[0]["id"], id);
}

#[tokio::test]
async fn get_executions_id_embeds_the_rule_and_the_event() {
    let world = World::new().await;
    push(&world, "eve").await;
    let list = world.get("/executions?rule=demo.push").await.expect(200);
    assert_eq!(list[0]["trigger_type"]["ref"], "core.st2.webhook");
    let one = world.get(&format!("/executions/{}", list[0]["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&one["rule"]["ref"], &one["trigger"]["type"]), (&json!("demo.push"), &json!("core.st2.webhook")));
    assert_eq!(one["trigger_instance"]["payload"]["body"]["who"], "eve");
    assert_eq!(list[0]["trigger_instance"]["id"], one["trigger_instance"]["id"]);
    assert!(!one.to_string().contains("hunter22"), "the rule gives a secret, which is masked: {one}");
}

#[tokio::test]
async fn get_traces_and_their_parts() {
    let world = World::new().await;
    push(&world, "eve").await;
    let execution = world.get("/executions?rule=demo.push").await.expect(200)[0]["id"].as_str().unwrap().to_owned();
    let found = world.get(&format!("/traces?execution={execution}")).await.expect(200);
    let trace = world.get(&format!("/traces/{}", found[0]["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(
        (&trace["action_executions"][0]["object_id"], &trace["rules"][0]["ref"]),
        (&json!(execution), &json!("demo.push"))
    );
    assert_eq!(trace["trigger_instances"].as_array().unwrap().len(), 1);
    assert!(trace["trace_tag"].as_str().unwrap().starts_with("webhook-hooks/push-"), "{trace}");
    assert_eq!(world.get("/traces?rule=demo.push").await.expect(200)[0]["id"], trace["id"]);
    assert_eq!(world.get("/traces?rule=demo.none").await.expect(200), json!([]));
    assert_eq!(world.get("/traces/000000000000000000000000").await.status, 404);
}

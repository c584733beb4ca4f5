//! Actions, rules, triggers, packs and what else is registered.

use http::Method;
use serde_json::{Value, json};

use super::world::World;

fn refs(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item["ref"].as_str().unwrap()).collect()
}

fn rule(name: &str) -> Value {
    json!({
        "name": name, "enabled": true, "trigger": {"type": "demo.deployed"},
        "action": {"ref": "demo.greet", "parameters": {"token_of_trust": "hunter22"}},
    })
}

#[tokio::test]
async fn rules_are_created_read_changed_and_deleted() {
    let world = World::new().await;
    let made = world.post("/api/v1/rules", rule("mine")).await.expect(201);
    assert_eq!((&made["ref"], &made["uid"]), (&json!("default.mine"), &json!("rule:default:mine")));
    assert_eq!(made["type"], json!({"ref": "standard", "parameters": {}}));
    assert_eq!(made["trigger"], json!({"type": "demo.deployed", "parameters": {}, "ref": "demo.deployed"}));
    assert_eq!(
        (&made["context"]["user"], &made["action"]["parameters"]["token_of_trust"]),
        (&json!("ann"), &json!("********"))
    );
    let id = made["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/rules/{id}")).await.expect(200), made);
    let clear = world.get("/rules/default.mine?show_secrets=true").await.expect(200);
    assert_eq!(clear["action"]["parameters"]["token_of_trust"], "hunter22");
    let mut changed = rule("mine");
    changed["enabled"] = json!(false);
    assert_eq!(world.put(&format!("/rules/{id}"), changed).await.expect(200)["enabled"], false);
    let reply = world.put("/rules/default.mine", rule("other")).await;
    assert!(reply.status == 400 && reply.fault().contains("default.other"), "{}", reply.text);
    assert_eq!(world.delete("/rules/default.mine").await.status, 204);
    assert_eq!(world.get("/rules/default.mine").await.status, 404);
    assert_eq!(world.delete("/rules/default.mine").await.status, 404);
}

#[tokio::test]
async fn post_rules_refuses_what_is_wrong() {
    let world = World::new().await;
    let id = world.post("/rules", rule("twice")).await.expect(201)["id"].clone();
    let reply = world.post("/rules", rule("twice")).await;
    assert_eq!((reply.status, &reply.json()["conflict-id"]), (409, &id));
    let mut unknown = rule("a");
    unknown["colour"] = json!("red");
    let mut no_trigger = rule("a");
    no_trigger["trigger"]["type"] = json!("demo.nothing");
    for (body, part) in [(unknown, "colour"), (no_trigger, "demo.nothing"), (json!({"name": "a"}), "trigger")] {
        let reply = world.post("/rules", body).await;
        assert!(reply.status == 400 && reply.fault().contains(part), "{}", reply.text);
    }
}

#[tokio::test]
async fn get_rules_filters_and_pages() {
    let world = World::new().await;
    let all = world.get("/rules").await;
    assert_eq!((all.header("x-total-count"), all.header("x-limit")), ("3", ""));
    assert_eq!(refs(&all.json()), ["demo.beat", "demo.never", "demo.push"]);
    assert_eq!(refs(&world.get("/rules?trigger=core.st2.IntervalTimer").await.expect(200)), ["demo.beat"]);
    let page = world.get("/rules?limit=1&offset=1&sort=-ref").await;
    assert_eq!(
        (refs(&page.json()), page.header("x-limit"), page.header("x-total-count")),
        (vec!["demo.never"], "1", "3")
    );
    let picked = world.get("/rules?include_attributes=ref&name=push").await.expect(200);
    assert_eq!(picked[0].as_object().unwrap().len(), 5, "id, pack, name and trigger come always: {picked}");
}

#[tokio::test]
async fn get_rules_views_add_descriptions() {
    let world = World::new().await;
    let view = world.get("/rules/views/demo.push").await.expect(200);
    assert_eq!((&view["action"]["description"], &view["trigger"]["description"]), (&json!("Greets"), &json!("")));
    assert_eq!(world.get("/rules/views").await.expect(200).as_array().unwrap().len(), 3);
    assert_eq!(view["action"]["parameters"]["token_of_trust"], "********");
    assert_eq!(world.get("/ruletypes").await.expect(200)[1]["name"], "backstop");
}

#[tokio::test]
async fn actions_are_created_read_changed_and_deleted() {
    let world = World::new().await;
    let body = json!({"name": "say", "runner_type": "local-shell-cmd", "parameters": {"cmd": {"default": "echo hi"}}});
    let made = world.post("/actions", body.clone()).await.expect(201);
    assert_eq!(
        (&made["ref"], &made["runner_type"], &made["enabled"]),
        (&json!("default.say"), &json!("local-shell-cmd"), &json!(true))
    );
    let mut changed = body;
    changed["description"] = json!("says it");
    assert_eq!(world.put("/actions/default.say", changed).await.expect(200)["description"], "says it");
    assert_eq!(refs(&world.get("/actions?pack=default").await.expect(200)), ["default.say"]);
    assert_eq!(world.delete("/actions/default.say").await.status, 204);
    assert_eq!(world.delete("/actions/default.say").await.status, 404);
}

#[tokio::test]
async fn get_actions_views() {
    let world = World::new().await;
    let parameters = world.get("/actions/views/parameters/demo.greet").await.expect(200)["parameters"].clone();
    assert!(parameters["timeout"].is_object() && parameters["who"]["default"] == "world", "{parameters}");
    let overview = world.get("/actions/views/overview/demo.greet").await.expect(200);
    assert_eq!(overview["parameters"], parameters);
    assert!(world.get("/actions/demo.greet").await.expect(200)["parameters"].get("timeout").is_none());
    assert_eq!(world.get("/actions/views/overview").await.expect(200)[0]["parameters"], parameters);
    let source = world.get("/actions/views/entry_point/demo.greet").await;
    assert_eq!((source.text.as_str(), source.header("content-type")), ("#!/bin/sh\necho hello\n", "application/x-sh"));
}

#[tokio::test]
async fn triggertypes_are_created_read_changed_and_deleted() {
    let world = World::new().await;
    let body = json!({"name": "sold", "payload_schema": {"type": "object"}});
    assert_eq!(world.post("/triggertypes", body).await.expect(201)["ref"], "default.sold");
    let changed = json!({"name": "sold", "description": "d"});
    assert_eq!(world.put("/triggertypes/default.sold", changed).await.expect(200)["description"], "d");
    assert_eq!(world.get("/triggertypes?pack=core").await.header("x-total-count"), "4");
    assert_eq!(world.get("/triggers/default.sold").await.expect(200)["type"], "default.sold");
    assert_eq!(world.delete("/triggertypes/default.sold").await.status, 204);
    assert_eq!(world.get("/triggertypes/default.sold").await.status, 404);
}

#[tokio::test]
async fn get_triggers_and_timers() {
    let world = World::new().await;
    let triggers = world.get("/triggers?type=core.st2.IntervalTimer").await.expect(200);
    let timers = world.get("/timers").await.expect(200);
    assert_eq!((&timers[0]["id"], &timers[0]["parameters"]["delta"]), (&triggers[0]["id"], &json!(1)));
    let path = format!("/timers/{}", timers[0]["ref"].as_str().unwrap());
    assert_eq!(world.get(&path).await.expect(200)["id"], timers[0]["id"]);
    let by_ref = format!("/triggers/{}", triggers[0]["ref"].as_str().unwrap());
    assert_eq!(world.get(&by_ref).await.expect(200), triggers[0]);
    assert_eq!(world.get("/timers?timer_type=core.st2.CronTimer").await.expect(200), json!([]));
    let reply = world.get("/timers?timer_type=x").await;
    assert!(reply.status == 400 && reply.fault().contains("not in supported types"), "{}", reply.text);
}

#[tokio::test]
async fn packs_are_uploaded_listed_and_refused_with_every_finding() {
    let world = World::new().await;
    let pack = world.get("/packs/demo").await.expect(200);
    assert_eq!(
        (&pack["name"], &pack["version"], &pack["keywords"]),
        (&json!("Demo"), &json!("1.2.3"), &json!(["one"]))
    );
    assert!(pack["files"].as_array().unwrap().contains(&json!("actions/greet.sh")));
    assert_eq!(refs(&world.get("/packs").await.expect(200)), ["core", "demo"]);
    let bad = [("pack.yaml", "ref: bad\nname: bad\nversion: one\n"), ("actions/x.yaml", "name: x\n")];
    let reply = world.register(&bad).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    let diagnostics = reply.json()["diagnostics"].clone();
    assert!(diagnostics.as_array().unwrap().len() > 1, "{diagnostics}");
    assert!(diagnostics[0]["file"].is_string() && diagnostics[0]["code"].is_string());
    let outside = world.register(&[("../evil.yaml", "a: 1\n")]).await;
    assert!(outside.status == 400 && outside.fault().contains("inside a pack"), "{}", outside.text);
    let empty = world.register(&[]).await;
    assert_eq!(empty.status, 400, "{}", empty.text);
    let by_name = world.post("/packs/register", json!({"packs": ["demo"]})).await;
    assert!(by_name.status == 400 && by_name.fault().contains("squall pack register"), "{}", by_name.text);
}

#[tokio::test]
async fn post_packs_versions_has_a_limit_of_its_own() {
    let world = World::new().await;
    let large = "x".repeat(2 * 1024 * 1024);
    let files = [
        ("pack.yaml", "ref: big\nname: big\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.com\n"),
        ("data.txt", large.as_str()),
    ];
    let made = world.register(&files).await.expect(201);
    assert_eq!((&made["pack"], &made["version"]), (&json!("big"), &json!("1.0.0")));
}

#[tokio::test]
async fn get_runnertypes_actionalias_sensortypes_policies() {
    let world = World::new().await;
    assert_eq!(world.get("/runnertypes/local-shell-cmd").await.expect(200)["name"], "local-shell-cmd");
    assert!(world.get("/runnertypes").await.expect(200).as_array().unwrap().len() > 3);
    let alias = world.get("/actionalias/demo.greet").await.expect(200);
    assert_eq!((&alias["action_ref"], &alias["formats"]), (&json!("demo.greet"), &json!(["greet {{ who }}"])));
    assert_eq!(world.get("/sensortypes").await.expect(200), json!([]));
    assert_eq!(world.get("/policies").await.expect(200), json!([]));
    for path in ["/runnertypes/x", "/actionalias/demo.x", "/sensortypes/demo.x", "/policies/x"] {
        let reply = world.request(Method::GET, path).send("").await;
        assert!(reply.status == 404 && reply.fault().starts_with("there is no "), "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn policies_are_created_read_changed_and_deleted() {
    let world = World::new().await;
    let body = json!({
        "name": "few", "pack": "demo", "resource_ref": "demo.greet", "policy_type": "action.concurrency.attr",
        "parameters": {"threshold": 2, "attributes": ["who"]},
    });
    let made = world.post("/policies", body.clone()).await.expect(201);
    assert_eq!(
        (&made["ref"], &made["uid"], &made["enabled"]),
        (&json!("demo.few"), &json!("policy:demo:few"), &json!(true))
    );
    assert_eq!(world.post("/policies", body.clone()).await.status, 409);
    for (field, value, part) in [
        ("policy_type", json!("action.retries"), "there is no policy type"),
        ("parameters", json!({"threshold": "two", "attributes": ["who"]}), "threshold: must be of type integer"),
        ("parameters", json!({"threshold": 2, "attributes": ["whom"]}), "has no parameter \"whom\""),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value;
        let reply = world.put("/policies/demo.few", wrong).await;
        assert!(reply.status == 400 && reply.fault().contains(part), "{}", reply.text);
    }
    let mut changed = body.clone();
    changed["enabled"] = json!(false);
    assert_eq!(world.put("/policies/demo.few", changed).await.expect(200)["enabled"], false);
    assert_eq!(world.get("/policies?resource_ref=demo.greet").await.header("x-total-count"), "1");
    assert_eq!(world.get("/policies?resource_ref=demo.other").await.header("x-total-count"), "0");
    assert_eq!(world.request(Method::POST, "/policies").by_user().json(&body).await.status, 403);
    assert_eq!(world.delete("/policies/demo.few").await.status, 204);
    assert_eq!(world.get("/policies/demo.few").await.status, 404);
}

#[tokio::test]
async fn get_policytypes_tells_what_their_parameters_are() {
    let world = World::new().await;
    let kinds = world.get("/policytypes?resource_type=action").await.expect(200);
    assert_eq!(refs(&kinds), ["action.concurrency", "action.concurrency.attr", "action.rate_limit", "action.retry"]);
    let retry = world.get("/policytypes/action.retry").await.expect(200);
    assert_eq!((&retry["name"], &retry["parameters"]["max_retry_count"]["maximum"]), (&json!("retry"), &json!(5)));
    assert_eq!(world.get("/policytypes/action.nothing").await.status, 404);
}

//! `/executions`

use http::Method;
use serde_json::{Value, json};

use super::world::World;

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn post_executions_and_get_executions_id_have_stackstorms_shape() {
    let world = World::new().await;
    let body =
        json!({"action": "demo.greet", "parameters": {"who": "eve", "token_of_trust": "hunter22"}, "notify": null});
    let made = world.post("/api/v1/executions", body).await.expect(201);
    assert_eq!((&made["status"], made["id"].as_str().unwrap().len()), (&json!("requested"), 24));
    assert_eq!(made["start_timestamp"], "2026-11-24T12:00:00.000000Z");
    assert_eq!(made["parameters"]["token_of_trust"], "********");
    for absent in ["result", "end_timestamp", "elapsed_seconds", "children", "parent", "rule", "delay", "result_size"] {
        assert!(made.get(absent).is_none(), "{absent} is falsy and must be left out");
    }
    world.tick();
    world.settle().await;
    let id = made["id"].as_str().unwrap();
    let done = world.get(&format!("/v1/actionexecutions/{id}")).await.expect(200);
    assert_eq!(done["status"], "succeeded");
    assert_eq!((&done["action"]["ref"], &done["action"]["pack"]), (&json!("demo.greet"), &json!("demo")));
    assert_eq!(done["runner"]["name"], "local-shell-script");
    assert_eq!((&done["liveaction"]["action"], &done["liveaction"]["id"]), (&json!("demo.greet"), &json!(id)));
    assert_eq!((&done["context"]["user"], &done["elapsed_seconds"]), (&json!("ann"), &json!(1.0)));
    let statuses: Vec<_> =
        done["log"].as_array().unwrap().iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["requested", "scheduled", "running", "succeeded"]);
    assert!(!done.to_string().contains("hunter22"), "{done}");
    let last = world.get("/executions/last").await.expect(200);
    assert_eq!(last["id"], done["id"]);
}

#[tokio::test]
async fn get_executions_id_shows_secrets_to_admins_who_ask() {
    let world = World::new().await;
    let id = world.run(json!({"token_of_trust": "hunter22"})).await;
    let path = format!("/executions/{id}?show_secrets=true");
    assert_eq!(world.get(&path).await.expect(200)["parameters"]["token_of_trust"], "hunter22");
    let user = world.request(Method::GET, &path).by_user().send("").await.expect(200);
    assert_eq!(user["parameters"]["token_of_trust"], "********");
    assert_eq!(world.get("/executions").await.expect(200)[0]["parameters"]["token_of_trust"], "********");
}

#[tokio::test]
async fn post_executions_refuses_what_can_not_run() {
    let world = World::new().await;
    for (body, status, part) in [
        (json!({"action": "demo.nothing"}), 400, "Action \"demo.nothing\" cannot be found."),
        (json!({"action": "demo.greet", "parameters": {"colour": 1}}), 400, "colour"),
        (json!({"action": "demo.greet", "parameters": {"timeout": "soon"}}), 400, "timeout"),
        (json!({"action": "demo.greet", "context": {"trace_context": {"id_": "x"}}}), 400, "24 hex"),
    ] {
        let reply = world.post("/executions", body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        assert!(reply.fault().contains(part), "{body}: {}", reply.fault());
    }
}

#[tokio::test]
async fn post_executions_takes_the_user_from_the_credential() {
    let world = World::new().await;
    let body = json!({"action": "demo.greet", "user": "ann", "context": {"user": "ann"}});
    let reply = world.request(Method::POST, "/executions").by_user().json(&body).await;
    assert_eq!(reply.status, 403, "{}", reply.text);
    let body = json!({"action": "demo.greet", "context": {"user": "ann", "rule": {"name": "forged"}, "note": 1}});
    let call =
        world.request(Method::POST, "/executions").by_user().header("st2-context", "{\"user\": \"ann\", \"more\": 2}");
    let made = call.json(&body).await.expect(201);
    assert_eq!(
        (&made["context"]["user"], &made["context"]["note"], &made["context"]["more"]),
        (&json!("ben"), &json!(1), &json!(2))
    );
    assert!(made["context"].get("rule").is_none());
    let made = world.post("/executions", json!({"action": "demo.greet", "user": "ben"})).await.expect(201);
    assert_eq!(made["context"]["user"], "ben");
}

#[tokio::test]
async fn post_executions_waits_as_long_as_delay_says_and_keeps_the_trace_tag() {
    let world = World::new().await;
    let body = json!({"action": "demo.greet", "delay": 1500, "context": {"trace_context": {"trace_tag": "t"}}});
    let made = world.post("/executions", body).await.expect(201);
    assert_eq!((&made["delay"], &made["context"]["trace_context"]["trace_tag"]), (&json!(1500), &json!("t")));
}

#[tokio::test]
async fn get_executions_pages_by_offset_and_by_cursor() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(world.run(json!({})).await);
    }
    made.reverse();
    let ids = |value: Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let reply = world.get("/executions?limit=3").await;
    assert_eq!((reply.header("x-total-count"), reply.header("x-limit")), ("7", "3"));
    let cursor = reply.header("x-next-cursor").to_owned();
    assert_eq!(ids(reply.json()), made[..3]);
    assert_eq!(ids(world.get("/executions?limit=3&offset=3").await.expect(200)), made[3..6]);
    assert_eq!(ids(world.get("/executions?limit=3&offset=6").await.expect(200)), made[6..]);
    assert_eq!(ids(world.get("/executions?limit=3&offset=5").await.expect(200)), made[5..]);
    let next = world.get(&format!("/executions?limit=5&cursor={cursor}")).await;
    assert_eq!((ids(next.json()), next.header("x-next-cursor")), (made[3..].to_vec(), ""));
    made.reverse();
    assert_eq!(ids(world.get("/executions?limit=2&sort=start_timestamp").await.expect(200)), made[..2]);
    assert_eq!(world.get("/executions?limit=-1").await.expect(200).as_array().unwrap().len(), 7);
    let both = format!("/executions?id={},{}", made[0], made[1]);
    assert_eq!(ids(world.get(&both).await.expect(200)), made[..2]);
}

#[tokio::test]
async fn get_executions_offset_goes_on_where_the_page_before_ended() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(world.run(json!({})).await);
    }
    world.get("/executions?limit=2").await.expect(200);
    world.run(json!({})).await;
    let next = world.get("/executions?limit=2&offset=2").await.expect(200);
    let ids: Vec<_> = next.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [made[1].as_str(), made[0].as_str()], "a walker does not see what it has seen");
}

#[tokio::test]
async fn get_executions_filters() {
    let world = World::new().await;
    world.run(json!({"who": "a"})).await;
    world.post("/webhooks/hooks/push", json!({"who": "eve"})).await.expect(202);
    world.settle().await;
    let count =
        async |query: &str| world.get(&format!("/executions?{query}")).await.expect(200).as_array().unwrap().len();
    for (query, expected) in [
        ("action=demo.greet", 2),
        ("action=demo.other", 0),
        ("status=succeeded", 2),
        ("status=failed", 0),
        ("rule=demo.push", 1),
        ("rule=push", 1),
        ("runner=local-shell-script", 2),
        ("user=ann", 1),
        ("trigger_type=core.st2.webhook", 1),
        ("trigger_type=st2.webhook", 1),
        ("parent=null", 2),
        ("timestamp_gt=2026-11-24T12:00:00Z", 1),
        ("timestamp_lt=2026-11-24T12:00:00Z", 0),
        ("timestamp=2026-11-24T12:00:00Z..2026-11-24T12:00:01Z", 2),
        ("filter=status:succeeded%20rule.ref:demo.push", 1),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    for query in ["limit=0", "limit=-2", "offset=-1", "status=done", "include_attributes=id&exclude_attributes=result"]
    {
        assert_eq!(world.get(&format!("/executions?{query}")).await.status, 400, "{query}");
    }
    let user = world.request(Method::GET, "/executions?limit=-1").by_user().send("").await;
    assert_eq!(user.status, 403);
}

#[tokio::test]
async fn get_executions_picks_attributes() {
    let world = World::new().await;
    let id = world.run(json!({"who": "a"})).await;
    let one = world.get("/executions?include_attributes=status,action.ref").await.expect(200)[0].clone();
    assert_eq!(
        (&one["id"], &one["action"]["ref"], &one["status"]),
        (&json!(id), &json!("demo.greet"), &json!("succeeded"))
    );
    assert!(one.get("result").is_none() && one.get("log").is_none() && one["action"].get("description").is_none());
    let one = world.get(&format!("/executions/{id}?exclude_attributes=result")).await.expect(200);
    assert!(one.get("result").is_none() && one.get("log").is_some(), "{:?}", names(&one));
    let small = world.get(&format!("/executions/{id}?max_result_size=5")).await.expect(200);
    assert!(small.get("result").is_none() && small["result_size"].as_u64().unwrap() > 5);
}

#[tokio::test]
async fn get_executions_id_output_is_text_or_pieces() {
    let world = World::new().await;
    let id = world.run(json!({})).await;
    let text = async |query: &str| world.get(&format!("/executions/{id}/output{query}")).await.text;
    assert_eq!(text("").await, "hello\noops\n");
    assert_eq!(text("?output_type=stderr").await, "oops\n");
    assert_eq!(world.get(&format!("/executions/{id}/output?output_type=x")).await.status, 400);
    let pieces = async |query: &str| {
        let call = world.request(Method::GET, &format!("/executions/{id}/output{query}"));
        call.header("Accept", "application/json").send("").await.expect(200)
    };
    let all = pieces("").await;
    assert_eq!(
        (&all["status"], &all["chunks"][0]["data"], &all["chunks"][0]["stream"]),
        (&json!("succeeded"), &json!("hello\n"), &json!("stdout"))
    );
    let first = all["chunks"][0]["sequence"].as_u64().unwrap();
    let rest = pieces(&format!("?after={first}")).await;
    assert_eq!(rest["chunks"].as_array().unwrap().len(), all["chunks"].as_array().unwrap().len() - 1);
}

#[tokio::test]
async fn get_executions_id_result_attribute_and_children() {
    let world = World::new().await;
    let id = world.run(json!({"who": "a"})).await;
    let result = world.get(&format!("/executions/{id}/result")).await.expect(200);
    assert_eq!(result["got"]["who"], "a");
    let reply = world.get(&format!("/executions/{id}/result?download=1&pretty_format=1")).await;
    assert_eq!(reply.header("content-disposition"), format!("attachment; filename=execution_{id}_result.json"));
    assert!(reply.text.contains("\n  \"return_code\": 0"));
    assert_eq!(world.get(&format!("/executions/{id}/attribute/status")).await.expect(200), "succeeded");
    assert_eq!(world.get(&format!("/executions/{id}/attribute/result")).await.expect(200), result);
    assert_eq!(world.get(&format!("/executions/{id}/attribute/context")).await.status, 400);
    assert_eq!(world.get(&format!("/executions/{id}/children")).await.expect(200), json!([]));
}

#[tokio::test]
async fn delete_executions_id_cancels_or_says_with_200_that_it_can_not() {
    let world = World::new().await;
    let made = world.post("/executions", json!({"action": "demo.greet"})).await.expect(201);
    let path = format!("/executions/{}", made["id"].as_str().unwrap());
    assert_eq!(world.delete(&path).await.expect(200)["status"], "canceled");
    assert_eq!(world.delete(&path).await.expect(200)["status"], "canceled");
    let id = world.run(json!({})).await;
    let reply = world.delete(&format!("/executions/{id}")).await;
    assert_eq!((reply.status, reply.fault().as_str()), (200, "Action cannot be canceled. State = succeeded."));
    assert_eq!(world.delete("/executions/000000000000000000000000").await.status, 404);
    assert_eq!(world.delete("/executions/x").await.status, 404);
}

#[tokio::test]
async fn put_executions_id_cancels_by_status() {
    let world = World::new().await;
    let made = world.post("/executions", json!({"action": "demo.greet"})).await.expect(201);
    let path = format!("/executions/{}", made["id"].as_str().unwrap());
    for (body, part) in [
        (json!({"status": "pausing"}), "only workflows"),
        (json!({"status": "succeeded"}), "only canceled, paused and resuming can"),
        (json!({"status": "done"}), "is not a status"),
    ] {
        let reply = world.put(&path, body.clone()).await;
        assert!(reply.status == 400 && reply.fault().contains(part), "{body}: {}", reply.text);
    }
    assert_eq!(world.put(&path, json!({"status": "canceled"})).await.expect(200)["status"], "canceled");
    assert_eq!(
        world.put(&path, json!({"status": "canceled"})).await.fault(),
        "Execution is already in completed state."
    );
}

#[tokio::test]
async fn post_executions_id_re_run_runs_it_again() {
    let world = World::new().await;
    let id = world.run(json!({"who": "a", "token_of_trust": "hunter22"})).await;
    let again = world.post(&format!("/executions/{id}/re_run"), json!({"parameters": {"who": "b"}})).await.expect(201);
    assert_eq!(again["context"]["re-run"]["ref"], id.as_str());
    world.settle().await;
    let path = format!("/executions/{}?show_secrets=1", again["id"].as_str().unwrap());
    let done = world.get(&path).await.expect(200);
    assert_eq!(done["parameters"], json!({"who": "b", "token_of_trust": "hunter22"}), "the original's are merged");
    let bare = world.post(&format!("/executions/{id}/re_run?no_merge=true"), json!({})).await.expect(201);
    assert!(bare.get("parameters").is_none(), "nothing is taken over: {bare}");
    let reply = world.post(&format!("/executions/{id}/re_run"), json!({"tasks": ["a"]})).await;
    assert!(reply.status == 400 && reply.fault().contains("only supported for Orquesta workflows"), "{}", reply.text);
}

#[tokio::test]
async fn get_executions_views_filters_tells_the_values() {
    let world = World::new().await;
    let values = world.get("/executions/views/filters?types=action,status").await.expect(200);
    assert_eq!(names(&values), ["action", "status"]);
    assert_eq!(values["action"], json!(["demo.greet"]));
}

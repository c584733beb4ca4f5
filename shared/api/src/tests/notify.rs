//! Who is told of the end of an execution.

use serde_json::{Value, json};

use super::world::World;

const ASK: [(&str, &str); 2] = [
    ("pack.yaml", "ref: ask\nname: ask\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.com\n"),
    (
        "actions/ask.yaml",
        "name: ask\nrunner_type: inquirer\nnotify:\n  on-success: {routes: [happy]}\n  on-failure: {routes: [sad], message: '{{ nobody }}'}\n",
    ),
];

/// With a rule that listens.
async fn world() -> World {
    let world = World::new().await;
    world.register(&ASK).await.expect(201);
    let rule = json!({
        "name": "tell", "pack": "demo", "enabled": true, "trigger": {"type": "core.st2.generic.notifytrigger"},
        "criteria": {"trigger.route": {"type": "equals", "pattern": "nowhere"}}, "action": {"ref": "demo.greet"},
    });
    world.post("/rules", rule).await.expect(201);
    world
}

/// What was told, by route.
async fn told(world: &World) -> Vec<Value> {
    let path = "/triggerinstances?trigger=core.st2.generic.notifytrigger&limit=50";
    let instances = world.get(path).await.expect(200);
    let mut payloads: Vec<_> = instances.as_array().unwrap().iter().map(|one| one["payload"].clone()).collect();
    payloads.sort_by_key(|payload| payload["route"].to_string());
    payloads
}

#[tokio::test]
async fn every_route_is_told_in_stackstorms_words() {
    let world = world().await;
    let notify = json!({
        "on-complete": {"routes": ["a", "b"]},
        "on-success": {
            "channels": ["c"], "message": "{{ action_parameters.who }} got {{ action_results.return_code }}",
            "data": {"by": "{{ action_context.user }}", "count": 5, "nested": ["{{ action_parameters.token_of_trust }}"]},
        },
        "on-failure": {"routes": ["d"]},
    });
    let parameters = json!({"who": "eve", "token_of_trust": "hunter22"});
    let body = json!({"action": "demo.greet", "parameters": parameters, "notify": notify});
    let id = world.post("/executions", body).await.expect(201)["id"].clone();
    world.tick();
    world.settle().await;
    let told = told(&world).await;
    let routes: Vec<_> = told.iter().map(|payload| payload["route"].as_str().unwrap()).collect();
    assert_eq!(routes, ["a", "b", "c"]);
    let result = world.get(&format!("/executions/{}/result", id.as_str().unwrap())).await.expect(200);
    let common = |route: &str, message: &str, data: Value| {
        json!({
            "execution_id": id, "status": "succeeded", "start_timestamp": "2026-11-24T12:00:00.000000Z",
            "end_timestamp": "2026-11-24T12:00:01.000000Z", "action_ref": "demo.greet", "runner_ref": "local-shell-script",
            "route": route, "channel": route, "message": message, "data": data,
        })
    };
    let as_text =
        |payload: &Value| -> Value { serde_json::from_str(payload["data"]["result"].as_str().unwrap()).unwrap() };
    assert_eq!(as_text(&told[0]), result);
    let text = told[0]["data"]["result"].clone();
    assert_eq!(told[0], common("a", "Action demo.greet completed.", json!({"result": text})));
    let data = json!({"by": "ann", "count": 5, "nested": ["********"], "result": text});
    assert_eq!(told[2], common("c", "eve got 0", data));
}

#[tokio::test]
async fn an_action_tells_unless_the_request_does_and_what_can_not_be_rendered_is_sent_as_it_is() {
    let world = world().await;
    let failed = world.run_action("ask.ask", json!({"ttl": 1})).await;
    world.pass(1);
    world.settle().await;
    let answered = world.run_action("ask.ask", json!({})).await;
    world.put(&format!("/inquiries/{answered}"), json!({"response": {"continue": true}})).await.expect(200);
    let own = json!({"action": "ask.ask", "parameters": {"ttl": 1}, "notify": {"on-failure": {"routes": ["own"]}}});
    world.post("/executions", own).await.expect(201);
    world.settle().await;
    world.pass(1);
    world.settle().await;
    let told = told(&world).await;
    let said: Vec<_> = told.iter().map(|payload| (payload["route"].clone(), payload["message"].clone())).collect();
    let expected = [
        (json!("happy"), json!("Action ask.ask succeeded.")),
        (json!("own"), json!("Action ask.ask failed.")),
        (json!("sad"), json!("{{ nobody }}")),
    ];
    assert_eq!(said, expected);
    assert_eq!((&told[2]["status"], &told[2]["execution_id"]), (&json!("timeout"), &json!(failed)));
}

#[tokio::test]
async fn nobody_is_told_where_no_rule_listens() {
    let world = World::new().await;
    let body = json!({"action": "demo.greet", "notify": {"on-complete": {"routes": ["a"]}}});
    world.post("/executions", body).await.expect(201);
    world.settle().await;
    assert_eq!(told(&world).await, Vec::<Value>::new());
}

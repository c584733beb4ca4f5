//! `/inquiries`

use http::Method;
use serde_json::{Value, json};

use super::world::World;

const ASK: [(&str, &str); 2] = [
    ("pack.yaml", "ref: ask\nname: ask\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.com\n"),
    ("actions/ask.yaml", "name: ask\nrunner_type: inquirer\n"),
];

async fn world() -> World {
    let world = World::new().await;
    world.register(&ASK).await.expect(201);
    world
}

async fn ask(world: &World, parameters: Value) -> String {
    world.run_action("ask.ask", parameters).await
}

async fn respond(world: &World, id: &str, response: Value) -> super::world::Reply {
    world.put(&format!("/api/v1/inquiries/{id}"), json!({"id": id, "response": response})).await
}

async fn execution(world: &World, id: &str) -> Value {
    world.get(&format!("/executions/{id}")).await.expect(200)
}

#[tokio::test]
async fn get_inquiries_lists_what_waits_for_an_answer() {
    let world = world().await;
    let (first, second) = (ask(&world, json!({"route": "ops", "ttl": 0})).await, ask(&world, json!({})).await);
    let schema = json!({"type": "object", "properties": {
        "continue": {"type": "boolean", "description": "Would you like to continue?", "required": true},
    }});
    let wanted = json!({"id": first, "route": "ops", "ttl": 0, "users": [], "roles": [], "schema": schema});
    assert_eq!(world.get(&format!("/inquiries/{first}")).await.expect(200), wanted);
    let listed = world.get("/inquiries").await;
    assert_eq!(listed.header("x-limit"), "20");
    assert_eq!(listed.json().as_array().unwrap().len(), 2);
    assert_eq!(
        world.get("/inquiries?include_attributes=route&limit=1").await.json(),
        json!([{"id": second, "route": ""}])
    );
    let asked = execution(&world, &first).await;
    let statuses: Vec<_> = asked["log"].as_array().unwrap().iter().map(|line| line["status"].clone()).collect();
    assert_eq!(statuses, ["requested", "scheduled", "running", "pending"]);
    assert_eq!(asked["result"], json!({"route": "ops", "ttl": 0, "users": [], "roles": [], "schema": schema}));
    let reply = world.delete(&format!("/executions/{first}")).await;
    assert_eq!(reply.fault(), "Action cannot be canceled. State = pending.");

    // One is answered, the other goes on waiting.
    respond(&world, &first, json!({"continue": true})).await.expect(200);
    let left = world.get("/inquiries").await.json();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["id"]), (1, &json!(second)));
    let run = world.run(json!({})).await;
    for (id, part) in [(first, "has already been responded to"), (run, "is not an inquiry")] {
        let reply = world.get(&format!("/inquiries/{id}")).await;
        assert!(reply.status == 400 && reply.fault().contains(part), "{}", reply.text);
    }
    assert_eq!(world.get("/inquiries/000000000000000000000000").await.status, 404);
}

#[tokio::test]
async fn put_inquiries_id_ends_the_execution_with_the_answer() {
    let world = world().await;
    let schema = json!({"type": "object", "properties": {
        "host": {"type": "string", "required": true, "enum": ["db1", "db2"]},
        "pin": {"type": "string", "secret": true}, "note": {"type": "string"},
    }});
    let id = ask(&world, json!({"schema": schema})).await;
    for (response, part) in [
        (json!({"host": "db3"}), "host: must be one of"),
        (json!({"pin": "hunter22"}), "\"host\" is required"),
        (json!({"host": "db1", "pin": {"hunter": 22}}), "pin: must be of type string"),
        (json!("yes"), "must be an object"),
    ] {
        let reply = respond(&world, &id, response).await;
        assert!(
            reply.status == 400 && reply.fault().contains(part) && !reply.text.contains("hunter"),
            "{}",
            reply.text
        );
    }
    assert_eq!(execution(&world, &id).await["status"], "pending");

    let response = json!({"host": "db1", "pin": "hunter22", "note": "the pin hunter22 is for db1"});
    let shown = json!({"host": "db1", "pin": "********", "note": "the pin ******** is for db1"});
    let answered = respond(&world, &id, response.clone()).await.expect(200);
    assert_eq!(answered, json!({"id": id, "response": shown}));
    let done = execution(&world, &id).await;
    assert_eq!((&done["status"], &done["result"]["response"]), (&json!("succeeded"), &shown));
    assert_eq!((&done["result"]["schema"], &done["context"]["responded_by"]), (&schema, &json!("ann")));
    assert!(!world.get("/executions").await.text.contains("hunter22"));
    let path = format!("/executions/{id}/result?show_secrets=true");
    assert_eq!(world.get(&path).await.expect(200)["response"], response);
    let user = world.request(Method::GET, &path).by_user().send("").await.expect(200);
    assert_eq!(user["response"], shown);
    let reply = respond(&world, &id, json!({"host": "db2"})).await;
    assert!(reply.status == 400 && reply.fault().contains("already"), "{}", reply.text);
}

#[tokio::test]
async fn put_inquiries_id_takes_answers_from_those_who_are_asked() {
    let world = world().await;
    let answer = json!({"response": {"continue": true}});
    for (who, user, admin) in [
        (json!({"users": ["ann"]}), 403, 200),
        (json!({"users": ["ben"]}), 200, 403),
        (json!({"roles": ["admin"]}), 403, 200),
        (json!({"users": ["ben"], "roles": ["admin"]}), 403, 403),
        (json!({}), 200, 200),
    ] {
        let mut statuses = Vec::new();
        for by_user in [true, false] {
            let id = ask(&world, who.clone()).await;
            let call = world.request(Method::PUT, &format!("/inquiries/{id}"));
            let call = if by_user { call.by_user() } else { call };
            statuses.push(call.json(&answer).await.status);
        }
        assert_eq!(statuses, [user, admin], "{who}");
    }
    // Who answers is not for the body to say.
    let id = ask(&world, json!({"users": ["ann"]})).await;
    for (body, status) in [
        (json!({"response": {"continue": true}, "user": "ann"}), 400),
        (json!({"response": {"continue": true}, "id": "000000000000000000000000"}), 400),
    ] {
        let reply = world.request(Method::PUT, &format!("/inquiries/{id}")).by_user().json(&body).await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
}

#[tokio::test]
async fn an_inquiry_times_out_when_its_minutes_are_over() {
    let world = world().await;
    let (short, long, ever) =
        (ask(&world, json!({"ttl": 5})).await, ask(&world, json!({})).await, ask(&world, json!({"ttl": 0})).await);
    world.pass(4);
    world.settle().await;
    assert_eq!(execution(&world, &short).await["status"], "pending");
    world.pass(1);
    let late = respond(&world, &short, json!({"continue": true})).await;
    assert!(late.status == 400 && late.fault().contains("timed out"), "{}", late.text);
    world.settle().await;
    let timed_out = execution(&world, &short).await;
    assert_eq!((&timed_out["status"], &timed_out["result"]["ttl"]), (&json!("timeout"), &json!(5)));
    world.pass(1_435);
    world.settle().await;
    assert_eq!(execution(&world, &long).await["status"], "timeout");
    world.pass(1_000_000);
    world.settle().await;
    respond(&world, &ever, json!({"continue": false})).await.expect(200);
    assert_eq!(execution(&world, &ever).await["status"], "succeeded");
}

#[tokio::test]
async fn people_are_told_by_a_rule_and_what_nobody_could_answer_is_not_asked() {
    let world = world().await;
    let told = async || {
        let path = "/triggerinstances?trigger=core.st2.generic.inquiry";
        world.get(path).await.json().as_array().unwrap().len()
    };
    ask(&world, json!({})).await;
    assert_eq!(told().await, 0, "nobody listens");
    let rule = json!({
        "name": "tell", "pack": "demo", "enabled": true, "trigger": {"type": "core.st2.generic.inquiry"},
        "action": {"ref": "demo.greet", "parameters": {"who": "{{ trigger.route }}/{{ trigger.id }}"}},
    });
    world.post("/rules", rule).await.expect(201);
    let id = ask(&world, json!({"route": "ops"})).await;
    assert_eq!(told().await, 1);
    let greeted = world.get("/executions?action=demo.greet").await.json();
    assert_eq!(greeted[0]["parameters"]["who"], format!("ops/{id}"));
    assert_eq!(
        greeted[0]["context"]["trace_context"]["id_"],
        execution(&world, &id).await["context"]["trace_context"]["id_"]
    );

    let id = ask(&world, json!({"schema": {"type": "object", "properties": {"a": {"type": "list"}}}})).await;
    let failed = execution(&world, &id).await;
    assert_eq!(failed["status"], "failed");
    assert!(
        failed["result"]["error"].as_str().unwrap().contains("schema: properties.a.type: \"list\" is not a type"),
        "{failed}"
    );
}

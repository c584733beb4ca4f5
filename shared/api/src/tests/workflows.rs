//! Workflows by way of `/executions`.

use http::Method;
use serde_json::{Value, json};

use super::world::World;

const FLOWS: [(&str, &str); 19] = [
    ("pack.yaml", "ref: flows\nname: flows\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.com\n"),
    (
        "actions/do.yaml",
        "name: do\nrunner_type: local-shell-script\nentry_point: do.sh\nparameters:\n  what: {type: string}\n  fails: {type: boolean}\n  pin: {type: string, secret: true}\n",
    ),
    ("actions/do.sh", "#!/bin/sh\n"),
    ("actions/nothing.yaml", "name: nothing\nrunner_type: noop\n"),
    ("actions/ask.yaml", "name: ask\nrunner_type: inquirer\n"),
    (
        "actions/release.yaml",
        "name: release\nrunner_type: orquesta\nentry_point: workflows/release.yaml\nparameters:\n  version: {type: string, required: true}\n",
    ),
    (
        "actions/workflows/release.yaml",
        "version: 1.0\ninput: [version]\ntasks:\n  build:\n    action: flows.do\n    input: {what: \"<% ctx().version %>\"}\n    next:\n      \
         - when: <% succeeded() %>\n        publish: [{image: \"<% result().got.what %>\"}]\n        do: [approve, tag]\n  approve:\n    \
         action: flows.ask\n    input:\n      schema: {type: object, properties: {ok: {type: boolean, required: true}, pin: {type: string, secret: true}}}\n    next:\n      \
         - publish: [{pin: \"<% result().response.pin %>\"}]\n        do: deploy\n  tag:\n    action: flows.nothing\n    next: [{do: deploy}]\n  deploy:\n    join: all\n    \
         action: flows.do\n    input: {what: deploy, pin: \"<% ctx().pin %>\"}\noutput:\n  - image: <% ctx().image %>\n  - pin: <% ctx().pin %>\n",
    ),
    ("actions/train.yaml", "name: train\nrunner_type: orquesta\nentry_point: workflows/train.yaml\n"),
    (
        "actions/workflows/train.yaml",
        "version: 1.0\ntasks:\n  one: {action: flows.release, input: {version: \"1.2\"}, next: [{when: \"<% succeeded() %>\", publish: [{image: \"<% result().output.image %>\"}]}]}\n\
         output: [{image: \"<% ctx().image %>\"}]\n",
    ),
    ("actions/breaks.yaml", "name: breaks\nrunner_type: orquesta\nentry_point: workflows/breaks.yaml\n"),
    (
        "actions/workflows/breaks.yaml",
        "version: 1.0\ntasks:\n  first: {action: flows.nothing, next: [{do: items}]}\n  items:\n    with: x in <% [false, true, false] %>\n    action: flows.do\n    \
         input: {fails: <% item(x) %>}\n    next: [{when: <% succeeded() %>, do: last}]\n  last: {action: flows.nothing}\n",
    ),
    ("actions/slow.yaml", "name: slow\nrunner_type: orquesta\nentry_point: workflows/slow.yaml\n"),
    (
        "actions/workflows/slow.yaml",
        "version: 1.0\ntasks:\n  wait: {action: flows.do, delay: 3600, next: [{do: go}]}\n  go: {action: flows.do}\n",
    ),
    ("actions/outer.yaml", "name: outer\nrunner_type: orquesta\nentry_point: workflows/outer.yaml\n"),
    (
        "actions/workflows/outer.yaml",
        "version: 1.0\ntasks:\n  one: {action: flows.slow, next: [{do: two}]}\n  two: {action: flows.nothing}\n",
    ),
    (
        "actions/many.yaml",
        "name: many\nrunner_type: orquesta\nentry_point: workflows/many.yaml\nparameters:\n  count: {type: integer, required: true}\n  at_once: {type: integer}\n",
    ),
    (
        "actions/workflows/many.yaml",
        "version: 1.0\ninput: [count, at_once]\ntasks:\n  all:\n    with: {items: n in <% range(ctx().count) %>, concurrency: <% ctx().at_once %>}\n    action: flows.do\n    input: {what: <% str(item(n)) %>}\n    \
         next: [{when: <% succeeded() %>, publish: [{got: <% result().select($.got.what) %>}]}]\noutput: [{got: <% ctx().got %>}]\n",
    ),
    ("actions/wrong.yaml", "name: wrong\nrunner_type: orquesta\nentry_point: workflows/wrong.yaml\n"),
    ("actions/workflows/wrong.yaml", "version: 1.0\ntasks:\n  a: {action: flows.gone, next: [{do: b}]}\n"),
];

async fn world() -> World {
    let world = World::new().await;
    world.register(&FLOWS).await.expect(201);
    world
}

async fn execution(world: &World, id: &str) -> Value {
    world.get(&format!("/executions/{id}")).await.expect(200)
}

/// Task and status of each child.
async fn children(world: &World, id: &str) -> Vec<String> {
    let children = world.get(&format!("/executions/{id}/children")).await.expect(200);
    let told = children.as_array().unwrap().iter().map(|child| {
        let text = |pointer: &str| child.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        format!("{} {}", text("/context/orquesta/task_name"), text("/status"))
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

async fn child(world: &World, id: &str, task: &str) -> Value {
    let children = world.get(&format!("/executions/{id}/children")).await.expect(200);
    let is_it = |child: &&Value| child["context"]["orquesta"]["task_name"] == task;
    children.as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("{task}: {children}")).clone()
}

async fn answer(world: &World, workflow: &str, response: Value) {
    let asked = child(world, workflow, "approve").await;
    let path = format!("/inquiries/{}", asked["id"].as_str().unwrap());
    world.put(&path, json!({"response": response})).await.expect(200);
    world.settle().await;
}

async fn set_status(world: &World, id: &str, status: &str) -> super::world::Reply {
    let reply = world.put(&format!("/executions/{id}"), json!({"status": status})).await;
    world.settle().await;
    reply
}

#[tokio::test]
async fn a_workflow_waits_for_a_person_and_hides_what_is_secret_in_the_answer() {
    let world = world().await;
    let id = world.run_action("flows.release", json!({"version": "2.0"})).await;
    assert_eq!(execution(&world, &id).await["status"], "paused", "nothing else can run");
    assert_eq!(children(&world, &id).await, ["approve pending", "build succeeded", "tag succeeded"]);
    answer(&world, &id, json!({"ok": true, "pin": "hunter22"})).await;
    let done = execution(&world, &id).await;
    assert_eq!(done["status"], "succeeded", "{done}");
    assert_eq!(done["result"], json!({"output": {"image": "2.0", "pin": "********"}}));
    let deploy = child(&world, &id, "deploy").await;
    assert_eq!((&deploy["parent"], &deploy["parameters"]["pin"]), (&json!(id), &json!("********")));
    assert_eq!(deploy["context"]["trace_context"], done["context"]["trace_context"], "one trace");
    let clear = world.get(&format!("/executions/{}?show_secrets=1", deploy["id"].as_str().unwrap())).await.json();
    assert_eq!(clear["parameters"]["pin"], "hunter22", "the action gets what the person said");
    let log: Vec<_> = done["log"].as_array().unwrap().iter().map(|line| line["status"].clone()).collect();
    assert_eq!(log[..3], ["requested", "scheduled", "running"]);
    assert_eq!(log[log.len() - 3..], ["resuming", "running", "succeeded"]);
}

#[tokio::test]
async fn an_inquiry_in_a_sub_workflow_holds_all_above_it_and_lets_them_go_on() {
    let world = world().await;
    let id = world.run_action("flows.train", json!({})).await;
    let one = child(&world, &id, "one").await;
    let inner = one["id"].as_str().unwrap();
    assert_eq!((execution(&world, &id).await["status"].clone(), &one["status"]), (json!("paused"), &json!("paused")));
    answer(&world, inner, json!({"ok": true, "pin": "1234"})).await;
    assert_eq!(execution(&world, &id).await["result"], json!({"output": {"image": "1.2"}}));
}

#[tokio::test]
async fn put_executions_id_pauses_and_resumes_workflows_down_to_their_children() {
    let world = world().await;
    let id = world.run_action("flows.outer", json!({})).await;
    set_status(&world, &id, "pausing").await.expect(200);
    let one = child(&world, &id, "one").await["id"].as_str().unwrap().to_owned();
    let statuses =
        async || [execution(&world, &id).await["status"].clone(), execution(&world, &one).await["status"].clone()];
    assert_eq!(statuses().await, ["pausing", "pausing"], "what is at work ends first");
    world.pass(61);
    world.settle().await;
    assert_eq!(statuses().await, ["paused", "paused"]);
    assert_eq!(children(&world, &one).await, ["wait succeeded"]);
    assert_eq!(execution(&world, &id).await["context"]["paused_by"], "ann");
    set_status(&world, &id, "resuming").await.expect(200);
    assert_eq!(statuses().await, ["succeeded", "succeeded"]);
    assert_eq!(children(&world, &one).await, ["go succeeded", "wait succeeded"]);
    let reply = set_status(&world, &id, "pausing").await;
    assert!(reply.status == 400 && reply.fault().contains("completed"), "{}", reply.text);
    let plain = json!({"action": "flows.do", "parameters": {}, "delay": 60_000});
    let plain = world.post("/executions", plain).await.expect(201)["id"].as_str().unwrap().to_owned();
    let reply = set_status(&world, &plain, "paused").await;
    assert!(reply.status == 400 && reply.fault().contains("only workflows"), "{}", reply.text);
    let by_another = world.request(Method::PUT, &format!("/executions/{id}")).by_user();
    assert_eq!(by_another.json(&json!({"status": "pausing"})).await.status, 400);
}

#[tokio::test]
async fn canceling_a_workflow_cancels_all_that_is_under_it() {
    let world = world().await;
    let id = world.run_action("flows.train", json!({})).await;
    let inner = child(&world, &id, "one").await["id"].as_str().unwrap().to_owned();
    world.delete(&format!("/executions/{id}")).await.expect(200);
    world.settle().await;
    let canceled = execution(&world, &id).await;
    assert_eq!((&canceled["status"], &canceled["context"]["cancelled_by"]), (&json!("canceled"), &json!("ann")));
    assert_eq!(execution(&world, &inner).await["status"], "canceled");
    assert_eq!(child(&world, &inner, "approve").await["status"], "canceled", "nobody has to answer any more");
    assert_eq!(world.get("/inquiries").await.json(), json!([]));
}

#[tokio::test]
async fn re_run_goes_on_from_a_task_with_the_items_that_failed() {
    let world = world().await;
    let id = world.run_action("flows.breaks", json!({})).await;
    let failed = execution(&world, &id).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["result"]["errors"][0]["task_id"], "items");
    let path = format!("/executions/{id}/re_run");
    let again = world.post(&path, json!({"tasks": ["items"]})).await.expect(201);
    assert_eq!(again["context"]["re-run"], json!({"ref": id, "tasks": ["items"], "reset": []}));
    world.settle().await;
    let again = again["id"].as_str().unwrap();
    assert_eq!(children(&world, again).await, ["items failed"], "one item of three");
    let all = world.post(&path, json!({"tasks": ["items"], "reset": ["items"]})).await.expect(201);
    world.settle().await;
    assert_eq!(children(&world, all["id"].as_str().unwrap()).await.len(), 3);
    for (body, part) in [
        (json!({"tasks": ["nope"]}), "these have: first, items"),
        (json!({"tasks": ["items"], "parameters": {"a": 1}}), "Parameters override is not supported"),
        (json!({"tasks": ["first"], "reset": ["items"]}), "not among the tasks"),
    ] {
        let reply = world.post(&path, body).await;
        assert!(reply.status == 400 && reply.fault().contains(part), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_workflow_that_is_wrong_fails_with_all_that_is_wrong() {
    let world = World::new().await;
    let registered = world.register(&FLOWS).await.expect(201);
    let warned = &registered["warnings"][0];
    assert_eq!((&warned["file"], &warned["line"]), (&json!("actions/workflows/wrong.yaml"), &json!(3)), "{registered}");
    assert!(warned["message"].as_str().unwrap().contains("The task \"b\" is not defined."), "{warned}");
    let id = world.run_action("flows.wrong", json!({})).await;
    let failed = execution(&world, &id).await;
    let errors = failed["result"]["errors"].as_array().unwrap();
    let kinds: Vec<_> =
        errors.iter().map(|error| (error["type"].as_str().unwrap(), error["spec_path"].as_str().unwrap())).collect();
    assert_eq!(kinds, [("content", "tasks.a.action"), ("semantics", "tasks.a.next[0].do")], "{failed}");
    assert!(errors.iter().all(|error| error["line"] == 3), "{failed}");
    assert!(world.get(&format!("/executions/{id}/children")).await.json().as_array().unwrap().is_empty());
}

#[tokio::test]
async fn executions_id_workflow_tells_how_far_each_task_came_and_which_way_it_went() {
    let world = world().await;
    let id = world.run_action("flows.breaks", json!({})).await;
    assert_eq!(execution(&world, &id).await["result"]["errors"][0]["line"], 4);
    let run = world.get(&format!("/executions/{id}/workflow")).await.expect(200);
    let text = FLOWS.iter().find(|(path, _)| *path == "actions/workflows/breaks.yaml").unwrap().1;
    let next = |to: &str, fired: bool| json!([{"transition": 0, "to": to, "fired": fired}]);
    let task = |task: &str, status: &str, next: Value| json!({"task": task, "route": 0, "status": status, "retries": 0, "next": next});
    let wanted = json!({
        "file": "actions/workflows/breaks.yaml", "text": text, "status": "failed", "routes": [[]],
        "tasks": [task("first", "succeeded", next("items", true)), task("items", "failed", next("last", false))],
    });
    assert_eq!(run, wanted);
    let child = child(&world, &id, "first").await;
    let reply = world.get(&format!("/executions/{}/workflow", child["id"].as_str().unwrap())).await;
    assert!(reply.status == 400 && reply.fault().contains("runs no workflow"), "{}", reply.text);
}

#[tokio::test]
async fn more_items_than_one_commit_takes_are_requested_in_several() {
    let world = world().await;
    let id = world.run_action("flows.many", json!({"count": 250})).await;
    let done = execution(&world, &id).await;
    let wanted: Vec<String> = (0..250).map(|item: i32| item.to_string()).collect();
    assert_eq!(done["result"], json!({"output": {"got": wanted}}));
    assert_eq!(children(&world, &id).await.len(), 250);
}

#[tokio::test]
async fn a_long_run_is_known_again_from_where_all_of_it_was_written_last() {
    let world = world().await;
    let id = world.run_action("flows.many", json!({"count": 150, "at_once": 1})).await;
    let done = execution(&world, &id).await;
    assert_eq!(done["result"]["output"]["got"].as_array().unwrap().len(), 150);
    let body = json!({"tasks": ["all"], "reset": ["all"]});
    let again = world.post(&format!("/executions/{id}/re_run"), body).await.expect(201);
    world.settle().await;
    let again = execution(&world, again["id"].as_str().unwrap()).await;
    assert_eq!((&again["status"], &again["result"]), (&done["status"], &done["result"]));
}

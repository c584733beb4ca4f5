//! `squall run`.

use super::harness::Host;
use insta::assert_snapshot;
use serde_json::{Value, json};

const ID: &str = "696f5a3c1d2e3f4a5b6c7d8e";

fn execution(status: &str, result: Value) -> Value {
    json!({
        "id": ID, "status": status, "action": {"ref": "core.local"}, "context": {"user": "admin"},
        "start_timestamp": "2026-03-02T09:14:05.120000Z", "end_timestamp": "2026-03-02T09:14:05.162000Z",
        "elapsed_seconds": 0.042, "parameters": {"cmd": "date"}, "result": result,
    })
}

async fn host() -> Host {
    let host = Host::start().await;
    let parameters = json!({"parameters": {
        "cmd": {"type": "string", "required": true}, "timeout": {"type": "integer"}, "env": {"type": "object"},
    }});
    host.on("GET /actions/views/parameters/core.local", 200, parameters);
    host.on("POST /executions", 201, execution("requested", Value::Null));
    host
}

#[tokio::test]
async fn it_waits_and_shows_what_came_of_it() {
    let host = host().await;
    let get = format!("GET /executions/{ID}");
    let result = json!({"failed": false, "succeeded": true, "return_code": 0, "stdout": "a\nb", "stderr": ""});
    host.on(&get, 200, execution("running", Value::Null)).on(&get, 200, execution("succeeded", result));
    let done = host.squall(&["run", "core.local", "timeout=5", "date", "-z", "--trace-tag", "release"]).await;
    assert_eq!(done.code, 2, "an option that there is not: {done:?}");

    let done = host.squall(&["run", "core.local", "--trace-tag", "release", "timeout=5", "--", "date", "-u"]).await;
    assert_snapshot!(done.text(), @r#"
    id:         696f5a3c1d2e3f4a5b6c7d8e
    action:     core.local
    status:     succeeded
    user:       admin
    start:      2026-03-02 09:14:05.120Z
    end:        2026-03-02 09:14:05.162Z
    elapsed:    42 ms
    parameters:
      cmd: date
    result:
      failed: false
      succeeded: true
      return_code: 0
      stdout:
        a
        b
      stderr: ""
    exit 0
    "#);
    let wanted = json!({
        "action": "core.local", "parameters": {"timeout": 5, "cmd": "date -u"},
        "context": {"trace_context": {"trace_tag": "release"}},
    });
    assert_eq!(host.sent(), wanted);
}

#[tokio::test]
async fn what_did_not_succeed_is_a_failure() {
    for status in ["failed", "timeout", "canceled", "abandoned"] {
        let host = host().await;
        host.on(&format!("GET /executions/{ID}"), 200, execution(status, Value::Null));
        assert_eq!(host.squall(&["run", "core.local", "date"]).await.code, 1, "{status}");
    }
}

#[tokio::test]
async fn it_need_not_wait() {
    let host = host().await;
    assert_snapshot!(host.squall(&["run", "core.local", "date", "-a", "--delay", "500"]).await.text(), @"
    696f5a3c1d2e3f4a5b6c7d8e
    ! hint: `squall execution get 696f5a3c1d2e3f4a5b6c7d8e` shows what comes of it
    exit 0
    ");
    assert_eq!(host.sent(), json!({"action": "core.local", "parameters": {"cmd": "date"}, "delay": 500}));
    assert_eq!(host.lines().len(), 2);
}

#[tokio::test]
async fn output_is_followed() {
    let host = host().await;
    let output = format!("GET /executions/{ID}/output");
    let chunk = |n: u64, data: &str| json!({"sequence": n, "stream": "stdout", "data": data});
    host.on(&output, 200, json!({"chunks": [chunk(0, "one\n"), chunk(1, "tw")], "status": "running"}));
    host.on(&output, 200, json!({"chunks": [chunk(2, "o\n")], "status": "succeeded"}));
    host.on(&output, 200, json!({"chunks": [], "status": "succeeded"}));
    host.on(&format!("GET /executions/{ID}"), 200, execution("succeeded", json!({"stdout": "one\ntwo"})));
    assert_snapshot!(host.squall(&["run", "core.local", "date", "--tail"]).await.text(), @"
    one
    two
    id:      696f5a3c1d2e3f4a5b6c7d8e
    status:  succeeded
    elapsed: 42 ms
    exit 0
    ");
    assert_snapshot!(host.lines().join("\n"), @"
    GET /actions/views/parameters/core.local
    POST /executions
    GET /executions/696f5a3c1d2e3f4a5b6c7d8e/output
    GET /executions/696f5a3c1d2e3f4a5b6c7d8e/output?after=1
    GET /executions/696f5a3c1d2e3f4a5b6c7d8e/output?after=2
    GET /executions/696f5a3c1d2e3f4a5b6c7d8e
    ");
}

#[tokio::test]
async fn a_slip_in_the_ref_is_recognised() {
    let host = Host::start().await;
    host.on("GET /actions", 200, json!([{"ref": "core.local"}, {"ref": "core.echo"}]));
    assert_snapshot!(host.squall(&["run", "core.lcoal", "date"]).await.text(), @r#"
    ! error: there is no action "core.lcoal"
    ! hint: did you mean core.local?
    exit 1
    "#);
    assert_snapshot!(host.squall(&["run", "github.comment"]).await.text(), @r#"
    ! error: there is no action "github.comment"
    ! hint: `squall action list` shows all
    exit 1
    "#);
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_not_sent() {
    let host = host().await;
    assert_snapshot!(host.squall(&["run", "core.local", "timeout=soon"]).await.text(), @r#"
    ! error: parameter "timeout" of core.local must be an integer, and "soon" is not
    exit 2
    "#);
    assert_eq!(host.lines(), ["GET /actions/views/parameters/core.local"]);
}

#[tokio::test]
async fn the_environment_is_given_where_asked_for() {
    let host = host().await;
    host.squall(&["run", "core.local", "-ae", "date"]).await;
    let url = format!("http://{}", host.address);
    assert_eq!(host.sent().pointer("/parameters/env"), Some(&json!({"SQUALL_URL": url})));
}

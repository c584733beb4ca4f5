//! `squall inquiry`.

use super::harness::Host;
use insta::assert_snapshot;
use serde_json::json;

const ID: &str = "696f5a3c1d2e3f4a5b6c7d8e";

fn inquiry() -> serde_json::Value {
    json!({
        "id": ID, "route": "ops", "ttl": 60, "users": ["ann"], "roles": [],
        "schema": {"type": "object", "properties": {"continue": {"type": "boolean", "required": true}}},
    })
}

#[tokio::test]
async fn inquiries_are_listed_and_shown() {
    let host = Host::start().await;
    host.on("GET /inquiries", 200, json!([inquiry()])).on(&format!("GET /inquiries/{ID}"), 200, inquiry());
    assert_snapshot!(host.squall(&["inquiry", "list"]).await.text(), @"
    ID                        ROUTE  USERS  ROLES  MINUTES
    696f5a3c1d2e3f4a5b6c7d8e  ops    ann           60
    exit 0
    ");
    assert_snapshot!(host.squall(&["inquiry", "get", ID]).await.text(), @"
    id:      696f5a3c1d2e3f4a5b6c7d8e
    route:   ops
    users:   ann
    minutes: 60
    schema:
      type: object
      properties:
        continue:
          type: boolean
          required: true
    exit 0
    ");
}

#[tokio::test]
async fn an_answer_is_sent_as_it_is_given() {
    let host = Host::start().await;
    let path = format!("/inquiries/{ID}");
    host.on(&format!("PUT {path}"), 200, json!({"id": ID, "response": {"continue": true}}));
    let done = host.squall(&["inquiry", "respond", ID, "-r", "continue: true"]).await;
    assert_snapshot!(done.text(), @"
    inquiry 696f5a3c1d2e3f4a5b6c7d8e is answered
    exit 0
    ");
    assert_eq!(host.sent(), json!({"id": ID, "response": {"continue": true}}));
    let done = host.squall(&["inquiry", "respond", ID, "-r", "true"]).await;
    assert_eq!((done.code, host.lines().len()), (2, 1), "{done:?}");
}

#[tokio::test]
async fn run_does_not_wait_for_people() {
    let host = Host::start().await;
    host.on("GET /actions/views/parameters/core.ask", 200, json!({"parameters": {}}));
    let asked = json!({"id": ID, "status": "pending", "action": {"ref": "core.ask"}});
    host.on("POST /executions", 201, asked.clone()).on(&format!("GET /executions/{ID}"), 200, asked);
    assert_snapshot!(host.squall(&["run", "core.ask"]).await.text(), @"
    id:     696f5a3c1d2e3f4a5b6c7d8e
    action: core.ask
    status: pending
    ! hint: `squall inquiry respond 696f5a3c1d2e3f4a5b6c7d8e` answers it
    exit 1
    ");
}

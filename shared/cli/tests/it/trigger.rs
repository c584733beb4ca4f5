//! `squall trigger`, `trigger-instance`, `timer`, `trace`.

use super::harness::Host;
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn an_event_by_hand_is_cast_by_the_payload_schema() {
    let host = Host::start().await;
    let kind = json!({"ref": "demo.deployed", "payload_schema": {"properties": {"minutes": {"type": "integer"}}}});
    host.on("GET /triggertypes/demo.deployed", 200, kind).on_with(
        "POST /webhooks/st2",
        202,
        &[("X-Trigger-Instance-Id", "696f")],
        json!({}),
    );
    let done = host
        .squall(&[
            "trigger",
            "emit",
            "demo.deployed",
            "minutes=3",
            "service=shop",
            "--payload",
            "{version: '1', minutes: 9}",
        ])
        .await;
    assert_snapshot!(done.text(), @"
    demo.deployed has happened
    see what came of it with `squall explain 696f`
    exit 0
    ");
    let wanted = json!({"trigger": "demo.deployed", "payload": {"version": "1", "minutes": 3, "service": "shop"}});
    assert_eq!(host.sent(), wanted);
    assert_snapshot!(host.squall(&["trigger", "emit", "demo.deployed", "--payload", "[1]"]).await.text(), @r#"
    ! error: the payload must be an object
    ! hint: such as --payload '{"service": "shop"}'
    exit 2
    "#);
}

#[tokio::test]
async fn the_last_event_has_a_name() {
    let host = Host::start().await;
    let instance = json!({
        "id": "696f", "trigger": "core.st2.webhook", "status": "processed",
        "occurrence_time": "2026-03-02T09:14:05.120000Z", "payload": {"body": {"status": "firing", "alerts": [{"n": 1}]}},
    });
    host.on("GET /triggerinstances", 200, json!([instance])).on("GET /triggerinstances/696f", 200, instance);
    host.on(
        "POST /triggerinstances/696f/re_emit",
        200,
        json!({"message": "Trigger instance 696f succesfully re-sent."}),
    );
    assert_snapshot!(host.squall(&["trigger-instance", "get", "last"]).await.text(), @"
    id:       696f
    trigger:  core.st2.webhook
    occurred: 2026-03-02 09:14:05.120Z
    status:   processed
    payload:
      body:
        status: firing
        alerts:
          - n: 1
    exit 0
    ");
    assert_snapshot!(host.squall(&["trigger-instance", "re-emit", "last"]).await.text(), @"
    Trigger instance 696f succesfully re-sent.
    exit 0
    ");
    assert_snapshot!(host.squall(&["trigger-instance", "list"]).await.text(), @"
    ID    TRIGGER           OCCURRED                  STATUS
    696f  core.st2.webhook  2026-03-02 09:14:05.120Z  processed
    exit 0
    ");
}

#[tokio::test]
async fn nothing_may_have_happened_yet() {
    let host = Host::start().await;
    host.on("GET /triggerinstances", 200, json!([])).on("GET /timers", 200, json!([]));
    assert_snapshot!(host.squall(&["explain"]).await.text(), @"
    ! error: nothing has happened yet
    ! hint: post something to a webhook; `squall webhook list` shows them
    exit 1
    ");
    assert_snapshot!(host.squall(&["timer", "list"]).await.text(), @"
    ! note: no enabled rule listens to a timer
    exit 0
    ");
}

#[tokio::test]
async fn a_trace_is_told_in_the_order_of_time() {
    let host = Host::start().await;
    let part = |id: &str, what: &str, ms: u32| json!({"object_id": id, "ref": what, "updated_at": format!("2026-03-02T09:14:05.{ms:03}000Z")});
    let trace = json!({
        "id": "a1", "trace_tag": "webhook-alertmanager", "start_timestamp": "2026-03-02T09:14:05.120000Z",
        "action_executions": [part("c3", "demo.remediate", 3)], "rules": [part("b2", "demo.critical_alert", 2)],
        "trigger_instances": [part("a1", "core.st2.webhook", 1)],
    });
    host.on("GET /traces/a1", 200, trace);
    assert_snapshot!(host.squall(&["trace", "get", "a1"]).await.text(), @"
    id:        a1
    trace tag: webhook-alertmanager
    start:     2026-03-02 09:14:05.120Z

    AT                        WHAT              REF                  ID
    2026-03-02 09:14:05.001Z  trigger instance  core.st2.webhook     a1
    2026-03-02 09:14:05.002Z  rule              demo.critical_alert  b2
    2026-03-02 09:14:05.003Z  execution         demo.remediate       c3
    exit 0
    ");
}

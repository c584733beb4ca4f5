//! `squall execution`.

use super::harness::Host;
use insta::assert_snapshot;
use serde_json::{Value, json};

fn executions(range: std::ops::Range<u32>) -> Value {
    let execution = |n: u32| {
        json!({
            "id": format!("696f5a3c1d2e3f4a5b6c{n:04}"), "status": if n.is_multiple_of(2) { "succeeded" } else { "failed" },
            "action": {"ref": "demo.remediate"}, "context": {"user": "stanley"}, "rule": {"ref": "demo.critical_alert"},
            "start_timestamp": format!("2026-03-02T09:14:{n:02}.120000Z"), "elapsed_seconds": 0.042,
        })
    };
    range.rev().map(execution).collect()
}

#[tokio::test]
async fn the_newest_stands_right_above_the_prompt() {
    let host = Host::start().await;
    host.on_with("GET /executions", 200, &[("X-Total-Count", "1234")], executions(1..4));
    assert_snapshot!(host.squall(&["execution", "list", "-n", "3", "--status", "failed"]).await.text(), @"
    ID                        ACTION          STATUS     START                     ELAPSED  USER     RULE
    696f5a3c1d2e3f4a5b6c0001  demo.remediate  failed     2026-03-02 09:14:01.120Z  42 ms    stanley  demo.critical_alert
    696f5a3c1d2e3f4a5b6c0002  demo.remediate  succeeded  2026-03-02 09:14:02.120Z  42 ms    stanley  demo.critical_alert
    696f5a3c1d2e3f4a5b6c0003  demo.remediate  failed     2026-03-02 09:14:03.120Z  42 ms    stanley  demo.critical_alert
    ! note: these are the last 3 of 1234; -n shows more
    exit 0
    ");
    assert_snapshot!(host.squall(&["execution", "list", "-n", "1", "--yaml"]).await.text(), @"
    - id: 696f5a3c1d2e3f4a5b6c0003
      status: failed
      action:
        ref: demo.remediate
      context:
        user: stanley
      rule:
        ref: demo.critical_alert
      start_timestamp: '2026-03-02T09:14:03.120000Z'
      elapsed_seconds: 0.042
    exit 0
    ");
    assert_eq!(host.lines()[0], "GET /executions?status=failed&limit=3");
}

#[tokio::test]
async fn long_lists_are_read_page_by_page() {
    let host = Host::start().await;
    host.on_with("GET /executions", 200, &[("X-Next-Cursor", "c1")], executions(0..100));
    host.on_with("GET /executions", 200, &[], executions(0..20));
    let done = host.squall(&["execution", "list", "-n", "150"]).await;
    assert_eq!(done.out.lines().count(), 121);
    assert_eq!(done.error, "");
    assert_eq!(host.lines(), ["GET /executions?limit=100", "GET /executions?limit=50&cursor=c1"]);
}

#[tokio::test]
async fn there_may_be_none() {
    let host = Host::start().await;
    host.on("GET /executions", 200, json!([]));
    assert_snapshot!(host.squall(&["execution", "list"]).await.text(), @"
    ! note: there are no such executions
    exit 0
    ");
    assert_snapshot!(host.squall(&["execution", "list", "--json"]).await.text(), @"
    []
    exit 0
    ");
}

#[tokio::test]
async fn what_can_t_be_canceled_is_said() {
    let host = Host::start().await;
    host.on("DELETE /executions/a", 200, json!({"id": "a", "status": "canceling"}));
    host.on("DELETE /executions/b", 200, json!({"faultstring": "Action is already in a final state"}));
    assert_snapshot!(host.squall(&["execution", "cancel", "a", "b"]).await.text(), @"
    a is being canceled
    b was not canceled: Action is already in a final state
    exit 1
    ");
}

#[tokio::test]
async fn it_runs_again_with_other_parameters() {
    let host = Host::start().await;
    host.on("GET /executions/last", 200, json!({"id": "a1", "status": "failed", "action": {"ref": "core.local"}}));
    host.on("GET /actions/views/parameters/core.local", 200, json!({"parameters": {"timeout": {"type": "integer"}}}));
    host.on("POST /executions/a1/re_run", 201, json!({"id": "b2", "status": "requested"}));
    assert_snapshot!(host.squall(&["execution", "re-run", "last", "timeout=9", "-a"]).await.text(), @"
    b2
    ! hint: `squall execution get b2` shows what comes of it
    exit 0
    ");
    assert_eq!(host.sent(), json!({"parameters": {"timeout": 9}}));
}

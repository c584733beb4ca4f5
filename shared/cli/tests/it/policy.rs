//! `squall policy`.

use super::harness::Host;
use serde_json::json;

#[tokio::test]
async fn policies_are_listed_by_action_and_shown() {
    let host = Host::start().await;
    let policy = json!({
        "ref": "demo.few", "resource_ref": "demo.greet", "policy_type": "action.concurrency", "enabled": true,
        "parameters": {"threshold": 2},
    });
    host.on("GET /policies", 200, json!([policy])).on("GET /policies/demo.few", 200, policy);
    let list = host.squall(&["policy", "list", "--action", "demo.greet", "--type", "action.concurrency"]).await;
    assert!(list.code == 0 && list.out.contains("demo.few  demo.greet  action.concurrency"), "{list:?}");
    let get = host.squall(&["policy", "get", "demo.few"]).await;
    assert!(get.code == 0 && get.out.contains("threshold: 2"), "{get:?}");
    let near = host.squall(&["policy", "get", "demo.fewer"]).await;
    assert!(near.code == 1 && near.error.contains("did you mean demo.few?"), "{near:?}");
    assert_eq!(host.lines()[0], "GET /policies?resource_ref=demo.greet&policy_type=action.concurrency&limit=100");
}

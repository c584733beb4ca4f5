//! `squall key`.

use super::harness::Host;
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn names_may_hold_anything() {
    let host = Host::start().await;
    host.on("PUT /keys/a%2Fb%20c", 200, json!({"name": "a/b c"}));
    host.on("DELETE /keys/a%2Fb%20c", 204, json!(null));
    assert_snapshot!(host.squall(&["key", "set", "a/b c", "1", "--ttl", "60", "-e"]).await.text(), @"
    a/b c is set
    exit 0
    ");
    assert_eq!(host.sent(), json!({"name": "a/b c", "value": "1", "scope": "system", "secret": true, "ttl": 60}));
    assert_snapshot!(host.squall(&["key", "delete", "a/b c", "--scope", "user"]).await.text(), @"
    a/b c is deleted
    exit 0
    ");
    assert_eq!(host.lines(), ["PUT /keys/a%2Fb%20c", "DELETE /keys/a%2Fb%20c?scope=user"]);
}

#[tokio::test]
async fn keys_are_listed() {
    let host = Host::start().await;
    let keys = json!([
        {"name": "deploy.colour", "value": "blue", "secret": false, "scope": "st2kv.system"},
        {"name": "deploy.token", "value": "********", "secret": true, "scope": "st2kv.system",
         "expire_timestamp": "2026-03-02T09:14:05.120000Z"},
    ]);
    host.on("GET /keys", 200, keys);
    assert_snapshot!(host.squall(&["key", "list", "--prefix", "deploy."]).await.text(), @"
    NAME           VALUE     SECRET  SCOPE         USER  EXPIRES
    deploy.colour  blue      false   st2kv.system
    deploy.token   ********  true    st2kv.system        2026-03-02 09:14:05.120Z
    exit 0
    ");
    assert_eq!(host.lines(), ["GET /keys?scope=system&prefix=deploy.&limit=100"]);
}

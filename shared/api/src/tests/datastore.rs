//! `/keys`

use http::Method;
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn keys_are_set_read_listed_and_deleted() {
    let world = World::new().await;
    let made = world.put("/api/v1/keys/colour", json!({"name": "colour", "value": "red", "ttl": 60})).await.expect(200);
    assert_eq!(
        (&made["value"], &made["scope"], &made["secret"]),
        (&json!("red"), &json!("st2kv.system"), &json!(false))
    );
    assert_eq!(made["expire_timestamp"], "2026-11-24T12:01:00.000000Z");
    assert_eq!(world.get("/keys/colour").await.expect(200), made);
    world.put("/keys/other", json!({"value": "x"})).await.expect(200);
    let list = world.get("/keys?prefix=col").await;
    assert_eq!((list.header("x-total-count"), &list.json()[0]["name"]), ("1", &json!("colour")));
    assert_eq!(world.delete("/keys/colour").await.status, 204);
    assert_eq!(world.get("/keys/colour").await.status, 404);
}

#[tokio::test]
async fn put_keys_name_refuses_what_is_no_pair() {
    let world = World::new().await;
    for (body, part) in [
        (json!({"value": 1}), "must be a string"),
        (json!({"name": "b", "value": "x"}), "the path names key \"a\""),
        (json!({"value": "x", "scope": "moon"}), "moon"),
        (json!({"value": "x", "encrypted": true}), "secret: true"),
        (json!({"value": "x", "colour": 1}), "colour"),
    ] {
        let reply = world.put("/keys/a", body.clone()).await;
        assert!(reply.status == 400 && reply.fault().contains(part), "{body}: {}", reply.text);
    }
}

#[tokio::test]
async fn secret_keys_are_shown_to_admins_who_ask() {
    let world = World::new().await;
    let made = world.put("/keys/pass", json!({"value": "hunter22", "secret": true})).await.expect(200);
    assert!(!made.to_string().contains("hunter22"), "{made}");
    assert_eq!((&made["secret"], &made["encrypted"]), (&json!(true), &json!(true)));
    let clear = world.get("/keys/pass?decrypt=true").await.expect(200);
    assert_eq!((&clear["value"], &clear["encrypted"]), (&json!("hunter22"), &json!(false)));
    let user = world.request(Method::GET, "/keys/pass?decrypt=true").by_user().send("").await;
    assert!(!user.text.contains("hunter22"), "{}", user.text);
}

#[tokio::test]
async fn user_keys_are_the_users_own() {
    let world = World::new().await;
    let body = json!({"value": "x", "scope": "user"});
    let made = world.request(Method::PUT, "/keys/mine").by_user().json(&body).await.expect(200);
    assert_eq!((&made["user"], &made["scope"]), (&json!("ben"), &json!("st2kv.user")));
    assert_eq!(world.get("/keys/mine?scope=user").await.status, 404, "ann has none");
    assert_eq!(world.get("/keys/mine?user=ben").await.expect(200)["value"], "x");
    let other = world.request(Method::GET, "/keys/mine?user=ann").by_user().send("").await;
    assert_eq!(other.status, 403, "{}", other.text);
    let all = world.request(Method::GET, "/keys?scope=all").by_user().send("").await;
    assert_eq!(all.header("x-total-count"), "1", "{}", all.text);
}

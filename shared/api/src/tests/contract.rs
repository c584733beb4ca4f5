//! What holds for every path.

use axum::routing::MethodFilter;
use http::Method;

use super::world::World;
use crate::{
    ApiOptions,
    permission::Access,
    router::{paths, table},
};

fn method(filter: MethodFilter) -> Method {
    let all = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    all.into_iter().find(|method| MethodFilter::try_from(method.clone()).is_ok_and(|own| own == filter)).unwrap()
}

/// A path of that route: every variable part is some name.
fn concrete(path: &str) -> String {
    path.split('/').map(|step| if step.starts_with('{') { "x.y" } else { step }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_answers_401_without_a_credential_and_with_a_wrong_one() {
    let world = World::new().await;
    let mut open = Vec::new();
    for route in table() {
        if route.access == Access::Open {
            open.push(route.path);
            continue;
        }
        for path in paths(route.path).iter().map(|path| concrete(path)) {
            let reply = world.request(method(route.method), &path).by_nobody().send("").await;
            assert_eq!(
                (reply.status, reply.fault().as_str()),
                (401, "Unauthorized - One of Token or API key required."),
                "{path}"
            );
            let wrong = world.request(method(route.method), &path).by_nobody().header("St2-Api-Key", "wrong");
            assert_eq!(wrong.send("").await.status, 401, "{path}");
            let token = world.request(method(route.method), &path).by_nobody().header("X-Auth-Token", "wrong");
            assert_eq!(token.send("").await.status, 401, "{path}");
        }
    }
    assert_eq!(open, ["/healthz", "/readyz"]);
}

#[tokio::test]
async fn every_route_is_found_and_users_get_403_where_admins_are_wanted() {
    let world = World::new().await;
    for route in table() {
        for path in paths(route.path).iter().map(|path| concrete(path)) {
            let reply = world.request(method(route.method), &path).by_user().send("").await;
            assert!(!matches!(reply.status, 405 | 500), "{path}: {}", reply.text);
            assert!(!reply.text.contains("No route matches"), "{path}");
            let Access::Needs(permission) = route.access else { continue };
            let user = engine::Principal { user: "ben".into(), admin: false };
            assert_eq!(reply.status == 403, !permission.is_granted_to(&user), "{path}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn paths_that_only_look_like_a_route_lead_nowhere() {
    let world = World::new().await;
    for path in [
        "/api/v1/healthz/../rules",
        "/api/v1/%72ules",
        "/api/v1//rules",
        "/api/v1/rules;a=b",
        "/API/v1/rules",
        "/api/v1/rules.json",
        "/api/v2/rules",
        "/api/v1/rules/views/a/b",
        "//api/v1/rules",
        "/api/v1/rules%2f",
    ] {
        let reply = world.request(Method::GET, path).by_nobody().send("").await;
        assert!(matches!(reply.status, 401 | 404), "{path}: {}", reply.status);
        let reply = world.get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
    }
    assert_eq!(world.get("/nothing").await.fault(), "No route matches \"/nothing\" path");
}

#[tokio::test]
async fn other_methods_are_405() {
    let world = World::new().await;
    for (method, path) in
        [(Method::HEAD, "/rules"), (Method::PATCH, "/rules"), (Method::OPTIONS, "/rules"), (Method::DELETE, "/packs")]
    {
        let reply = world.request(method.clone(), path).send("").await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert!(!reply.header("allow").is_empty(), "{method} {path}");
        assert_eq!(reply.fault(), format!("{path} has no method {method}"));
    }
    // A header that asks for another method than the request's is not heard.
    let reply = world.request(Method::GET, "/rules").header("X-HTTP-Method-Override", "DELETE").send("").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn request_ids_are_echoed_or_made() {
    let world = World::new().await;
    let reply = world.request(Method::GET, "/user").header("X-Request-ID", "abc-1").send("").await;
    assert_eq!(reply.header("x-request-id"), "abc-1");
    assert_eq!(world.get("/nothing").await.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn keys_come_in_the_query_too_and_nothing_else_makes_a_principal() {
    let world = World::new().await;
    let reply = world.request(Method::GET, "/user?st2-api-key=wrong").by_nobody().send("").await;
    assert_eq!(reply.status, 401);
    let spoof = world.request(Method::GET, "/user?user=ann").by_user().header("X-Forwarded-User", "ann");
    let spoof = spoof.header("Remote-User", "ann").send("").await.expect(200);
    assert_eq!((&spoof["username"], &spoof["rbac"]["is_admin"]), (&"ben".into(), &false.into()));
}

#[tokio::test]
async fn origins_are_allowed_only_where_they_are_listed() {
    let options = ApiOptions { allow_origins: vec!["https://console.example".into()], ..ApiOptions::default() };
    let world = World::with(options).await;
    let preflight =
        |origin: &'static str| world.request(Method::OPTIONS, "/rules").by_nobody().header("Origin", origin);
    let reply = preflight("https://console.example").send("").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, "https://console.example"));
    assert_eq!(reply.header("access-control-allow-credentials"), "");
    let reply = preflight("https://evil.example").send("").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, ""));
}

#[tokio::test]
async fn healthz_and_readyz_need_no_credential() {
    let world = World::new().await;
    for path in ["/healthz", "/api/v1/readyz"] {
        assert_eq!(world.request(Method::GET, path).by_nobody().send("").await.expect(200)["status"], "ok");
    }
    assert!(world.get("/api/v1/").await.expect(200)["version"].is_string());
    assert_eq!(world.get("/").await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_wrong_say_where() {
    let world = World::new().await;
    let post = |body: &'static str| {
        world.request(Method::POST, "/executions").header("content-type", "application/json").send(body)
    };
    for (body, part) in [
        ("{\"action\": }", "line 1 column 12"),
        ("[]", "must be a JSON object, not an array"),
        ("{\"action\": \"a.b\", \"colour\": 1}", "unknown field `colour`"),
        ("{\"action\": \"a.b\", \"delay\": -1}", "invalid value"),
        ("{}", "missing field `action`"),
        ("", "missing field `action`"),
    ] {
        let reply = post(body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.fault().contains(part), "{body}: {}", reply.fault());
    }
    let large = format!("{{\"action\": \"{}\"}}", "a".repeat(1024 * 1024));
    let reply = world.request(Method::POST, "/executions").header("content-type", "application/json").send(large).await;
    assert_eq!(reply.status, 413);
    assert!(reply.fault().contains("1048576 bytes"), "{}", reply.fault());
    let reply = world.request(Method::POST, "/executions").header("content-type", "application/xml").send("<a/>").await;
    assert_eq!((reply.status, reply.fault().contains("application/xml")), (400, true));
}

//! The runners that start nothing.

use crate::world::{World, job, job_of};
use model::ExecutionStatus::{Failed, Succeeded};
use serde_json::json;

#[tokio::test]
async fn an_unknown_runner_type_fails_and_says_what_there_is() {
    let outcome = World::new().run(job("winrm-cmd", json!({}), json!({}))).await;
    assert_eq!(outcome.status, Failed);
    let error = outcome.result["error"].as_str().unwrap();
    assert!(error.contains("\"winrm-cmd\"") && error.contains("local-shell-script"), "{error}");
}

#[tokio::test]
async fn an_announcement_has_its_parameters_twice() {
    let runner = json!({ "experimental": true, "route": "chatops.reply-to" });
    let outcome = World::new().run(job("announcement", runner, json!({ "message": { "text": "hi" } }))).await;
    assert_eq!(outcome.status, Succeeded);
    assert_eq!(outcome.result, json!({ "output": { "message": { "text": "hi" } }, "message": { "text": "hi" } }));
}

#[tokio::test]
async fn an_announcement_needs_the_flag_and_a_route() {
    let world = World::new();
    let outcome = world.run(job("announcement", json!({ "experimental": false }), json!({}))).await;
    assert_eq!(outcome.status, Failed);
    assert!(outcome.result["error"].as_str().unwrap().contains("experimental"));
    for route in ["", ".", "a..b", "a b", "a\nb", &"x".repeat(256)] {
        let runner = json!({ "experimental": true, "route": route });
        let outcome = world.run(job("announcement", runner, json!({}))).await;
        assert_eq!(outcome.status, Failed, "{route:?}");
    }
}

#[tokio::test]
async fn errors_name_parameters_and_never_their_values() {
    let world = World::new();
    let canary = "c4n4ry";
    let cases = [
        job("local-shell-cmd", json!({ "cmd": "true", "env": { "A": format!("{canary}\0") } }), json!({})),
        job("local-shell-cmd", json!({ "cmd": format!("{canary}\0") }), json!({})),
        job("local-shell-cmd", json!({ "cmd": "true", "timeout": canary }), json!({})),
        job("local-shell-cmd", json!({ "cmd": "true", "cwd": format!("/{canary}") }), json!({})),
        job("http-request", json!({ "url": format!("http://u:{canary}@127.0.0.1/") }), json!({})),
        job("http-request", json!({ "url": format!("ftp://{canary}/") }), json!({})),
        job("http-request", json!({ "url": "http://1.1.1.1/", "headers": { "A": format!("{canary}\n") } }), json!({})),
        job("http-request", json!({ "url": "http://1.1.1.1/" }), json!({ "auth": canary })),
        job_of(
            json!({ "ref": "demo.act", "enabled": true, "runner_type": "local-shell-script", "entry_point": "a.sh" }),
            json!({}),
            json!({ "named": format!("{canary}\0") }),
        ),
    ];
    for job in cases {
        let outcome = world.run(job).await;
        assert_eq!(outcome.status, Failed);
        let text = outcome.result.to_string();
        assert!(text.contains("error") && !text.contains(canary), "{text}");
    }
}

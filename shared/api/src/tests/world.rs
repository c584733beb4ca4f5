//! A platform in memory, and a client of it.

use async_trait::async_trait;
use axum::{Router, body::Body};
use engine::{EngineOptions, Principal};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use model::{ExecutionStatus, OutputStream, Timestamp};
use ports::{Canceled, Job, Operation, Outcome, OutputSink, Query, Runner, Store};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{FakeClock, Platform};
use tower::ServiceExt;

use crate::{ApiOptions, router};

/// Writes on both streams and gives back the parameters that it got; fails where one of them says so.
struct Parrot;

#[async_trait]
impl Runner for Parrot {
    async fn run(&self, job: Job, output: &dyn OutputSink, _: Canceled) -> Outcome {
        output.write(OutputStream::Stdout, b"hello\n").await;
        output.write(OutputStream::Stderr, b"oops\n").await;
        let parameters = job.action_parameters.expose().clone();
        let fails = parameters.get("fails") == Some(&json!(true));
        let status = if fails { ExecutionStatus::Failed } else { ExecutionStatus::Succeeded };
        Outcome { status, result: json!({"return_code": i32::from(fails), "got": parameters}) }
    }
}

/// The platform.
pub(super) struct World {
    platform: Platform,
    router: Router,
    admin: String,
    user: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn fault(&self) -> String {
        self.json().get("faultstring").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The body, where the code is the one expected.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
}

impl World {
    pub(super) async fn new() -> World {
        World::with(ApiOptions::default()).await
    }

    /// With an admin, a user and two packs.
    pub(super) async fn with(options: ApiOptions) -> World {
        let clock = FakeClock::new("2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap(), 7);
        let platform = Platform::new(clock, Arc::new(Parrot), EngineOptions::default());
        let engine = &platform.engine;
        let key = async |user: &str, admin| {
            engine.create_api_key(&Principal::system(), user, admin).await.unwrap().expose().clone()
        };
        let (admin, user) = (key("ann", true).await, key("ben", false).await);
        let router = router(engine.clone(), options);
        let world = World { platform, router, admin, user };
        world.register(&CORE).await.expect(201);
        world.register(&DEMO).await.expect(201);
        world
    }

    /// Lets time pass, so that what comes next is younger.
    pub(super) fn tick(&self) {
        self.platform.clock.advance(std::time::Duration::from_secs(1));
    }

    /// Lets more time pass.
    pub(super) fn pass(&self, minutes: u64) {
        self.platform.clock.advance(std::time::Duration::from_secs(60 * minutes));
    }

    /// As if all that changes of content replaced were older than what is kept.
    pub(super) async fn forget_content_history(&self) {
        let rows = self.platform.store.query(&Query::partition("content_history", 1_000)).await.unwrap().records;
        assert!(rows.len() > 3, "there are {} rows", rows.len());
        let gone = rows.into_iter().map(|row| Operation::Delete(row.key, None)).collect();
        self.platform.store.commit(gone).await.unwrap();
    }

    /// Lets all wakes through, and those that follow from them.
    pub(super) async fn settle(&self) {
        assert_eq!(self.platform.settle().await, 0, "every wake is handled");
    }

    pub(super) fn request(&self, method: Method, path: &str) -> Call<'_> {
        Call { world: self, key: Some(self.admin.clone()), request: Request::builder().method(method).uri(path) }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path).send("").await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Reply {
        self.request(Method::POST, path).json(&body).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Reply {
        self.request(Method::PUT, path).json(&body).await
    }

    pub(super) async fn delete(&self, path: &str) -> Reply {
        self.request(Method::DELETE, path).send("").await
    }

    /// Uploads a pack.
    pub(super) async fn register(&self, files: &[(&str, &str)]) -> Reply {
        let mut body = String::new();
        for (path, text) in files {
            body += &format!(
                "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{path}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n{text}\r\n"
            );
        }
        body += "--X--\r\n";
        let call = self.request(Method::POST, "/api/v1/packs/versions");
        call.header("content-type", "multipart/form-data; boundary=X").send(body).await
    }

    /// Runs the demo action to its end and returns its id.
    pub(super) async fn run(&self, parameters: Value) -> String {
        self.run_action("demo.greet", parameters).await
    }

    /// Runs an action as far as it goes and returns the execution's id.
    pub(super) async fn run_action(&self, action: &str, parameters: Value) -> String {
        let body = json!({"action": action, "parameters": parameters});
        let id = self.post("/api/v1/executions", body).await.expect(201)["id"].as_str().unwrap().to_owned();
        self.settle().await;
        self.tick();
        id
    }
}

/// A request in the making.
pub(super) struct Call<'a> {
    world: &'a World,
    key: Option<String>,
    request: http::request::Builder,
}

impl Call<'_> {
    pub(super) fn by_user(mut self) -> Self {
        self.key = Some(self.world.user.clone());
        self
    }

    pub(super) fn by_nobody(mut self) -> Self {
        self.key = None;
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(super) async fn json(self, body: &Value) -> Reply {
        self.header("content-type", "application/json").send(body.to_string()).await
    }

    pub(super) async fn send(self, body: impl Into<Body>) -> Reply {
        let request = match &self.key {
            Some(key) => self.request.header("St2-Api-Key", key),
            None => self.request,
        };
        let response = self.world.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers): (StatusCode, _) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Reply { status: status.as_u16(), headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }
}

const CORE: [(&str, &str); 5] = [
    ("pack.yaml", "ref: core\nname: core\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.com\n"),
    (
        "triggers/webhook.yaml",
        "name: st2.webhook\npack: core\nparameters_schema:\n  type: object\n  properties:\n    url: {type: string, required: true}\n",
    ),
    ("triggers/notify.yaml", "name: st2.generic.notifytrigger\npack: core\n"),
    (
        "triggers/inquiry.yaml",
        "name: st2.generic.inquiry\npack: core\npayload_schema:\n  type: object\n  additionalProperties: false\n  properties:\n    \
         id: {type: string, required: true}\n    route: {type: string, required: true}\n",
    ),
    (
        "triggers/interval.yaml",
        "name: st2.IntervalTimer\npack: core\nparameters_schema:\n  type: object\n  properties:\n    \
         unit: {type: string, required: true}\n    delta: {type: integer, required: true}\n",
    ),
];

const DEMO: [(&str, &str); 8] = [
    (
        "pack.yaml",
        "ref: demo\nname: Demo\ndescription: d\nversion: 1.2.3\nauthor: a\nemail: a@example.com\nkeywords: [one]\n",
    ),
    (
        "actions/greet.yaml",
        "name: greet\ndescription: Greets\nrunner_type: local-shell-script\nentry_point: greet.sh\nparameters:\n  \
         who: {type: string, default: world}\n  token_of_trust: {type: string, secret: true}\n",
    ),
    ("actions/greet.sh", "#!/bin/sh\necho hello\n"),
    ("triggers/deployed.yaml", "name: deployed\npack: demo\n"),
    (
        "rules/push.yaml",
        "name: push\npack: demo\nenabled: true\ntrigger:\n  type: core.st2.webhook\n  parameters: {url: /hooks/push/}\n\
         action:\n  ref: demo.greet\n  parameters: {who: '{{ trigger.body.who }}', token_of_trust: hunter22}\n",
    ),
    (
        "rules/never.yaml",
        "name: never\npack: demo\nenabled: true\ntrigger:\n  type: core.st2.webhook\n  parameters: {url: /hooks/push/}\n\
         criteria:\n  trigger.body.who: {type: equals, pattern: nobody}\naction:\n  ref: demo.greet\n",
    ),
    (
        "rules/beat.yaml",
        "name: beat\npack: demo\nenabled: true\ntrigger:\n  type: core.st2.IntervalTimer\n  parameters: {unit: hours, delta: 1}\n\
         action:\n  ref: demo.greet\n",
    ),
    (
        "aliases/greet.yaml",
        "name: greet\npack: demo\ndescription: d\naction_ref: demo.greet\nformats:\n  - greet {{ who }}\n",
    ),
];

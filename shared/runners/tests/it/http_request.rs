//! Requests: what is sent, what comes back, where none goes.

use crate::{
    server::{Received, Server, response},
    world::{Recorder, World, job},
};
use model::ExecutionStatus::{Canceled, Failed, Succeeded, Timeout};
use ports::{CancelHandle, Outcome, Runner};
use runners::HttpPolicy;
use serde_json::{Value, json};

fn private() -> World {
    World::with(|options| options.http = HttpPolicy { allow_private: true, allowed_hosts: Vec::new() })
}

async fn ok_server() -> Server {
    Server::start(|_| Some(response("200 OK", &[], b"ok"))).await
}

fn error(outcome: &Outcome) -> &str {
    outcome.result["error"].as_str().unwrap_or_else(|| panic!("no error in {}", outcome.result))
}

/// What the server gets of a request with these parameters.
async fn sent(runner: Value, action: Value) -> Received {
    let server = ok_server().await;
    let mut runner = runner;
    let path = runner.get("url").and_then(Value::as_str).unwrap_or("/").to_owned();
    runner["url"] = json!(server.url(&path));
    let outcome = private().run(job("http-request", runner, action)).await;
    assert_eq!(outcome.status, Succeeded, "{}", outcome.result);
    server.received().remove(0)
}

#[tokio::test]
async fn a_plain_request() {
    let got = sent(json!({ "url": "/a?x=1#part" }), json!({})).await;
    assert_eq!((got.method.as_str(), got.target.as_str(), got.body.as_str()), ("GET", "/a?x=1", ""));
    assert!(got.headers["user-agent"].starts_with("squall/"));
    assert_eq!(got.headers["x-stanley-action"], "act");
    assert!(!got.headers.contains_key("authorization") && !got.headers.contains_key("content-type"));
}

#[tokio::test]
async fn parameters_headers_and_cookies_are_sent() {
    let runner = json!({
        "url": "/a?x=1",
        "headers": { "X-One": "1", "X-Name": "żółć", "X-Number": 5, "X-None": null, "User-Agent": "mine", "Content-Length": "999", "Cookie": "own=1" },
        "cookies": { "a": "b", "c": "d" }
    });
    let action = json!({ "params": { "q": "a b&c", "many": [1, 2], "none": null }, "method": "delete" });
    let got = sent(runner, action).await;
    assert_eq!((got.method.as_str(), got.target.as_str()), ("DELETE", "/a?x=1&q=a+b%26c&many=1&many=2"));
    assert_eq!((got.headers["x-one"].as_str(), got.headers["x-number"].as_str()), ("1", "5"));
    assert_eq!((got.headers["user-agent"].as_str(), got.headers["cookie"].as_str()), ("mine", "own=1; a=b; c=d"));
    assert!(!got.headers.contains_key("x-none"));
    assert_eq!(got.headers["traceparent"], "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}

#[tokio::test]
async fn bodies_are_made_json_only_where_the_content_type_is_exactly_that() {
    let json_type = "application/json";
    let cases = [
        (Some(json_type), json!("{\"a\": [1, null]}"), "{\"a\":[1,null]}"),
        (Some(json_type), json!("{'a': True, 'b': None}"), "{\"a\":true,\"b\":null}"),
        (Some(json_type), json!({ "a": 1 }), "{\"a\":1}"),
        (Some(json_type), json!([1]), "[1]"),
        (Some("application/json; charset=utf-8"), json!("{'a': True}"), "{'a': True}"),
        (Some("text/plain"), json!("plain"), "plain"),
        (None, json!("{\"a\": 1}"), "{\"a\": 1}"),
        (None, json!({ "a": "x y", "b": [1, 2] }), "a=x+y&b=1&b=2"),
    ];
    for (content_type, body, expected) in cases {
        let got = sent(json!({ "headers": { "content-type": content_type } }), json!({ "body": body })).await;
        assert_eq!((got.method.as_str(), got.body.as_str()), ("POST", expected));
        let form = (content_type.is_none() && body.is_object()).then_some("application/x-www-form-urlencoded");
        assert_eq!(got.headers.get("content-type").map(String::as_str), content_type.or(form));
    }
    let runner = json!({ "url": "http://127.0.0.1:1/", "headers": { "Content-Type": json_type } });
    let outcome = private().run(job("http-request", runner, json!({ "body": "not json" }))).await;
    assert!(outcome.status == Failed && error(&outcome).contains("\"body\""));
    let got = sent(json!({ "headers": { "Content-Type": json_type } }), json!({ "body": "" })).await;
    assert_eq!((got.method.as_str(), got.body.as_str()), ("GET", ""), "an empty body is none");
}

#[tokio::test]
async fn a_file_is_sent_as_a_form_field_of_its_name() {
    let action = json!({ "file_name": "a.txt", "file_content": "hello", "file_content_type": "text/x-log", "body": { "k": "v" } });
    let got = sent(json!({ "headers": { "Content-Type": "application/json" } }), action).await;
    assert_eq!(got.method, "POST");
    assert!(got.headers["content-type"].starts_with("multipart/form-data; boundary="));
    for part in
        ["name=\"a.txt\"; filename=\"a.txt\"\r\nContent-Type: text/x-log\r\n\r\nhello\r\n", "name=\"k\"\r\n\r\nv\r\n"]
    {
        assert!(got.body.contains(part), "{}", got.body);
    }
}

#[tokio::test]
async fn credentials_are_sent() {
    let basic = "Basic dTpw";
    assert_eq!(sent(json!({ "username": "u", "password": "p" }), json!({})).await.headers["authorization"], basic);
    let got = sent(json!({}), json!({ "auth": "x-auth-token=a=b" })).await;
    assert_eq!(got.headers["x-auth-token"], "a=b");
    let server = ok_server().await;
    let url = format!("http://u:p@127.0.0.1:{}/", server.port);
    private().run(job("http-request", json!({ "url": url }), json!({}))).await;
    assert_eq!(server.received()[0].headers["authorization"], basic);
}

#[tokio::test]
async fn the_response_is_the_result() {
    let server = Server::start(|request| {
        Some(match request.target.as_str() {
            "/json" => response("200 OK", &[("Content-Type", "application/json; charset=utf-8")], b"{\"a\": 1.50}"),
            "/broken" => response("200 OK", &[("Content-Type", "application/json")], b"{"),
            "/text" => {
                response("206 Partial Content", &[("content-type", "text/json"), ("X-A", "1"), ("x-a", "2")], b"{}")
            }
            "/latin" => response("200 OK", &[("Content-Type", "text/plain; charset=ISO-8859-1")], b"caf\xe9"),
            "/gone" => response("404 Not Found", &[("ETag", "x")], b"no"),
            _ => response("207 Multi-Status", &[], b""),
        })
    })
    .await;
    let cases = [
        ("/json", Succeeded, 200, json!({ "a": 1.5 }), true),
        ("/broken", Succeeded, 200, json!("{"), false),
        ("/text", Succeeded, 206, json!("{}"), false),
        ("/latin", Succeeded, 200, json!("café"), false),
        ("/gone", Failed, 404, json!("no"), false),
        ("/other", Failed, 207, json!(""), false),
    ];
    let world = private();
    for (path, status, code, body, parsed) in cases {
        let outcome = world.run(job("http-request", json!({ "url": server.url(path) }), json!({}))).await;
        assert_eq!(outcome.status, status, "{path}");
        let mut result = outcome.result;
        let headers = result.as_object_mut().unwrap().remove("headers").unwrap();
        assert_eq!(result, json!({ "status_code": code, "body": body, "parsed": parsed }), "{path}");
        match path {
            "/text" => assert_eq!((&headers["X-A"], &headers["Content-Type"]), (&json!("1, 2"), &json!("text/json"))),
            "/gone" => assert_eq!(headers["ETag"], json!("x")),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_response_past_the_limit_fails() {
    let server = Server::start(|_| Some(response("200 OK", &[], &[b'x'; 1001]))).await;
    let world = World::with(|options| {
        options.output_limit = 1000;
        options.http.allow_private = true;
    });
    let outcome = world.run(job("http-request", json!({ "url": server.url("/") }), json!({}))).await;
    assert!(outcome.status == Failed && error(&outcome).contains("more than 1000 bytes"));
}

#[tokio::test]
async fn a_slow_server_is_a_timeout_and_a_cancel_is_a_cancel() {
    let world = private();
    let server = Server::start(|_| None).await;
    let silent = || job("http-request", json!({ "url": server.url("/") }), json!({ "timeout": 0.2 }));
    let outcome = world.run(silent()).await;
    assert_eq!((outcome.status, error(&outcome)), (Timeout, "no complete response within 0.2 seconds"));

    let server = Server::start(|_| None).await;
    let silent = job("http-request", json!({ "url": server.url("/") }), json!({}));
    let (handle, canceled) = CancelHandle::new();
    let cancel = async {
        server.arrival().await;
        handle.cancel();
    };
    let output = Recorder::default();
    let (outcome, ()) = tokio::join!(world.runners.run(silent, &output, canceled), cancel);
    assert_eq!(outcome.status, Canceled);
}

/// A server that redirects by its targets: `/301/next` says 301 to `/next`; everything else is fine.
async fn redirecting(to: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
    Server::start(move |request| {
        let target = request.target.trim_start_matches('/');
        Some(match target.split_once('/') {
            Some((code, rest)) => response(&format!("{code} Moved"), &[("Location", &to(rest))], b""),
            None => response("200 OK", &[], b"arrived"),
        })
    })
    .await
}

#[tokio::test]
async fn redirects_are_followed_where_wanted() {
    let server = redirecting(|rest| format!("/{rest}")).await;
    let world = private();
    let outcome = world.run(job("http-request", json!({ "url": server.url("/302/end") }), json!({}))).await;
    assert_eq!((outcome.status, &outcome.result["status_code"]), (Failed, &json!(302)));
    assert_eq!(outcome.result["headers"]["Location"], json!("/end"));

    for (code, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let runner = json!({
            "url": server.url(&format!("/{code}/end")), "allow_redirects": true, "username": "u", "password": "p",
            "headers": { "Content-Type": "text/plain" }
        });
        let outcome = world.run(job("http-request", runner, json!({ "body": "b" }))).await;
        assert_eq!(outcome.result["body"], json!("arrived"), "{}", outcome.result);
        let last = server.received().pop().unwrap();
        assert_eq!(last.method, method, "{code}");
        assert_eq!(last.body, if method == "POST" { "b" } else { "" });
        assert_eq!(last.headers.contains_key("content-type"), method == "POST");
        assert!(last.headers.contains_key("authorization"), "it is still the same server");
    }
    let endless = Server::start(|_| Some(response("302 Found", &[("Location", "/")], b""))).await;
    let runner = json!({ "url": endless.url("/"), "allow_redirects": true });
    let outcome = world.run(job("http-request", runner, json!({}))).await;
    assert_eq!((error(&outcome), endless.received().len()), ("more than 30 redirects", 31));
}

#[tokio::test]
async fn credentials_stay_with_their_server() {
    let other = ok_server().await;
    let target = other.url("/end");
    let server = redirecting(move |_| target.clone()).await;
    for auth in [json!(null), json!("x-token=secret")] {
        let mut runner = json!({
            "url": server.url("/307/x"), "allow_redirects": true, "cookies": { "session": "secret" },
            "headers": { "Authorization": "secret", "X-Plain": "kept" }
        });
        if auth.is_null() {
            runner["username"] = json!("u");
        }
        let outcome = private().run(job("http-request", runner, json!({ "auth": auth }))).await;
        assert_eq!(outcome.status, Succeeded, "{}", outcome.result);
        let got = other.received().pop().unwrap();
        assert_eq!(got.headers["x-plain"], "kept");
        for name in ["authorization", "cookie", "x-token"] {
            assert!(!got.headers.contains_key(name), "{name}");
        }
    }
}

#[tokio::test]
async fn nothing_inside_is_reached() {
    let server = ok_server().await;
    let port = server.port;
    let urls = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://0177.1:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://u:p@127.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ];
    let world = World::new();
    for url in urls {
        let outcome = world.run(job("http-request", json!({ "url": url }), json!({}))).await;
        assert_eq!(outcome.status, Failed, "{url}");
        assert!(error(&outcome).contains("must not reach"), "{url}: {}", error(&outcome));
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_redirect_to_the_inside_is_refused() {
    let inside = ok_server().await;
    let port = inside.port;
    for target in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("//[::1]:{port}/"),
        "http://169.254.169.254/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let to = target.clone();
        let server = redirecting(move |_| to.clone()).await;
        let world = World::with(|options| options.http.allowed_hosts = vec!["localhost".to_owned()]);
        let runner = json!({ "url": format!("http://localhost:{}/302/x", server.port), "allow_redirects": true });
        let outcome = world.run(job("http-request", runner, json!({}))).await;
        assert_eq!(server.received().len(), 1, "the named host is reached");
        assert_eq!(outcome.status, Failed, "{target}");
        assert!(error(&outcome).contains("must not reach") || error(&outcome).contains("no web address"), "{target}");
    }
    assert!(inside.received().is_empty());
}

#[tokio::test]
async fn a_proxy_is_used_and_subject_to_the_same_rules() {
    let proxy = ok_server().await;
    let runner = |url: &str| json!({ "url": url, "http_proxy": proxy.url("") });
    let outcome = private().run(job("http-request", runner("http://1.1.1.1/x"), json!({}))).await;
    assert_eq!(outcome.status, Succeeded, "{}", outcome.result);
    assert_eq!(proxy.received()[0].target, "http://1.1.1.1/x");
    let outcome = World::new().run(job("http-request", runner("http://1.1.1.1/x"), json!({}))).await;
    assert!(outcome.status == Failed && error(&outcome).contains("must not reach"));

    let named = World::with(|options| options.http.allowed_hosts = vec!["127.0.0.1".to_owned()]);
    for url in ["http://169.254.169.254/", "http://localhost/"] {
        let outcome = named.run(job("http-request", runner(url), json!({}))).await;
        assert!(outcome.status == Failed && error(&outcome).contains("must not reach"), "{url}");
    }
    assert_eq!(proxy.received().len(), 1);
}

#[tokio::test]
async fn hosts_are_listed_black_or_white() {
    let server = ok_server().await;
    let world = private();
    let cases = [
        (json!({ "url_hosts_blacklist": ["127.0.0.1"] }), Some("url_hosts_blacklist")),
        (json!({ "url_hosts_blacklist": ["example.com"] }), None),
        (json!({ "url_hosts_whitelist": ["127.0.0.1"] }), None),
        (json!({ "url_hosts_whitelist": ["example.com"] }), Some("url_hosts_whitelist")),
        (json!({ "url_hosts_whitelist": ["a"], "url_hosts_blacklist": ["b"] }), Some("exclude each other")),
    ];
    for (mut runner, expected) in cases {
        runner["url"] = json!(server.url("/"));
        let outcome = world.run(job("http-request", runner, json!({}))).await;
        match expected {
            None => assert_eq!(outcome.status, Succeeded, "{}", outcome.result),
            Some(text) => assert!(error(&outcome).contains(text), "{}", error(&outcome)),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{unused}/?token=secret");
    let outcome = private().run(job("http-request", json!({ "url": url }), json!({}))).await;
    assert_eq!(outcome.status, Failed);
    assert!(error(&outcome).starts_with("can't connect to 127.0.0.1: ") && !error(&outcome).contains("secret"));
}

//! Finding the host and the key, and what is said where that fails.

use super::harness::{Host, directory, squall_in};
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn the_address_and_the_key_are_found_in_the_data_directory() {
    let host = Host::start().await;
    host.on("GET /webhooks", 200, json!([]));
    let data = directory(&[("squall/address", &format!("http://{}\n", host.address)), ("squall/api-key", "found\n")]);
    let done = squall_in(&[("XDG_DATA_HOME", data.path().to_str().unwrap())], &["webhook", "list"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    let named = data.path().join("squall").display().to_string();
    squall_in(&[("SQUALL_DATA", &named)], &["webhook", "list"]).await;
    squall_in(&[("SQUALL_DATA", "/nowhere")], &["webhook", "list", "--data", &named]).await;
    squall_in(&[("SQUALL_DATA", &named), ("ST2_API_KEY", "told")], &["webhook", "list"]).await;
    let keys: Vec<_> = host.seen().into_iter().map(|seen| seen.key.unwrap()).collect();
    assert_eq!(keys, ["found", "found", "found", "told"]);
}

#[tokio::test]
async fn st2_s_variables_and_a_key_file_are_understood() {
    let host = Host::start().await;
    host.on("GET /webhooks", 200, json!([]));
    let keys = directory(&[("key", "\nfrom-file\n")]);
    let file = keys.path().join("key").display().to_string();
    let url = format!("http://{}/v1", host.address);
    squall_in(&[("ST2_API_URL", &url), ("ST2_API_KEY", "st2")], &["webhook", "list"]).await;
    squall_in(&[("ST2_API_URL", &url), ("ST2_API_KEY", "st2")], &["webhook", "list", "--api-key-file", &file]).await;
    let keys: Vec<_> = host.seen().into_iter().map(|seen| seen.key.unwrap()).collect();
    assert_eq!(keys, ["st2", "from-file"]);
}

#[tokio::test]
async fn a_host_that_is_not_up_is_said_to_be_so() {
    let nothing_started = squall_in(&[("SQUALL_DATA", "/nowhere")], &["rule", "list"]).await;
    assert_snapshot!(nothing_started.text(), @"
    ! error: no host has been started from /nowhere
    ! hint: start one with `squall up`, or say where one is with --url URL
    exit 1
    ");

    // A port that was free a moment ago.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let gone = squall_in(&[("SQUALL_URL", &url), ("HOME", "/nowhere")], &["rule", "list"]).await;
    assert_snapshot!(gone.text().replace(&port.to_string(), "PORT"), @"
    ! error: nothing answers at http://127.0.0.1:PORT
    ! hint: is squall up? start it with `squall up`
    exit 1
    ");

    let nonsense = squall_in(&[("HOME", "/nowhere")], &["rule", "list", "--url", "file:///etc"]).await;
    assert_snapshot!(nonsense.text(), @r#"
    ! error: "file:///etc" is not the address of a host
    ! hint: an address looks like http://127.0.0.1:9101
    exit 2
    "#);
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_looked_for_in_these_places() {
    let host = Host::start().await;
    host.on("GET /rules", 401, json!({"faultstring": "Unauthorized - One of Token or API key required."}));
    let url = format!("http://{}", host.address);
    let without = squall_in(&[("SQUALL_URL", &url), ("HOME", "/nowhere")], &["rule", "list"]).await;
    assert_snapshot!(without.text(), @"
    ! error: Unauthorized - One of Token or API key required.
    ! hint: no key was found: it is looked for in --api-key-file, SQUALL_API_KEY, ST2_API_KEY, or the file /nowhere/.local/share/squall/api-key
    exit 1
    ");
    assert_snapshot!(host.squall(&["rule", "list"]).await.text(), @"
    ! error: Unauthorized - One of Token or API key required.
    ! hint: the host does not know this key: it is looked for in --api-key-file, SQUALL_API_KEY, ST2_API_KEY, or the file /nowhere/.local/share/squall/api-key
    exit 1
    ");
}

#[tokio::test]
async fn what_the_host_says_is_passed_on() {
    let host = Host::start().await;
    host.on("GET /rules", 400, json!({"faultstring": "limit is 1 to 100, not 0"}));
    host.on("GET /actions", 503, json!("no JSON at all"));
    host.on_with("GET /packs", 302, &[("Location", "http://elsewhere.example.org")], json!(null));
    assert_snapshot!(host.squall(&["rule", "list"]).await.text(), @"
    ! error: limit is 1 to 100, not 0
    exit 1
    ");
    let address = host.address.to_string();
    assert_snapshot!(host.squall(&["action", "list"]).await.text().replace(&address, "HOST"), @"
    ! error: http://HOST answered 503 Service Unavailable
    exit 1
    ");
    assert_snapshot!(host.squall(&["pack", "list"]).await.text().replace(&address, "HOST"), @"
    ! error: http://HOST answered 302 Found, which is not squall's API
    ! hint: is --url (or SQUALL_URL, ST2_API_URL) the address of a host?
    exit 1
    ");
}

//! `squall pack`.

use super::harness::{Host, directory, squall_in};
use insta::assert_snapshot;
use serde_json::{Value, json};

const PACK: &str = "ref: tiny\nname: tiny\ndescription: A tiny pack\nversion: 1.0.0\nauthor: Somebody\n";
const RULE: &str = "\
name: on_hook
pack: tiny
enabled: true
trigger: {type: core.st2.webhook, parameters: {url: x}}
action: {ref: core.noop}
";

#[tokio::test]
async fn a_valid_pack_is_said_to_be_so_without_a_host() {
    let pack = directory(&[("pack.yaml", PACK), ("rules/on_hook.yaml", RULE)]);
    let at = pack.path().display().to_string();
    assert_snapshot!(squall_in(&[], &["pack", "validate", &at]).await.text(), @"
    tiny 1.0.0 is valid: 1 rule
    exit 0
    ");
    let done = squall_in(&[], &["pack", "validate", &at, "--json"]).await;
    let report: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(report, json!([{"path": at, "pack": "tiny", "version": "1.0.0", "valid": true, "diagnostics": []}]));
}

#[tokio::test]
async fn all_that_is_wrong_is_shown_at_once() {
    let rule = RULE.replace("action:", "acton:");
    let pack = directory(&[("pack.yaml", PACK), ("rules/on_hook.yaml", &rule)]);
    let at = pack.path().display().to_string();
    let done = squall_in(&[], &["pack", "validate", &at]).await;
    assert_snapshot!(done.text().replace(&at, "tiny"), @r#"
    tiny/rules/on_hook.yaml:1:1: error[missing-key]: the key "action" is missing
      1 | name: on_hook
        | ^
      help: is "acton" meant to be it?

    tiny/rules/on_hook.yaml:5:1: error[unknown-key]: there is no key "acton" here
      5 | acton: {ref: core.noop}
        | ^
      help: did you mean "action"?

    tiny is not valid: 2 errors, 0 warnings
    exit 1
    "#);
}

#[tokio::test]
async fn what_is_no_pack_is_not_taken_for_one() {
    let empty = directory(&[("notes.txt", "")]);
    let at = empty.path().display().to_string();
    let done = squall_in(&[], &["pack", "validate", &at]).await;
    assert_snapshot!(done.text().replace(&at, "DIR"), @"
    ! error: DIR holds no pack: there is no pack.yaml in it or in a directory below it
    exit 2
    ");
}

#[tokio::test]
async fn every_file_goes_to_the_host() {
    let host = Host::start().await;
    let counts = json!({"actions": 0, "rules": 1, "triggers": 0});
    host.on("POST /packs/versions", 201, json!({"pack": "tiny", "version": "1.0.0", "counts": counts, "warnings": []}));
    let pack = directory(&[("pack.yaml", PACK), ("rules/on_hook.yaml", RULE), (".git/HEAD", "ref")]);
    assert_snapshot!(host.squall(&["pack", "register", pack.path().to_str().unwrap()]).await.text(), @"
    tiny 1.0.0 is registered: 1 rule
    exit 0
    ");
    let body = &host.seen()[0].body;
    assert!(body.contains("filename=\"rules/on_hook.yaml\"") && body.contains("filename=\"pack.yaml\""), "{body}");
    assert!(!body.contains("HEAD"));
}

#[tokio::test]
async fn what_the_host_finds_wrong_is_shown_with_its_lines() {
    let host = Host::start().await;
    let diagnostic = json!({
        "code": "no-trigger-type", "severity": "error", "file": "rules/on_hook.yaml", "line": 4, "column": 17,
        "message": "there is no trigger type core.st2.webhook", "hint": "register the pack core first",
    });
    host.on("POST /packs/versions", 400, json!({"faultstring": "the pack is not valid", "diagnostics": [diagnostic]}));
    let pack = directory(&[("pack.yaml", PACK), ("rules/on_hook.yaml", RULE)]);
    let at = pack.path().display().to_string();
    let done = host.squall(&["pack", "register", &at]).await;
    assert_snapshot!(done.text().replace(&at, "tiny"), @"
    tiny/rules/on_hook.yaml:4:17: error[no-trigger-type]: there is no trigger type core.st2.webhook
      4 | trigger: {type: core.st2.webhook, parameters: {url: x}}
        |                 ^
      help: register the pack core first

    ! error: tiny is not registered: 1 error
    exit 1
    ");
}

//! A canary goes in as a secret, by every way there is; no place where something is kept or shown may hold it, in any form.

use serde_json::{Value, json};
use std::{path::Path, process::Command};

use crate::platform::{Api, Platform, write_pack};

const CANARY: &str = "c4n4ry\"/<secret>&42";

/// The canary as it is, and as JSON, base64 and URLs would write it.
const FORMS: [&str; 4] =
    [CANARY, "c4n4ry\\\"/<secret>&42", "YzRuNHJ5Ii88c2VjcmV0PiY0", "c4n4ry%22%2F%3Csecret%3E%2642"];

const ACTION: &str = "name: leak
runner_type: local-shell-cmd
parameters:
  word: {type: string, secret: true}
  plain: {type: string}
  env: {immutable: true, default: {WORD: '{{ word }}'}}
  cmd: {immutable: true, default: 'echo $WORD; printf %s \"$WORD\" | base64 >&2; echo \"{\\\"a\\\": \\\"$WORD\\\"}\"; exit 1'}
";

fn found_in(name: &str, text: &[u8]) -> Vec<String> {
    let holds = |form: &str| text.windows(form.len()).any(|part| part == form.as_bytes());
    FORMS.iter().filter(|form| holds(form)).map(|form| format!("{name} holds {form}")).collect()
}

fn found_below(directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found_below(&path, found);
        } else {
            found.extend(found_in(&path.display().to_string(), &std::fs::read(&path).unwrap()));
        }
    }
}

/// Runs the command line against the platform and returns all that it printed.
fn squall(root: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    let output = command.args(arguments).arg("--data").arg(root.join("data")).output().unwrap();
    [output.stdout, output.stderr].concat()
}

async fn run(api: &Api, parameters: Value) -> String {
    let request = api.request(reqwest::Method::POST, "executions").unwrap();
    let answer = request.json(&json!({"action": "leaky.leak", "parameters": parameters})).send().await.unwrap();
    let execution: Value = answer.json().await.unwrap();
    let Some(id) = execution.get("id").and_then(Value::as_str) else { return String::new() };
    api.until(&format!("executions/{id}"), |execution| execution.get("end_timestamp").is_some()).await;
    id.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_in_no_sink() {
    let root = tempfile::tempdir().unwrap();
    write_pack(root.path(), "leaky", &[("actions/leak.yaml", ACTION)]);
    let platform = Platform::start(root.path());
    let api = Api::new(root.path());
    api.until("actions/leaky.leak", |action| action.get("ref").is_some()).await;

    let key = json!({"name": "canary", "value": CANARY, "secret": true});
    let put = api.request(reqwest::Method::PUT, "keys/canary").unwrap().json(&key).send().await.unwrap();
    assert_eq!(put.status().as_u16(), 200);
    let by_parameter = run(&api, json!({"word": CANARY})).await;
    let by_datastore = run(&api, json!({"word": "x", "plain": "{{ st2kv.system.canary | decrypt_kv }}"})).await;
    // A value of the wrong type, and a template that fails over it: the messages must not quote it.
    run(&api, json!({"word": {"wrong": CANARY}})).await;
    run(&api, json!({"plain": "{{ (st2kv.system.canary | decrypt_kv).nothing.here }}"})).await;

    let mut found = Vec::new();
    for id in [by_parameter, by_datastore] {
        assert!(!id.is_empty());
        for part in ["", "/output", "/result", "/attribute/parameters", "?show_secrets=false"] {
            let path = format!("executions/{id}{part}");
            found.extend(found_in(&path, api.text(&path).await.as_bytes()));
        }
        found.extend(found_in("squall execution get", &squall(root.path(), &["execution", "get", &id])));
    }
    for path in
        ["executions", "keys", "keys/canary", "traces", "triggerinstances", "ruleenforcements", "actions/leaky.leak"]
    {
        found.extend(found_in(path, api.text(path).await.as_bytes()));
    }
    for arguments in [["execution", "list"], ["key", "list"]] {
        found.extend(found_in("squall", &squall(root.path(), &arguments)));
    }
    drop(platform);
    found_below(root.path(), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_who_asks_for_it_sees_the_secret() {
    let root = tempfile::tempdir().unwrap();
    write_pack(root.path(), "leaky", &[("actions/leak.yaml", ACTION)]);
    let _platform = Platform::start(root.path());
    let api = Api::new(root.path());
    api.until("actions/leaky.leak", |action| action.get("ref").is_some()).await;
    let id = run(&api, json!({"word": CANARY})).await;
    let shown = api.json(&format!("executions/{id}?show_secrets=true")).await.unwrap();
    assert_eq!(shown.pointer("/parameters/word"), Some(&json!(CANARY)));
}

//! Scripts of a pack: their files, their arguments.

use crate::world::{World, job_of, map};
use model::ExecutionStatus::{Failed, Succeeded};
use ports::{Job, PackVersion};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

const SHOW: &str = "#!/bin/bash\nprintf '%s\\0' \"$@\"\n";

fn script_job(pack: &PackVersion, entry_point: &str, [declared, runner, given]: [Value; 3]) -> Job {
    let action = json!({
        "ref": "demo.act", "enabled": true, "runner_type": "local-shell-script", "entry_point": entry_point,
        "parameters": declared
    });
    Job { pack: Some(pack.clone()), ..job_of(action, runner, given) }
}

fn plain_job(pack: &PackVersion, entry_point: &str) -> Job {
    script_job(pack, entry_point, [json!({}), json!({}), json!({})])
}

#[derive(Deserialize)]
struct Case {
    it: String,
    #[serde(default)]
    declared: Map<String, Value>,
    #[serde(default)]
    runner: Map<String, Value>,
    given: Map<String, Value>,
    words: Vec<String>,
}

#[tokio::test]
async fn arguments_reach_the_script_as_they_are() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("arguments.json")).unwrap();
    let world = World::new();
    let pack = world.pack(&[("actions/show.sh", SHOW, true)]).await;
    let place = tempfile::tempdir().unwrap();
    for mut case in cases {
        case.runner.insert("cwd".to_owned(), json!(place.path()));
        let parameters = [case.declared.into(), case.runner.into(), case.given.into()];
        let outcome = world.run(script_job(&pack, "show.sh", parameters)).await;
        assert_eq!(outcome.status, Succeeded, "{}: {}", case.it, outcome.result);
        let stdout = outcome.result["stdout"].as_str().unwrap();
        let words: Vec<_> = stdout.split_terminator('\0').collect();
        assert_eq!(words, case.words, "{}", case.it);
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "something was run that should not be");
}

#[tokio::test]
async fn a_nul_is_refused_by_name() {
    let world = World::new();
    let pack = world.pack(&[("actions/show.sh", SHOW, true)]).await;
    for declared in [json!({}), json!({ "odd": { "position": 0 } })] {
        let outcome = world.run(script_job(&pack, "show.sh", [declared, json!({}), json!({ "odd": "a\u{0}b" })])).await;
        assert_eq!(outcome.status, Failed);
        assert!(outcome.result["error"].as_str().unwrap().contains("\"odd\" has a NUL"));
    }
}

#[tokio::test]
async fn a_script_finds_its_pack_around_it() {
    let world = World::new();
    let files = [
        (
            "actions/tools/run.sh",
            "#!/bin/bash\nsource \"$(dirname \"$0\")/../lib/words.sh\"; cat \"$(dirname \"$0\")/../../data\"; word\n",
            false,
        ),
        ("actions/lib/words.sh", "word() { echo word; }\n", false),
        ("data", "data\n", false),
    ];
    let pack = world.pack(&files).await;
    let outcome = world.run(plain_job(&pack, "tools/run.sh")).await;
    assert_eq!(outcome.result["stdout"], json!("data\nword"), "{}", outcome.result);
}

#[tokio::test]
async fn a_script_without_a_first_line_runs_in_the_shell() {
    let world = World::new();
    let pack = world.pack(&[("actions/bare", "echo ${BASH_VERSION:+bash} \"$1\"\n", false)]).await;
    let given = [json!({ "a": { "position": 0 } }), json!({}), json!({ "a": "x y" })];
    let outcome = world.run(script_job(&pack, "bare", given)).await;
    assert_eq!(outcome.result["stdout"], json!("bash x y"), "{}", outcome.result);
}

#[tokio::test]
async fn debug_is_told() {
    let world = World::new();
    let pack = world.pack(&[("actions/a.sh", "echo $ST2_ACTION_DEBUG", false)]).await;
    let outcome = world.run(script_job(&pack, "a.sh", [json!({}), json!({ "debug": true }), json!({})])).await;
    assert_eq!(outcome.result["stdout"], json!("True"));
}

#[tokio::test]
async fn a_version_is_laid_out_once_and_complete() {
    let world = World::new();
    let pack = world.pack(&[("actions/a.sh", "echo a", false), ("pack.yaml", "x", false)]).await;
    let runs = (0..16).map(|_| world.run(plain_job(&pack, "a.sh")));
    for outcome in futures::future::join_all(runs).await {
        assert_eq!(outcome.result["stdout"], json!("a"), "{}", outcome.result);
    }
    assert_eq!(*world.blobs.fetched.lock().unwrap(), 2);
    let directory = world.directory.path().join("packs/demo");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no scratch is left");
    let mode = |path: &str| fs::metadata(directory.join(&pack.digest).join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("actions/a.sh"), mode("pack.yaml")), (0o555, 0o444));
}

#[tokio::test]
async fn what_an_earlier_server_laid_out_is_used_and_what_is_damaged_is_laid_out_again() {
    let first = World::new();
    let pack = first.pack(&[("actions/a.sh", "echo a", false)]).await;
    let cache = first.directory.path().join("packs");
    first.run(plain_job(&pack, "a.sh")).await;
    let second = World::with(|options| options.cache = cache.clone());
    assert_eq!(second.run(plain_job(&pack, "a.sh")).await.status, Succeeded, "needs no blob");
    let script = cache.join("demo").join(&pack.digest).join("actions/a.sh");
    fs::remove_file(&script).unwrap();
    fs::write(&script, "").unwrap();
    let third = World::with(|options| options.cache = cache.clone());
    third.pack(&[("actions/a.sh", "echo a", false)]).await;
    assert_eq!(third.run(plain_job(&pack, "a.sh")).await.result["stdout"], json!("a"));
}

#[tokio::test]
async fn nothing_leads_out_of_the_pack() {
    let world = World::new();
    let good = world.pack(&[("actions/a.sh", "echo a", false)]).await;
    for entry_point in ["../a.sh", "/bin/sh", "x/../../a.sh", "a.sh\u{0}", "..", "", "missing.sh"] {
        let outcome = world.run(plain_job(&good, entry_point)).await;
        assert_eq!(outcome.status, Failed, "{entry_point:?}");
    }
    for path in ["../escaped", "/tmp/escaped", "a/../../escaped", ""] {
        let pack = world.pack(&[("actions/a.sh", "echo a", false), (path, "x", false)]).await;
        let outcome = world.run(plain_job(&pack, "a.sh")).await;
        assert_eq!(outcome.status, Failed, "{path:?}");
        assert!(outcome.result["error"].as_str().unwrap().contains("not a path inside"), "{}", outcome.result);
    }
    for (pack, digest) in [("..", "d"), ("a/b", "d"), ("demo", ".."), ("demo", "/etc"), ("", "d")] {
        let version = PackVersion { pack: pack.to_owned(), digest: digest.to_owned(), files: Arc::clone(&good.files) };
        assert_eq!(world.run(plain_job(&version, "a.sh")).await.status, Failed, "{pack:?} {digest:?}");
    }
}

#[tokio::test]
async fn a_script_needs_a_pack_and_its_files() {
    let world = World::new();
    let mut pack = world.pack(&[("actions/a.sh", "echo a", false)]).await;
    let outcome = world.run(Job { pack: None, ..plain_job(&pack, "a.sh") }).await;
    assert!(outcome.result["error"].as_str().unwrap().contains("no pack"));
    let mut files = pack.files.to_vec();
    files[0].digest = "0".repeat(64);
    pack.files = files.into();
    let outcome = world.run(plain_job(&pack, "a.sh")).await;
    assert_eq!(outcome.status, Failed);
    let error = outcome.result["error"].as_str().unwrap();
    assert!(error.contains("actions/a.sh") && error.contains("there is no blob"), "{error}");
    let runner = map(json!({ "content_version": "v1" }));
    let outcome = world.run(script_job(&pack, "a.sh", [json!({}), runner.into(), json!({})])).await;
    assert!(outcome.result["error"].as_str().unwrap().contains("content_version"));
}

//! Commands: how they end, what they say, what they see.

use crate::world::{Recorder, World, command, job, job_of};
use model::{
    ExecutionStatus::{Abandoned, Failed, Succeeded},
    OutputStream::{Stderr, Stdout},
    Secret,
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn the_exit_code_decides() {
    let world = World::new();
    let cases = [("true", Succeeded, 0), ("exit 3", Failed, 3), ("no-such-program", Failed, 127)];
    for (text, status, code) in cases {
        let outcome = world.run(command(text)).await;
        assert_eq!((outcome.status, &outcome.result["return_code"]), (status, &json!(code)), "{text}");
        assert_eq!(outcome.result["succeeded"], json!(status == Succeeded));
        assert_eq!(outcome.result["failed"], json!(status != Succeeded));
        assert!(outcome.result.get("error").is_none());
    }
    for (text, status, code) in [("kill -TERM $$", Abandoned, -15), ("kill -KILL $$", Failed, -9)] {
        let outcome = world.run(command(text)).await;
        assert_eq!((outcome.status, &outcome.result["return_code"]), (status, &json!(code)), "{text}");
        assert!(outcome.result["error"].as_str().unwrap().contains("signal"));
    }
}

#[tokio::test]
async fn output_is_decoded_where_it_is_json_and_loses_one_line_end() {
    let world = World::new();
    let cases = [
        ("printf 'a\\n\\n'", json!("a\n")),
        ("printf 'a\\r\\n'", json!("a")),
        ("echo '{\"a\": [1, 2.50]}'", json!({ "a": [1, 2.5] })),
        ("echo '[1, \"x\"]'", json!([1, "x"])),
        ("echo 12", json!(12)),
        ("echo true", json!(true)),
        ("echo null", Value::Null),
        ("echo '\"quoted\"'", json!("quoted")),
        ("echo 1.2.3", json!("1.2.3")),
        ("echo '{broken'", json!("{broken")),
        ("true", json!("")),
        ("printf '\\xff\\xfeA'", json!("\u{fffd}\u{fffd}A")),
        ("printf 'a\\0b'", json!("a\0b")),
    ];
    for (text, expected) in cases {
        assert_eq!(world.run(command(text)).await.result["stdout"], expected, "{text}");
        let outcome = world.run(command(&format!("{{ {text}; }} >&2"))).await;
        assert_eq!(outcome.result["stderr"], expected, "{text}");
    }
}

#[tokio::test]
async fn output_comes_in_order_as_it_is_written() {
    let (world, output) = (World::new(), Recorder::default());
    let outcome = world.run_with(command("for i in {1..2000}; do echo $i; echo e$i >&2; done"), &output).await;
    let expected: String = (1..=2000).map(|i| format!("{i}\n")).collect();
    assert_eq!(output.text(Stdout), expected);
    assert_eq!(output.text(Stderr), expected.lines().map(|i| format!("e{i}\n")).collect::<String>());
    assert_eq!(outcome.result["stdout"], json!(expected.trim_end()));
}

#[tokio::test]
async fn output_past_the_limit_is_dropped_and_the_process_goes_on() {
    let (world, output) = (World::with(|options| options.output_limit = 1000), Recorder::default());
    let outcome = world.run_with(command("head -c 20000000 /dev/zero | tr '\\0' 1; echo end >&2"), &output).await;
    assert_eq!(outcome.status, Succeeded);
    assert_eq!(outcome.result["stdout"], json!("1".repeat(1000)));
    assert_eq!(outcome.result["stderr"], json!("end"));
    assert_eq!(outcome.result["error"], json!("stdout has more than 1000 bytes; the rest was dropped"));
    assert_eq!(output.text(Stdout).len(), 1000);
}

#[tokio::test]
async fn the_environment_is_clean() {
    let mut job =
        job("local-shell-cmd", json!({ "cmd": "env", "env": { "MINE": "a b", "N": 5, "NO": null } }), json!({}));
    job.context.auth_token = Some(Secret::new("t0ken".to_owned()));
    let outcome = World::new().run(job.clone()).await;
    let text = outcome.result["stdout"].as_str().unwrap();
    let mut seen: Vec<_> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let inherited = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "PWD", "SHLVL", "_"];
    seen.retain(|(name, _)| !inherited.contains(name) && !name.starts_with("LC_") && !name.starts_with("LANG"));
    seen.sort_unstable();
    let execution = job.execution.to_string();
    let expected = [
        ("MINE", "a b"),
        ("N", "5"),
        ("ST2_ACTION_API_URL", "http://127.0.0.1:9101"),
        ("ST2_ACTION_AUTH_TOKEN", "t0ken"),
        ("ST2_ACTION_DEBUG", "False"),
        ("ST2_ACTION_EXECUTION_ID", execution.as_str()),
        ("ST2_ACTION_PACK_NAME", "demo"),
        ("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn an_action_can_not_pass_itself_off_as_another() {
    let runner = json!({ "cmd": "echo $ST2_ACTION_PACK_NAME", "env": { "ST2_ACTION_PACK_NAME": "other" } });
    assert_eq!(World::new().run(job("local-shell-cmd", runner, json!({}))).await.result["stdout"], json!("demo"));
}

#[tokio::test]
async fn a_command_runs_where_it_is_told_to_and_reads_nothing() {
    let world = World::new();
    let directory = world.directory.path().canonicalize().unwrap();
    let runner = json!({ "cmd": "pwd; cat", "cwd": directory });
    let outcome = world.run(job("local-shell-cmd", runner, json!({}))).await;
    assert_eq!(outcome.result["stdout"], json!(directory));
}

#[tokio::test]
async fn what_can_not_be_started_says_why() {
    let world = World::new();
    let cases = [
        (json!({ "cmd": "true", "cwd": "/no/such/place" }), "\"cwd\""),
        (json!({ "cmd": "x".repeat(200_000) }), "too long"),
        (json!({ "cmd": "a\u{0}b" }), "NUL"),
        (json!({ "cmd": null }), "\"cmd\" is missing"),
        (json!({ "cmd": "true", "env": { "a=b": "c" } }), "\"a=b\""),
        (json!({ "cmd": "true", "timeout": 0 }), "\"timeout\""),
        (json!({ "cmd": "true", "timeout": -1 }), "\"timeout\""),
        (json!({ "cmd": "true", "timeout": 1e300 }), "\"timeout\""),
    ];
    for (runner, expected) in cases {
        let outcome = world.run(job("local-shell-cmd", runner, json!({}))).await;
        assert_eq!(outcome.status, Failed);
        assert!(outcome.result["error"].as_str().unwrap().contains(expected), "{}", outcome.result);
    }
    let action = json!({ "ref": "a.b", "enabled": true, "runner_type": "local-shell-cmd", "entry_point": "x.sh" });
    let outcome = world.run(job_of(action, json!({ "cmd": "true" }), json!({}))).await;
    assert!(outcome.result["error"].as_str().unwrap().contains("entry_point"));
}

/// A world whose sudo is a script that tells how it was called.
fn world_with_sudo(script: &str) -> World {
    World::with(|options| {
        let tools = options.cache.with_file_name("tools");
        fs::create_dir(&tools).unwrap();
        fs::write(tools.join("sudo"), script).unwrap();
        fs::set_permissions(tools.join("sudo"), fs::Permissions::from_mode(0o755)).unwrap();
        options.environment = vec![("PATH".to_owned(), format!("{}:/usr/bin:/bin", tools.display()))];
    })
}

#[tokio::test]
async fn sudo_gets_the_password_by_stdin_and_never_in_its_arguments() {
    let world = world_with_sudo("#!/bin/bash\nprintf '%s|' \"$@\"\ncat\n");
    let runner = json!({ "cmd": "id -u", "sudo": true, "sudo_password": "pa$$ word" });
    let outcome = world.run(job("local-shell-cmd", runner, json!({}))).await;
    let shown = outcome.result["stdout"].as_str().unwrap();
    assert!(shown.starts_with("-E|-S|-p||--|") && shown.ends_with("bash|-c|id -u|pa$$ word"), "{shown}");
    let runner = json!({ "cmd": "id -u", "sudo": true });
    let outcome = world.run(job("local-shell-cmd", runner, json!({}))).await;
    let shown = outcome.result["stdout"].as_str().unwrap();
    assert!(shown.starts_with("-E|-n|--|") && shown.ends_with("bash|-c|id -u|"), "{shown}");
}

#[tokio::test]
async fn sudo_that_refuses_is_told_from_a_command_that_fails() {
    let world = world_with_sudo("#!/bin/bash\necho 'sudo: 3 incorrect password attempts' >&2\nexit 1\n");
    let runner = json!({ "cmd": "true", "sudo": true, "sudo_password": "wrong" });
    let outcome = world.run(job("local-shell-cmd", runner, json!({}))).await;
    assert_eq!((outcome.status, &outcome.result["return_code"]), (Failed, &json!(-1)));
    assert!(outcome.result["error"].as_str().unwrap().starts_with("Invalid sudo password"));
}

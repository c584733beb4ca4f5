//! Processes that are stopped: by the clock, on request, by being forgotten.

use crate::world::{Recorder, World, command, job};
use model::{
    ExecutionStatus::{Canceled, Succeeded, Timeout},
    OutputStream::Stdout,
};
use ports::{CancelHandle, Job, Outcome, Runner};
use serde_json::json;
use std::{fs::File, io::Read, path::PathBuf, process::Command, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// What the port promises.
const PROMISE: Duration = Duration::from_secs(5);

/// A pipe that every process of an action holds open: its end is the end of the last of them.
struct Lifeline {
    path: PathBuf,
    end: JoinHandle<String>,
}

impl Lifeline {
    fn new(world: &World) -> Lifeline {
        let path = world.directory.path().join("lifeline");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = path.clone();
        let end = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            File::open(reader).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        Lifeline { path, end }
    }

    /// A command whose processes hold the line.
    fn hold(&self, text: &str, seconds: f64) -> Job {
        let text = format!("exec 3>'{}'; {text}", self.path.display());
        job("local-shell-cmd", json!({ "cmd": text, "timeout": seconds }), json!({}))
    }

    async fn all_ended(self) {
        timeout(PROMISE, self.end).await.expect("a process lives on").unwrap();
    }
}

/// Runs, cancels when the action says that it is ready.
async fn run_and_cancel(world: &World, job: Job) -> Outcome {
    let output = Recorder::default();
    let (handle, canceled) = CancelHandle::new();
    let cancel = async {
        output.has(Stdout, "ready").await;
        handle.cancel();
        // From here the promise counts.
        timeout(PROMISE, std::future::pending::<()>()).await.unwrap_err();
    };
    tokio::select! {
        outcome = world.runners.run(job, &output, canceled) => outcome,
        () = cancel => panic!("not stopped within {PROMISE:?}"),
    }
}

#[tokio::test]
async fn the_time_limit_ends_grandchildren_too() {
    let world = World::new();
    let line = Lifeline::new(&world);
    let job = line.hold("echo before; (sleep 300 & sleep 300) & sleep 300; echo after", 0.3);
    let outcome = timeout(PROMISE, world.run(job)).await.unwrap();
    assert_eq!(outcome.status, Timeout);
    assert_eq!(
        outcome.result,
        json!({
            "failed": true, "succeeded": false, "return_code": -9, "stdout": "before", "stderr": "",
            "error": "Action failed to complete in 0.3 seconds"
        })
    );
    line.all_ended().await;
}

#[tokio::test]
async fn a_cancel_stops_everything() {
    let world = World::new();
    let line = Lifeline::new(&world);
    let outcome = run_and_cancel(&world, line.hold("sleep 300 & echo ready; sleep 300", 60.0)).await;
    assert_eq!(outcome.status, Canceled);
    assert_eq!((&outcome.result["return_code"], &outcome.result["stdout"]), (&json!(-15), &json!("ready")));
    line.all_ended().await;
}

#[tokio::test]
async fn a_process_may_clean_up_when_it_is_asked_to_stop() {
    let job = command("trap 'echo cleaned; exit 0' TERM; echo ready; sleep 300 & wait");
    let outcome = run_and_cancel(&World::new(), job).await;
    assert_eq!(outcome.status, Canceled);
    assert_eq!(outcome.result["stdout"], json!("ready\ncleaned"));
}

#[tokio::test]
async fn a_process_that_does_not_listen_is_killed() {
    let world = World::new();
    let line = Lifeline::new(&world);
    let outcome = run_and_cancel(&world, line.hold("trap '' TERM; (sleep 300) & echo ready; sleep 300", 60.0)).await;
    assert_eq!(outcome.status, Canceled);
    line.all_ended().await;
}

#[tokio::test]
async fn a_silent_grandchild_that_does_not_listen_is_killed() {
    let world = World::new();
    let line = Lifeline::new(&world);
    let text = "(trap '' TERM; exec sleep 300 >/dev/null 2>&1) & echo ready; wait";
    assert_eq!(run_and_cancel(&world, line.hold(text, 60.0)).await.status, Canceled);
    line.all_ended().await;
}

#[tokio::test]
async fn who_left_the_group_and_holds_the_pipes_does_not_hold_up_the_runner() {
    let job = command("setsid sleep 8 & echo ready; wait");
    let outcome = run_and_cancel(&World::new(), job).await;
    assert_eq!((outcome.status, &outcome.result["stdout"]), (Canceled, &json!("ready")));
}

#[tokio::test]
async fn what_stays_in_the_background_does_not_hold_up_the_end() {
    let outcome = timeout(PROMISE, World::new().run(command("sleep 8 & echo done"))).await.unwrap();
    assert_eq!((outcome.status, &outcome.result["stdout"]), (Succeeded, &json!("done")));
}

#[tokio::test]
async fn a_late_word_from_the_background_is_heard() {
    let outcome = World::new().run(command("(sleep 0.3; echo late) & echo done")).await;
    assert_eq!(outcome.result["stdout"], json!("done\nlate"));
}

#[tokio::test]
async fn a_run_that_is_dropped_is_stopped() {
    let world = World::new();
    let line = Lifeline::new(&world);
    let output = Recorder::default();
    let (_handle, canceled) = CancelHandle::new();
    let job = line.hold("trap '' TERM; sleep 300 & echo ready; sleep 300", 60.0);
    tokio::select! {
        _ = world.runners.run(job, &output, canceled) => panic!("it ended by itself"),
        () = output.has(Stdout, "ready") => {}
    }
    line.all_ended().await;
}

#[tokio::test]
async fn a_handle_that_is_dropped_is_no_cancel() {
    let (handle, canceled) = CancelHandle::new();
    drop(handle);
    let outcome = World::new().runners.run(command("echo on"), &Recorder::default(), canceled).await;
    assert_eq!(outcome.status, Succeeded);
}

//! Actions end before their function does.

use async_trait::async_trait;
use futures::{FutureExt, pin_mut, select_biased};
use model::{ExecutionStatus, Timestamp};
use ports::{CancelHandle, Canceled, Clock, Job, Outcome, OutputSink, Runner};
use serde_json::{Map, Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Stops actions at a given time, so that their end can still be written down.
pub struct DeadlineRunner {
    inner: Arc<dyn Runner>,
    clock: Arc<dyn Clock>,
    /// In milliseconds.
    until: AtomicI64,
}

impl DeadlineRunner {
    /// Stops nothing until it is told when.
    pub fn new(inner: Arc<dyn Runner>, clock: Arc<dyn Clock>) -> DeadlineRunner {
        DeadlineRunner { inner, clock, until: AtomicI64::new(i64::MAX / 1_000) }
    }

    /// Actions must have ended by then.
    pub fn end_by(&self, time: Timestamp) {
        self.until.store(time.millis(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Runner for DeadlineRunner {
    async fn run(&self, job: Job, output: &dyn OutputSink, canceled: Canceled) -> Outcome {
        let (cancel, stopped) = CancelHandle::new();
        let run = self.inner.run(job, output, stopped).fuse();
        let over = self.clock.sleep_until(Timestamp::from_millis(self.until.load(Ordering::Relaxed))).fuse();
        let asked = canceled.wait().fuse();
        pin_mut!(run, over, asked);
        select_biased! {
            outcome = run => outcome,
            () = asked => {
                cancel.cancel();
                run.await
            }
            () = over => {
                cancel.cancel();
                timed_out(run.await)
            }
        }
    }
}

/// What the action had to show when its time was over.
fn timed_out(outcome: Outcome) -> Outcome {
    let mut result = match outcome.result {
        Value::Object(result) => result,
        other => Map::from_iter([("result".to_owned(), other)]),
    };
    let error = "the action was stopped: the time that the function has for it is over";
    result.insert("error".to_owned(), json!(error));
    Outcome { status: ExecutionStatus::Timeout, result: result.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Action, Id, OutputStream, Secret};
    use testkit::FakeClock;

    /// Runs until it is stopped.
    struct Endless;

    #[async_trait]
    impl Runner for Endless {
        async fn run(&self, _: Job, _: &dyn OutputSink, canceled: Canceled) -> Outcome {
            canceled.wait().await;
            Outcome { status: ExecutionStatus::Canceled, result: json!({"stdout": "half"}) }
        }
    }

    struct Nowhere;

    #[async_trait]
    impl OutputSink for Nowhere {
        async fn write(&self, _: OutputStream, _: &[u8]) {}
    }

    fn job() -> Job {
        let action: Action =
            serde_json::from_value(json!({"ref": "a.b", "runner_type": "noop", "enabled": true})).unwrap();
        Job {
            execution: Id::named(&["x"]),
            action: Arc::new(action),
            pack: None,
            runner_parameters: Secret::new(Map::new()),
            action_parameters: Secret::new(Map::new()),
            context: ports::RunContext { user: "u".to_owned(), api_url: None, auth_token: None, trace_parent: None },
        }
    }

    #[tokio::test]
    async fn an_action_is_stopped_at_the_deadline_and_what_it_showed_is_kept() {
        let clock = FakeClock::new(Timestamp::from_millis(1_000), 1);
        let runner = DeadlineRunner::new(Arc::new(Endless), Arc::new(clock));
        runner.end_by(Timestamp::from_millis(1_000));
        let (_keep, canceled) = CancelHandle::new();
        let outcome = runner.run(job(), &Nowhere, canceled).await;
        assert_eq!(outcome.status, ExecutionStatus::Timeout);
        assert_eq!(outcome.result.get("stdout"), Some(&json!("half")));
    }

    #[tokio::test]
    async fn a_cancel_is_passed_on() {
        let clock = FakeClock::new(Timestamp::from_millis(1_000), 1);
        let runner = DeadlineRunner::new(Arc::new(Endless), Arc::new(clock));
        let (cancel, canceled) = CancelHandle::new();
        cancel.cancel();
        assert_eq!(runner.run(job(), &Nowhere, canceled).await.status, ExecutionStatus::Canceled);
    }
}

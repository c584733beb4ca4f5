//! Waiting for an execution, with or without its output.

mod workflow;

use serde_json::Value;
use std::time::{Duration, Instant};

use crate::{
    client::{Client, Query},
    failure::{Failure, Outcome},
    output::duration,
    session::Session,
};

/// The first pause between two looks.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
/// The runner types whose executions are followed by what their tasks do.
const WORKFLOWS: [&str; 2] = ["orquesta", "action-chain"];
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Looks at one execution again and again, ever less often, until it is final.
pub(crate) struct Follower<'a> {
    client: &'a Client,
    id: &'a str,
    started: Instant,
    pause: Duration,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(client: &'a Client, id: &'a str) -> Follower<'a> {
        Follower { client, id, started: Instant::now(), pause: SHORTEST_PAUSE }
    }

    /// Waits for the end and returns the execution as it then is.
    pub(crate) async fn wait(mut self, session: &mut Session) -> Result<Value, Failure> {
        loop {
            let execution = self.client.get(&["executions", self.id], &Query::new()).await?;
            if is_final(&execution) || is_asking(&execution) {
                return Ok(execution);
            }
            self.show_progress(session, status(&execution))?;
            self.rest().await?;
        }
    }

    /// Writes the output of an execution as it comes, of a workflow that of its tasks and what they do, until the end; returns the
    /// execution as it then is.
    pub(crate) async fn tail(
        mut self,
        session: &mut Session,
        execution: &Value,
        stream: Option<&str>,
    ) -> Result<Value, Failure> {
        let runner = execution.pointer("/runner/name").and_then(Value::as_str).unwrap_or_default();
        if WORKFLOWS.contains(&runner) {
            return self.watch(session, stream).await;
        }
        let mut after: Option<u64> = None;
        loop {
            let answer = self.output(self.id, stream, after).await?;
            let chunks = answer.get("chunks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for chunk in chunks {
                session.console.write(chunk.get("data").and_then(Value::as_str).unwrap_or_default())?;
                after = after.max(chunk.get("sequence").and_then(Value::as_u64));
            }
            if !chunks.is_empty() {
                self.pause = SHORTEST_PAUSE;
            } else if is_final(&answer) || is_asking(&answer) {
                return self.client.get(&["executions", self.id], &Query::new()).await;
            } else {
                self.rest().await?;
            }
        }
    }

    /// What an execution has written after that piece.
    async fn output(&self, id: &str, stream: Option<&str>, after: Option<u64>) -> Result<Value, Failure> {
        let query = Query::new().maybe("output_type", stream).maybe("after", after.map(|last| last.to_string()));
        let request = self.client.request(reqwest::Method::GET, &["executions", id, "output"])?;
        let request = request.header("Accept", "application/json").query(query.pairs());
        Ok(self.client.send(request).await?.body)
    }

    fn show_progress(&self, session: &mut Session, status: &str) -> Result<(), Failure> {
        session.console.progress(&format!("{status} {}", duration(self.started.elapsed().as_secs_f64())))
    }

    async fn rest(&mut self) -> Result<(), Failure> {
        tokio::select! {
            () = tokio::time::sleep(self.pause) => {}
            interrupt = tokio::signal::ctrl_c() => {
                interrupt?;
                return Err(Failure::interrupted("you stopped waiting; the execution goes on")
                    .hint(format!("see it with `squall execution tail {0}`, stop it with `squall execution cancel {0}`", self.id)));
            }
        }
        self.pause = (self.pause * 3 / 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

fn status(body: &Value) -> &str {
    body.get("status").and_then(Value::as_str).unwrap_or_default()
}

fn is_final(body: &Value) -> bool {
    status(body).parse::<model::ExecutionStatus>().is_ok_and(model::ExecutionStatus::is_final)
}

/// Does it wait for a person's answer? That may take days.
pub(crate) fn is_asking(body: &Value) -> bool {
    status(body) == "pending"
}

/// Exit code 1 for whatever did not succeed.
pub(crate) fn outcome(execution: &Value) -> Outcome {
    if status(execution) == "succeeded" { Outcome::Success } else { Outcome::Unsuccessful }
}

//! Running an execution: claimed by a commit, leased while it runs, ended by a commit. Whoever lost the lease can't commit any more.

use futures::{FutureExt, StreamExt, channel::mpsc, pin_mut, select_biased};
use model::{Execution, ExecutionStatus, Id, Lease, Timestamp};
use ports::{CancelHandle, Canceled, Guard, Job, Outcome, Wake};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, sync::Mutex, time::Duration};

use super::output::Output;
use crate::{Engine, Error, ErrorKind, TraceRequest, catalog::lock, records, redact::Redactor, workflows};
use records::Stored;

/// How often a worker writes output and looks at the time.
const TICK: Duration = Duration::from_millis(500);
/// How often a worker looks into the inbox by itself; usually a wake tells it to.
const INBOX_EVERY: Duration = Duration::from_secs(2);
/// Between two tries to write the end of an execution.
const RETRY: Duration = Duration::from_millis(200);

/// The executions that this process works on, so that a wake for one of them reaches its worker.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<HashMap<Id, mpsc::UnboundedSender<()>>>);

impl Running {
    fn enter(&self, id: Id) -> (Present<'_>, mpsc::UnboundedReceiver<()>) {
        let (sender, receiver) = mpsc::unbounded();
        lock(&self.0).insert(id, sender);
        (Present { running: self, id }, receiver)
    }

    fn nudge(&self, id: Id) {
        if let Some(worker) = lock(&self.0).get(&id) {
            // A worker that has just ended needs no nudge.
            let _ended = worker.unbounded_send(());
        }
    }
}

/// A worker's place among the running; left when it is dropped.
struct Present<'a> {
    running: &'a Running,
    id: Id,
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        lock(&self.running.0).remove(&self.id);
    }
}

/// An execution that this worker holds.
pub(super) struct Held {
    pub(super) execution: Execution,
    pub(super) version: u64,
    /// This claim's id, by which the worker knows its own lease again.
    pub(super) holder: Id,
    pub(super) cancel: Option<CancelHandle>,
    pub(super) extended: Timestamp,
    pub(super) looked: Timestamp,
}

impl Engine {
    /// Looks at an execution and does what its state asks for. `has_news`: there may be something in its inbox.
    pub(crate) async fn handle_execution(&self, id: Id, has_news: bool) -> Result<(), Error> {
        let Some(record) = self.ports.store.get(&records::execution_key(id)).await? else { return Ok(()) };
        let execution: Execution = records::read(&record)?;
        if workflows::is_conducted(&execution) {
            if !self.options.conducts {
                let wake = Wake { key: workflows::wake_key(&execution), at: self.ports.clock.now() };
                self.ports.wakes.send(vec![wake]).await;
                return Ok(());
            }
            // Before a limit nothing concerns it but a cancel.
            if execution.status == ExecutionStatus::Delayed {
                return if has_news { self.take_cancel(execution, record.version).await.map(drop) } else { Ok(()) };
            }
            return self.handle_workflow(id).await;
        }
        let now = self.ports.clock.now();
        if execution.status.is_final() {
            return self.clear_inbox(id).await;
        }
        if execution.is_leased(self.ports.epoch, now) {
            self.running.nudge(id);
            return Ok(());
        }
        if execution.lease.is_some() {
            return self.abandon(execution, record.version).await;
        }
        if has_news && self.take_cancel(execution.clone(), record.version).await? {
            return Ok(());
        }
        if execution.due().is_none_or(|due| due > now) {
            return Ok(());
        }
        if execution.status == ExecutionStatus::Pending {
            return self.expire(execution, record.version).await;
        }
        match self.job(&execution).await {
            Ok((job, redactor)) => match self.start(execution, record.version, (&job, &redactor)).await? {
                Some(held) => self.work(held, job, &redactor).await,
                None => Ok(()),
            },
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => self.fail_unstarted(execution, record.version, &error, Vec::new()).await,
        }
    }

    pub(super) fn lease(&self, now: Timestamp, holder: Id) -> Lease {
        Lease { epoch: self.ports.epoch, until: now.after(self.options.lease), holder: Some(holder) }
    }

    /// After a commit that failed, or whose answer was lost: what is stored says whether this worker holds the execution, and in which
    /// version.
    pub(super) async fn recall(&self, held: &mut Held) -> Result<bool, Error> {
        let Some(record) = self.ports.store.get(&records::execution_key(held.execution.id)).await? else {
            return Ok(false);
        };
        let stored: Execution = records::read(&record)?;
        if stored.lease.as_ref().and_then(|lease| lease.holder) != Some(held.holder) {
            return Ok(false);
        }
        (held.execution, held.version) = (stored, record.version);
        if held.execution.status == ExecutionStatus::Canceling
            && let Some(cancel) = held.cancel.take()
        {
            cancel.cancel();
        }
        Ok(true)
    }

    /// Runs to the end, while the lease is kept, output is written and the inbox is watched.
    async fn work(&self, mut held: Held, job: Job, redactor: &Redactor) -> Result<(), Error> {
        let id = held.execution.id;
        let output = Output::new(self, id, held.version, redactor);
        let (cancel, canceled) = CancelHandle::new();
        held.cancel = Some(cancel);
        let (_present, mut nudges) = self.running.enter(id);
        let outcome = {
            let run = self.run_job(job, &output, canceled).fuse();
            pin_mut!(run);
            loop {
                let tick = self.ports.clock.sleep_until(self.ports.clock.now().after(TICK)).fuse();
                pin_mut!(tick);
                let tended = select_biased! {
                    outcome = run => break outcome,
                    _ = nudges.next() => self.look_into_inbox(&mut held).await,
                    () = tick => self.tend(&mut held, &output).await,
                };
                if let Err(error) = tended {
                    self.keep_hold(&mut held, error).await?;
                }
                output.hold(held.version);
            }
        };
        self.end(held, outcome, &output, redactor).await
    }

    /// After tending failed: where somebody else has the execution, or the lease has ended, the run is given up. Giving up drops it,
    /// and that stops the action.
    async fn keep_hold(&self, held: &mut Held, error: Error) -> Result<(), Error> {
        // What can't be read now may still be held.
        let is_ours = self.recall(held).await.unwrap_or(true);
        if !is_ours || !held.execution.is_leased(self.ports.epoch, self.ports.clock.now()) {
            tracing::warn!(execution = %held.execution.id, %error, "the lease is lost; the action is stopped");
            return Err(error);
        }
        tracing::warn!(execution = %held.execution.id, %error, "the execution can't be tended; trying again");
        Ok(())
    }

    async fn tend(&self, held: &mut Held, output: &Output<'_>) -> Result<(), Error> {
        let now = self.ports.clock.now();
        if self.options.renew_leases && now.since(held.extended) >= self.options.lease / 3 {
            let mut execution = held.execution.clone();
            execution.lease = Some(self.lease(now, held.holder));
            self.ports.store.commit(vec![execution.put(Guard::Version(held.version), execution.due(), None)?]).await?;
            held.execution = execution;
            held.version += 1;
            held.extended = now;
        }
        if now.since(held.looked) >= INBOX_EVERY {
            self.look_into_inbox(held).await?;
        }
        output.hold(held.version);
        output.flush().await
    }

    async fn look_into_inbox(&self, held: &mut Held) -> Result<(), Error> {
        held.looked = self.ports.clock.now();
        let inbox = self.inbox(held.execution.id).await?;
        let mut execution = held.execution.clone();
        if self.begin_cancel(&mut execution, held.version, inbox).await? {
            held.execution = execution;
            held.version += 1;
            if let Some(cancel) = held.cancel.take() {
                cancel.cancel();
            }
        }
        Ok(())
    }

    async fn run_job(&self, job: Job, output: &Output<'_>, canceled: Canceled) -> Outcome {
        if job.action.runner_type == crate::INJECT_TRIGGER {
            return self.inject_trigger(&job).await;
        }
        if job.action.runner_type == crate::NOOP {
            return Outcome { status: ExecutionStatus::Succeeded, result: crate::noop_result() };
        }
        self.ports.runner.run(job, output, canceled).await
    }

    /// `core.inject_trigger`: the one action that the engine itself carries out.
    async fn inject_trigger(&self, job: &Job) -> Outcome {
        let parameters: &Map<String, Value> = job.action_parameters.expose();
        let text = |name: &str| parameters.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let trigger = text("trigger").or_else(|| text("trigger_name")).unwrap_or_default();
        let payload =
            parameters.get("payload").filter(|payload| !payload.is_null()).cloned().unwrap_or_else(|| json!({}));
        let principal = crate::Principal { user: job.context.user.clone(), admin: false };
        // A function of the execution: running it twice emits one event.
        let id = Id::named(&["inject_trigger", &job.execution.to_string()]);
        let trace = TraceRequest {
            tag: text("trace_tag").map(str::to_owned),
            parent: job.context.trace_parent.clone(),
            ..TraceRequest::default()
        };
        let emitted = self.emit_as(&principal, trigger, payload, trace, id).await;
        match emitted {
            Ok(_) => Outcome {
                status: ExecutionStatus::Succeeded,
                result: json!({"result": {"trigger": trigger, "trigger_instance_id": id}, "exit_code": 0, "stdout": "", "stderr": ""}),
            },
            Err(error) => {
                Outcome { status: ExecutionStatus::Failed, result: json!({"error": error.message, "exit_code": 1}) }
            }
        }
    }

    async fn end(
        &self,
        mut held: Held,
        outcome: Outcome,
        output: &Output<'_>,
        redactor: &Redactor,
    ) -> Result<(), Error> {
        let lease_end = held.execution.lease.as_ref().map_or_else(|| self.ports.clock.now(), |lease| lease.until);
        let result = redactor.value(outcome.result);
        let ended_at = self.ports.clock.now();
        let last_output = self.last_output(output, lease_end).await?;
        loop {
            let mut execution = held.execution.clone();
            // Canceled is sticky: an action that ended by itself while it was being canceled is canceled.
            let status = match execution.status {
                ExecutionStatus::Canceling => ExecutionStatus::Canceled,
                _ => outcome.status,
            };
            execution.advance(status, ended_at).map_err(Error::damaged)?;
            match self.complete(execution, result.clone(), held.version, last_output.clone()).await {
                Err(error) if error.is_retryable() && self.ports.clock.now() < lease_end => {
                    if self.recall(&mut held).await.is_ok_and(|is_ours| !is_ours) {
                        return Err(error);
                    }
                    self.ports.clock.sleep_until(self.ports.clock.now().after(RETRY)).await;
                }
                other => return other.map(drop),
            }
        }
    }

    async fn last_output(&self, output: &Output<'_>, lease_end: Timestamp) -> Result<Vec<ports::Operation>, Error> {
        loop {
            match output.finish().await {
                Err(error) if error.kind == ErrorKind::Unavailable && self.ports.clock.now() < lease_end => {
                    self.ports.clock.sleep_until(self.ports.clock.now().after(RETRY)).await;
                }
                other => return other,
            }
        }
    }
}

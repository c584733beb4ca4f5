//! Pause and go on; and what becomes of the children of a workflow that is to stop, to pause or to go on.

use model::{Execution, ExecutionStatus, Id};
use orquesta::Status;

use super::{is_conducted, run::Run};
use crate::{Engine, Error, ErrorKind, Principal, dispatch::Message, records};

/// Messages written at once.
const BATCH: usize = 90;

impl Engine {
    /// Pauses a workflow: what is at work ends, nothing starts.
    pub async fn pause(&self, principal: &Principal, id: Id) -> Result<Execution, Error> {
        self.request_hold(principal, id, "pause", ExecutionStatus::Pausing).await
    }

    /// Lets a paused workflow go on.
    pub async fn resume(&self, principal: &Principal, id: Id) -> Result<Execution, Error> {
        self.request_hold(principal, id, "resume", ExecutionStatus::Resuming).await
    }

    async fn request_hold(
        &self,
        principal: &Principal,
        id: Id,
        what: &str,
        becomes: ExecutionStatus,
    ) -> Result<Execution, Error> {
        let mut execution = self.execution(principal, id).await?;
        if execution.user != principal.user {
            principal.require_admin(&format!("{what} another user's execution"))?;
        }
        if !is_conducted(&execution) {
            let message = format!("only workflows can be told to {what}; {} is run by {}", id, execution.runner);
            return Err(Error::invalid(message));
        }
        if execution.status.check(becomes).is_err() {
            let message = format!("execution {id} is {}: it can't be told to {what}", execution.status);
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let user = principal.user.clone();
        let message = match becomes {
            ExecutionStatus::Pausing => Message::Pause { user },
            _ => Message::Resume { user },
        };
        tracing::info!(audit = format!("execution.{what}"), user = principal.user, execution = %id);
        self.send_messages(&[id], &message).await?;
        execution.status = becomes;
        Ok(execution)
    }

    /// Tells the children of a workflow what it is to become. They are told again as long as it has not become that.
    pub(super) async fn urge_children(&self, run: &Run) -> Result<(), Error> {
        let user = |name: &str| {
            let by = run.execution.context.get(name).and_then(serde_json::Value::as_str);
            by.unwrap_or(&run.execution.user).to_owned()
        };
        let message = match run.status() {
            Status::Canceling | Status::Canceled => Message::Cancel { user: user("cancelled_by") },
            Status::Pausing | Status::Paused => Message::Pause { user: user("paused_by") },
            Status::Running | Status::Resuming => Message::Resume { user: user("resumed_by") },
            _ => return Ok(()),
        };
        let mut children = run.open_children();
        if !matches!(message, Message::Cancel { .. }) {
            children = self.workflows_among(children).await?;
        }
        self.send_messages(&children, &message).await
    }

    /// Only workflows pause.
    async fn workflows_among(&self, ids: Vec<Id>) -> Result<Vec<Id>, Error> {
        let mut workflows = Vec::new();
        for id in ids {
            let Some(record) = self.ports.store.get(&records::execution_key(id)).await? else { continue };
            let execution: Execution = records::read(&record)?;
            if is_conducted(&execution) && !execution.status.is_final() {
                workflows.push(id);
            }
        }
        Ok(workflows)
    }

    pub(crate) async fn send_messages(&self, to: &[Id], message: &Message) -> Result<(), Error> {
        for batch in to.chunks(BATCH) {
            let (mut operations, mut wakes) = (Vec::new(), Vec::new());
            for id in batch {
                let (operation, wake) = self.message(*id, message)?;
                operations.push(operation);
                wakes.push(wake);
            }
            self.ports.store.commit(operations).await?;
            self.ports.wakes.send(wakes).await;
        }
        Ok(())
    }
}

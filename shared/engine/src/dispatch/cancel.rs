//! Stopping an execution. One that nobody works on is canceled at once; to one at work a row goes into its inbox, for nobody writes
//! another one's record.

use model::{Execution, ExecutionStatus, Id, Payload, TaskLink};
use ports::{Guard, Operation, Query, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Engine, Error, ErrorKind, Principal, records};
use records::Stored;

/// How often a cancel is tried again where the execution changed meanwhile.
const ATTEMPTS: usize = 16;
/// Rows of an inbox taken at once.
pub(crate) const INBOX_BATCH: usize = 50;

/// A row of an execution's inbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub(crate) enum Message {
    /// Stop.
    Cancel {
        /// Who asked.
        user: String,
    },
    /// To a workflow: hold.
    Pause {
        /// Who asked.
        user: String,
    },
    /// To a workflow: go on.
    Resume {
        /// Who asked.
        user: String,
    },
    /// To a workflow: what carries it has broken; it fails.
    Broken {
        /// What happened.
        reason: String,
    },
    /// To a workflow: an execution of a task of its own took on a status.
    Child {
        /// The task.
        task: TaskLink,
        /// The execution.
        execution: Id,
        /// Its status.
        status: ExecutionStatus,
        /// What came of it, where it has ended.
        result: Option<Payload>,
        /// Some of what came of it is sealed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sealed: bool,
    },
}

/// The rows that are in an inbox now.
pub(crate) struct Inbox {
    pub(crate) messages: Vec<Message>,
    pub(crate) deletes: Vec<Operation>,
}

impl Engine {
    /// Cancels an execution. The answer shows it `canceled`, or `canceling` where its worker still has to stop.
    pub async fn cancel(&self, principal: &Principal, id: Id) -> Result<Execution, Error> {
        for _ in 0..ATTEMPTS {
            let record = self.ports.store.get(&records::execution_key(id)).await?;
            let record = record.ok_or_else(|| Error::not_found("execution", id))?;
            let mut execution: Execution = records::read(&record)?;
            may_cancel(principal, &execution)?;
            let now = self.ports.clock.now();
            tracing::info!(audit = "execution.cancel", user = principal.user, execution = %id);
            if execution.is_leased(self.ports.epoch, now) || crate::workflows::is_conducted(&execution) {
                self.send_messages(&[id], &Message::Cancel { user: principal.user.clone() }).await?;
                execution.status = ExecutionStatus::Canceling;
                return Ok(execution);
            }
            mark_canceled(&mut execution, &principal.user);
            execution.advance(ExecutionStatus::Canceled, now).map_err(|error| Error::invalid(error.to_string()))?;
            match self.complete(execution, canceled_result(&principal.user), record.version, Vec::new()).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the execution is changing; try again"))
    }

    /// Looks at an execution that nobody works on, because there is news for it.
    pub(crate) async fn take_cancel(&self, mut execution: Execution, version: u64) -> Result<bool, Error> {
        let inbox = self.inbox(execution.id).await?;
        let asked = inbox.messages.into_iter().find_map(|message| match message {
            Message::Cancel { user } => Some(user),
            _ => None,
        });
        // A person can't cancel an inquiry; the workflow that asked can.
        let Some(user) = asked.filter(|_| execution.status.check(ExecutionStatus::Canceled).is_ok()) else {
            return Ok(false);
        };
        mark_canceled(&mut execution, &user);
        execution.advance(ExecutionStatus::Canceled, self.ports.clock.now()).map_err(Error::damaged)?;
        self.complete(execution, canceled_result(&user), version, inbox.deletes).await.map(|_| true)
    }

    /// The rows in an execution's inbox; whoever acts on them deletes them in the same commit, which fails where somebody else did.
    pub(crate) async fn inbox(&self, id: Id) -> Result<Inbox, Error> {
        let page = self.ports.store.query(&Query::partition(records::inbox_partition(id), INBOX_BATCH)).await?;
        let messages = page.records.iter().map(records::read).collect::<Result<_, _>>()?;
        let delete = |record: ports::Record| Operation::Delete(record.key, Some(Guard::Version(record.version)));
        let deletes = page.records.into_iter().map(delete).collect();
        Ok(Inbox { messages, deletes })
    }

    /// Clears the inbox of an execution that has ended.
    pub(crate) async fn clear_inbox(&self, id: Id) -> Result<(), Error> {
        let inbox = self.inbox(id).await?;
        if !inbox.deletes.is_empty() {
            match self.ports.store.commit(inbox.deletes).await {
                // Somebody else clears it.
                Err(StoreError::Conflict { .. }) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// The same where it has; one that has not begun keeps what it was told.
    pub(crate) async fn clear_inbox_of_ended(&self, id: Id) -> Result<(), Error> {
        let record = self.ports.store.get(&records::execution_key(id)).await?;
        let execution: Option<Execution> = record.as_ref().map(records::read).transpose()?;
        if execution.is_none_or(|execution| execution.status.is_final()) {
            self.clear_inbox(id).await?;
        }
        Ok(())
    }

    /// Writes that an execution is being canceled, and takes the rows that asked for it.
    pub(crate) async fn begin_cancel(
        &self,
        execution: &mut Execution,
        version: u64,
        inbox: Inbox,
    ) -> Result<bool, Error> {
        // To what is no workflow nothing else is said.
        let Some(Message::Cancel { user }) = inbox.messages.into_iter().next() else { return Ok(false) };
        let mut operations = inbox.deletes;
        if execution.status != ExecutionStatus::Canceling {
            mark_canceled(execution, &user);
            let now = self.ports.clock.now();
            execution.advance(ExecutionStatus::Canceling, now).map_err(|error| Error::invalid(error.to_string()))?;
        }
        operations.push(execution.put(Guard::Version(version), execution.due(), None)?);
        self.ports.store.commit(operations).await?;
        Ok(true)
    }
}

fn may_cancel(principal: &Principal, execution: &Execution) -> Result<(), Error> {
    if execution.user != principal.user {
        principal.require_admin("cancel another user's execution")?;
    }
    if execution.status.is_cancelable() {
        return Ok(());
    }
    Err(Error::invalid(format!("Execution is already in \"{}\" state: it can't be canceled.", execution.status)))
}

fn canceled_result(user: &str) -> Value {
    json!({"message": "Action canceled by user.", "user": user})
}

fn mark_canceled(execution: &mut Execution, user: &str) {
    execution.context.insert("cancelled_by".to_owned(), json!(user));
}

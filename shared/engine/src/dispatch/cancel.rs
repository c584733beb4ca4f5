//! Stopping an execution. One that nobody works on is canceled at once; to one at work a row goes into its inbox, for nobody writes
//! another one's record.

use model::{Execution, ExecutionStatus, Id, Timestamp};
use ports::{Guard, Operation, Query, Wake};
use serde::{Deserialize, Serialize};
use serde_json::json;

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
            if execution.is_leased(self.ports.epoch, now) {
                self.ask_to_cancel(principal, id, now).await?;
                execution.status = ExecutionStatus::Canceling;
                return Ok(execution);
            }
            mark_canceled(&mut execution, &principal.user);
            execution.advance(ExecutionStatus::Canceled, now).map_err(|error| Error::invalid(error.to_string()))?;
            let result = json!({"message": "Action canceled by user.", "user": principal.user});
            match self.complete(execution, result, record.version, Vec::new()).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the execution is changing; try again"))
    }

    async fn ask_to_cancel(&self, principal: &Principal, id: Id, now: Timestamp) -> Result<(), Error> {
        let row = Id::at(now, self.ports.clock.entropy());
        let key = ports::Key::new(records::inbox_partition(id), row.to_string());
        let message = Message::Cancel { user: principal.user.clone() };
        // Due, too: where the execution ends before its worker looks and the wake is lost, somebody must clear the row away.
        let life =
            records::Life { due: Some(now.after(self.options.lease)), ttl: Some(now.after(self.options.retention)) };
        self.ports.store.commit(vec![records::put(key, &message, Vec::new(), Guard::Absent, life)?]).await?;
        self.ports.wakes.send(vec![Wake { key: records::execution_key(id), at: now }]).await;
        Ok(())
    }

    /// The rows in an execution's inbox; whoever acts on them deletes them in the same commit.
    pub(crate) async fn inbox(&self, id: Id) -> Result<Inbox, Error> {
        let page = self.ports.store.query(&Query::partition(records::inbox_partition(id), INBOX_BATCH)).await?;
        let messages = page.records.iter().map(records::read).collect::<Result<_, _>>()?;
        let deletes = page.records.into_iter().map(|record| Operation::Delete(record.key, None)).collect();
        Ok(Inbox { messages, deletes })
    }

    /// Clears the inbox of an execution that has ended.
    pub(crate) async fn clear_inbox(&self, id: Id) -> Result<(), Error> {
        let inbox = self.inbox(id).await?;
        if !inbox.deletes.is_empty() {
            self.ports.store.commit(inbox.deletes).await?;
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

fn mark_canceled(execution: &mut Execution, user: &str) {
    execution.context.insert("cancelled_by".to_owned(), json!(user));
}

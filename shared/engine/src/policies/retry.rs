//! After an execution ended: where a policy says so, there is another one, made in the commit of the end.

use model::{Execution, ExecutionLog, ExecutionStatus, Id, PolicyKind, RetryOn};
use ports::{Guard, Operation, Wake};
use serde_json::{Value, json};

use crate::{Engine, Error, dispatch::seal_context, records, workflows::wake_key};
use records::Stored;

impl Engine {
    /// Adds the next try to the commit of an end that a policy wants to be tried again. Under a workflow the task's own `retry` decides.
    pub(crate) async fn add_retry(
        &self,
        execution: &Execution,
        (operations, wakes): (&mut Vec<Operation>, &mut Vec<Wake>),
    ) -> Result<(), Error> {
        let on = match execution.status {
            ExecutionStatus::Failed => RetryOn::Failure,
            ExecutionStatus::Timeout => RetryOn::Timeout,
            ExecutionStatus::Abandoned => RetryOn::Abandoned,
            _ => return Ok(()),
        };
        if execution.parent.is_some() {
            return Ok(());
        }
        let catalog = self.catalog().await?;
        let tried = tried(execution);
        let policy = catalog.active_policies(&execution.action).iter().find_map(|active| match &active.kind {
            PolicyKind::Retry(retry) if retry.on == on && tried < retry.most => Some((&active.reference, retry)),
            _ => None,
        });
        let Some((policy, retry)) = policy else { return Ok(()) };
        let mut next = match self.next_try(execution).await {
            Ok(next) => next,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                // The end itself must not hang on it.
                tracing::error!(execution = %execution.id, %error, "it can't be tried again");
                return Ok(());
            }
        };
        next.not_before = (!retry.delay.is_zero()).then(|| next.start.after(retry.delay));
        let told = json!({"applied_policy": policy, "retry_count": tried + 1, "retried_liveaction_id": execution.id});
        next.context.insert("policies".to_owned(), json!({"retry": told}));
        let due = next.due();
        operations.push(next.put(Guard::Absent, due, None)?);
        wakes.extend(due.map(|at| Wake { key: wake_key(&next), at }));
        tracing::info!(audit = "policy.retry", execution = %execution.id, next = %next.id, policy = policy.as_str());
        Ok(())
    }

    /// The same once more, requested at the end of the one before. Its id is a function of that.
    async fn next_try(&self, execution: &Execution) -> Result<Execution, Error> {
        let start = execution.end.unwrap_or(execution.start);
        let id = Id::derived(start, &["retry", &execution.id.to_string()]);
        let sealed = match &execution.sealed {
            Some(sealed) => {
                let fields = self.open_fields(&seal_context(execution.id), sealed).await?;
                Some(self.seal_fields(&seal_context(id), &fields).await?)
            }
            None => None,
        };
        Ok(Execution {
            id,
            status: ExecutionStatus::Requested,
            start,
            end: None,
            waits_until: None,
            sealed,
            result: None,
            sealed_result: None,
            result_size: 0,
            log: vec![ExecutionLog { timestamp: start, status: ExecutionStatus::Requested }],
            places: Vec::new(),
            lease: None,
            ..execution.clone()
        })
    }
}

/// How often it was tried again so far.
fn tried(execution: &Execution) -> u64 {
    let retry = execution.context.get("policies").and_then(|policies| policies.get("retry"));
    retry.and_then(|retry| retry.get("retry_count")).and_then(Value::as_u64).unwrap_or(0)
}

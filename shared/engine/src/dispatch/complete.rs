//! The end of an execution: one commit writes its last status and result, and whatever must follow from it.

use model::{Execution, ExecutionStatus, Trigger, core_types};
use ports::{Guard, Operation, Wake};
use serde_json::{Map, Value, json};

use crate::{Engine, Error, records::Stored};

impl Engine {
    /// Ends an execution that has its final status already. `more` goes into the same commit.
    pub(crate) async fn complete(
        &self,
        mut execution: Execution,
        result: Value,
        version: u64,
        more: Vec<Operation>,
    ) -> Result<Execution, Error> {
        let mut operations = more;
        let mut wakes = Vec::new();
        self.add_action_trigger(&execution, &result, (&mut operations, &mut wakes)).await?;
        self.add_notifications(&execution, &result, (&mut operations, &mut wakes)).await?;
        self.leave_gates(&mut execution, (&mut operations, &mut wakes))?;
        self.add_retry(&execution, (&mut operations, &mut wakes)).await?;
        let (payload, size) = self.payload_of(result).await?;
        execution.result = Some(payload.clone());
        execution.result_size = size;
        let ttl = self.ports.clock.now().after(self.options.retention);
        operations.push(execution.put(Guard::Version(version), None, Some(ttl))?);
        // A turn may end a workflow, which is the task of another: without the box the future would hold itself.
        if !Box::pin(self.end_in_turn(&execution, &payload, &operations)).await {
            self.tell_parent(&execution, Some(&payload), (&mut operations, &mut wakes))?;
            self.ports.store.commit(operations).await?;
        }
        self.ports.wakes.send(wakes).await;
        tracing::info!(
            audit = "execution.complete",
            execution = %execution.id,
            action = execution.action.as_str(),
            status = execution.status.name(),
            duration_ms = execution.end.unwrap_or(execution.start).since(execution.start).as_millis() as u64,
        );
        Ok(execution)
    }

    /// The platform's own event on the end of an execution, where a rule listens. It stands as a trigger instance of its own, to be
    /// matched next, so that it can't be lost between this commit and the bus.
    async fn add_action_trigger(
        &self,
        execution: &Execution,
        result: &Value,
        (operations, wakes): (&mut Vec<Operation>, &mut Vec<Wake>),
    ) -> Result<(), Error> {
        if !self.catalog().await?.is_listened(core_types::ACTION) {
            return Ok(());
        }
        let payload = json!({
            "execution_id": execution.id,
            "status": execution.status,
            "start_timestamp": execution.start.to_string(),
            "action_name": execution.action.as_str(),
            "action_ref": execution.action,
            "runner_ref": execution.runner,
            "parameters": execution.parameters,
            "result": result,
        });
        let trigger = Trigger::new(core_types::ACTION.parse().map_err(Error::damaged)?, Map::new());
        let (operation, wake) = self.pending_instance(trigger, payload, Some(execution)).await?;
        operations.push(operation);
        wakes.push(wake);
        Ok(())
    }

    /// Ends an execution whose worker was lost.
    pub(crate) async fn abandon(&self, mut execution: Execution, version: u64) -> Result<(), Error> {
        let now = self.ports.clock.now();
        execution.advance(ExecutionStatus::Abandoned, now).map_err(Error::damaged)?;
        let inbox = self.inbox(execution.id).await?;
        let result =
            json!({"error": "the worker was lost while the action ran; whether the action did its work is not known"});
        self.complete(execution, result, version, inbox.deletes).await.map(drop)
    }
}

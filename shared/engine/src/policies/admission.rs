//! Before an execution starts: the limits on its action have their say, one after the other.

use model::{Execution, ExecutionStatus, Id, Limit, Place, PolicyKind, Ref, WhenFull};
use ports::{Guard, Job, Operation, Wake};
use serde_json::json;

use super::{gate::Gate, gate_of};
use crate::{Engine, Error, records};
use records::Stored;

/// What becomes of an execution that wants to start.
pub(crate) enum Admission {
    /// It starts, with these in the same commit.
    Enters(Vec<Operation>),
    /// It waits for its turn, or was canceled; that is written.
    Settled,
}

impl Engine {
    /// Asks the limits on an execution's action. Costs nothing where there are none. After a conflict it is asked anew, for somebody else
    /// came to the gate meanwhile.
    pub(crate) async fn admit(&self, execution: &mut Execution, version: u64, job: &Job) -> Result<Admission, Error> {
        let catalog = self.catalog().await?;
        let mut operations = Vec::new();
        for active in catalog.active_policies(&execution.action) {
            let PolicyKind::Limit(limit) = &active.kind else { continue };
            let parameters = [job.action_parameters.expose(), job.runner_parameters.expose()];
            let id = gate_of(&active.reference, limit, parameters);
            if execution.places.iter().any(|place| place.gate == id) {
                continue;
            }
            let now = self.ports.clock.now();
            let (mut gate, guard) = self.gate_with_room(id, &active.reference, limit).await?;
            if !gate.waiting && gate.room(&limit.kind, now) > 0 {
                execution.places.push(gate.enter(id, execution.id, &limit.kind, now));
                operations.push(gate.put(id, guard, Some(&limit.kind), now)?);
                continue;
            }
            return match limit.when_full {
                WhenFull::Cancel => self.refuse(execution, version, (&active.reference, operations)).await,
                WhenFull::Delay => self.line_up(execution, version, (id, gate, guard, limit), operations).await,
            };
        }
        Ok(Admission::Enters(operations))
    }

    /// The same for a workflow, which no worker claims: what it got is written before it begins. `None` where it waits or was canceled.
    pub(crate) async fn admit_workflow(
        &self,
        mut execution: Execution,
        version: u64,
    ) -> Result<Option<(Execution, u64)>, Error> {
        if self.catalog().await?.active_policies(&execution.action).is_empty() {
            return Ok(Some((execution, version)));
        }
        let job = match self.job(&execution).await {
            Ok((job, _)) => job,
            Err(error) if error.is_retryable() => return Err(error),
            // Where it begins, it is told why it can't.
            Err(_) => return Ok(Some((execution, version))),
        };
        let Admission::Enters(mut operations) = self.admit(&mut execution, version, &job).await? else {
            return Ok(None);
        };
        if operations.is_empty() {
            return Ok(Some((execution, version)));
        }
        operations.push(execution.put(Guard::Version(version), execution.due(), None)?);
        self.ports.store.commit(operations).await?;
        Ok(Some((execution, version + 1)))
    }

    /// The gate; where it is full, after those who left meanwhile were counted.
    async fn gate_with_room(&self, id: Id, policy: &Ref, limit: &Limit) -> Result<(Gate, Guard), Error> {
        let found = self.gate(id, policy).await?;
        if found.0.room(&limit.kind, self.ports.clock.now()) > 0 || !self.has_left(id).await? {
            return Ok(found);
        }
        self.handle_gate(id).await?;
        self.gate(id, policy).await
    }

    async fn refuse(
        &self,
        execution: &mut Execution,
        version: u64,
        (policy, operations): (&Ref, Vec<Operation>),
    ) -> Result<Admission, Error> {
        // What it got at the gates before is written with its end, which gives it back.
        let mut execution = execution.clone();
        execution.advance(ExecutionStatus::Canceled, self.ports.clock.now()).map_err(Error::damaged)?;
        execution.context.insert("cancelled_by".to_owned(), json!(policy));
        let result = json!({"message": format!("Action canceled by policy {policy}: its limit is reached.")});
        self.complete(execution, result, version, operations).await?;
        Ok(Admission::Settled)
    }

    async fn line_up(
        &self,
        execution: &mut Execution,
        version: u64,
        (id, mut gate, guard, limit): (Id, Gate, Guard, &Limit),
        mut operations: Vec<Operation>,
    ) -> Result<Admission, Error> {
        let now = self.ports.clock.now();
        execution.advance(ExecutionStatus::Delayed, now).map_err(Error::damaged)?;
        execution.waits_until = None;
        operations.push(execution.put(Guard::Version(version), execution.due(), None)?);
        let row = records::gate_queue_key(id, gate.line_up(now));
        let life = records::Life::default();
        operations.push(records::put(row, &execution.id, Vec::new(), Guard::Absent, life)?);
        operations.push(gate.put(id, guard, Some(&limit.kind), now)?);
        self.ports.store.commit(operations).await?;
        let key = records::gate_key(id);
        let due = gate.due(&limit.kind, now);
        self.ports.wakes.send(due.map(|at| Wake { key, at }).into_iter().collect()).await;
        Ok(Admission::Settled)
    }

    /// Gives back what an execution holds, with its end.
    pub(crate) fn leave_gates(
        &self,
        execution: &mut Execution,
        (operations, wakes): (&mut Vec<Operation>, &mut Vec<Wake>),
    ) -> Result<(), Error> {
        let now = self.ports.clock.now();
        for Place { gate, .. } in std::mem::take(&mut execution.places).into_iter().filter(|place| place.held) {
            // Due, too: where the wake is lost, somebody must look all the same.
            let life = records::Life { due: Some(now.after(self.options.lease)), ttl: None };
            let row = records::gate_inbox_key(gate, execution.id);
            operations.push(records::put(row, &execution.id, Vec::new(), Guard::Absent, life)?);
            wakes.push(Wake { key: records::gate_key(gate), at: now });
        }
        Ok(())
    }
}

//! Where a limit counts, and how it lets those in who wait.

use model::{Execution, ExecutionStatus, Id, LimitKind, Place, PolicyKind, Ref, Timestamp};
use ports::{Guard, MAX_COMMIT_BYTES, Operation, Query, Wake};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

use crate::{Engine, Error, ErrorKind, records, workflows::wake_key};
use records::{Life, Stored};

/// How often a gate before which executions wait looks whether those that it let in are still there.
const LOOK: Duration = Duration::from_secs(60);
/// How long an empty gate is kept: longer than anybody may take between reading it and writing it.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Rows taken from the inbox at once.
const LEFT_BATCH: usize = 40;
/// Executions let in at once; each is two operations.
const ENTER_BATCH: usize = 20;
/// How often a gate is handled anew where others changed it.
const ATTEMPTS: usize = 16;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gate {
    policy: Ref,
    /// Those within, where the limit is on how many are at work.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    holders: BTreeSet<Id>,
    /// When the last ones started, where the limit is on how many start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    starts: Vec<Timestamp>,
    /// Does anybody wait?
    #[serde(default)]
    pub(super) waiting: bool,
    /// How many have had to wait so far.
    #[serde(default)]
    arrivals: u64,
    /// When it looked last whether the holders are still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    looked: Option<Timestamp>,
}

impl Gate {
    fn new(policy: &Ref) -> Gate {
        let (holders, starts) = (BTreeSet::new(), Vec::new());
        Gate { policy: policy.clone(), holders, starts, waiting: false, arrivals: 0, looked: None }
    }

    /// How many may enter now.
    pub(super) fn room(&self, kind: &LimitKind, now: Timestamp) -> usize {
        match kind {
            LimitKind::Concurrency { threshold } => threshold.saturating_sub(self.holders.len()),
            LimitKind::Rate { limit, period } => {
                limit.saturating_sub(self.starts.iter().filter(|start| start.after(*period) > now).count())
            }
        }
    }

    /// Lets one in.
    pub(super) fn enter(&mut self, gate: Id, execution: Id, kind: &LimitKind, now: Timestamp) -> Place {
        match kind {
            LimitKind::Concurrency { .. } => {
                self.holders.insert(execution);
                Place { gate, held: true }
            }
            LimitKind::Rate { period, .. } => {
                self.starts.retain(|start| start.after(*period) > now);
                self.starts.push(now);
                Place { gate, held: false }
            }
        }
    }

    /// When somebody must look at it: only where somebody waits.
    pub(super) fn due(&self, kind: &LimitKind, now: Timestamp) -> Option<Timestamp> {
        let next = match kind {
            _ if !self.waiting => return None,
            _ if self.room(kind, now) > 0 => now,
            LimitKind::Concurrency { .. } => self.looked.unwrap_or(now).after(LOOK),
            LimitKind::Rate { limit, period } => {
                // As soon as fewer than the limit are left of the period.
                let at = self.starts.len().checked_sub(*limit).and_then(|at| self.starts.get(at));
                at.map_or(now.after(LOOK), |start| start.after(*period))
            }
        };
        Some(next)
    }

    /// The operation that writes it; where nobody is within and nobody waits, it is gone some time after all starts have lost their
    /// weight.
    pub(super) fn put(
        &self,
        id: Id,
        guard: Guard,
        kind: Option<&LimitKind>,
        now: Timestamp,
    ) -> Result<Operation, Error> {
        let due = match kind {
            Some(kind) => self.due(kind, now),
            None => self.waiting.then_some(now),
        };
        let counts = match kind {
            Some(LimitKind::Rate { period, .. }) => *period,
            _ => Duration::ZERO,
        };
        let ttl = (self.holders.is_empty() && !self.waiting).then(|| now.after(KEPT + counts));
        records::put(records::gate_key(id), self, Vec::new(), guard, Life { due, ttl })
    }

    /// The number of one that has to wait.
    pub(super) fn line_up(&mut self, now: Timestamp) -> u64 {
        if !self.waiting {
            self.looked = Some(now);
        }
        self.waiting = true;
        self.arrivals += 1;
        self.arrivals
    }
}

/// One step of a gate: what is written, and who is woken.
struct Step {
    operations: Vec<Operation>,
    wakes: Vec<Wake>,
    /// There may be more to do.
    more: bool,
}

impl Engine {
    /// The gate as it stands, and what must hold when it is written.
    pub(super) async fn gate(&self, id: Id, policy: &Ref) -> Result<(Gate, Guard), Error> {
        Ok(match self.ports.store.get(&records::gate_key(id)).await? {
            Some(record) => (records::read(&record)?, Guard::Version(record.version)),
            None => (Gate::new(policy), Guard::Absent),
        })
    }

    /// Has anybody left that the gate does not know of yet?
    pub(super) async fn has_left(&self, id: Id) -> Result<bool, Error> {
        let page = self.ports.store.query(&Query::partition(records::gate_inbox_partition(id), 1)).await?;
        Ok(!page.records.is_empty())
    }

    /// Takes note of those who left, and lets as many in as there is room for, in the order in which they came.
    pub(crate) async fn handle_gate(&self, id: Id) -> Result<(), Error> {
        let mut attempts = 0;
        loop {
            match self.step_gate(id).await {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(error) if error.kind == ErrorKind::Conflict && attempts < ATTEMPTS => attempts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn step_gate(&self, id: Id) -> Result<bool, Error> {
        let inbox = self.ports.store.query(&Query::partition(records::gate_inbox_partition(id), LEFT_BATCH)).await?;
        let record = self.ports.store.get(&records::gate_key(id)).await?;
        let mut operations: Vec<_> = inbox
            .records
            .iter()
            .map(|row| Operation::Delete(row.key.clone(), Some(Guard::Version(row.version))))
            .collect();
        let Some(record) = record else {
            if !operations.is_empty() {
                self.ports.store.commit(operations).await?;
            }
            return Ok(inbox.next.is_some());
        };
        let before: Gate = records::read(&record)?;
        let mut gate = before.clone();
        for row in &inbox.records {
            gate.holders.remove(&records::read(row)?);
        }
        let now = self.ports.clock.now();
        if gate.waiting && gate.looked.is_none_or(|looked| looked.after(LOOK) <= now) {
            self.forget_vanished(&mut gate).await?;
            gate.looked = Some(now);
        }
        let kind = self.limit_of(&gate.policy).await?;
        let Step { operations: entered, mut wakes, more } = self.let_in(id, &mut gate, kind.as_ref(), now).await?;
        operations.extend(entered);
        if operations.is_empty() && gate == before {
            return Ok(false);
        }
        operations.push(gate.put(id, Guard::Version(record.version), kind.as_ref(), now)?);
        self.ports.store.commit(operations).await?;
        wakes.extend(kind.and_then(|kind| gate.due(&kind, now)).map(|at| Wake { key: record.key, at }));
        self.ports.wakes.send(wakes).await;
        Ok(more || inbox.next.is_some())
    }

    /// The limit as it is now; `None` where the policy is gone or disabled, and holds nobody back.
    async fn limit_of(&self, policy: &Ref) -> Result<Option<LimitKind>, Error> {
        let mut catalog = self.catalog().await?;
        if !catalog.policies.contains_key(policy) {
            // This host may not have heard of it yet, while another one has.
            catalog = self.reload_catalog().await?;
        }
        let Some(found) = catalog.policies.get(policy) else { return Ok(None) };
        let active = catalog.active_policies(&found.resource_ref).iter().find(|active| active.reference == *policy);
        Ok(active.and_then(|active| match &active.kind {
            PolicyKind::Limit(limit) => Some(limit.kind.clone()),
            PolicyKind::Retry(_) => None,
        }))
    }

    /// Holders that have ended, or are no more, hold nobody back, whatever became of the row that they should have left.
    async fn forget_vanished(&self, gate: &mut Gate) -> Result<(), Error> {
        for holder in gate.holders.clone() {
            let record = self.ports.store.get(&records::execution_key(holder)).await?;
            let execution: Option<Execution> = record.as_ref().map(records::read).transpose()?;
            if execution.is_none_or(|execution| execution.status.is_final()) {
                gate.holders.remove(&holder);
            }
        }
        Ok(())
    }

    async fn let_in(&self, id: Id, gate: &mut Gate, kind: Option<&LimitKind>, now: Timestamp) -> Result<Step, Error> {
        let mut step = Step { operations: Vec::new(), wakes: Vec::new(), more: false };
        let room = kind.map_or(usize::MAX, |kind| gate.room(kind, now));
        if !gate.waiting || room == 0 {
            return Ok(step);
        }
        let query = Query::partition(records::gate_queue_partition(id), room.min(ENTER_BATCH));
        let page = self.ports.store.query(&query).await?;
        gate.waiting = page.next.is_some();
        let mut bytes = 0;
        for row in &page.records {
            let key = records::execution_key(records::read(row)?);
            let waiting = self.ports.store.get(&key).await?;
            let size = waiting.as_ref().map_or(0, |record| record.body.len() + 4_096);
            if bytes > 0 && bytes + size > MAX_COMMIT_BYTES / 2 {
                gate.waiting = true;
                break;
            }
            bytes += size;
            step.operations.push(Operation::Delete(row.key.clone(), Some(Guard::Version(row.version))));
            let Some(record) = waiting else { continue };
            let mut execution: Execution = records::read(&record)?;
            // It was canceled meanwhile.
            if execution.status != ExecutionStatus::Delayed {
                continue;
            }
            execution.advance(ExecutionStatus::Requested, now).map_err(Error::damaged)?;
            if let Some(kind) = kind {
                execution.places.push(gate.enter(id, execution.id, kind, now));
            }
            step.operations.push(execution.put(Guard::Version(record.version), execution.due(), None)?);
            step.wakes.push(Wake { key: wake_key(&execution), at: now });
        }
        step.more = gate.waiting;
        Ok(step)
    }
}

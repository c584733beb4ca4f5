//! What must hold of policies.

use model::{Execution, ExecutionStatus, Id, Timestamp};
use std::collections::BTreeMap;

use super::{
    super::content::{self, WORK},
    Audit, NEWS,
};

impl Audit<'_> {
    /// No more at once than the policy says, by what the executions themselves tell.
    pub(super) fn limits_held(&mut self) {
        if !self.world.setting.policies {
            return;
        }
        let known = self.known_since();
        let mut changes = Vec::new();
        for execution in self.executions.values().filter(|execution| execution.action.as_str() == WORK) {
            let began = execution.log.iter().find(|line| line.status == ExecutionStatus::Running);
            if let (Some(began), Some(end)) = (began, execution.end)
                && began.timestamp < end
                && known.is_some_and(|known| began.timestamp >= known)
            {
                // At the same time the one leaves before the other enters.
                changes.extend([(began.timestamp, true), (end, false)]);
            }
        }
        changes.sort_unstable();
        let mut at_once = 0isize;
        for (time, enters) in changes {
            at_once += if enters { 1 } else { -1 };
            self.require(at_once <= content::AT_ONCE, || format!("{at_once} are at work at once at {time}"));
        }
    }

    /// When every host had heard of the policies: one that has not lets everybody in, and tries nothing again.
    fn known_since(&self) -> Option<Timestamp> {
        let (_, installed) = self.journal.installed?;
        Some(if self.world.setting.serverless { installed.after(NEWS) } else { installed })
    }

    /// Each failure of the action that works has one next try, up to the last.
    pub(super) fn failures_were_tried_again(&mut self) {
        let known = self.known_since();
        let mut next: BTreeMap<Id, Vec<u64>> = BTreeMap::new();
        for execution in self.executions.values() {
            if let Some((of, number)) = retried(execution) {
                next.entry(of).or_default().push(number);
            }
        }
        let mut found = Vec::new();
        for execution in self.executions.values() {
            let tried = retried(execution).map_or(0, |(_, number)| number);
            let is_tried_again = self.world.setting.policies
                && execution.action.as_str() == WORK
                && execution.status == ExecutionStatus::Failed
                // Under a workflow the task decides.
                && execution.parent.is_none()
                && tried < content::TRIES;
            let wanted = if is_tried_again { vec![tried + 1] } else { Vec::new() };
            let tries = next.remove(&execution.id).unwrap_or_default();
            let is_certain = known.is_some_and(|known| execution.end >= Some(known));
            if tries != wanted && (is_certain || !tries.is_empty()) {
                found.push(format!("execution {} is followed by tries {tries:?}, and not by {wanted:?}", execution.id));
            }
        }
        found.extend(next.keys().map(|id| format!("execution {id} was tried again, and is not there")));
        self.found.extend(found);
    }
}

/// The execution that it is another try of, and which try it is.
pub(super) fn retried(execution: &Execution) -> Option<(Id, u64)> {
    let retry = execution.context.get("policies")?.get("retry")?;
    Some((retry.get("retried_liveaction_id")?.as_str()?.parse().ok()?, retry.get("retry_count")?.as_u64()?))
}

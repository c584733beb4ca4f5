//! A workflow is asked to run, to pause, to go on, to stop.

use super::table::{items_on_request, workflow_on_request};
use super::{Conductor, Refused};
use crate::Status;
use crate::state::State;

impl Conductor {
    /// Asks the workflow to take on a status. Where tasks are at work it first becomes `pausing` or `canceling`.
    pub fn request_status(&self, state: &mut State, status: Status) -> Result<(), Refused> {
        if matches!(status, Status::Unset | Status::Pending | Status::Timeout | Status::Abandoned | Status::Retrying) {
            return Err(Refused::InvalidEvent(format!("workflow_{status}")));
        }
        if status.is_pause() || status.is_cancel() {
            hold_items(state, status);
        }
        let before = state.status();
        let active = state.has_active();
        let idle = !active && !state.has_ready() && !state.has_any(&[Status::Paused, Status::Pending]);
        if let Some(after) = workflow_on_request(before, status, active, idle) {
            state.set_status(after);
        }
        let still =
            matches!((status, before), (Status::Paused, Status::Pausing) | (Status::Canceled, Status::Canceling));
        if state.status() == before && before != status && !still {
            return Err(Refused::WorkflowStatus { status: before, event: status });
        }
        Ok(())
    }

    /// Fails the workflow from within.
    pub(super) fn fail(&self, state: &mut State) -> Result<(), Refused> {
        self.request_status(state, Status::Failed)
    }
}

/// Tasks with items of which some have still to complete pause or stop with the workflow.
fn hold_items(state: &mut State, request: Status) {
    let held: Vec<(u32, Status)> = state
        .active()
        .filter_map(|entry| {
            let staged = state.staged_task(&entry.task, entry.route)?;
            let items = state.items(staged.index).filter(|items| !items.all_completed())?;
            let status = items_on_request(entry.status.unwrap_or_default(), request, items.any_active())?;
            Some((entry.index, status))
        })
        .collect();
    for (entry, status) in held {
        state.set_entry_status(entry, status);
    }
}

//! A completed task is tried again.

use std::sync::Arc;

use serde_json::Value;

use super::{Conductor, Refused, integer, is_truthy};
use crate::Status;
use crate::expression::{Scope, Template};
use crate::state::{State, Tries};

impl Conductor {
    /// How a task is to be tried again, known when it starts.
    pub(super) fn tries(&self, state: &State, task: &Arc<str>, context: u32) -> Result<Option<Tries>, Refused> {
        let Some(retry) = self.graph.node(task).and_then(|node| node.retry.as_ref()) else { return Ok(None) };
        let scope = self.scope(state, state.variables(context), None);
        let number = |template: &Template, what: &str| {
            let refused = |message| Refused::Retry { task: task.to_string(), message };
            let value = template.evaluate(&self.expressions, &scope).map_err(|error| refused(error.to_string()))?;
            integer(&value).ok_or_else(|| refused(format!("the {what} is not an integer")))
        };
        let delay = retry.delay.as_ref().map(|delay| number(delay, "delay")).transpose()?;
        Ok(Some(Tries { count: number(&retry.count, "count")?, delay, tally: 0 }))
    }

    /// Whether a completed task is to be tried again.
    pub(super) fn is_tried_again(&self, state: &State, at: u32, scope: &Scope<'_>) -> Result<bool, Refused> {
        let Some(entry) = state.entry(at) else { return Ok(false) };
        if entry.retry.as_ref().is_none_or(|tries| tries.tally >= tries.count) {
            return Ok(false);
        }
        let status = entry.status.unwrap_or_default();
        let when =
            self.graph.node(&entry.task).and_then(|node| node.retry.as_ref()).and_then(|retry| retry.when.as_ref());
        let Some(when) = when else { return Ok(status.is_abended()) };
        let refused = |message| Refused::Retry { task: entry.task.to_string(), message };
        let wanted = when.evaluate(&self.expressions, scope).map_err(|error| refused(error.to_string()))?;
        match status {
            _ if !is_truthy(&wanted) => Ok(false),
            Status::Succeeded | Status::Failed => Ok(true),
            _ => Err(refused(format!("a task that is {status} can't be tried again"))),
        }
    }

    /// Stages the task again.
    pub(super) fn try_again(&self, state: &mut State, at: u32) {
        let Some(entry) = state.entry(at).cloned() else { return };
        state.add_try(at);
        self.unstage(state, &entry.task, entry.route);
        let staged = state.stage(&entry.task, entry.route, entry.context);
        self.copy_arrivals(state, entry.staged, staged);
        let delay = entry.retry.and_then(|tries| tries.delay);
        state.change_staged(staged, |staged| staged.retry_after = Some(delay.unwrap_or_default()));
    }

    /// The new staged task was led to by the same tasks as the old one.
    pub(super) fn copy_arrivals(&self, state: &mut State, from: u64, to: u64) {
        let arrivals: Vec<_> = state.arrivals(from).cloned().collect();
        for arrival in arrivals {
            state.arrive(to, arrival.arrow, arrival.entry);
        }
    }

    /// Takes the first staged task of this name and route away, unless some of its items are at work.
    pub(super) fn unstage(&self, state: &mut State, task: &str, route: u32) {
        let Some(staged) = state.staged_task(task, route).map(|staged| staged.index) else { return };
        if !state.items(staged).is_some_and(|items| items.any_active()) {
            state.unstage(staged);
        }
    }
}

/// The result of a task, as a null where there is none.
pub(super) fn or_null(result: Option<Arc<Value>>) -> Arc<Value> {
    result.unwrap_or_default()
}

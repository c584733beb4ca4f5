//! A completed workflow gives its output.

use std::sync::Arc;

use super::Conductor;
use crate::Status;
use crate::expression::EvaluationError;
use crate::state::{LogEntry, LogType, State, Variables};

impl Conductor {
    /// Renders the output of a completed workflow, unless that was done. What can be rendered is; where something can't, the workflow fails.
    pub fn render_output(&self, state: &mut State) {
        if !state.status().is_completed() || state.output().is_some() {
            return;
        }
        let (output, errors) = self.output(state);
        if !output.is_empty() {
            state.set_output(Some(output));
        }
        if errors.is_empty() {
            return;
        }
        for error in errors {
            state.log(LogEntry::new(LogType::Error, error.to_string()));
        }
        if !matches!(state.status(), Status::Timeout | Status::Abandoned | Status::Canceled) {
            state.set_status(Status::Failed);
        }
    }

    fn output(&self, state: &State) -> (serde_json::Map<String, serde_json::Value>, Vec<EvaluationError>) {
        let mut scope = self.scope(state, self.terminal_variables(state), None);
        let (mut output, mut errors) = (serde_json::Map::new(), Vec::new());
        for assignment in &self.workflow.output {
            match assignment.value.evaluate(&self.expressions, &scope) {
                Ok(value) => {
                    scope.variables.assign(&assignment.name, Arc::new(value.clone()));
                    output.insert(assignment.name.to_string(), value);
                }
                Err(error) => errors.push(error),
            }
        }
        (output, errors)
    }

    /// What is seen where all branches have ended.
    fn terminal_variables(&self, state: &State) -> Variables {
        let mut contexts = state.terminal().map(|entry| state.variables(entry.context));
        let first = contexts.next().unwrap_or_default();
        contexts.fold(first, |mut seen, other| {
            seen.end_with(&other, state.merging());
            seen
        })
    }
}

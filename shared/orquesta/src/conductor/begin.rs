//! A workflow begins: inputs and variables are rendered, and the first tasks are staged.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Conductor;
use crate::Status;
use crate::expression::{EvaluationError, Template};
use crate::spec::Assignment;
use crate::state::{LogEntry, LogType, State, Variables, merge_into};

impl Conductor {
    /// A run of the workflow with these inputs, in the context of what started it. It has failed already where inputs or variables can't be
    /// rendered; otherwise it waits to be asked to run.
    pub fn begin(&self, inputs: &Map<String, Value>, parent: &Map<String, Value>) -> State {
        let mut state = State::new(Arc::clone(&self.graph), self.merging());
        let given = |input: &Assignment| match inputs.get(&*input.name) {
            Some(value) => (Arc::clone(&input.name), Template::new(value.clone())),
            None => (Arc::clone(&input.name), input.value.clone()),
        };
        let (inputs, mut errors) = self.assign(&state, parent, self.workflow.input.iter().map(given));
        let begun = merged(parent, inputs);
        let vars = self.workflow.vars.iter().map(|var| (Arc::clone(&var.name), var.value.clone()));
        let (vars, more) = self.assign(&state, &begun, vars);
        errors.extend(more);
        if !errors.is_empty() {
            for error in errors {
                state.log(LogEntry::new(LogType::Error, error.to_string()));
            }
            state.set_status(Status::Failed);
            return state;
        }
        state.begin_with(merged(&begun, vars));
        state.add_route(Vec::new());
        for root in self.graph.roots() {
            state.stage(&root.name, 0, 0);
        }
        state
    }

    /// Works through assignments, each of which sees the ones before it.
    pub(super) fn assign(
        &self,
        state: &State,
        seen: &Map<String, Value>,
        assignments: impl Iterator<Item = (Arc<str>, Template)>,
    ) -> (Map<String, Value>, Vec<EvaluationError>) {
        let mut scope = self.scope(state, Variables::new(seen.clone()), None);
        let (mut assigned, mut errors) = (Map::new(), Vec::new());
        for (name, template) in assignments {
            match template.evaluate(&self.expressions, &scope) {
                Ok(value) => {
                    scope.variables.assign(&name, Arc::new(value.clone()));
                    assigned.insert(name.to_string(), value);
                }
                Err(error) => errors.push(error),
            }
        }
        (assigned, errors)
    }
}

/// What is assigned, merged into what was there.
fn merged(before: &Map<String, Value>, assigned: Map<String, Value>) -> Map<String, Value> {
    let mut merged = Value::Object(before.clone());
    merge_into(&mut merged, &Value::Object(assigned));
    match merged {
        Value::Object(merged) => merged,
        _ => Map::new(),
    }
}

//! A workflow goes on from some of its tasks: a new execution begins with the state in which another one ended.

use model::{Execution, Id};
use orquesta::{Rerun, State, Status, StepEvent};
use serde_json::Value;
use std::sync::Arc;

use super::run::{self, Run};
use crate::{Engine, Error, ReRun, records};

/// Which tasks run again, and which of them with all their items.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    again: Vec<String>,
    reset: Vec<String>,
}

impl Tasks {
    fn of(context: &Value) -> Option<Tasks> {
        let names = |key: &str| -> Option<Vec<String>> {
            let names = context.get(key)?.as_array()?.iter().filter_map(Value::as_str);
            Some(names.map(str::to_owned).collect())
        };
        Some(Tasks { again: names("tasks")?, reset: names("reset").unwrap_or_default() })
    }

    /// The last runs of the tasks, on every route on which they ran.
    fn requests(&self, state: &State) -> Vec<Rerun> {
        let mut requests: Vec<Rerun> = Vec::new();
        for entry in state.entries().iter().filter(|entry| self.again.iter().any(|name| **name == *entry.task)) {
            if !requests.iter().any(|known| known.task == entry.task && known.route == entry.route) {
                let reset_items = self.reset.iter().any(|name| **name == *entry.task);
                requests.push(Rerun { task: Arc::clone(&entry.task), route: entry.route, reset_items });
            }
        }
        requests
    }
}

impl Engine {
    /// May this workflow go on from these tasks?
    pub(crate) async fn check_goes_on(&self, original: &Execution, re_run: &ReRun) -> Result<(), Error> {
        if !super::is_conducted(original) || original.runner == super::CHAIN {
            return Err(Error::invalid("Task option is only supported for Orquesta workflows."));
        }
        if !re_run.parameters.is_empty() {
            let message = "Parameters override is not supported when re-running task(s) for a workflow.";
            return Err(Error::invalid(message));
        }
        if let Some(other) = re_run.reset.iter().find(|name| !re_run.tasks.contains(name)) {
            return Err(Error::invalid(format!(
                "reset names task \"{other}\", which is not among the tasks to run again"
            )));
        }
        if !original.status.is_final() {
            let message =
                format!("workflow {} is {}: it can go on from a task when it has ended", original.id, original.status);
            return Err(Error::invalid(message));
        }
        let (action, pack) = self.action_of(original).await?;
        let definition = self.definition(&action, pack.as_ref()).await?;
        let state = run::restore(original.clone(), (0, None), definition, self.journal(original.id).await?).state;
        let has_run = |name: &&String| state.entries().iter().any(|entry| *entry.task == ***name);
        match re_run.tasks.iter().find(|name| !has_run(name)) {
            Some(unknown) => {
                let known: std::collections::BTreeSet<&str> =
                    state.entries().iter().map(|entry| &*entry.task).collect();
                let known: Vec<_> = known.into_iter().collect();
                let message = format!(
                    "task \"{unknown}\" has not run in workflow {}; these have: {}",
                    original.id,
                    known.join(", ")
                );
                Err(Error::invalid(message))
            }
            None => Ok(()),
        }
    }

    /// The execution that a new one goes on from, and the tasks. Only the engine writes this into a context.
    pub(super) fn goes_on_from(&self, execution: &Execution) -> Option<(Id, Tasks)> {
        let told = execution.context.get("re-run")?;
        Some((told.get("ref")?.as_str()?.parse().ok()?, Tasks::of(told)?))
    }

    pub(super) async fn go_on(
        &self,
        execution: &Execution,
        version: u64,
        (from, tasks): (Id, &Tasks),
    ) -> Result<Run, Error> {
        let record = self.ports.store.get(&records::execution_key(from)).await?;
        let original: Execution = records::read(&record.ok_or_else(|| Error::not_found("execution", from))?)?;
        let (action, pack) = self.action_of(&original).await?;
        let definition = self.definition(&action, pack.as_ref()).await?;
        // The state fits the workflow as it was.
        let execution = Execution { pack_version: original.pack_version, ..execution.clone() };
        let journal = self.journal(from).await?;
        let mut run = run::restore(execution, (version, None), definition, journal);
        run.due = run.execution.due();
        run.rows = 0;
        run.drawn = None;
        self.draw_driven(&mut run);
        run.first = vec![StepEvent::Rerun(tasks.requests(&run.state)), StepEvent::Request(Status::Running)];
        run.execution.advance_by(model::ExecutionStatus::Running, self.ports.clock.now()).map_err(Error::damaged)?;
        Ok(run)
    }
}

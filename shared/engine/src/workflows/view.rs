//! A run of a workflow as people look at it: its text, its tasks, and which transitions it took.

use model::{Execution, Id};
use orquesta::{Arrow, Entry, Record, Status};
use serde::Serialize;

use super::{is_conducted, outcome, run::Run};
use crate::{Engine, Error, Principal, records};

/// A run of a workflow, as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct WorkflowRun {
    /// The file in the pack that the workflow is in.
    pub file: String,
    /// The workflow as it was when the run began.
    pub text: String,
    /// How the conductor has it.
    pub status: Status,
    /// The runs of tasks, in the order of their starts.
    pub tasks: Vec<TaskRunView>,
    /// By number, the transitions into splits that a route took.
    pub routes: Vec<Vec<String>>,
}

/// A run of a task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskRunView {
    /// The task.
    pub task: String,
    /// Its route.
    pub route: u32,
    /// Its status.
    pub status: Status,
    /// How often it was tried again.
    pub retries: i64,
    /// Of its transitions those that were looked at, and whether they fired.
    pub next: Vec<TransitionView>,
}

/// A transition of a task to one target.
#[derive(Clone, Debug, Serialize)]
pub struct TransitionView {
    /// Which of the task's `next`.
    pub transition: usize,
    /// The task or command that it leads to.
    pub to: String,
    /// Its condition held.
    pub fired: bool,
}

impl Engine {
    /// The run of a workflow. The values that it carries are not in it: secrets could be anywhere in them.
    pub async fn workflow_run(&self, principal: &Principal, id: Id) -> Result<WorkflowRun, Error> {
        let execution = self.execution(principal, id).await?;
        if !is_conducted(&execution) {
            let message = format!("execution {id} runs no workflow: its runner is {}", execution.runner);
            return Err(Error::invalid(message));
        }
        let Some(record) = self.ports.store.get(&records::execution_key(id)).await? else {
            return Err(Error::not_found("execution", id));
        };
        match self.read_run(execution, &record).await? {
            Ok(run) => Ok(view(&run)),
            Err(execution) => self.unbegun(&execution).await,
        }
    }

    async fn unbegun(&self, execution: &Execution) -> Result<WorkflowRun, Error> {
        let (action, pack) = self.action_of(execution).await?;
        let definition = self.definition(&action, pack.as_ref()).await?;
        Ok(WorkflowRun {
            file: definition.path.clone(),
            text: definition.text.clone(),
            status: outcome::task_status(execution.status),
            tasks: Vec::new(),
            routes: Vec::new(),
        })
    }
}

fn view(run: &Run) -> WorkflowRun {
    let graph = run.definition.conductor.graph();
    let task = |entry: &Entry| {
        let edges = graph.node(&entry.task).map(|node| node.edges.as_slice()).unwrap_or_default();
        let next = entry.next.iter().filter_map(|(at, fired)| {
            let edge = edges.get(usize::try_from(*at).ok()?)?;
            Some(TransitionView { transition: edge.transition, to: edge.target.to_string(), fired: *fired })
        });
        TaskRunView {
            task: entry.task.to_string(),
            route: entry.route,
            status: entry.status.unwrap_or_default(),
            retries: entry.retry.as_ref().map_or(0, |tries| tries.tally),
            next: next.collect(),
        }
    };
    let route = |record: Record| match record {
        Record::Route(route) => Some(route.arrows.iter().map(Arrow::to_string).collect()),
        _ => None,
    };
    WorkflowRun {
        file: run.definition.path.clone(),
        text: run.definition.text.clone(),
        status: run.status(),
        tasks: run.state.entries().iter().map(task).collect(),
        routes: run.state.records().into_iter().filter_map(route).collect(),
    }
}

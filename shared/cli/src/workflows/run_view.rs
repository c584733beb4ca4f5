//! A run of a workflow, as a host tells it.

use orquesta::Conductor;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::graph::NodeRun;
use crate::{
    client::{Client, Query},
    failure::Failure,
};

/// What became of each task.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RunView {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) status: String,
    tasks: Vec<TaskRun>,
    /// The executions that the tasks requested.
    #[serde(skip)]
    children: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct TaskRun {
    task: String,
    route: u32,
    status: String,
    retries: usize,
    next: Vec<Transition>,
}

#[derive(Clone, Debug, Deserialize)]
struct Transition {
    transition: usize,
    to: String,
    fired: bool,
}

impl RunView {
    /// The run of an execution, and the executions that it requested itself.
    pub(crate) async fn of_host(client: &Client, id: &str) -> Result<RunView, Failure> {
        let told = client.get(&["executions", id, "workflow"], &Query::new()).await?;
        let mut run = RunView::deserialize(&told)
            .map_err(|error| Failure::new(format!("{} tells a run in another way: {error}", client.address())))?;
        let query = Query::new().with("depth", "1").with("exclude_attributes", "result,trigger_instance");
        let children = client.get(&["executions", id, "children"], &query).await?;
        run.children = children.as_array().cloned().unwrap_or_default();
        Ok(run)
    }

    /// What became of a task, if it came to it.
    pub(crate) fn of_task(&self, name: &str) -> Option<NodeRun> {
        let runs: Vec<&TaskRun> = self.tasks.iter().filter(|run| run.task == name).collect();
        let last = runs.last()?;
        let routes: BTreeSet<u32> = runs.iter().map(|run| run.route).collect();
        let time = |child: &Value, pointer: &str| child.pointer(pointer)?.as_str()?.parse::<jiff::Timestamp>().ok();
        let own = || self.children.iter().filter(|child| task_of(child) == Some(name));
        let start = own().filter_map(|child| time(child, "/start_timestamp")).min();
        let end = own().filter_map(|child| time(child, "/end_timestamp")).max();
        Some(NodeRun {
            status: last.status.clone(),
            times: runs.iter().map(|run| 1 + run.retries).sum(),
            seconds: start.zip(end).map(|(start, end)| end.duration_since(start).as_secs_f64()),
            routes: if routes.iter().eq(&[0]) { Vec::new() } else { routes.into_iter().collect() },
        })
    }

    /// How often each task ran, retries included. One that ran over no items has started nothing.
    pub(crate) fn counts(&self, conductor: &Conductor) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let has_items = |name: &str| conductor.workflow().tasks.get(name).is_some_and(|task| task.with.is_some());
        let has_started =
            |name: &str| !has_items(name) || self.children.iter().any(|child| task_of(child) == Some(name));
        let tasks = self.tasks.iter().filter(|run| !orquesta::is_command(&run.task) && has_started(&run.task));
        tasks.for_each(|run| *counts.entry(run.task.clone()).or_default() += 1 + run.retries);
        counts
    }

    /// Has a transition fired in any run of a task?
    pub(crate) fn has_gone(&self, task: &str, transition: usize, to: &str) -> bool {
        let runs = self.tasks.iter().filter(|run| run.task == task);
        runs.flat_map(|run| &run.next).any(|next| next.fired && next.transition == transition && next.to == to)
    }
}

/// An execution. The last one is the workflow that the last one is a part of.
pub(crate) async fn whole(client: &Client, id: &str) -> Result<Value, Failure> {
    let mut found = client.get(&["executions", id], &Query::new()).await?;
    while let Some(parent) = found.get("parent").and_then(Value::as_str).filter(|_| id == "last") {
        found = client.get(&["executions", parent], &Query::new()).await?;
    }
    Ok(found)
}

/// The task that an execution is for.
pub(crate) fn task_of(child: &Value) -> Option<&str> {
    child.pointer("/context/orquesta/task_name").or_else(|| child.pointer("/context/chain/name"))?.as_str()
}

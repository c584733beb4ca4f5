//! The graph of a workflow: what follows what, on which condition, and where branches meet and part.

mod compose;
mod cycles;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::expression::Template;
use crate::spec::{Join, Retry};
pub(crate) use cycles::on_cycle;

/// A composed workflow. Commands are nodes, too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    nodes: IndexMap<Arc<str>, Node>,
}

/// A task or a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The name.
    pub name: Arc<str>,
    /// How many of the branches that lead to it must arrive, where it waits.
    pub barrier: Option<Join>,
    /// The tasks from which on the workflow runs once per branch.
    pub splits: Vec<Arc<str>>,
    /// When and how often it is tried again.
    pub retry: Option<Retry>,
    /// What follows, by target and key.
    pub edges: Vec<Edge>,
    /// How many different tasks lead to it.
    pub inbound: usize,
    /// It runs once per branch that leads to it.
    pub is_split: bool,
    /// It can follow itself.
    pub in_cycle: bool,
}

/// A transition of a task to one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The target.
    pub target: Arc<str>,
    /// Which of the edges between the two.
    pub key: u32,
    /// The condition.
    pub when: Option<Template>,
    /// Which of the task's transitions.
    pub transition: usize,
}

impl Edge {
    /// The name of the edge among those of its task.
    pub fn id(&self) -> String {
        format!("{}__t{}", self.target, self.key)
    }
}

impl Graph {
    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// All nodes, in the order in which they were found.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The nodes that nothing leads to, by name.
    pub fn roots(&self) -> Vec<&Node> {
        let mut roots: Vec<&Node> = self.nodes.values().filter(|node| node.inbound == 0).collect();
        roots.sort_by(|a, b| a.name.cmp(&b.name));
        roots
    }

    /// The graph as Orquesta writes it: node-link adjacency.
    pub fn to_json(&self) -> Value {
        let edge = |edge: &Edge| {
            let criteria: Vec<&Value> = edge.when.iter().map(Template::written).collect();
            json!({"criteria": criteria, "ref": edge.transition, "id": edge.target, "key": edge.key})
        };
        json!({
            "directed": true,
            "multigraph": true,
            "graph": [],
            "nodes": self.nodes.values().map(node_json).collect::<Vec<_>>(),
            "adjacency": self.nodes.values().map(|node| node.edges.iter().map(edge).collect()).collect::<Vec<Vec<_>>>(),
        })
    }
}

fn node_json(node: &Node) -> Value {
    let mut written = Map::from_iter([("id".to_owned(), json!(node.name))]);
    match node.barrier {
        Some(Join::All) => drop(written.insert("barrier".to_owned(), json!("*"))),
        Some(Join::Count(count)) => drop(written.insert("barrier".to_owned(), json!(count))),
        None => {}
    }
    if !node.splits.is_empty() {
        written.insert("splits".to_owned(), json!(node.splits));
    }
    if let Some(retry) = &node.retry {
        written.insert("retry".to_owned(), retry_json(retry));
    }
    Value::Object(written)
}

fn retry_json(retry: &Retry) -> Value {
    let (when, delay) = (retry.when.as_ref().map(Template::written), retry.delay.as_ref().map(Template::written));
    let count = retry.count.written();
    // The command `retry` has no delay, a task's own `retry` one that may be null.
    if retry.is_command {
        json!({"when": when, "count": count})
    } else {
        json!({"when": when, "count": count, "delay": delay})
    }
}

//! A workflow as a picture: tasks, what follows them on which condition, and of a run how far each came.

mod dot;
mod layers;
mod layout;
mod svg;
mod text;

#[cfg(test)]
mod tests;

use orquesta::{Conductor, Join, Task, is_command};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::RunView;
pub(crate) use dot::dot;
pub(crate) use svg::svg;
pub(crate) use text::text;

/// A workflow to be drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    pub(crate) name: String,
    /// Of a run: how the workflow stands.
    pub(crate) status: Option<String>,
    pub(crate) boxes: Vec<Node>,
    pub(crate) arrows: Vec<Arrow>,
    /// Tasks that nothing leads to from a start.
    pub(crate) never: Vec<String>,
}

/// A task or a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) title: String,
    /// The action, where there is one.
    pub(crate) action: String,
    /// What is special: a join, items, a retry.
    pub(crate) marks: Vec<String>,
    pub(crate) is_command: bool,
    /// How many steps it is from a start at most.
    pub(crate) layer: usize,
    /// Where it stands in the text.
    pub(crate) line: u32,
    pub(crate) run: Option<NodeRun>,
}

/// What became of a task in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeRun {
    pub(crate) status: String,
    /// How often it ran.
    pub(crate) times: usize,
    /// From the first start to the last end.
    pub(crate) seconds: Option<f64>,
    /// On which routes, where not on the first alone.
    pub(crate) routes: Vec<u32>,
}

/// What leads from one to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrow {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The condition; empty where there is none.
    pub(crate) when: String,
    /// Of a run: whether it was gone.
    pub(crate) is_taken: Option<bool>,
    /// It leads back.
    pub(crate) is_back: bool,
}

impl Picture {
    /// The picture of a workflow, or of a run of it.
    pub(crate) fn new(name: &str, conductor: &Conductor, run: Option<&RunView>) -> Picture {
        let graph = conductor.graph();
        let mut picture =
            Picture { name: name.to_owned(), status: run.map(|run| run.status.clone()), ..Picture::default() };
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for node in graph.nodes().filter(|node| !is_command(&node.name)) {
            let Some(task) = conductor.workflow().tasks.get(&node.name) else { continue };
            places.insert(&node.name, picture.boxes.len());
            let mut marks = marks(task, node);
            if node.is_split && !node.in_cycle {
                marks.push("once per branch".to_owned());
            }
            picture.boxes.push(Node {
                title: node.name.to_string(),
                action: expression(task.action.written()),
                marks,
                line: task.position.line,
                run: run.and_then(|run| run.of_task(&node.name)),
                ..Node::default()
            });
        }
        for node in graph.nodes() {
            let Some(from) = places.get(&*node.name).copied() else { continue };
            let mut edges: Vec<_> = node.edges.iter().collect();
            edges.sort_by_key(|edge| edge.transition);
            for edge in edges {
                // Each task has commands of its own: they are no places where branches meet.
                let to = places.get(&*edge.target).copied().unwrap_or_else(|| {
                    picture.boxes.push(Node { title: edge.target.to_string(), is_command: true, ..Node::default() });
                    picture.boxes.len() - 1
                });
                picture.arrows.push(Arrow {
                    from,
                    to,
                    when: edge.when.as_ref().map(|when| expression(when.written())).unwrap_or_default(),
                    is_taken: run.map(|run| run.has_gone(&node.name, edge.transition, &edge.target)),
                    is_back: false,
                });
            }
        }
        let tasks = conductor.workflow().tasks.keys();
        picture.never = tasks.filter(|name| graph.node(name).is_none()).map(ToString::to_string).collect();
        picture.arrange();
        picture
    }

    /// As data.
    pub(crate) fn to_json(&self) -> Value {
        let tasks = self.boxes.iter().filter(|node| !node.is_command).map(|node| {
            let run = node.run.as_ref().map(|run| {
                json!({"status": run.status, "times": run.times, "elapsed_seconds": run.seconds, "routes": run.routes})
            });
            json!({
                "task": node.title, "action": node.action, "marks": node.marks, "line": node.line, "layer": node.layer,
                "run": run,
            })
        });
        let title = |at: usize| self.boxes.get(at).map(|node| node.title.as_str());
        let arrows = self.arrows.iter().map(|arrow| {
            json!({
                "from": title(arrow.from), "to": title(arrow.to), "when": arrow.when, "leads_back": arrow.is_back,
                "taken": arrow.is_taken,
            })
        });
        json!({
            "workflow": self.name, "status": self.status, "tasks": tasks.collect::<Vec<_>>(),
            "transitions": arrows.collect::<Vec<_>>(), "never": self.never,
        })
    }

    /// Says what leads back, and how far everything is from a start.
    fn arrange(&mut self) {
        let links: Vec<_> = self.arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
        let (layers, backs) = layers::layers(self.boxes.len(), &links);
        for (node, layer) in self.boxes.iter_mut().zip(layers) {
            node.layer = layer;
        }
        for (arrow, is_back) in self.arrows.iter_mut().zip(backs) {
            arrow.is_back = is_back;
        }
    }
}

fn marks(task: &Task, node: &orquesta::Node) -> Vec<String> {
    let mut marks = Vec::new();
    match task.join {
        Some(Join::All) => marks.push(format!("join all {}", node.inbound)),
        Some(Join::Count(count)) => marks.push(format!("join {count} of {}", node.inbound)),
        None => {}
    }
    if let Some(with) = &task.with {
        let names = with.names.as_ref().map(|names| format!("{} in ", names.join(", "))).unwrap_or_default();
        let concurrency = with.concurrency.as_ref().map(|at_once| expression(at_once.written()));
        let at_once = concurrency.map(|at_once| format!(", {at_once} at a time")).unwrap_or_default();
        marks.push(format!("for each {names}{}{at_once}", expression(with.list.written())));
    }
    if let Some(delay) = task.delay.as_ref().filter(|delay| *delay.written() != 0) {
        marks.push(format!("delay {} s", expression(delay.written())));
    }
    if let Some(retry) = &node.retry {
        let when = retry.when.as_ref().map(|when| format!(" when {}", expression(when.written()))).unwrap_or_default();
        marks.push(format!("retry {}×{when}", expression(retry.count.written())));
    }
    marks
}

/// An expression without what marks it as one, in one line.
fn expression(written: &Value) -> String {
    let text = match written {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.trim();
    let bare = [("<%", "%>"), ("{{", "}}")].into_iter().find_map(|(begin, end)| {
        let inside = text.strip_prefix(begin)?.strip_suffix(end)?;
        (!inside.contains(end)).then_some(inside)
    });
    bare.unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

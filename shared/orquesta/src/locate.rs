//! Where in a workflow's text what went wrong stands.

use yaml::{Content, Node, Position};

use crate::graph::Graph;
use crate::inspect::{place, reach};
use crate::state::LogEntry;

/// The place that a message of the log is about: that of its expression, else of its transition, else of its task. None where it is about
/// the workflow as a whole.
pub fn locate(root: &Node, graph: &Graph, entry: &LogEntry) -> Option<Position> {
    let path = match (&entry.task_id, &entry.task_transition_id) {
        (Some(task), Some(id)) => {
            let edge = graph.node(task)?.edges.iter().find(|edge| edge.id() == *id)?;
            format!("tasks.{task}.next[{}]", edge.transition)
        }
        (Some(task), None) => format!("tasks.{task}"),
        (None, _) => String::new(),
    };
    let expression = find(reach(root, &path), &entry.message);
    expression.or_else(|| (!path.is_empty()).then(|| place(root, &path)))
}

/// The text that a message says it could not evaluate.
fn find(node: &Node, message: &str) -> Option<Position> {
    match &node.content {
        Content::Text(text) => {
            message.contains(&format!("Unable to evaluate expression '{text}'. ")).then_some(node.position)
        }
        Content::List(items) => items.iter().find_map(|item| find(item, message)),
        Content::Map(entries) => entries.iter().find_map(|entry| find(&entry.value, message)),
        _ => None,
    }
}

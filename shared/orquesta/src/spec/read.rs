//! From the tree of a text whose syntax is sound to the types.

use std::sync::Arc;

use serde_json::Value;
use yaml::{Content, Entry, Node};

use super::{Assignment, Itemized, Join, Retry, Task, Transition, Workflow, inline};
use crate::expression::Template;

impl Workflow {
    /// Reads a tree in which the inspection found no error of syntax; what would be one is left out.
    pub(crate) fn from_node(root: &Node) -> Workflow {
        let list = |key| root.get(key).map(assignments).unwrap_or_default();
        let tasks = root.get("tasks").and_then(Node::as_map).unwrap_or_default();
        Workflow {
            description: root.get("description").and_then(Node::as_text).map(str::to_owned),
            strict: root.get("strict").is_some_and(|strict| strict.content == Content::Bool(true)),
            input: list("input"),
            vars: list("vars"),
            tasks: tasks.iter().map(|entry| (Arc::from(entry.key.as_str()), task(entry))).collect(),
            output: list("output"),
        }
    }
}

fn value(node: Option<&Node>) -> Template {
    Template::new(node.map(Node::to_json).unwrap_or_default())
}

fn optional(node: Option<&Node>) -> Option<Template> {
    node.filter(|node| !node.is_null()).map(|node| Template::new(node.to_json()))
}

/// A list of names and of mappings of one entry, or `a=1 b=<% … %>`.
fn assignments(node: &Node) -> Vec<Assignment> {
    let named = |name: &str, value: Value| Assignment { name: Arc::from(name), value: Template::new(value) };
    match &node.content {
        Content::Text(text) => inline::parameters(text).into_iter().map(|(name, value)| named(&name, value)).collect(),
        Content::List(items) => items
            .iter()
            .filter_map(|item| match (&item.content, item.as_map().and_then(<[_]>::first)) {
                (Content::Text(name), _) => Some(named(name, Value::Null)),
                (_, Some(entry)) => Some(named(&entry.key, entry.value.to_json())),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn task(entry: &Entry) -> Task {
    let node = &entry.value;
    let action = node.get("action").and_then(Node::as_text).unwrap_or_default();
    let given = inline::parameters(action);
    let (action, input) = match action.split_once(' ') {
        Some((action, _)) if !given.is_empty() => {
            (Template::new(Value::from(action)), Template::new(Value::Object(given.into_iter().collect())))
        }
        _ => (value(node.get("action")), value(node.get("input"))),
    };
    Task {
        position: entry.position,
        delay: optional(node.get("delay")),
        join: node.get("join").and_then(join),
        with: node.get("with").and_then(itemized),
        action,
        input,
        retry: node.get("retry").filter(|retry| !retry.is_null()).map(|retry| Retry {
            when: optional(retry.get("when")),
            count: value(retry.get("count")),
            delay: optional(retry.get("delay")),
            is_command: false,
        }),
        next: node.get("next").and_then(Node::as_list).unwrap_or_default().iter().map(transition).collect(),
    }
}

fn join(node: &Node) -> Option<Join> {
    match &node.content {
        Content::Number(count) => count.as_u64().map(Join::Count),
        Content::Text(text) if text == "all" => Some(Join::All),
        _ => None,
    }
}

fn itemized(node: &Node) -> Option<Itemized> {
    let items = node.get("items").and_then(Node::as_text)?;
    let (names, list) = match items.split_once(" in ") {
        Some((names, list)) => (Some(names.replace(' ', "").split(',').map(str::to_owned).collect()), list),
        None => (None, items),
    };
    let concurrency = optional(node.get("concurrency"));
    Some(Itemized { names, list: Template::new(Value::from(list.trim())), concurrency })
}

fn transition(node: &Node) -> Transition {
    Transition {
        position: node.position,
        when: optional(node.get("when")),
        publish: node.get("publish").map(assignments).unwrap_or_default(),
        targets: targets(node.get("do")),
    }
}

/// The targets of a `do`; without any it is `continue`.
pub(crate) fn targets(node: Option<&Node>) -> Vec<Arc<str>> {
    match node.map(|node| &node.content) {
        Some(Content::Text(names)) if !names.is_empty() => {
            names.split(',').map(|name| Arc::from(name.trim())).collect()
        }
        Some(Content::List(names)) if !names.is_empty() => {
            names.iter().filter_map(Node::as_text).map(Arc::from).collect()
        }
        _ => vec![Arc::from("continue")],
    }
}

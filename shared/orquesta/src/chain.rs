//! Action chains: a list of actions, each with the one that follows its success and the one that follows its failure. A chain is conducted
//! as a workflow; what its actions are given is rendered by the host, for it is Jinja over a context of its own.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use yaml::{Node, Position};

use crate::expression::Template;
use crate::spec::{Task, Transition, Workflow};

const KEYS: [&str; 9] =
    ["name", "ref", "params", "parameters", "on-success", "on-failure", "publish", "notify", "description"];

/// An action chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Variables, rendered before the first action.
    pub vars: Map<String, Value>,
    /// Its actions by name.
    pub nodes: IndexMap<Arc<str>, ChainNode>,
    /// The action that it begins with.
    pub start: Arc<str>,
}

/// An action of a chain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainNode {
    /// The action's reference.
    pub action: String,
    /// What it is given, in Jinja.
    pub parameters: Map<String, Value>,
    /// What follows its success.
    pub on_success: Option<Arc<str>>,
    /// What follows its failure.
    pub on_failure: Option<Arc<str>>,
    /// What it publishes, in Jinja.
    pub publish: Map<String, Value>,
    /// Who is told of its end.
    pub notify: Option<Value>,
    /// Where it stands.
    pub position: Position,
}

/// What is wrong with a chain, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ChainError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub position: Position,
}

impl Chain {
    /// Reads a chain; every name that it refers to is there.
    pub fn read(root: &Node) -> Result<Chain, ChainError> {
        let nodes = root.get("chain").and_then(Node::as_list).unwrap_or_default();
        if nodes.is_empty() {
            return Err(wrong(root, "a chain needs a list \"chain\" of at least one action"));
        }
        let mut chain = Chain { vars: object(root.get("vars")), nodes: IndexMap::new(), start: Arc::from("") };
        for node in nodes {
            let (name, read) = read_node(node)?;
            chain.nodes.insert(name, read);
        }
        chain.check()?;
        chain.start = chain.first(root)?;
        Ok(chain)
    }

    fn check(&self) -> Result<(), ChainError> {
        for (name, node) in &self.nodes {
            for (key, target) in [("on-success", &node.on_success), ("on-failure", &node.on_failure)] {
                if let Some(target) = target.as_ref().filter(|target| !self.nodes.contains_key(*target)) {
                    let message = format!(
                        "Unable to find node with name \"{target}\" referenced in \"{key}\" in task \"{name}\"."
                    );
                    return Err(ChainError { message, position: node.position });
                }
            }
        }
        Ok(())
    }

    /// The action that is named as the first one, or the first that no other one leads to.
    fn first(&self, root: &Node) -> Result<Arc<str>, ChainError> {
        if let Some(named) = root.get("default").and_then(Node::as_text).filter(|name| !name.is_empty()) {
            let known = self.nodes.get_key_value(named);
            let unknown =
                || wrong(root, &format!("Unable to find node with name \"{named}\" referenced in \"default\"."));
            return known.map(|(name, _)| Arc::clone(name)).ok_or_else(unknown);
        }
        let leads_to = |name: &Arc<str>| {
            self.nodes.values().any(|node| [&node.on_success, &node.on_failure].contains(&&Some(Arc::clone(name))))
        };
        let first = self.nodes.keys().find(|name| !leads_to(name)).or_else(|| self.nodes.keys().next());
        first.cloned().ok_or_else(|| wrong(root, "a chain needs at least one action"))
    }

    /// The actions that a chain can come back to, in the order of the text: it might never end.
    pub fn loops(&self) -> Vec<&Arc<str>> {
        let follows = |name: &Arc<str>| {
            let node = self.nodes.get(name);
            node.into_iter().flat_map(|node| [&node.on_success, &node.on_failure]).flatten()
        };
        let comes_back = |name: &&Arc<str>| {
            let mut reached: Vec<&Arc<str>> = follows(name).collect();
            let mut at = 0;
            while let Some(next) = reached.get(at).copied() {
                let more: Vec<_> = follows(next).filter(|target| !reached.contains(target)).collect();
                reached.extend(more);
                at += 1;
            }
            reached.contains(name)
        };
        self.nodes.keys().filter(comes_back).collect()
    }

    /// The workflow that has the chain's flow. Its tasks have no input: the host renders it.
    pub fn workflow(&self) -> Workflow {
        let text = |text: &str| Template::new(Value::from(text));
        let when = |node: &ChainNode, when: &str, target: &Option<Arc<str>>| {
            let targets = vec![Arc::clone(target.as_ref()?)];
            Some(Transition { position: node.position, when: Some(text(when)), publish: Vec::new(), targets })
        };
        let task = |node: &ChainNode| Task {
            position: node.position,
            delay: None,
            join: None,
            with: None,
            action: text(&node.action),
            input: Template::new(Value::Null),
            retry: None,
            next: when(node, "<% succeeded() %>", &node.on_success)
                .into_iter()
                .chain(when(node, "<% failed() %>", &node.on_failure))
                .collect(),
        };
        // Only what can be reached is a task: the others would begin by themselves.
        let mut reached: Vec<&Arc<str>> = vec![&self.start];
        let mut at = 0;
        while let Some(node) = reached.get(at).and_then(|name| self.nodes.get(*name)) {
            for target in [&node.on_success, &node.on_failure].into_iter().flatten() {
                if !reached.contains(&target) {
                    reached.push(target);
                }
            }
            at += 1;
        }
        let tasks = self.nodes.iter().filter(|(name, _)| reached.contains(name));
        Workflow {
            description: None,
            strict: false,
            input: Vec::new(),
            vars: Vec::new(),
            tasks: tasks.map(|(name, node)| (Arc::clone(name), task(node))).collect(),
            output: Vec::new(),
        }
    }
}

fn read_node(node: &Node) -> Result<(Arc<str>, ChainNode), ChainError> {
    let text = |key: &str| node.get(key).and_then(Node::as_text).filter(|text| !text.is_empty());
    let (Some(name), Some(action)) = (text("name"), text("ref")) else {
        return Err(wrong(node, "an action of a chain needs a \"name\" and a \"ref\""));
    };
    if let Some(unknown) = node.as_map().into_iter().flatten().find(|entry| !KEYS.contains(&entry.key.as_str())) {
        let message = format!("task \"{name}\" has the key \"{}\", which no action of a chain has", unknown.key);
        return Err(ChainError { message, position: unknown.position });
    }
    let (params, parameters) = (object(node.get("params")), object(node.get("parameters")));
    if !params.is_empty() && !parameters.is_empty() {
        let message = format!(
            "Either \"params\" or \"parameters\" attribute needs to be provided, but not both: task \"{name}\""
        );
        return Err(wrong(node, &message));
    }
    let read = ChainNode {
        action: action.to_owned(),
        parameters: if parameters.is_empty() { params } else { parameters },
        on_success: text("on-success").map(Arc::from),
        on_failure: text("on-failure").map(Arc::from),
        publish: object(node.get("publish")),
        notify: node.get("notify").filter(|notify| !notify.is_null()).map(Node::to_json),
        position: node.position,
    };
    Ok((Arc::from(name), read))
}

fn object(node: Option<&Node>) -> Map<String, Value> {
    match node.map(Node::to_json) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn wrong(node: &Node, message: &str) -> ChainError {
    ChainError { message: message.to_owned(), position: node.position }
}

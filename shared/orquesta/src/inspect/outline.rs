//! A workflow as the checks look at it: tasks and transitions of the tree, whatever else may be wrong with it.

use std::collections::HashMap;
use std::sync::Arc;

use yaml::{Content, Node, Position};

use super::{Category, Issue};
use crate::graph::on_cycle;
use crate::spec::{is_command, targets};

/// The part of the schema's path that stands for any task.
const ANY_TASK: &str = ".patternProperties.^\\w+$";

pub(super) struct Outline<'n> {
    pub(super) root: &'n Node,
    pub(super) tasks: Vec<TaskOutline<'n>>,
    indexes: HashMap<&'n str, usize>,
    inbound: HashMap<Arc<str>, usize>,
    cyclic: Vec<bool>,
}

pub(super) struct TaskOutline<'n> {
    pub(super) name: &'n str,
    pub(super) node: &'n Node,
    pub(super) transitions: Vec<(&'n Node, Vec<Arc<str>>)>,
    is_join: bool,
}

impl TaskOutline<'_> {
    pub(super) fn spec_path(&self) -> String {
        format!("tasks.{}", self.name)
    }

    pub(super) fn schema_path() -> String {
        format!("properties.tasks{ANY_TASK}")
    }

    pub(super) fn issue(&self, category: Category, message: String) -> Issue {
        Issue {
            category,
            message,
            spec_path: self.spec_path(),
            schema_path: TaskOutline::schema_path(),
            expression: None,
            position: Position::default(),
        }
    }

    /// Has it a value for the key that Python would take for true?
    pub(super) fn has(&self, key: &str) -> bool {
        self.node.get(key).is_some_and(is_set)
    }

    /// The targets of all transitions, by name.
    pub(super) fn next(&self) -> Vec<&Arc<str>> {
        let mut next: Vec<&Arc<str>> = self.transitions.iter().flat_map(|(_, targets)| targets).collect();
        next.sort();
        next
    }
}

pub(super) fn is_set(node: &Node) -> bool {
    match &node.content {
        Content::Null | Content::Bool(false) => false,
        Content::Bool(true) => true,
        Content::Number(number) => number.as_f64() != Some(0.0),
        Content::Text(text) => !text.is_empty(),
        Content::List(items) => !items.is_empty(),
        Content::Map(entries) => !entries.is_empty(),
    }
}

impl<'n> Outline<'n> {
    pub(super) fn new(root: &'n Node) -> Outline<'n> {
        let entries = root.get("tasks").and_then(Node::as_map).unwrap_or_default();
        let tasks: Vec<TaskOutline<'n>> = entries.iter().map(|entry| task(&entry.key, &entry.value)).collect();
        let indexes: HashMap<&str, usize> = tasks.iter().enumerate().map(|(index, task)| (task.name, index)).collect();
        let mut inbound = HashMap::new();
        for target in tasks.iter().flat_map(TaskOutline::next) {
            *inbound.entry(Arc::clone(target)).or_insert(0) += 1;
        }
        let follow = |task: &TaskOutline<'_>| -> Vec<usize> {
            task.next().into_iter().filter_map(|name| indexes.get(&**name).copied()).collect()
        };
        let edges: Vec<Vec<usize>> = tasks.iter().map(follow).collect();
        let cyclic = on_cycle(&edges);
        Outline { root, tasks, indexes, inbound, cyclic }
    }

    pub(super) fn task(&self, name: &str) -> Option<&TaskOutline<'n>> {
        self.tasks.get(*self.indexes.get(name)?)
    }

    /// Is there a task or a command of that name?
    pub(super) fn exists(&self, name: &str) -> bool {
        is_command(name) || self.indexes.contains_key(name)
    }

    /// The tasks that nothing leads to, by name.
    pub(super) fn starts(&self) -> Vec<&TaskOutline<'n>> {
        let mut starts: Vec<_> = self.tasks.iter().filter(|task| !self.inbound.contains_key(task.name)).collect();
        starts.sort_by_key(|task| task.name);
        starts
    }

    pub(super) fn is_join(&self, name: &str) -> bool {
        self.task(name).is_some_and(|task| task.is_join)
    }

    pub(super) fn is_split(&self, name: &str) -> bool {
        !self.is_join(name) && self.inbound.get(name).is_some_and(|inbound| *inbound > 1)
    }

    pub(super) fn in_cycle(&self, name: &str) -> bool {
        self.indexes.get(name).and_then(|index| self.cyclic.get(*index)).is_some_and(|cyclic| *cyclic)
    }
}

fn task<'n>(name: &'n str, node: &'n Node) -> TaskOutline<'n> {
    // A task of a command's name is the command wherever it is named.
    let is_named = !is_command(name);
    let transitions = node.get("next").and_then(Node::as_list).filter(|_| is_named).unwrap_or_default();
    let transitions = transitions.iter().map(|transition| (transition, targets(transition.get("do")))).collect();
    let is_join = is_named && node.get("join").is_some_and(|join| !join.is_null());
    TaskOutline { name, node, transitions, is_join }
}

//! A workflow as its author wrote it, read into types.

pub(crate) mod inline;
mod read;

use std::sync::Arc;

use indexmap::IndexMap;
use yaml::Position;

use crate::expression::Template;
pub(crate) use read::targets;

/// Words that stand for a command to the conductor where a task's name could stand.
pub const COMMANDS: [&str; 4] = ["continue", "fail", "noop", "retry"];

/// A workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// What it is for.
    pub description: Option<String>,
    /// Whether Orquesta's surprises are off: see `COMPATIBILITY.md`.
    pub strict: bool,
    /// Its inputs, with their defaults.
    pub input: Vec<Assignment>,
    /// Variables that are set before the first task.
    pub vars: Vec<Assignment>,
    /// Its tasks, in the order of the text.
    pub tasks: IndexMap<Arc<str>, Task>,
    /// What it gives.
    pub output: Vec<Assignment>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The name.
    pub name: Arc<str>,
    /// The value.
    pub value: Template,
}

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Where its name stands.
    pub position: Position,
    /// Seconds to wait before it runs.
    pub delay: Option<Template>,
    /// It waits for the branches that lead to it.
    pub join: Option<Join>,
    /// It runs its action for each item of a list.
    pub with: Option<Itemized>,
    /// The action: a reference, or an expression that gives one. Without one the task does nothing.
    pub action: Template,
    /// The action's parameters.
    pub input: Template,
    /// It is tried again.
    pub retry: Option<Retry>,
    /// What follows.
    pub next: Vec<Transition>,
}

/// How many branches a join waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// All that lead to it.
    All,
    /// So many.
    Count(u64),
}

/// The list that a task with items runs over.
#[derive(Clone, Debug, PartialEq)]
pub struct Itemized {
    /// The names of the parts of an item; none where the item has no name.
    pub names: Option<Vec<String>>,
    /// The list.
    pub list: Template,
    /// How many items run at a time.
    pub concurrency: Option<Template>,
}

/// When, how often and how soon a task is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// On what condition; without one where the task has failed.
    pub when: Option<Template>,
    /// How often at most.
    pub count: Template,
    /// After how many seconds.
    pub delay: Option<Template>,
    /// It comes from the command `retry`, not from the task's own key.
    pub is_command: bool,
}

/// What follows a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Where it stands.
    pub position: Position,
    /// On what condition; always without one.
    pub when: Option<Template>,
    /// What is published.
    pub publish: Vec<Assignment>,
    /// The tasks and commands that follow.
    pub targets: Vec<Arc<str>>,
}

/// Whether the name is one of the conductor's commands.
pub fn is_command(name: &str) -> bool {
    COMMANDS.contains(&name)
}

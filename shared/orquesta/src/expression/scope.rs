//! What an expression can read.

use std::sync::Arc;

use expressions::Context;
use serde_json::{Map, Value};

use super::functions;
use super::language::may_hold_expressions;
use crate::Status;
use crate::state::{Statuses, Variables};

/// What expressions ask of the world around the workflow.
pub trait Surroundings: Send + Sync {
    /// What `task('name')` gives: the record of the last run of a task on a route.
    fn task(&self, name: &str, route: u32) -> Result<Arc<Value>, String>;

    /// What `st2kv(…)` gives, by its arguments.
    fn st2kv(&self, arguments: &[Value], named: &Map<String, Value>) -> Result<Arc<Value>, String>;
}

/// No records of tasks and no datastore.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Surroundings for Nothing {
    fn task(&self, name: &str, _route: u32) -> Result<Arc<Value>, String> {
        Err(format!("there is no record of the task {name}"))
    }

    fn st2kv(&self, _arguments: &[Value], _named: &Map<String, Value>) -> Result<Arc<Value>, String> {
        Err("there is no datastore".to_owned())
    }
}

/// The task that an expression belongs to.
#[derive(Clone, Debug)]
pub(crate) struct CurrentTask {
    pub(crate) name: Arc<str>,
    pub(crate) route: u32,
    pub(crate) result: Option<Arc<Value>>,
}

/// All that an expression can read. Cheap to make: nothing is copied before it is read.
#[derive(Clone)]
pub(crate) struct Scope<'s> {
    pub(crate) variables: Variables,
    pub(crate) task: Option<CurrentTask>,
    pub(crate) item: Option<Arc<Value>>,
    pub(crate) statuses: &'s Arc<Statuses>,
    pub(crate) surroundings: &'s Arc<dyn Surroundings>,
}

impl Scope<'_> {
    pub(crate) fn status(&self, task: &str, route: Option<u32>) -> Status {
        self.statuses.of(task, route.or_else(|| self.task.as_ref().map(|task| task.route)).unwrap_or(0))
    }

    /// Whether something that an expression may give as its outcome is an expression in turn.
    pub(super) fn holds_expressions(&self, names: &[Arc<str>]) -> bool {
        let result = self.task.as_ref().and_then(|task| task.result.as_ref());
        let variables = names.iter().filter_map(|name| self.variables.get(name));
        variables.chain(result).chain(&self.item).any(|value| may_hold_expressions(value))
    }

    /// For the engines: with the named variables, or all.
    pub(super) fn context(&self, names: Option<&[Arc<str>]>) -> Context {
        functions::context(self, names)
    }

    pub(super) fn visible(&self, names: Option<&[Arc<str>]>) -> Map<String, Value> {
        match names {
            None => self.variables.visible(),
            Some(names) => names
                .iter()
                .filter(|name| !name.starts_with("__"))
                .filter_map(|name| Some((name.to_string(), (**self.variables.get(name)?).clone())))
                .collect(),
        }
    }
}

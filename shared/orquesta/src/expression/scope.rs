//! What an expression can read.

use std::sync::{Arc, OnceLock};

use expressions::Context;
use expressions::orquesta::workflow::{self, CurrentTask as Current, Workflow};
use serde_json::{Map, Value};

use crate::Status;
use crate::state::{Statuses, Variables};

/// What expressions ask of the world around the workflow.
pub trait Surroundings: Send + Sync {
    /// What `task('name')` gives: the record of a run of a task.
    fn task(&self, run: &TaskRun<'_>) -> Result<Arc<Value>, String>;

    /// The value of a key of the datastore for `st2kv('name')`; nothing where there is none.
    fn key_value(&self, key: &str, decrypt: bool) -> Result<Option<String>, String>;

    /// The time for `now()`, in microseconds since 1970; without it there is no `now()`.
    fn now(&self) -> Option<i64> {
        None
    }

    /// What `random()` begins with; without it there is no `random()`.
    fn seed(&self) -> Option<u64> {
        None
    }
}

/// The last run of a task on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskRun<'a> {
    /// The task.
    pub name: &'a str,
    /// The route.
    pub route: u32,
    /// The run's [`Entry`](crate::Entry).
    pub entry: u32,
    /// How it stands.
    pub status: Status,
}

/// No records of tasks, no datastore, no time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Surroundings for Nothing {
    fn task(&self, run: &TaskRun<'_>) -> Result<Arc<Value>, String> {
        Err(format!("there is no record of the task {}", run.name))
    }

    fn key_value(&self, _key: &str, _decrypt: bool) -> Result<Option<String>, String> {
        Err("there is no datastore".to_owned())
    }
}

/// The task that an expression belongs to.
#[derive(Clone, Debug)]
pub(crate) struct CurrentTask {
    pub(crate) name: Arc<str>,
    pub(crate) route: u32,
    pub(crate) result: Arc<Value>,
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
    /// The status of the task that the expression belongs to.
    pub(super) fn own_status(&self) -> Option<Status> {
        self.task.as_ref().map(|task| self.statuses.of(&task.name, task.route))
    }

    /// Whether something that an expression may give as its outcome is an expression in turn.
    pub(super) fn holds_expressions(&self, names: &[Arc<str>]) -> bool {
        let result = self.task.as_ref().map(|task| &task.result);
        let variables = names.iter().filter_map(|name| self.variables.get(name));
        variables.chain(result).chain(&self.item).any(|value| may_hold_expressions(value))
    }

    /// For the engines: with the named variables, or all.
    pub(super) fn context(&self, names: Option<&[Arc<str>]>) -> Context {
        let view = View {
            variables: self.variables.clone(),
            names: names.map(<[_]>::to_vec),
            shown: OnceLock::new(),
            task: self.task.clone(),
            item: self.item.clone(),
            statuses: Arc::clone(self.statuses),
            surroundings: Arc::clone(self.surroundings),
        };
        let mut context = workflow::context(Arc::new(view));
        if let Some(now) = self.surroundings.now() {
            context = context.with_now(now);
        }
        match self.surroundings.seed() {
            Some(seed) => context.with_seed(seed),
            None => context,
        }
    }
}

/// A scope that the engines can keep while they evaluate.
struct View {
    variables: Variables,
    names: Option<Vec<Arc<str>>>,
    shown: OnceLock<Arc<Value>>,
    task: Option<CurrentTask>,
    item: Option<Arc<Value>>,
    statuses: Arc<Statuses>,
    surroundings: Arc<dyn Surroundings>,
}

impl View {
    fn show(&self) -> Map<String, Value> {
        let Some(names) = &self.names else { return self.variables.visible() };
        let named = names.iter().filter(|name| !name.starts_with("__"));
        named.filter_map(|name| Some((name.to_string(), (**self.variables.get(name)?).clone()))).collect()
    }
}

impl Workflow for View {
    fn variables(&self) -> Arc<Value> {
        Arc::clone(self.shown.get_or_init(|| Arc::new(Value::Object(self.show()))))
    }

    fn current_task(&self) -> Option<Current> {
        let CurrentTask { name, route, result } = self.task.as_ref()?;
        Some(Current { id: name.to_string(), route: u64::from(*route), result: Arc::clone(result) })
    }

    fn item(&self) -> Option<Arc<Value>> {
        self.item.clone()
    }

    fn status(&self, task: &str, route: u64) -> Option<String> {
        Some(self.statuses.of(task, u32::try_from(route).ok()?).name().to_owned())
    }

    fn task(&self, task: Option<&str>, route: Option<u64>) -> Result<Arc<Value>, String> {
        let own = self.task.as_ref();
        let name = task.or_else(|| own.map(|own| &*own.name)).ok_or("there is no current task")?;
        let route = route.and_then(|route| u32::try_from(route).ok()).or_else(|| own.map(|own| own.route)).unwrap_or(0);
        let route = self.statuses.route_that_ran(name, route).ok_or_else(|| format!("the task {name} has not run"))?;
        let last = self.statuses.last.get(name, route).ok_or_else(|| format!("the task {name} has not run"))?;
        self.surroundings.task(&TaskRun { name, route, entry: last.entry, status: last.status })
    }

    fn key_value(&self, key: &str, decrypt: bool) -> Result<Option<String>, String> {
        self.surroundings.key_value(key, decrypt)
    }
}

/// What expressions begin with.
const OPENINGS: [&str; 3] = ["<%", "{{", "{%"];

/// Whether a text anywhere in the value has what expressions begin with.
fn may_hold_expressions(value: &Value) -> bool {
    let may = |text: &str| OPENINGS.iter().any(|opening| text.contains(opening));
    match value {
        Value::String(text) => may(text),
        Value::Array(items) => items.iter().any(may_hold_expressions),
        Value::Object(entries) => entries.iter().any(|(key, item)| may(key) || may_hold_expressions(item)),
        _ => false,
    }
}

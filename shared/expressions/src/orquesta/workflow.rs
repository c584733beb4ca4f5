//! What an expression reads of a workflow: `ctx`, `item`, `result`, `task`, `task_status`, `succeeded`, `failed`, `completed`, `st2kv`.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use crate::context::{Context, Function};
use crate::part::Part;

/// A workflow as its expressions see it. Nothing is asked for that an expression doesn't read.
pub trait Workflow: Send + Sync {
    /// The variables, an object. Those whose name begins with `__` can't be read.
    fn variables(&self) -> Arc<Value>;

    /// The task whose transition is evaluated, where there is one.
    fn current_task(&self) -> Option<CurrentTask>;

    /// The item whose action is rendered; nothing outside of a task with items.
    fn item(&self) -> Option<Arc<Value>>;

    /// The status of a task on a route, or on the nearest earlier one that the route goes on from.
    fn status(&self, task: &str, route: u64) -> Option<String>;

    /// The record of the latest execution of a task: its `result`, `status`, `task_id` and so on. Without a task and a route the
    /// current ones are meant.
    fn task(&self, task: Option<&str>, route: Option<u64>) -> Result<Arc<Value>, String>;

    /// The value of a datastore key, `system.` and the name or a name of the acting user; nothing where there is no such key.
    fn key_value(&self, key: &str, decrypt: bool) -> Result<Option<String>, String>;
}

/// The task whose transition is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentTask {
    /// Its name.
    pub id: String,
    /// Its route.
    pub route: u64,
    /// The result of its action.
    pub result: Arc<Value>,
}

/// The statuses of a task that is done.
const COMPLETED: [&str; 6] = ["succeeded", "failed", "expired", "abandoned", "canceled", "timeout"];
/// What `task_status` gives for a task that wasn't started.
const UNSET: &str = "null";

/// A context in which both languages have the functions of Orquesta.
pub fn context(workflow: Arc<dyn Workflow>) -> Context {
    let functions = Arc::new(Functions { workflow, visible: OnceLock::new() });
    TABLE.iter().fold(Context::new(), |context, (name, parameters, function)| {
        let functions = Arc::clone(&functions);
        let call: Arc<Function> =
            Arc::new(move |positional, named| function(&functions, &Arguments::new(parameters, positional, named)?));
        context.with_function(*name, call)
    })
}

type Answer = Result<Part, String>;

/// The names of the functions, of their parameters, and what they do. `**` takes any further named arguments.
type Row = (&'static str, &'static [&'static str], fn(&Functions, &Arguments<'_>) -> Answer);

const TABLE: [Row; 9] = [
    ("ctx", &["key"], Functions::ctx),
    ("item", &["key"], Functions::item),
    ("result", &[], |functions, _| Ok(functions.current()?.result.into())),
    ("succeeded", &[], |functions, _| functions.current_is(&["succeeded"])),
    ("failed", &[], |functions, _| functions.current_is(&["failed"])),
    ("completed", &[], |functions, _| functions.current_is(&COMPLETED)),
    ("task_status", &["task_id", "route"], Functions::task_status),
    ("task", &["task_id", "route"], Functions::task),
    ("st2kv", &["key", "**"], Functions::key_value),
];

/// The arguments of a call, by the names of the parameters.
struct Arguments<'a> {
    parameters: &'static [&'static str],
    positional: &'a [Value],
    named: &'a Map<String, Value>,
}

/// YAQL writes `taskId` for `task_id`; both are understood.
fn is_named(parameter: &str, name: &str) -> bool {
    parameter == name || (parameter == "task_id" && name == "taskId")
}

impl<'a> Arguments<'a> {
    fn new(
        parameters: &'static [&'static str],
        positional: &'a [Value],
        named: &'a Map<String, Value>,
    ) -> Result<Arguments<'a>, String> {
        let plain = parameters.iter().filter(|parameter| !parameter.starts_with('*')).count();
        if positional.len() > plain {
            return Err("has too many arguments".to_owned());
        }
        for name in named.keys() {
            let known = parameters.iter().skip(positional.len()).any(|parameter| is_named(parameter, name));
            if !known && !parameters.contains(&"**") {
                return Err(format!("doesn't take `{name}`"));
            }
        }
        Ok(Arguments { parameters, positional, named })
    }

    fn get(&self, index: usize) -> Option<&'a Value> {
        let named = || {
            let parameter = self.parameters.get(index)?;
            self.named.iter().find(|(name, _)| is_named(parameter, name)).map(|(_, value)| value)
        };
        self.positional.get(index).or_else(named)
    }

    /// A text, where one was given that isn't empty.
    fn text(&self, index: usize) -> Result<Option<&'a str>, String> {
        match self.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err("takes a text".to_owned()),
        }
    }

    fn route(&self) -> Result<Option<u64>, String> {
        match self.get(1) {
            None | Some(Value::Null) => Ok(None),
            Some(route) => route.as_u64().map(Some).ok_or_else(|| "the route must be a positive integer".to_owned()),
        }
    }
}

struct Functions {
    workflow: Arc<dyn Workflow>,
    /// The variables that can be read.
    visible: OnceLock<Part>,
}

fn is_hidden(name: &str) -> bool {
    name.starts_with("__")
}

impl Functions {
    /// The variables that can be read, in place where none is hidden.
    fn visible(&self) -> &Part {
        self.visible.get_or_init(|| {
            let all = self.workflow.variables();
            match all.as_object() {
                Some(variables) if variables.keys().any(|name| is_hidden(name)) => {
                    let shown = variables.iter().filter(|(name, _)| !is_hidden(name));
                    shown.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>().into()
                }
                _ => all.into(),
            }
        })
    }

    fn ctx(&self, arguments: &Arguments<'_>) -> Answer {
        let Some(key) = arguments.text(0)? else { return Ok(self.visible().clone()) };
        if is_hidden(key) && self.workflow.variables().get(key).is_some() {
            return Err(format!("the variable `{key}` can't be read"));
        }
        self.visible().key(key).ok_or_else(|| format!("the variable `{key}` is undefined"))
    }

    fn item(&self, arguments: &Arguments<'_>) -> Answer {
        let key = arguments.text(0)?;
        let item = self.workflow.item();
        match (key, item) {
            (None, item) => Ok(item.unwrap_or_default().into()),
            (Some(key), Some(item)) if item.is_object() => {
                Part::from(item).key(key).ok_or_else(|| format!("the item has no key `{key}`"))
            }
            (Some(_), _) => Err("the item isn't an object".to_owned()),
        }
    }

    fn current(&self) -> Result<CurrentTask, String> {
        self.workflow.current_task().ok_or_else(|| "there is no current task".to_owned())
    }

    fn current_is(&self, statuses: &[&str]) -> Answer {
        let current = self.current()?;
        let status = self.workflow.status(&current.id, current.route);
        Ok(Value::from(statuses.contains(&status.as_deref().unwrap_or(UNSET))).into())
    }

    fn task_status(&self, arguments: &Arguments<'_>) -> Answer {
        let task = arguments.text(0)?.ok_or("needs a task")?;
        let route = arguments.route()?.or_else(|| self.workflow.current_task().map(|task| task.route));
        let status = self.workflow.status(task, route.unwrap_or_default());
        Ok(Value::from(status.unwrap_or_else(|| UNSET.to_owned())).into())
    }

    fn task(&self, arguments: &Arguments<'_>) -> Answer {
        self.workflow.task(arguments.text(0)?, arguments.route()?).map(Part::from)
    }

    fn key_value(&self, arguments: &Arguments<'_>) -> Answer {
        let key = arguments.text(0)?.ok_or("needs a key")?;
        let decrypt = arguments.named.get("decrypt").and_then(Value::as_bool).unwrap_or_default();
        match (self.workflow.key_value(key, decrypt)?, arguments.named.get("default")) {
            (Some(value), _) => Ok(Value::from(value).into()),
            (None, Some(default)) => Ok(default.clone().into()),
            (None, None) => Err(format!("there is no key `{key}` in the datastore")),
        }
    }
}

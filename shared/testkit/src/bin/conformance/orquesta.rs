//! The kinds of cases that ask for Orquesta's evaluation: its functions over a recorded state of the conductor.

use std::sync::{Arc, LazyLock};

use expressions::{Context, Function, Jinja, Limits, orquesta};
use serde_json::{Map, Value, json};

use crate::Answer;
use crate::jinja::{field, flag, text, told};

static JINJA: LazyLock<Jinja> = LazyLock::new(|| Jinja::orquesta(Limits::default()));

pub(crate) fn evaluate(case: &Value) -> Answer {
    let context = context_of(&field(case, "context"));
    match case.get("text") {
        Some(value) if flag(case, "facade") => orquesta::evaluate(&JINJA, value, &context).map_err(told),
        Some(Value::String(text)) => orquesta::evaluate_text(&JINJA, text, &context).map_err(told),
        _ => Err("the text isn't a text".to_owned()),
    }
}

pub(crate) fn validate(case: &Value) -> Answer {
    let value = field(case, "text");
    let told = |invalid: orquesta::Invalid| json!({"type": "jinja", "expression": invalid.expression, "message": invalid.error.message});
    let errors: Vec<Value> = orquesta::validate(&JINJA, &value).into_iter().map(told).collect();
    let names: std::collections::BTreeSet<String> =
        orquesta::variables(&value).into_iter().map(|(_, name)| name).collect();
    Ok(json!({"errors": errors, "vars": names}))
}

pub(crate) fn extract_vars(case: &Value) -> Answer {
    if !flag(case, "facade") {
        return Ok(json!(orquesta::references(text(case, "text"))));
    }
    let found = orquesta::variables(&field(case, "text"));
    Ok(found.into_iter().map(|(expression, name)| json!(["jinja", expression, name])).collect())
}

/// What the functions read.
struct State {
    vars: Map<String, Value>,
}

impl State {
    fn ctx(&self, key: Option<&str>) -> Answer {
        let hidden = |name: &str| name.starts_with("__");
        match key {
            None => Ok(self
                .vars
                .iter()
                .filter(|(name, _)| !hidden(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()),
            Some(key) if hidden(key) => Err(format!("the variable `{key}` can't be read")),
            Some(key) => self.vars.get(key).cloned().ok_or_else(|| format!("the variable `{key}` is undefined")),
        }
    }

    fn current(&self) -> Result<&Value, String> {
        self.vars
            .get("__current_task")
            .filter(|task| task.is_object())
            .ok_or_else(|| "there is no current task".to_owned())
    }

    fn status(&self, task: &str, route: u64) -> Option<&str> {
        let state = self.vars.get("__state")?;
        let pointer = state.get("tasks").and_then(|tasks| tasks.get(format!("{task}__r{route}")));
        if let Some(index) = pointer.and_then(Value::as_u64) {
            return state.get("sequence")?.get(usize::try_from(index).ok()?)?.get("status")?.as_str();
        }
        // A task that ran before the workflow split is on one of the routes that this one goes on from.
        let routes = state.get("routes")?.as_array()?;
        let own = routes.get(usize::try_from(route).ok()?)?.as_array()?;
        let within = |other: &Value| other.as_array().is_some_and(|steps| steps.iter().all(|step| own.contains(step)));
        let earlier =
            (0..route).rev().find(|r| usize::try_from(*r).ok().and_then(|r| routes.get(r)).is_some_and(within))?;
        self.status(task, earlier)
    }

    fn task_status(&self, task: &str, route: Option<u64>) -> &str {
        let current = || self.vars.get("__current_task").and_then(|task| task.get("route")).and_then(Value::as_u64);
        self.status(task, route.or_else(current).unwrap_or(0)).unwrap_or("null")
    }

    fn current_is(&self, statuses: &[&str]) -> Answer {
        let current = self.current()?;
        let status = self.task_status(text(current, "id"), current.get("route").and_then(Value::as_u64));
        Ok(Value::from(statuses.contains(&status)))
    }

    fn item(&self, key: Option<&str>) -> Answer {
        let item = self.vars.get("__current_item").ok_or("there is no current item")?;
        match (key, item) {
            (None, item) => Ok(item.clone()),
            (Some(key), Value::Object(entries)) => {
                entries.get(key).cloned().ok_or_else(|| format!("the item has no key `{key}`"))
            }
            _ => Err("the item isn't an object".to_owned()),
        }
    }
}

fn context_of(vars: &Value) -> Context {
    let state = Arc::new(State { vars: vars.as_object().cloned().unwrap_or_default() });
    let mut context = Context::new().with("__vars", vars.clone());
    for name in ["__state", "__current_task", "__current_item"] {
        context.insert(name, field(vars, name));
    }
    const COMPLETED: [&str; 6] = ["succeeded", "failed", "expired", "abandoned", "canceled", "timeout"];
    let key = |args: &[Value], named: &Map<String, Value>| {
        args.first()
            .or_else(|| named.get("key"))
            .and_then(Value::as_str)
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
    };
    let context = define(context, "ctx", &state, move |state, args, named| state.ctx(key(args, named).as_deref()));
    let context = define(context, "item", &state, move |state, args, named| state.item(key(args, named).as_deref()));
    let context = define(context, "result", &state, |state, _, _| state.current().map(|task| field(task, "result")));
    let context = define(context, "succeeded", &state, |state, _, _| state.current_is(&["succeeded"]));
    let context = define(context, "failed", &state, |state, _, _| state.current_is(&["failed"]));
    let context = define(context, "completed", &state, |state, _, _| state.current_is(&COMPLETED));
    let context = define(context, "task_status", &state, |state, args, named| {
        let task = args.first().or_else(|| named.get("task_id")).and_then(Value::as_str).ok_or("needs a task")?;
        let route = args.get(1).or_else(|| named.get("route")).and_then(Value::as_u64);
        Ok(Value::from(state.task_status(task, route)))
    });
    let context = define(context, "zip", &state, |_, args, named| orquesta::zip(args, named));
    let context = define(context, "json", &state, |_, args, _| orquesta::json(args.first().unwrap_or(&Value::Null)));
    let context = define(context, "task", &state, |_, _, _| Err("there are no task executions".to_owned()));
    define(context, "st2kv", &state, |_, _, _| Err("there is no datastore".to_owned()))
}

fn define(
    context: Context,
    name: &str,
    state: &Arc<State>,
    function: impl Fn(&State, &[Value], &Map<String, Value>) -> Answer + Send + Sync + 'static,
) -> Context {
    let state = Arc::clone(state);
    let function: Arc<Function> =
        Arc::new(move |args: &[Value], named: &Map<String, Value>| function(&state, args, named).map(Arc::new));
    context.with_function(name, function)
}

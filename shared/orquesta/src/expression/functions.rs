//! Orquesta's functions, over a scope.

use std::sync::Arc;

use expressions::{Context, orquesta};
use serde_json::{Map, Value};

use super::scope::Scope;
use crate::Status;

type Answer = Result<Arc<Value>, String>;

pub(super) fn context(scope: &Scope<'_>, names: Option<&[Arc<str>]>) -> Context {
    let context = variables(Context::new(), scope, names);
    let context = current(context, scope);
    let context = statuses(context, scope);
    let surroundings = Arc::clone(scope.surroundings);
    let context = define(context, "st2kv", move |arguments, named| surroundings.st2kv(arguments, named));
    let context = define(context, "zip", |arguments, named| orquesta::zip(arguments, named).map(Arc::new));
    define(context, "json", |arguments, _| orquesta::json(arguments.first().unwrap_or(&Value::Null)).map(Arc::new))
}

fn variables(mut context: Context, scope: &Scope<'_>, names: Option<&[Arc<str>]>) -> Context {
    let visible = Arc::new(Value::Object(scope.visible(names)));
    if names.is_none() {
        context.insert("__vars", Arc::clone(&visible));
    }
    let variables = scope.variables.clone();
    define(context, "ctx", move |arguments, named| {
        let Some(name) = key(arguments, named) else { return Ok(Arc::clone(&visible)) };
        if name.starts_with("__") {
            return Err(format!("The variable \"{name}\" is for internal use and inaccessible."));
        }
        variables.get(name).cloned().ok_or_else(|| format!("The variable \"{name}\" is undefined."))
    })
}

fn current(context: Context, scope: &Scope<'_>) -> Context {
    let task = scope.task.clone();
    let context = define(context, "result", move |_, _| match &task {
        Some(task) => Ok(task.result.clone().unwrap_or_default()),
        None => Err("The current task is not set in the context.".to_owned()),
    });
    let item = scope.item.clone();
    define(context, "item", move |arguments, named| {
        let item = item.as_ref().ok_or("there is no item: the task has no with items")?;
        let Some(name) = key(arguments, named) else { return Ok(Arc::clone(item)) };
        let entries = item.as_object().ok_or("the item is not an object")?;
        entries.get(name).cloned().map(Arc::new).ok_or_else(|| format!("Item does not have key \"{name}\"."))
    })
}

fn statuses(context: Context, scope: &Scope<'_>) -> Context {
    let own = scope.task.as_ref().map(|task| scope.status(&task.name, Some(task.route)));
    let is = |context: Context, name: &str, holds: fn(Status) -> bool| {
        define(context, name, move |_, _| match own {
            Some(status) => Ok(Arc::new(Value::Bool(holds(status)))),
            None => Err("The current task is not set in the context.".to_owned()),
        })
    };
    let context = is(context, "succeeded", |status| status == Status::Succeeded);
    let context = is(context, "failed", |status| status == Status::Failed);
    let context = is(context, "completed", Status::is_completed);
    let (statuses, route) = (Arc::clone(scope.statuses), scope.task.as_ref().map_or(0, |task| task.route));
    let context = define(context, "task_status", move |arguments, named| {
        let task = argument(arguments, named, 0, "task_id").and_then(Value::as_str).ok_or("needs the name of a task")?;
        let status = statuses.of(task, route_of(arguments, named).unwrap_or(route));
        Ok(Arc::new(Value::from(status.name())))
    });
    let (statuses, task) = (Arc::clone(scope.statuses), scope.task.clone());
    let surroundings = Arc::clone(scope.surroundings);
    define(context, "task", move |arguments, named| {
        let given = argument(arguments, named, 0, "task_id").and_then(Value::as_str);
        let name = given.or_else(|| task.as_ref().map(|task| &*task.name)).ok_or("needs the name of a task")?;
        let wanted = route_of(arguments, named).unwrap_or(route);
        surroundings.task(name, statuses.route_that_ran(name, wanted).unwrap_or(wanted))
    })
}

fn argument<'a>(arguments: &'a [Value], named: &'a Map<String, Value>, at: usize, name: &str) -> Option<&'a Value> {
    arguments.get(at).or_else(|| named.get(name))
}

fn route_of(arguments: &[Value], named: &Map<String, Value>) -> Option<u32> {
    argument(arguments, named, 1, "route").and_then(Value::as_u64).and_then(|route| u32::try_from(route).ok())
}

fn key<'a>(arguments: &'a [Value], named: &'a Map<String, Value>) -> Option<&'a str> {
    argument(arguments, named, 0, "key").and_then(Value::as_str).filter(|key| !key.is_empty())
}

fn define(
    context: Context,
    name: &str,
    function: impl Fn(&[Value], &Map<String, Value>) -> Answer + Send + Sync + 'static,
) -> Context {
    context.with_function(name, Arc::new(function))
}

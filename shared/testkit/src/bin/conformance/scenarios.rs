//! A conductor stepped through recorded calls.

use std::sync::{Arc, LazyLock};

use expressions::orquesta::Expressions;
use orquesta::{
    Conductor, Event, LogEntry, LogType, NextTask, Record, Rerun, State, Status, Surroundings, TaskRun, Workflow,
};
use serde_json::{Map, Value, json};

use crate::Answer;
use crate::jinja::{field, map, text};

static EXPRESSIONS: LazyLock<Expressions> = LazyLock::new(Expressions::default);

/// A time and a beginning of random numbers, and nothing else around the workflow.
struct Fixed;

impl Surroundings for Fixed {
    fn task(&self, run: &TaskRun<'_>) -> Result<Arc<Value>, String> {
        Err(format!("there is no record of the task {}", run.name))
    }

    fn key_value(&self, _: &str, _: bool) -> Result<Option<String>, String> {
        Err("there is no datastore".to_owned())
    }

    fn now(&self) -> Option<i64> {
        Some(1_700_000_000_000_000)
    }

    fn seed(&self) -> Option<u64> {
        Some(1)
    }
}

/// The conductor of the case's workflow, and a run with the case's inputs.
pub(crate) fn begin(case: &Value) -> Result<(Conductor, State), String> {
    let workflow = Workflow::read(text(case, "workflow_yaml")).map_err(|error| error.to_string())?;
    let conductor = Conductor::new(Arc::new(workflow), EXPRESSIONS.clone(), Arc::new(Fixed));
    let state = conductor.begin(&map(case, "inputs"), &map(case, "context"));
    Ok((conductor, state))
}

pub(crate) fn answer(case: &Value) -> Answer {
    let (conductor, mut state) = begin(case)?;
    let mut steps = Vec::new();
    for step in field(case, "steps").as_array().into_iter().flatten() {
        let mut told = Map::new();
        match apply(&conductor, &mut state, step) {
            Ok(Some(tasks)) => {
                told.insert("tasks".to_owned(), tasks.iter().map(task_json).collect());
            }
            Ok(None) => {}
            Err(refused) => {
                told.insert("raises".to_owned(), json!(refused));
            }
        }
        told.insert("status".to_owned(), json!(state.status()));
        // What would be next is asked of a copy, for asking may fail the workflow.
        let next = conductor.next_tasks(&mut state.clone()).unwrap_or_default();
        told.insert("next".to_owned(), next.iter().map(|next| json!({"id": next.task, "route": next.route})).collect());
        steps.push(Value::Object(told));
    }
    Ok(json!({"steps": steps, "final": ended(&state)}))
}

/// Status, output and errors of a run.
pub(crate) fn ended(state: &State) -> Value {
    let errors: Vec<Value> = state.errors().map(LogEntry::to_json).collect();
    json!({"status": state.status(), "output": state.output(), "errors": errors})
}

fn apply(conductor: &Conductor, state: &mut State, step: &Value) -> Result<Option<Vec<NextTask>>, String> {
    let (task, route) = (text(step, "task"), number(step, "route"));
    match text(step, "op") {
        "request_workflow_status" => {
            let status = status(step)?;
            conductor.request_status(state, status).map_err(told)?;
        }
        "get_next_tasks" => return conductor.next_tasks(state).map(Some).map_err(told),
        "update_task_state" => conductor.update(state, task, route, event(step)?).map_err(told)?,
        "request_workflow_rerun" => conductor.rerun(state, &reruns(step)).map_err(told)?,
        "serialize_deserialize" => *state = round_trip(conductor, state)?,
        "render_workflow_output" => conductor.render_output(state),
        "log_entry" => conductor.log(state, log_entry(step)?),
        "add_task_state" => conductor.add_task_state(state, task, route).map_err(told)?,
        "get_workflow_terminal_context" if !state.status().is_completed() => {
            return Err("the workflow is not completed".to_owned());
        }
        "get_task_transition_contexts" if state.last_entry(task, route).is_none() => {
            return Err("the task has not started".to_owned());
        }
        _ => {}
    }
    Ok(None)
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn status(step: &Value) -> Result<Status, String> {
    text(step, "status").parse()
}

fn number(value: &Value, name: &str) -> u32 {
    field(value, name).as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

fn event(step: &Value) -> Result<Event, String> {
    let result = step.get("result").cloned().map(Arc::new);
    let status = status(step)?;
    if text(step, "event") != "TaskItemActionExecutionEvent" {
        return Ok(Event::Action { status, result });
    }
    let accumulated = Some(Arc::new(field(step, "accumulated_result")));
    let item = field(step, "item_id").as_u64().and_then(|item| usize::try_from(item).ok()).ok_or("which item?")?;
    Ok(Event::Item { item, status, result, accumulated })
}

fn reruns(step: &Value) -> Vec<Rerun> {
    let tasks = field(step, "tasks");
    let rerun = |task: &Value| Rerun {
        task: Arc::from(task.get("task").or_else(|| task.get("task_id")).and_then(Value::as_str).unwrap_or_default()),
        route: number(task, "route"),
        reset_items: field(task, "reset_items") == json!(true),
    };
    tasks.as_array().into_iter().flatten().map(rerun).collect()
}

/// Goes on with a copy that went through JSON, record by record.
fn round_trip(conductor: &Conductor, state: &State) -> Result<State, String> {
    let written = serde_json::to_string(&state.records()).map_err(told)?;
    let records: Vec<Record> = serde_json::from_str(&written).map_err(told)?;
    Ok(conductor.restore(records))
}

fn log_entry(step: &Value) -> Result<LogEntry, String> {
    let (arguments, named) = (field(step, "args"), field(step, "kw"));
    let argument = |at: usize, name: &str| arguments.get(at).or_else(|| named.get(name)).cloned().unwrap_or_default();
    let kind = match argument(0, "entry_type").as_str() {
        Some("info") => LogType::Info,
        Some("warn") => LogType::Warn,
        Some("error") => LogType::Error,
        _ => return Err("there is no such type of log entry".to_owned()),
    };
    let mut entry = LogEntry::new(kind, argument(1, "message").as_str().unwrap_or_default());
    entry.task_id = argument(2, "task_id").as_str().map(Arc::from);
    entry.route = argument(3, "route").as_u64().and_then(|route| u32::try_from(route).ok());
    entry.task_transition_id = argument(4, "task_transition_id").as_str().map(str::to_owned);
    entry.result = Some(argument(5, "result")).filter(|result| !result.is_null()).map(Arc::new);
    entry.data = Some(argument(6, "data")).filter(|data| !data.is_null());
    Ok(entry)
}

fn task_json(next: &NextTask) -> Value {
    let action = |(item, action): &(Option<usize>, orquesta::Action)| {
        let mut told = json!({"action": action.action, "input": action.input});
        if let (Some(item), Some(told)) = (item, told.as_object_mut()) {
            told.insert("item_id".to_owned(), json!(item));
        }
        told
    };
    let mut told = json!({
        "id": next.task,
        "route": next.route,
        "actions": next.actions.iter().map(action).collect::<Vec<_>>(),
    });
    if let (Some(delay), Some(told)) = (next.delay, told.as_object_mut()) {
        told.insert("delay".to_owned(), json!(delay));
    }
    told
}

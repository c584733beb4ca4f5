//! A rehearsal from an execution: what its tasks really gave.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::workflows::run_view::task_of;

/// An execution of a workflow, as a host tells it.
pub(crate) struct Recorded<'r> {
    pub(crate) execution: &'r Value,
    /// The executions that its tasks requested.
    pub(crate) children: &'r [Value],
    /// How often each task ran.
    pub(crate) counts: BTreeMap<String, usize>,
    /// The names of the workflow's inputs.
    pub(crate) inputs: Vec<String>,
    /// The workflow's text.
    pub(crate) text: &'r str,
    /// The keys of the datastore that it reads.
    pub(crate) keys: BTreeMap<String, String>,
}

/// A run of a task: what each item gave, or the whole.
struct Run<'r> {
    task: &'r str,
    items: BTreeMap<Option<u64>, &'r Value>,
}

/// One case. `takes_time`: each result says how long it took, which tells branches apart that ran at once.
pub(crate) fn record(recorded: &Recorded<'_>, takes_time: bool) -> Value {
    let text = |pointer: &str| recorded.execution.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut case = Map::new();
    case.insert("name".to_owned(), json!(format!("{} as it ran in {}", text("/action/ref"), text("/id"))));
    let mut set = |key: &str, value: Value| {
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        if !is_empty {
            case.insert(key.to_owned(), value);
        }
    };
    set("input", Value::Object(inputs(recorded)));
    set("context", context(recorded));
    set("keys", json!(recorded.keys));
    if recorded.text.contains("now(") {
        set("now", json!(text("/start_timestamp")));
    }
    set("tasks", Value::Object(tasks(recorded, takes_time)));
    let result = |key: &str| recorded.execution.pointer(&format!("/result/{key}")).cloned();
    let mut expect = Map::new();
    expect.insert("status".to_owned(), json!(text("/status")));
    expect.insert("output".to_owned(), result("output").unwrap_or_default());
    let errors =
        result("errors").and_then(|errors| errors.as_array().map(|errors| errors.iter().map(error).collect::<Value>()));
    expect.extend(errors.map(|errors| ("errors".to_owned(), errors)));
    expect.insert("tasks".to_owned(), json!(recorded.counts));
    case.insert("expect".to_owned(), Value::Object(expect));
    json!({"workflow": text("/action/ref"), "cases": [case]})
}

/// What the workflow was given of what it takes, and the action's defaults for the rest.
fn inputs(recorded: &Recorded<'_>) -> Map<String, Value> {
    let given = |name: &str| recorded.execution.pointer("/parameters")?.get(name).cloned();
    let default = |name: &str| recorded.execution.pointer("/action/parameters")?.get(name)?.get("default").cloned();
    let input = |name: &String| Some((name.clone(), given(name).or_else(|| default(name))?));
    recorded.inputs.iter().filter_map(input).collect()
}

/// What a workflow knows of itself, where it asks.
fn context(recorded: &Recorded<'_>) -> Value {
    let own = recorded.execution.get("context");
    let value = |pointer: &str| recorded.execution.pointer(pointer).cloned().unwrap_or_default();
    let asks = recorded.text.replace("st2kv", "").contains("st2");
    let mut context = Map::new();
    if asks {
        context.insert("st2".to_owned(), json!({
            "action_execution_id": value("/id"), "workflow_execution_id": value("/id"), "user": value("/context/user"),
            "pack": value("/action/pack"), "action": value("/action/ref"), "runner": value("/runner/name"),
        }));
    }
    let parent = own.and_then(|own| own.get("parent")).filter(|_| recorded.text.contains("parent"));
    context.extend(parent.map(|parent| ("parent".to_owned(), parent.clone())));
    Value::Object(context)
}

fn tasks(recorded: &Recorded<'_>, takes_time: bool) -> Map<String, Value> {
    let mut tasks: Map<String, Value> = Map::new();
    for run in runs(recorded.children) {
        let answer = match run.items.get(&None) {
            Some(child) => answer(child, takes_time),
            None => json!({"items": run.items.values().map(|child| answer(child, takes_time)).collect::<Vec<_>>()}),
        };
        let answers = tasks.entry(run.task).or_insert_with(|| json!([]));
        if let Some(answers) = answers.as_array_mut() {
            answers.push(answer);
        }
    }
    // One that ran once needs no list.
    for answers in tasks.values_mut() {
        if let Some([only]) = answers.as_array().map(Vec::as_slice) {
            *answers = only.clone();
        }
    }
    tasks
}

/// The runs of tasks in the order of their starts. A task's item that comes again begins another run.
fn runs(children: &[Value]) -> Vec<Run<'_>> {
    let mut sorted: Vec<&Value> = children.iter().collect();
    let key = |child: &Value| {
        let text = |key: &str| child.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("start_timestamp"), text("id"))
    };
    sorted.sort_by_key(|child| key(child));
    let mut runs: Vec<(Run<'_>, u64)> = Vec::new();
    for child in sorted {
        let Some(task) = task_of(child) else { continue };
        let number = |key: &str| child.pointer(&format!("/context/orquesta/{key}")).and_then(Value::as_u64);
        let (item, route) = (number("item_id"), number("task_route").unwrap_or_default());
        let known = runs.iter_mut().rev().find(|(run, of)| run.task == task && *of == route);
        match known.filter(|(run, _)| item.is_some() && !run.items.contains_key(&item)) {
            Some((run, _)) => drop(run.items.insert(item, child)),
            None => runs.push((Run { task, items: BTreeMap::from([(item, child)]) }, route)),
        }
    }
    runs.into_iter().map(|(run, _)| run).collect()
}

fn answer(child: &Value, takes_time: bool) -> Value {
    let mut answer = Map::new();
    let status = child.get("status").cloned().unwrap_or_default();
    if status != "succeeded" {
        answer.insert("status".to_owned(), status);
    }
    answer.insert("result".to_owned(), child.get("result").cloned().unwrap_or_default());
    if takes_time {
        let elapsed = child.get("elapsed_seconds").and_then(Value::as_f64).unwrap_or_default();
        let delay = child.get("delay").and_then(Value::as_f64).unwrap_or_default() / 1_000.0;
        answer.insert("lasts".to_owned(), json!((elapsed - delay).max(0.0)));
    }
    Value::Object(answer)
}

/// Of an error that by which it is known again.
fn error(error: &Value) -> Value {
    let kept = ["task_id", "task_transition_id", "message"].into_iter();
    kept.filter_map(|key| Some((key.to_owned(), error.get(key)?.clone()))).collect::<Map<_, _>>().into()
}

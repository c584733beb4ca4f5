//! An execution for people: what it is, its tasks, and what went wrong.

use serde_json::{Value, json};

use super::super::workflow::error_told;
use crate::{
    Ink,
    client::{Client, Query},
    failure::Failure,
    output::{Column, Field, Kind},
    session::{Format, Session},
};

pub(super) const FIELDS: [Field; 15] = [
    Field::new("id", "/id"),
    Field::new("action", "/action/ref"),
    Field::new("status", "/status").of(Kind::Status),
    Field::new("user", "/context/user"),
    Field::new("rule", "/rule/ref"),
    Field::new("trigger instance", "/trigger_instance/id"),
    Field::new("parent", "/parent"),
    Field::new("children", "/children"),
    Field::new("trace", "/context/trace_context/id_"),
    Field::new("trace tag", "/context/trace_context/trace_tag"),
    Field::new("start", "/start_timestamp").of(Kind::Time),
    Field::new("end", "/end_timestamp").of(Kind::Time),
    Field::new("elapsed", "/elapsed_seconds").of(Kind::Seconds),
    Field::new("parameters", "/parameters"),
    Field::new("result", "/result"),
];

/// The tasks of a workflow, those of workflows within it below theirs.
const TASKS: [Column; 5] = [
    Column::new("task", "/task"),
    Column::new("action", "/action/ref"),
    Column::new("status", "/status").of(Kind::Status),
    Column::new("elapsed", "/elapsed_seconds").of(Kind::Seconds),
    Column::new("id", "/id").of(Kind::Id),
];

/// What is shown at the end of `run` where the output has been followed.
const FOLLOWED: [Field; 3] = [
    Field::new("id", "/id"),
    Field::new("status", "/status").of(Kind::Status),
    Field::new("elapsed", "/elapsed_seconds").of(Kind::Seconds),
];

/// Shows a final execution at the end of `run`.
pub(in crate::commands) async fn show_result(
    session: &mut Session,
    client: &Client,
    execution: &Value,
    followed: bool,
) -> Result<(), Failure> {
    session.print_details(execution, if followed { &FOLLOWED } else { &FIELDS })?;
    show_tasks(session, client, execution).await?;
    show_errors(session, execution)
}

/// Shows why a workflow failed, last, where it is seen: line, task, transition, expression.
pub(super) fn show_errors(session: &mut Session, execution: &Value) -> Result<(), Failure> {
    let errors = execution.pointer("/result/errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if session.format() != Format::Text || errors.is_empty() {
        return Ok(());
    }
    let file = execution.pointer("/action/entry_point").and_then(Value::as_str).unwrap_or_default();
    let look = session.console.look();
    session.console.line(&format!("\n{}", look.paint(Ink::Red, &format!("what went wrong in {file}:"))))?;
    errors.iter().try_for_each(|error| session.console.line(&format!("  {}", error_told(error))))
}

/// Shows what an execution has requested, as a tree.
pub(super) async fn show_tasks(session: &mut Session, client: &Client, execution: &Value) -> Result<(), Failure> {
    if session.format() != Format::Text || execution.get("children").and_then(Value::as_array).is_none_or(Vec::is_empty)
    {
        return Ok(());
    }
    let id = execution.get("id").and_then(Value::as_str).unwrap_or_default();
    let query = Query::new().with("exclude_attributes", "result,trigger_instance");
    let all = client.get(&["executions", id, "children"], &query).await?;
    let mut rows = Vec::new();
    add_tasks(all.as_array().map(Vec::as_slice).unwrap_or_default(), id, 0, &mut rows);
    session.console.line("")?;
    session.print_table(&rows, &TASKS, "")
}

fn add_tasks(all: &[Value], parent: &str, depth: usize, rows: &mut Vec<Value>) {
    let mut children: Vec<&Value> =
        all.iter().filter(|child| child.get("parent").and_then(Value::as_str) == Some(parent)).collect();
    children.sort_by_key(|child| child.get("start_timestamp").and_then(Value::as_str));
    for child in children {
        let mut row = child.clone();
        let text = |pointer: &str| child.pointer(pointer).and_then(Value::as_str);
        let task = text("/context/orquesta/task_name").or_else(|| text("/context/chain/name")).unwrap_or("-");
        let item = child.pointer("/context/orquesta/item_id").map(|item| format!("[{item}]")).unwrap_or_default();
        if let Some(row) = row.as_object_mut() {
            row.insert("task".to_owned(), json!(format!("{}{task}{item}", "  ".repeat(depth))));
        }
        rows.push(row);
        add_tasks(all, text("/id").unwrap_or_default(), depth + 1, rows);
    }
}

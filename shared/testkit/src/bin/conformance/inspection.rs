//! What is wrong with a workflow, and its graph.

use expressions::orquesta::Expressions;
use orquesta::{Graph, Workflow, inspect};
use serde_json::{Value, json};

use crate::Answer;
use crate::jinja::{field, text};

pub(crate) fn answer(case: &Value) -> Answer {
    let root = yaml::read(text(case, "workflow_yaml")).map_err(|error| error.to_string())?;
    let context = field(case, "context");
    let known: Vec<&str> = match &context {
        Value::Object(entries) => entries.keys().map(String::as_str).collect(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    Ok(json!({"errors": inspect(&root, &known, &Expressions::default()).to_json()}))
}

pub(crate) fn graph(case: &Value) -> Answer {
    let workflow = Workflow::read(text(case, "workflow_yaml")).map_err(|error| error.to_string())?;
    Ok(Graph::compose(&workflow).to_json())
}

//! The parameters of an action: defaults, templates that refer to other parameters, casts.

mod graph;

use std::fmt;

use serde_json::{Map, Value};

use crate::casts;
use crate::context::Context;
use crate::error::ExpressionError;
use crate::jinja::{Jinja, is_template};
use graph::Graph;

/// What parameters are rendered from.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// The parameters that the runner declares, by name, each as its schema.
    pub runner: &'a Map<String, Value>,
    /// Those that the action declares. Where both declare one, the action gives the default and the runner the type.
    pub action: &'a Map<String, Value>,
    /// The values that were given.
    pub given: &'a Map<String, Value>,
}

/// The parameters that a runner gets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FinalParameters {
    /// Those that the runner declares.
    pub runner: Map<String, Value>,
    /// Those that only the action declares.
    pub action: Map<String, Value>,
}

/// Why parameters can't be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterError {
    /// The parameter refers to something that isn't there, beside what is.
    Missing {
        /// The parameter.
        parameter: String,
        /// What isn't there.
        missing: Vec<String>,
    },
    /// These parameters refer to one another in a circle.
    Cycle(Vec<String>),
    /// The parameter's template fails.
    Expression {
        /// The parameter.
        parameter: String,
        /// Why.
        error: ExpressionError,
    },
    /// The parameter's value doesn't suit its type.
    Cast {
        /// The parameter.
        parameter: String,
        /// Why.
        message: String,
    },
}

impl ParameterError {
    /// The stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            ParameterError::Missing { .. } => "parameter.missing",
            ParameterError::Cycle(_) => "parameter.cycle",
            ParameterError::Expression { error, .. } => error.code(),
            ParameterError::Cast { .. } => "parameter.cast",
        }
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterError::Missing { parameter, missing } => {
                write!(f, "parameter `{parameter}` refers to {}, which isn't there", names(missing))
            }
            ParameterError::Cycle(parameters) => {
                write!(f, "the parameters {} refer to one another in a circle", names(parameters))
            }
            ParameterError::Expression { parameter, error } => write!(f, "parameter `{parameter}`: {error}"),
            ParameterError::Cast { parameter, message } => write!(f, "parameter `{parameter}`: {message}"),
        }
    }
}

impl std::error::Error for ParameterError {}

fn names(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The parameters of a requested execution: those given, and those whose default is a template, rendered and cast.
///
/// `context` has what templates may read beside the parameters: `st2kv`, `action_context`, `config_context`, `trigger`.
pub fn render_live(
    jinja: &Jinja,
    parameters: Parameters<'_>,
    context: &Context,
) -> Result<Map<String, Value>, ParameterError> {
    let mut graph = Graph::new(jinja, context);
    for (name, value) in parameters.given {
        graph.set(name, value);
    }
    graph.set_defaults([parameters.action, parameters.runner]);
    let rendered = graph.resolve()?;
    let mut live = Map::new();
    for name in parameters.given.keys() {
        live.insert(name.clone(), cast(name, &rendered, schema(parameters, name))?);
    }
    for (name, schema) in parameters.action.iter().chain(parameters.runner) {
        let default = schema.get("default");
        let is_rendered_default =
            default.and_then(Value::as_str).is_some_and(is_template) && rendered.get(name) != default;
        if is_rendered_default && !is_immutable(schema) && !parameters.given.contains_key(name) {
            live.insert(name.clone(), cast(name, &rendered, Some(schema))?);
        }
    }
    Ok(live)
}

/// What the runner gets: all parameters, with defaults, cast. What is given counts as rendered.
pub fn render_final(
    jinja: &Jinja,
    parameters: Parameters<'_>,
    context: &Context,
) -> Result<FinalParameters, ParameterError> {
    let mut graph = Graph::new(jinja, context);
    for (name, value) in parameters.given {
        graph.set_value(name, value);
    }
    graph.set_defaults([parameters.action, parameters.runner]);
    let rendered = graph.resolve()?;
    let mut parts = FinalParameters::default();
    for name in rendered.keys() {
        let value = cast(name, &rendered, schema(parameters, name))?;
        if parameters.runner.contains_key(name) {
            parts.runner.insert(name.clone(), value);
        } else if parameters.action.contains_key(name) {
            parts.action.insert(name.clone(), value);
        }
    }
    Ok(parts)
}

fn schema<'a>(parameters: Parameters<'a>, name: &str) -> Option<&'a Value> {
    parameters.runner.get(name).or_else(|| parameters.action.get(name))
}

fn is_immutable(schema: &Value) -> bool {
    schema.get("immutable").and_then(Value::as_bool) == Some(true)
}

fn cast(name: &str, rendered: &Map<String, Value>, schema: Option<&Value>) -> Result<Value, ParameterError> {
    let value = rendered.get(name).cloned().unwrap_or_default();
    let failed = |message: String| ParameterError::Cast { parameter: name.to_owned(), message };
    match schema.and_then(|schema| schema.get("type")) {
        Some(Value::String(type_name)) if !value.is_null() => {
            casts::cast(value, type_name).map_err(|error| failed(error.message))
        }
        Some(other) if !value.is_null() && !other.is_null() && !other.is_string() => {
            Err(failed("its `type` must be the name of one type".to_owned()))
        }
        _ => Ok(value),
    }
}

//! Actions, their parameters, and the runner types that carry them out.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;

use crate::{Id, Ref};

/// The types that a parameter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all: they are JSON's types")]
pub enum ParameterType {
    String,
    Number,
    Integer,
    Boolean,
    Object,
    Array,
    Null,
}

impl ParameterType {
    /// The name in a schema.
    pub const fn name(self) -> &'static str {
        match self {
            ParameterType::String => "string",
            ParameterType::Number => "number",
            ParameterType::Integer => "integer",
            ParameterType::Boolean => "boolean",
            ParameterType::Object => "object",
            ParameterType::Array => "array",
            ParameterType::Null => "null",
        }
    }

    /// The type of that name.
    pub fn named(name: &str) -> Option<ParameterType> {
        use ParameterType::{Array, Boolean, Integer, Null, Number, Object, String};
        [String, Number, Integer, Boolean, Object, Array, Null].into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One parameter of an action or a runner: its schema as written, and what the platform itself needs of it, read once.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The attributes as written.
    pub schema: Map<String, Value>,
    /// The type; `string` where none is given, as in StackStorm.
    pub kind: ParameterType,
    /// What it has where the caller gives nothing; may be a template.
    pub default: Option<Value>,
    /// Must be given, or have a default.
    pub required: bool,
    /// Masked everywhere.
    pub secret: bool,
    /// The caller may not give it.
    pub immutable: bool,
    /// Passed to scripts by position.
    pub position: Option<u32>,
}

/// An attribute of a parameter has the wrong form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attribute \"{attribute}\" {problem}")]
pub struct ParameterError {
    /// The attribute.
    pub attribute: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Parameter {
    /// Reads the attributes that the platform itself needs. The closed set of attribute names is checked where packs are loaded.
    pub fn from_schema(schema: Map<String, Value>) -> Result<Parameter, ParameterError> {
        let flag = |attribute: &'static str| match schema.get(attribute) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(ParameterError { attribute, problem: format!("must be true or false, not {other}") }),
        };
        let kind = match schema.get("type") {
            None => ParameterType::String,
            Some(value) => value.as_str().and_then(ParameterType::named).ok_or_else(|| ParameterError {
                attribute: "type",
                problem: format!("is {value}; one of string, number, integer, boolean, object, array, null is wanted"),
            })?,
        };
        let position = match schema.get("position") {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| ParameterError {
                attribute: "position",
                problem: format!("must be a whole number from 0, not {value}"),
            })?),
        };
        Ok(Parameter {
            kind,
            default: schema.get("default").filter(|value| !value.is_null()).cloned(),
            required: flag("required")?,
            secret: flag("secret")?,
            immutable: flag("immutable")?,
            position,
            schema,
        })
    }
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.schema.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Parameter, D::Error> {
        Parameter::from_schema(Map::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An action of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// `<pack>.<name>`.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// A disabled action refuses to run.
    pub enabled: bool,
    /// The runner's name (aliases are resolved when the pack is loaded).
    pub runner_type: String,
    /// Path below the pack's `actions/`; empty where the runner needs none.
    #[serde(default)]
    pub entry_point: String,
    /// By name, in the order of the file.
    #[serde(default)]
    pub parameters: IndexMap<String, Parameter>,
    /// JSON Schema of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// `{name, value}` pairs.
    #[serde(default)]
    pub tags: Vec<Value>,
    /// Who is told at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Value>,
    /// Path inside the pack; empty where it came by the API.
    #[serde(default)]
    pub metadata_file: String,
}

impl Action {
    /// The id that clients see: a function of the ref.
    pub fn id(&self) -> Id {
        Id::named(&["action", self.reference.as_str()])
    }

    /// `action:<pack>:<name>`.
    pub fn uid(&self) -> String {
        format!("action:{}:{}", self.reference.pack(), self.reference.name())
    }
}

/// A kind of runner and the parameters that it brings to every action of its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunnerType {
    /// The name that actions give.
    pub name: String,
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// For people.
    pub description: String,
    /// Does this build run it? Actions of other runner types load, and say so when they are run.
    pub enabled: bool,
    /// By name.
    #[serde(default)]
    pub runner_parameters: IndexMap<String, Parameter>,
    /// The field of the result that an action's `output_schema` describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_key: Option<String>,
    /// JSON Schema of the whole result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}

impl RunnerType {
    /// The id that clients see.
    pub fn id(&self) -> Id {
        Id::named(&["runner_type", &self.name])
    }
}

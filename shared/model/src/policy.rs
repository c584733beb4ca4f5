//! Policies: how many executions of an action may run at once, how often it may start, and what is tried again.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::time::Duration;

use crate::{Id, Ref, SchemaValidator};

/// A policy on an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// `<pack>.<name>`.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// A disabled policy does nothing.
    pub enabled: bool,
    /// The action that it is on.
    pub resource_ref: Ref,
    /// Such as `action.retry`.
    pub policy_type: String,
    /// As the policy type says.
    pub parameters: Map<String, Value>,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Path inside the pack; empty where it came by the API.
    #[serde(default)]
    pub metadata_file: String,
}

/// A kind of policy, and what it wants to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyType {
    /// Such as `action.retry`.
    pub reference: &'static str,
    /// For people.
    pub description: &'static str,
    /// Schemas of the parameters, by name.
    pub parameters: Map<String, Value>,
}

/// What a policy does.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyKind {
    /// Before an execution starts.
    Limit(Limit),
    /// After it ended.
    Retry(Retry),
}

/// A bound on executions with equal values of some parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub kind: LimitKind,
    /// The parameters; none where all executions of the action count together.
    pub attributes: Vec<String>,
    /// What becomes of those past the bound.
    pub when_full: WhenFull,
}

/// What a limit bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// Executions at work at once.
    Concurrency {
        /// At most so many.
        threshold: usize,
    },
    /// Starts within any period of that length.
    Rate {
        /// At most so many.
        limit: usize,
        /// The length.
        period: Duration,
    },
}

/// What becomes of an execution past a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// It waits for its turn.
    #[default]
    Delay,
    /// It is canceled.
    Cancel,
}

/// Which ends are tried again, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Which ends.
    pub on: RetryOn,
    /// How often at most.
    pub most: u64,
    /// How long to wait before each.
    pub delay: Duration,
}

/// An end that is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryOn {
    /// `failed`.
    Failure,
    /// `timeout`.
    Timeout,
    /// `abandoned`: its worker was lost. Ours.
    Abandoned,
}

impl Policy {
    /// `policy:<pack>:<name>`.
    pub fn uid(&self) -> String {
        format!("policy:{}:{}", self.reference.pack(), self.reference.name())
    }

    /// What it does; else what is wrong with its type or its parameters.
    pub fn kind(&self) -> Result<PolicyKind, Vec<String>> {
        let parameters = || self.parameters.clone();
        check_parameters(&self.policy_type, &self.parameters)?;
        match self.policy_type.as_str() {
            RETRY => read(parameters()).map(RetryParameters::kind),
            RATE_LIMIT => read(parameters()).map(RateParameters::kind),
            _ => read(parameters()).map(ConcurrencyParameters::kind),
        }
    }
}

impl PolicyType {
    /// The id that clients see.
    pub fn id(&self) -> Id {
        Id::named(&["policy_type", self.reference])
    }
}

const CONCURRENCY: &str = "action.concurrency";
const CONCURRENCY_ATTR: &str = "action.concurrency.attr";
const RATE_LIMIT: &str = "action.rate_limit";
const RETRY: &str = "action.retry";

/// The policy types that there are.
pub fn policy_types() -> [PolicyType; 4] {
    let action = json!({
        "type": "string", "enum": ["delay", "cancel"], "default": "delay",
        "description": "What becomes of executions past the limit.",
    });
    let attributes = |required: bool| {
        json!({
            "type": "array", "items": {"type": "string"}, "uniqueItems": true, "minItems": 1, "required": required,
            "description": "The parameters whose equal values count together.",
        })
    };
    let threshold = json!({
        "type": "integer", "required": true, "minimum": 0, "maximum": 10_000, "description": "Executions at work at once.",
    });
    let policy_type = |reference, description, parameters: Value| PolicyType {
        reference,
        description,
        parameters: parameters.as_object().cloned().unwrap_or_default(),
    };
    [
        policy_type(
            CONCURRENCY,
            "At most so many executions of the action at once.",
            json!({"threshold": threshold, "action": action}),
        ),
        policy_type(
            CONCURRENCY_ATTR,
            "At most so many executions of the action with the same values of some parameters at once.",
            json!({"threshold": threshold, "action": action, "attributes": attributes(true)}),
        ),
        policy_type(
            RATE_LIMIT,
            "At most so many starts of the action within any period.",
            json!({
                "limit": {"type": "integer", "required": true, "minimum": 1, "maximum": 1_000, "description": "Starts in a period."},
                "period": {"type": "number", "required": true, "minimum": 0.001, "maximum": 31_622_400, "description": "Seconds."},
                "attributes": attributes(false), "action": action,
            }),
        ),
        policy_type(
            RETRY,
            "Tries an execution again that did not succeed.",
            json!({
                "retry_on": {"type": "string", "enum": ["failure", "timeout", "abandoned"], "required": true, "description": "Which end."},
                "max_retry_count": {"type": "integer", "minimum": 1, "maximum": 5, "default": 2, "description": "How often at most."},
                "delay": {"type": "number", "minimum": 0, "maximum": 120, "description": "Seconds to wait before each."},
            }),
        ),
    ]
}

/// What is wrong with the parameters of a policy of that type; each message begins with the parameter's name.
pub(crate) fn check_parameters(policy_type: &str, parameters: &Map<String, Value>) -> Result<(), Vec<String>> {
    let types = policy_types();
    let Some(found) = types.iter().find(|found| found.reference == policy_type) else {
        return Err(vec![format!("there is no policy type \"{policy_type}\"")]);
    };
    let schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(found.parameters.clone())),
        ("additionalProperties".to_owned(), json!(false)),
    ]);
    let validator = SchemaValidator::new(&schema).map_err(|error| vec![error.to_string()])?;
    validator.validate(&Value::Object(parameters.clone()))
}

/// Null means that a parameter is left out.
fn read<T: DeserializeOwned>(mut parameters: Map<String, Value>) -> Result<T, Vec<String>> {
    parameters.retain(|_, value| !value.is_null());
    serde_json::from_value(Value::Object(parameters)).map_err(|error| vec![error.to_string()])
}

#[derive(Deserialize)]
struct ConcurrencyParameters {
    threshold: usize,
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    action: WhenFull,
}

impl ConcurrencyParameters {
    fn kind(self) -> PolicyKind {
        let kind = LimitKind::Concurrency { threshold: self.threshold };
        PolicyKind::Limit(Limit { kind, attributes: self.attributes, when_full: self.action })
    }
}

#[derive(Deserialize)]
struct RateParameters {
    limit: usize,
    period: f64,
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    action: WhenFull,
}

impl RateParameters {
    fn kind(self) -> PolicyKind {
        let kind = LimitKind::Rate { limit: self.limit, period: seconds(self.period) };
        PolicyKind::Limit(Limit { kind, attributes: self.attributes, when_full: self.action })
    }
}

#[derive(Deserialize)]
struct RetryParameters {
    retry_on: RetryOn,
    max_retry_count: Option<u64>,
    #[serde(default)]
    delay: f64,
}

impl RetryParameters {
    fn kind(self) -> PolicyKind {
        let most = self.max_retry_count.unwrap_or(2);
        PolicyKind::Retry(Retry { on: self.retry_on, most, delay: seconds(self.delay) })
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

//! Rule enforcements.

use model::{EnforcementStatus, Execution, Id, Ref, RuleEnforcement, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{TriggerInstanceResource, shown};
use crate::attributes::Resource;

/// What became of one rule for one event.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EnforcementResource {
    id: Id,
    trigger_instance_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    rule: RuleReference,
    #[serde(serialize_with = "shown")]
    enforced_at: Timestamp,
    status: EnforcementStatus,
}

#[derive(Clone, Debug, Serialize)]
struct RuleReference {
    #[serde(rename = "ref")]
    reference: Ref,
    uid: String,
    id: Id,
}

impl From<&RuleEnforcement> for EnforcementResource {
    fn from(enforcement: &RuleEnforcement) -> EnforcementResource {
        let rule = &enforcement.rule;
        EnforcementResource {
            id: enforcement.id,
            trigger_instance_id: enforcement.trigger_instance,
            execution_id: enforcement.execution,
            failure_reason: enforcement.failure_reason.clone(),
            rule: RuleReference {
                reference: rule.clone(),
                uid: format!("rule:{}:{}", rule.pack(), rule.name()),
                id: Id::named(&["rule", rule.as_str()]),
            },
            enforced_at: enforcement.enforced_at,
            status: enforcement.status,
        }
    }
}

impl Resource for EnforcementResource {
    const ATTRIBUTES: &'static [&'static str] =
        &["id", "trigger_instance_id", "execution_id", "failure_reason", "rule", "enforced_at", "status"];
}

/// What an enforcement's view tells of its execution.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExecutionSummary {
    id: Id,
    action: ActionSummary,
    runner: RunnerSummary,
    #[serde(skip_serializing_if = "Map::is_empty")]
    parameters: Map<String, Value>,
    status: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct ActionSummary {
    #[serde(rename = "ref")]
    reference: Ref,
}

#[derive(Clone, Debug, Serialize)]
struct RunnerSummary {
    name: String,
}

impl From<&Execution> for ExecutionSummary {
    fn from(execution: &Execution) -> ExecutionSummary {
        ExecutionSummary {
            id: execution.id,
            action: ActionSummary { reference: execution.action.clone() },
            runner: RunnerSummary { name: execution.runner.clone() },
            parameters: execution.parameters.clone(),
            status: execution.status.name(),
        }
    }
}

/// An enforcement with its trigger instance and its execution; empty objects where they are gone.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EnforcementViewResource {
    #[serde(flatten)]
    pub(crate) enforcement: EnforcementResource,
    pub(crate) trigger_instance: OrEmpty<TriggerInstanceResource>,
    pub(crate) execution: OrEmpty<ExecutionSummary>,
}

/// The thing, or an empty object.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum OrEmpty<T> {
    Some(T),
    Empty {},
}

impl<T> From<Option<T>> for OrEmpty<T> {
    fn from(value: Option<T>) -> OrEmpty<T> {
        value.map_or(OrEmpty::Empty {}, OrEmpty::Some)
    }
}

impl Resource for EnforcementViewResource {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "trigger_instance_id",
        "execution_id",
        "failure_reason",
        "rule",
        "enforced_at",
        "status",
        "trigger_instance",
        "execution",
    ];
}

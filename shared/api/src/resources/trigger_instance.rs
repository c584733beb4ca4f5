//! Trigger instances.

use model::{Id, Timestamp, TriggerInstance};
use serde::Serialize;
use serde_json::Value;

use super::shown;
use crate::attributes::Resource;

/// One event.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TriggerInstanceResource {
    id: Id,
    trigger: String,
    #[serde(serialize_with = "shown")]
    occurrence_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
}

impl TriggerInstanceResource {
    /// The event, with what it carries where that was asked for.
    pub(crate) fn new(instance: &TriggerInstance, payload: Option<Value>) -> TriggerInstanceResource {
        let trigger = &instance.trigger;
        TriggerInstanceResource {
            id: instance.id,
            trigger: trigger.reference().map_or_else(|_| trigger.kind.to_string(), |found| found.to_string()),
            occurrence_time: instance.occurrence_time,
            payload,
            status: instance.status.name(),
            failure_reason: instance.failure_reason.clone(),
        }
    }
}

impl Resource for TriggerInstanceResource {
    const ATTRIBUTES: &'static [&'static str] =
        &["id", "trigger", "occurrence_time", "payload", "status", "failure_reason"];
}

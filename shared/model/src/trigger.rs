//! Trigger types, triggers, and the instances of them that happened.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Id, Payload, Ref, RefError, Timestamp, TraceContext};

/// Refs of the platform's own trigger types.
pub mod core_types {
    /// An HTTP request to `/webhooks/<url>`.
    pub const WEBHOOK: &str = "core.st2.webhook";
    /// Every so often.
    pub const INTERVAL_TIMER: &str = "core.st2.IntervalTimer";
    /// Once, at a time.
    pub const DATE_TIMER: &str = "core.st2.DateTimer";
    /// By calendar fields.
    pub const CRON_TIMER: &str = "core.st2.CronTimer";
    /// An execution ended.
    pub const ACTION: &str = "core.st2.generic.actiontrigger";
    /// A notification is due.
    pub const NOTIFY: &str = "core.st2.generic.notifytrigger";
    /// An inquiry waits for an answer.
    pub const INQUIRY: &str = "core.st2.generic.inquiry";
    /// A key came to be.
    pub const KEY_CREATE: &str = "core.st2.key_value_pair.create";
    /// A key was set.
    pub const KEY_UPDATE: &str = "core.st2.key_value_pair.update";
    /// A key's value is another than before.
    pub const KEY_VALUE_CHANGE: &str = "core.st2.key_value_pair.value_change";
    /// An AWS service told of something.
    pub const AWS_EVENT: &str = "core.aws.event";
    /// A key was deleted.
    pub const KEY_DELETE: &str = "core.st2.key_value_pair.delete";
}

/// A kind of event, and the schemas of what it carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerType {
    /// `<pack>.<name>`.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// JSON Schema of the payload; empty allows anything.
    #[serde(default)]
    pub payload_schema: Map<String, Value>,
    /// JSON Schema of the parameters; empty means that the type has none.
    #[serde(default)]
    pub parameters_schema: Map<String, Value>,
    /// `{name, value}` pairs.
    #[serde(default)]
    pub tags: Vec<Value>,
    /// Path inside the pack; empty where it came by the API.
    #[serde(default)]
    pub metadata_file: String,
}

impl TriggerType {
    /// The id that clients see.
    pub fn id(&self) -> Id {
        Id::named(&["trigger_type", self.reference.as_str()])
    }

    /// `trigger_type:<pack>:<name>`.
    pub fn uid(&self) -> String {
        format!("trigger_type:{}:{}", self.reference.pack(), self.reference.name())
    }
}

/// A trigger type with parameters: what rules listen to and instances are of. Two with equal parameters are one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// The trigger type.
    #[serde(rename = "type")]
    pub kind: Ref,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

impl Trigger {
    /// A trigger of that type.
    pub fn new(kind: Ref, parameters: Map<String, Value>) -> Trigger {
        Trigger { kind, parameters }
    }

    /// The id that clients see: a function of the type and of the parameters, whatever their order.
    pub fn id(&self) -> Id {
        Id::named(&["trigger", self.kind.as_str(), &canonical(&Value::Object(self.parameters.clone()))])
    }

    /// The trigger type's own ref where there are no parameters, else `<pack>.<id>`.
    pub fn reference(&self) -> Result<Ref, RefError> {
        if self.parameters.is_empty() {
            Ok(self.kind.clone())
        } else {
            Ref::new(self.kind.pack(), &self.id().to_string())
        }
    }

    /// `trigger:<pack>:<name>`, with a hash of the parameters where there are any.
    pub fn uid(&self) -> String {
        let base = format!("trigger:{}:{}", self.kind.pack(), self.kind.name());
        if self.parameters.is_empty() { base } else { format!("{base}:{}", self.id()) }
    }
}

/// JSON with sorted keys: equal values have equal texts.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, inner)| format!("{}:{}", Value::from(name.as_str()), canonical(inner)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// How far the platform is with a trigger instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerInstanceStatus {
    /// Accepted.
    Pending,
    /// Some of its rules are enforced.
    Processing,
    /// Every rule had its turn.
    Processed,
    /// It could not be matched; the reason is kept.
    ProcessingFailed,
}

impl TriggerInstanceStatus {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            TriggerInstanceStatus::Pending => "pending",
            TriggerInstanceStatus::Processing => "processing",
            TriggerInstanceStatus::Processed => "processed",
            TriggerInstanceStatus::ProcessingFailed => "processing_failed",
        }
    }

    /// Nothing more will happen to it.
    pub const fn is_final(self) -> bool {
        matches!(self, TriggerInstanceStatus::Processed | TriggerInstanceStatus::ProcessingFailed)
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerInstance {
    /// A function of the delivery's id where it has one.
    pub id: Id,
    /// What happened.
    pub trigger: Trigger,
    /// When it happened.
    pub occurrence_time: Timestamp,
    /// What it carries.
    pub payload: Payload,
    /// How far it is.
    pub status: TriggerInstanceStatus,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// The content revision whose rules it was matched with.
    #[serde(default)]
    pub content_revision: u64,
    /// The execution that it tells of, where it is one of the platform's own events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<Id>,
    /// Why it could not be processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_trigger_is_its_type_and_its_parameters_in_any_order() {
        let kind: Ref = "core.st2.webhook".parse().unwrap();
        let of = |value: Value| Trigger::new(kind.clone(), value.as_object().cloned().unwrap());
        assert_eq!(of(json!({"a": 1, "b": {"c": 2, "d": 3}})).id(), of(json!({"b": {"d": 3, "c": 2}, "a": 1})).id());
        assert_ne!(of(json!({"a": 1})).id(), of(json!({"a": "1"})).id());
        assert_eq!(of(json!({})).reference().unwrap(), kind);
    }
}

//! Trigger types, triggers, timers.

use model::{Id, Timestamp, Trigger, TriggerType};
use serde::Serialize;
use serde_json::{Map, Value};

use super::shown_option;
use crate::attributes::Resource;

/// A kind of event.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TriggerTypeResource<'a> {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'a str,
    pack: &'a str,
    name: &'a str,
    description: &'a str,
    payload_schema: &'a Map<String, Value>,
    parameters_schema: &'a Map<String, Value>,
    tags: &'a [Value],
    metadata_file: &'a str,
}

impl<'a> From<&'a TriggerType> for TriggerTypeResource<'a> {
    fn from(kind: &'a TriggerType) -> TriggerTypeResource<'a> {
        TriggerTypeResource {
            id: kind.id(),
            uid: kind.uid(),
            reference: kind.reference.as_str(),
            pack: kind.reference.pack(),
            name: kind.reference.name(),
            description: &kind.description,
            payload_schema: &kind.payload_schema,
            parameters_schema: &kind.parameters_schema,
            tags: &kind.tags,
            metadata_file: &kind.metadata_file,
        }
    }
}

impl Resource for TriggerTypeResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "ref",
        "pack",
        "name",
        "description",
        "payload_schema",
        "parameters_schema",
        "tags",
        "metadata_file",
    ];
    const MANDATORY: &'static [&'static str] = &["id", "pack", "name"];
}

/// A trigger type with parameters.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TriggerResource {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: String,
    pack: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    parameters: Map<String, Value>,
}

impl From<&Trigger> for TriggerResource {
    fn from(trigger: &Trigger) -> TriggerResource {
        let name =
            if trigger.parameters.is_empty() { trigger.kind.name().to_owned() } else { trigger.id().to_string() };
        let pack = trigger.kind.pack().to_owned();
        TriggerResource {
            id: trigger.id(),
            uid: trigger.uid(),
            reference: format!("{pack}.{name}"),
            pack,
            name,
            kind: trigger.kind.to_string(),
            parameters: trigger.parameters.clone(),
        }
    }
}

impl TriggerResource {
    /// Is this its ref, its name or its id?
    pub(crate) fn is(&self, ref_or_id: &str) -> bool {
        self.reference == ref_or_id || self.name == ref_or_id || self.id.to_string() == ref_or_id
    }
}

impl Resource for TriggerResource {
    const ATTRIBUTES: &'static [&'static str] = &["id", "uid", "ref", "pack", "name", "type", "parameters"];
}

/// A timer: its trigger, and when it fires.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TimerResource {
    #[serde(flatten)]
    pub(crate) trigger: TriggerResource,
    #[serde(serialize_with = "shown_option", skip_serializing_if = "Option::is_none")]
    pub(crate) next_occurrence: Option<Timestamp>,
    #[serde(serialize_with = "shown_option", skip_serializing_if = "Option::is_none")]
    pub(crate) last_occurrence: Option<Timestamp>,
}

impl Resource for TimerResource {
    const ATTRIBUTES: &'static [&'static str] =
        &["id", "uid", "ref", "pack", "name", "type", "parameters", "next_occurrence", "last_occurrence"];
}

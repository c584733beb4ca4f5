//! What packs hold beside actions, rules and triggers: sensors, aliases, policies.

use engine::Content;
use model::{ActionAlias, Id, Policy, PolicyType, RuleKind, SensorType};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::attributes::Resource;

/// A sensor.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SensorTypeResource<'a> {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'a str,
    pack: &'a str,
    name: &'a str,
    class_name: &'a str,
    description: &'a str,
    entry_point: &'a str,
    enabled: bool,
    trigger_types: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_interval: Option<u64>,
    metadata_file: &'a str,
}

impl<'a> From<&'a SensorType> for SensorTypeResource<'a> {
    fn from(sensor: &'a SensorType) -> SensorTypeResource<'a> {
        SensorTypeResource {
            id: sensor.id(),
            uid: format!("sensor_type:{}:{}", sensor.reference.pack(), sensor.reference.name()),
            reference: sensor.reference.as_str(),
            pack: sensor.reference.pack(),
            name: sensor.reference.name(),
            class_name: &sensor.class_name,
            description: &sensor.description,
            entry_point: &sensor.entry_point,
            enabled: sensor.enabled,
            trigger_types: sensor.trigger_types.iter().map(model::Ref::as_str).collect(),
            poll_interval: sensor.poll_interval,
            metadata_file: &sensor.metadata_file,
        }
    }
}

impl Resource for SensorTypeResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "ref",
        "pack",
        "name",
        "class_name",
        "description",
        "entry_point",
        "enabled",
        "trigger_types",
        "poll_interval",
        "metadata_file",
    ];
    const MANDATORY: &'static [&'static str] = &["id", "pack", "name"];
}

/// A chat command.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AliasResource<'a> {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'a str,
    pack: &'a str,
    name: &'a str,
    action_ref: &'a str,
    enabled: bool,
    /// The other keys as written; those above are taken out of them.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl<'a> From<&'a ActionAlias> for AliasResource<'a> {
    fn from(alias: &'a ActionAlias) -> AliasResource<'a> {
        const TAKEN: [&str; 7] = ["id", "uid", "ref", "pack", "name", "action_ref", "enabled"];
        let rest = alias.body.iter().filter(|(name, _)| !TAKEN.contains(&name.as_str()));
        AliasResource {
            id: alias.id(),
            uid: format!("action_alias:{}:{}", alias.reference.pack(), alias.reference.name()),
            reference: alias.reference.as_str(),
            pack: alias.reference.pack(),
            name: alias.reference.name(),
            action_ref: alias.action_ref.as_str(),
            enabled: alias.enabled,
            rest: rest.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }
}

impl Resource for AliasResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "ref",
        "pack",
        "name",
        "action_ref",
        "enabled",
        "description",
        "formats",
        "ack",
        "result",
        "extra",
        "immutable_parameters",
        "metadata_file",
    ];
    const MANDATORY: &'static [&'static str] = &["id", "pack", "name"];
}

/// A policy.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PolicyResource<'a> {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'a str,
    pack: &'a str,
    name: &'a str,
    description: &'a str,
    enabled: bool,
    resource_ref: &'a str,
    policy_type: &'a str,
    parameters: &'a Map<String, Value>,
    metadata_file: &'a str,
}

impl<'a> From<&'a Policy> for PolicyResource<'a> {
    fn from(policy: &'a Policy) -> PolicyResource<'a> {
        PolicyResource {
            id: policy.id(),
            uid: policy.uid(),
            reference: policy.reference.as_str(),
            pack: policy.reference.pack(),
            name: policy.reference.name(),
            description: &policy.description,
            enabled: policy.enabled,
            resource_ref: policy.resource_ref.as_str(),
            policy_type: &policy.policy_type,
            parameters: &policy.parameters,
            metadata_file: &policy.metadata_file,
        }
    }
}

impl Resource for PolicyResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "ref",
        "pack",
        "name",
        "description",
        "enabled",
        "resource_ref",
        "policy_type",
        "parameters",
        "metadata_file",
    ];
    const MANDATORY: &'static [&'static str] = &["id", "pack", "name"];
}

/// A kind of policy.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PolicyTypeResource {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'static str,
    name: &'static str,
    resource_type: &'static str,
    description: &'static str,
    enabled: bool,
    parameters: Map<String, Value>,
}

impl From<PolicyType> for PolicyTypeResource {
    fn from(kind: PolicyType) -> PolicyTypeResource {
        let (resource_type, name) = kind.reference.split_once('.').unwrap_or(("action", kind.reference));
        PolicyTypeResource {
            id: kind.id(),
            uid: format!("policy_type:{resource_type}:{name}"),
            reference: kind.reference,
            name,
            resource_type,
            description: kind.description,
            enabled: true,
            parameters: kind.parameters,
        }
    }
}

impl PolicyTypeResource {
    pub(crate) fn is(&self, ref_or_id: &str) -> bool {
        self.reference == ref_or_id || self.id.to_string() == ref_or_id
    }

    pub(crate) fn is_for(&self, resource_type: Option<&str>) -> bool {
        resource_type.is_none_or(|wanted| wanted == self.resource_type)
    }
}

impl Resource for PolicyTypeResource {
    const ATTRIBUTES: &'static [&'static str] =
        &["id", "uid", "ref", "name", "resource_type", "description", "enabled", "parameters"];
}

/// Standard or backstop.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RuleTypeResource {
    id: Id,
    name: &'static str,
    description: &'static str,
    enabled: bool,
    parameters: Map<String, Value>,
}

impl RuleTypeResource {
    /// Both of them.
    pub(crate) fn all() -> [RuleTypeResource; 2] {
        [
            (RuleKind::Standard, "A rule that is tried for every instance of its trigger."),
            (RuleKind::Backstop, "A rule that is tried where no standard rule of the same trigger matched."),
        ]
        .map(|(kind, description)| RuleTypeResource {
            id: Id::named(&["rule_type", kind.name()]),
            name: kind.name(),
            description,
            enabled: true,
            parameters: Map::new(),
        })
    }

    pub(crate) fn is(&self, name_or_id: &str) -> bool {
        self.name == name_or_id || self.id.to_string() == name_or_id
    }
}

impl Resource for RuleTypeResource {
    const ATTRIBUTES: &'static [&'static str] = &["id", "name", "description", "enabled", "parameters"];
}

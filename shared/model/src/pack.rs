//! Packs and what they hold.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Action, Id, Policy, Ref, Rule, TriggerType};

/// `pack.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackMetadata {
    /// The pack's ref: lower-case letters, digits, underscores.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The name that people see.
    pub name: String,
    /// For people.
    pub description: String,
    /// Semantic version.
    pub version: String,
    /// Who wrote it.
    pub author: String,
    /// Every other key of the file, as written.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl PackMetadata {
    /// The id that clients see.
    pub fn id(&self) -> Id {
        Id::named(&["pack", &self.reference])
    }
}

/// A sensor, kept for the host that runs it; its trigger types stand among the pack's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorType {
    /// `<pack>.<class_name>`.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// The class in the entry point.
    pub class_name: String,
    /// Path below the pack's `sensors/`.
    pub entry_point: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// A disabled sensor is not started.
    pub enabled: bool,
    /// Seconds between two polls; `None` for a passive sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval: Option<u64>,
    /// The trigger types that it emits.
    pub trigger_types: Vec<Ref>,
    /// Path inside the pack.
    pub metadata_file: String,
}

/// A chat command for an action, kept for the ChatOps service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionAlias {
    /// `<pack>.<name>`.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// The action.
    pub action_ref: Ref,
    /// A disabled alias does not match.
    pub enabled: bool,
    /// All keys of the file, as written.
    #[serde(flatten)]
    pub body: Map<String, Value>,
}

/// One file of a pack version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackFile {
    /// Path inside the pack, with `/`.
    pub path: String,
    /// SHA-256 of the content, hex: its address in the blob store.
    pub digest: String,
    /// Length in bytes.
    pub size: u64,
    /// May it be executed?
    pub executable: bool,
}

/// All that one version of a pack holds, read and checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackContent {
    /// `pack.yaml`.
    pub pack: PackMetadata,
    /// `actions/*.yaml`.
    pub actions: Vec<Action>,
    /// `rules/*.yaml`.
    pub rules: Vec<Rule>,
    /// `triggers/*.yaml`, and what the sensors declare.
    pub trigger_types: Vec<TriggerType>,
    /// `sensors/*.yaml`.
    pub sensors: Vec<SensorType>,
    /// `aliases/*.yaml`.
    pub aliases: Vec<ActionAlias>,
    /// `policies/*.yaml`.
    pub policies: Vec<Policy>,
    /// `config.schema.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<Map<String, Value>>,
    /// Every file, sorted by path.
    pub files: Vec<PackFile>,
}

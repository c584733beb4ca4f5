//! Actions and runner types.

use engine::Catalog;
use indexmap::IndexMap;
use model::{Action, Id, Parameter, RunnerType};
use serde::Serialize;
use serde_json::Value;
use std::{borrow::Cow, sync::Arc};

use crate::attributes::Resource;

/// An action.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ActionResource<'a> {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'a str,
    pack: &'a str,
    name: &'a str,
    description: &'a str,
    enabled: bool,
    runner_type: &'a str,
    entry_point: &'a str,
    parameters: Cow<'a, IndexMap<String, Parameter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a Value>,
    tags: &'a [Value],
    notify: Notify<'a>,
    metadata_file: &'a str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Notify<'a> {
    Given(&'a Value),
    None {},
}

impl<'a> From<&'a Action> for ActionResource<'a> {
    fn from(action: &'a Action) -> ActionResource<'a> {
        ActionResource {
            id: action.id(),
            uid: action.uid(),
            reference: action.reference.as_str(),
            pack: action.reference.pack(),
            name: action.reference.name(),
            description: &action.description,
            enabled: action.enabled,
            runner_type: &action.runner_type,
            entry_point: &action.entry_point,
            parameters: Cow::Borrowed(&action.parameters),
            output_schema: action.output_schema.as_ref(),
            tags: &action.tags,
            notify: action.notify.as_ref().map_or(Notify::None {}, Notify::Given),
            metadata_file: &action.metadata_file,
        }
    }
}

impl<'a> ActionResource<'a> {
    /// The action with the parameters that its runner brings.
    pub(crate) fn overview(action: &'a Arc<Action>, catalog: &Catalog) -> ActionResource<'a> {
        let parameters = Cow::Owned(merged_parameters(action, catalog));
        ActionResource { parameters, ..ActionResource::from(&**action) }
    }
}

impl Resource for ActionResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "ref",
        "pack",
        "name",
        "description",
        "enabled",
        "runner_type",
        "entry_point",
        "parameters",
        "output_schema",
        "tags",
        "notify",
        "metadata_file",
    ];
    const EXCLUDABLE: &'static [&'static str] = &["parameters", "notify"];
}

/// The parameters of an action as they are when it runs: those of its runner, with what the action says of them, then its own.
pub(crate) fn merged_parameters(action: &Arc<Action>, catalog: &Catalog) -> IndexMap<String, Parameter> {
    // An action of a runner type that isn't known can't be run; then its own are all that there is to say.
    catalog.plan(action).map_or_else(|_| action.parameters.clone(), |plan| plan.parameters.clone())
}

/// A runner type.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunnerTypeResource<'a> {
    id: Id,
    uid: String,
    name: &'a str,
    description: &'a str,
    enabled: bool,
    runner_package: &'a str,
    runner_module: &'a str,
    runner_parameters: &'a IndexMap<String, Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a Value>,
}

impl<'a> From<&'a RunnerType> for RunnerTypeResource<'a> {
    fn from(runner: &'a RunnerType) -> RunnerTypeResource<'a> {
        RunnerTypeResource {
            id: runner.id(),
            uid: format!("runner_type:{}", runner.name),
            name: &runner.name,
            description: &runner.description,
            enabled: runner.enabled,
            runner_package: &runner.name,
            runner_module: &runner.name,
            runner_parameters: &runner.runner_parameters,
            output_key: runner.output_key.as_deref(),
            output_schema: runner.output_schema.as_ref(),
        }
    }
}

impl Resource for RunnerTypeResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "name",
        "description",
        "enabled",
        "runner_package",
        "runner_module",
        "runner_parameters",
        "output_key",
        "output_schema",
    ];
    const MANDATORY: &'static [&'static str] = &["id", "name"];
}

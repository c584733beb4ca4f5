//! Rules.

use engine::Catalog;
use model::{Action, Id, Rule, RuleAction, Throttle, Trigger, TriggerType, mask_parameters};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

use super::merged_parameters;
use crate::attributes::Resource;

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RuleResource<'a> {
    id: Id,
    uid: String,
    #[serde(rename = "ref")]
    reference: &'a str,
    pack: &'a str,
    name: &'a str,
    description: &'a str,
    #[serde(rename = "type")]
    kind: RuleTypeSpec,
    trigger: TriggerSpec<'a>,
    criteria: &'a Map<String, Value>,
    action: ActionSpec<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<ActionSpec<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttle: Option<&'a Throttle>,
    enabled: bool,
    context: &'a Map<String, Value>,
    tags: &'a [Value],
    metadata_file: &'a str,
}

#[derive(Clone, Debug, Serialize)]
struct RuleTypeSpec {
    #[serde(rename = "ref")]
    reference: &'static str,
    parameters: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize)]
struct TriggerSpec<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    parameters: &'a Map<String, Value>,
    #[serde(rename = "ref")]
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

#[derive(Clone, Debug, Serialize)]
struct ActionSpec<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    parameters: Cow<'a, Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

impl<'a> RuleResource<'a> {
    /// The rule; what it gives to secret parameters of its action is masked unless `show_secrets`.
    pub(crate) fn new(rule: &'a Rule, catalog: &Catalog, show_secrets: bool) -> RuleResource<'a> {
        let trigger = Trigger::new(rule.trigger.kind.clone(), rule.trigger.parameters.clone());
        // All of them where there are several.
        let actions = rule.actions().filter(|_| !rule.further_actions.is_empty());
        RuleResource {
            id: rule.id(),
            uid: rule.uid(),
            reference: rule.reference.as_str(),
            pack: rule.reference.pack(),
            name: rule.reference.name(),
            description: &rule.description,
            kind: RuleTypeSpec { reference: rule.kind.name(), parameters: Map::new() },
            trigger: TriggerSpec {
                kind: rule.trigger.kind.as_str(),
                parameters: &rule.trigger.parameters,
                reference: trigger.reference().map_or_else(|_| trigger.id().to_string(), |found| found.to_string()),
                description: None,
            },
            criteria: &rule.criteria,
            action: ActionSpec::new(&rule.action, catalog, show_secrets),
            actions: actions.map(|action| ActionSpec::new(action, catalog, show_secrets)).collect(),
            throttle: rule.throttle.as_ref(),
            enabled: rule.enabled,
            context: &rule.context,
            tags: &rule.tags,
            metadata_file: &rule.metadata_file,
        }
    }
}

impl<'a> ActionSpec<'a> {
    fn new(action: &'a RuleAction, catalog: &Catalog, show_secrets: bool) -> ActionSpec<'a> {
        let parameters = action_parameters(action, catalog, show_secrets);
        ActionSpec { reference: action.reference.as_str(), parameters, description: None }
    }
}

fn action_parameters<'a>(action: &'a RuleAction, catalog: &Catalog, show_secrets: bool) -> Cow<'a, Map<String, Value>> {
    if show_secrets || action.parameters.is_empty() {
        return Cow::Borrowed(&action.parameters);
    }
    let mut masked = action.parameters.clone();
    let schema = catalog.find::<Action>(action.reference.as_str()).map(|action| merged_parameters(action, catalog));
    mask_parameters(&mut masked, &schema.unwrap_or_default());
    Cow::Owned(masked)
}

impl Resource for RuleResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "uid",
        "ref",
        "pack",
        "name",
        "description",
        "type",
        "trigger",
        "criteria",
        "action",
        "actions",
        "throttle",
        "enabled",
        "context",
        "tags",
        "metadata_file",
    ];
    const MANDATORY: &'static [&'static str] = &["id", "pack", "name", "trigger"];
}

/// A rule with the descriptions of its trigger and its action.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct RuleViewResource<'a>(RuleResource<'a>);

impl<'a> RuleViewResource<'a> {
    /// Secrets are always masked.
    pub(crate) fn new(rule: &'a Rule, catalog: &'a Catalog) -> RuleViewResource<'a> {
        let mut resource = RuleResource::new(rule, catalog, false);
        let action = catalog.find::<Action>(rule.action.reference.as_str());
        resource.action.description = Some(action.map_or("", |action| &action.description));
        let kind = catalog.find::<TriggerType>(rule.trigger.kind.as_str());
        resource.trigger.description = Some(kind.map_or("", |kind| &kind.description));
        RuleViewResource(resource)
    }
}

impl Resource for RuleViewResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = RuleResource::ATTRIBUTES;
    const MANDATORY: &'static [&'static str] = RuleResource::MANDATORY;
}

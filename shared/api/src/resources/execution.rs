//! Executions, in the shape that StackStorm's clients know: the action, the runner, the rule and the event are embedded, and attributes
//! that are empty, false or zero are left out.

use engine::Catalog;
use model::{Execution, ExecutionLog, Id, Ref, RuleLink, Timestamp, Trigger, TriggerInstance, TriggerLink};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

use super::{
    ActionResource, MaybeGone, Named, RuleResource, RunnerTypeResource, TriggerInstanceResource, TriggerResource,
    TriggerTypeResource, is_falsy, no_fields, shown, shown_option,
};
use crate::attributes::Resource;

/// What belongs to an execution's resource and is not in its record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// The parameters in place of the record's, where secrets are to be shown.
    pub(crate) parameters: Option<Map<String, Value>>,
    /// What came of it, where that was asked for.
    pub(crate) result: Option<Value>,
    /// The event and what it carried, where that was asked for.
    pub(crate) event: Option<(TriggerInstance, Value)>,
    /// The executions that it requested.
    pub(crate) children: Vec<Id>,
    /// Where people look at it.
    pub(crate) web_url: Option<String>,
}

/// An execution.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExecutionResource<'a> {
    id: Id,
    status: &'static str,
    #[serde(serialize_with = "shown")]
    start_timestamp: Timestamp,
    #[serde(serialize_with = "shown_option", skip_serializing_if = "Option::is_none")]
    end_timestamp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_seconds: Option<f64>,
    action: MaybeGone<'a, ActionResource<'a>>,
    runner: Runner<'a>,
    liveaction: LiveAction<'a>,
    #[serde(skip_serializing_if = "no_parameters")]
    parameters: Cow<'a, Map<String, Value>>,
    #[serde(skip_serializing_if = "is_falsy")]
    result: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_size: Option<u64>,
    #[serde(skip_serializing_if = "no_fields")]
    context: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Id>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Id>,
    #[serde(serialize_with = "log_entries", skip_serializing_if = "<[_]>::is_empty")]
    log: &'a [ExecutionLog],
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<EventTrigger<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_type: Option<MaybeGone<'a, TriggerTypeResource<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_instance: Option<Event<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<EnforcedRule<'a>>,
}

/// The runner type where this build has it, else its name.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Runner<'a> {
    Known(RunnerTypeResource<'a>),
    Gone { name: &'a str },
}

#[derive(Clone, Debug, Serialize)]
struct LiveAction<'a> {
    id: Id,
    action: &'a Ref,
    action_is_workflow: bool,
    parameters: Cow<'a, Map<String, Value>>,
    callback: Empty,
    runner_info: Empty,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify: Option<&'a Value>,
}

#[derive(Clone, Debug, Serialize)]
struct Empty {}

/// The trigger with its parameters where the event was asked for, else its names.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum EventTrigger<'a> {
    Whole(TriggerResource),
    Name {
        #[serde(flatten)]
        name: Named<'a>,
        #[serde(rename = "type")]
        kind: &'a str,
    },
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Event<'a> {
    Whole(TriggerInstanceResource),
    Link { id: Id, trigger: &'a str },
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum EnforcedRule<'a> {
    Known(Box<RuleResource<'a>>),
    Gone {
        id: Id,
        #[serde(flatten)]
        name: Named<'a>,
    },
}

#[expect(clippy::ptr_arg, reason = "serde passes the field's own type")]
fn no_parameters(parameters: &Cow<'_, Map<String, Value>>) -> bool {
    parameters.is_empty()
}

fn log_entries<S: Serializer>(log: &&[ExecutionLog], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        log.iter().map(|entry| json!({"timestamp": entry.timestamp.to_string(), "status": entry.status.name()})),
    )
}

impl<'a> ExecutionResource<'a> {
    /// The execution among what is registered now.
    pub(crate) fn new(execution: &'a Execution, catalog: &'a Catalog, around: Surroundings) -> ExecutionResource<'a> {
        let parameters = around.parameters.map_or(Cow::Borrowed(&execution.parameters), Cow::Owned);
        let link = execution.trigger.as_ref();
        ExecutionResource {
            id: execution.id,
            status: execution.status.name(),
            start_timestamp: execution.start,
            end_timestamp: execution.end,
            elapsed_seconds: execution.end.map(|end| end.since(execution.start).as_secs_f64()).filter(|s| *s > 0.0),
            action: MaybeGone::of(
                catalog.actions.get(&execution.action).map(|action| (&**action).into()),
                &execution.action,
            ),
            runner: model::runner_type(&execution.runner)
                .map_or(Runner::Gone { name: &execution.runner }, |runner| Runner::Known(runner.into())),
            liveaction: LiveAction {
                id: execution.id,
                action: &execution.action,
                action_is_workflow: false,
                parameters: parameters.clone(),
                callback: Empty {},
                runner_info: Empty {},
                notify: execution.notify.as_ref(),
            },
            parameters,
            result: around.result.unwrap_or(Value::Null),
            result_size: Some(execution.result_size).filter(|size| *size > 0),
            context: &execution.context,
            parent: execution.parent,
            children: around.children,
            log: &execution.log,
            delay: delay(execution),
            web_url: around.web_url,
            trigger: link.map(|link| event_trigger(link, around.event.as_ref().map(|(event, _)| &event.trigger))),
            trigger_type: link.map(|link| {
                MaybeGone::of(catalog.trigger_types.get(&link.kind).map(|kind| (&**kind).into()), &link.kind)
            }),
            trigger_instance: link.map(|link| match around.event {
                Some((event, payload)) => Event::Whole(TriggerInstanceResource::new(&event, Some(payload))),
                None => Event::Link { id: link.instance, trigger: link.trigger.as_str() },
            }),
            rule: execution.rule.as_ref().map(|link| enforced_rule(link, catalog)),
        }
    }
}

/// Milliseconds that the request asked to wait.
fn delay(execution: &Execution) -> Option<u64> {
    let wait = execution.not_before?.since(execution.start);
    u64::try_from(wait.as_millis()).ok().filter(|millis| *millis > 0)
}

fn event_trigger<'a>(link: &'a TriggerLink, trigger: Option<&Trigger>) -> EventTrigger<'a> {
    match trigger {
        Some(trigger) => EventTrigger::Whole(trigger.into()),
        None => EventTrigger::Name { name: Named::from(&link.trigger), kind: link.kind.as_str() },
    }
}

fn enforced_rule<'a>(link: &'a RuleLink, catalog: &'a Catalog) -> EnforcedRule<'a> {
    match catalog.rules.get(&link.reference) {
        Some(rule) => EnforcedRule::Known(Box::new(RuleResource::new(rule, catalog, false))),
        None => EnforcedRule::Gone { id: link.id, name: Named::from(&link.reference) },
    }
}

impl Resource for ExecutionResource<'_> {
    const ATTRIBUTES: &'static [&'static str] = &[
        "id",
        "status",
        "start_timestamp",
        "end_timestamp",
        "elapsed_seconds",
        "action",
        "runner",
        "liveaction",
        "parameters",
        "result",
        "result_size",
        "context",
        "parent",
        "children",
        "log",
        "delay",
        "web_url",
        "trigger",
        "trigger_type",
        "trigger_instance",
        "rule",
        "workflow_execution",
        "task_execution",
    ];
    const MANDATORY: &'static [&'static str] = &[
        "id",
        "action.parameters",
        "action.output_schema",
        "action.pack",
        "action.uid",
        "runner.runner_parameters",
        "runner.output_key",
        "parameters",
        "context",
    ];
    const EXCLUDABLE: &'static [&'static str] = &["result", "trigger_instance", "status"];
}

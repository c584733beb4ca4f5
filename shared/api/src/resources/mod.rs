//! Resources as clients see them: StackStorm's JSON shapes, apart from the types that are stored.

mod action;
mod content;
mod enforcement;
mod execution;
mod explain;
mod inquiry;
mod key;
mod pack;
mod rule;
mod trace;
mod trigger;
mod trigger_instance;

use model::Ref;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt::Display;

pub(crate) use action::{ActionResource, RunnerTypeResource, merged_parameters};
pub(crate) use content::{AliasResource, PolicyResource, PolicyTypeResource, RuleTypeResource, SensorTypeResource};
pub(crate) use enforcement::{EnforcementResource, EnforcementViewResource, ExecutionSummary};
pub(crate) use execution::{ExecutionResource, Surroundings};
pub(crate) use explain::ExplanationResource;
pub(crate) use inquiry::{AnswerResource, InquiryResource};
pub(crate) use key::KeyResource;
pub(crate) use pack::PackResource;
pub(crate) use rule::{RuleResource, RuleViewResource};
pub(crate) use trace::TraceResource;
pub(crate) use trigger::{TimerResource, TriggerResource, TriggerTypeResource};
pub(crate) use trigger_instance::TriggerInstanceResource;

/// What is left to say of something that an old record names and that is no longer registered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Named<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    name: &'a str,
    pack: &'a str,
}

impl<'a> From<&'a Ref> for Named<'a> {
    fn from(reference: &'a Ref) -> Named<'a> {
        Named { reference: reference.as_str(), name: reference.name(), pack: reference.pack() }
    }
}

/// The resource where it is still registered, else its name.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum MaybeGone<'a, T> {
    Known(T),
    Gone(Named<'a>),
}

impl<'a, T> MaybeGone<'a, T> {
    fn of(found: Option<T>, reference: &'a Ref) -> MaybeGone<'a, T> {
        found.map_or_else(|| MaybeGone::Gone(Named::from(reference)), MaybeGone::Known)
    }
}

/// Written as its text: times above all.
fn shown<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn shown_option<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// What Python takes for false: StackStorm leaves such attributes of executions out.
fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

fn no_fields(map: &Map<String, Value>) -> bool {
    map.is_empty()
}

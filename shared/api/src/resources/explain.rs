//! An event's story: what each rule made of it.

use engine::{EventTrail, RuleTrail};
use serde::Serialize;
use serde_json::Value;

use super::{EnforcementResource, ExecutionSummary, TriggerInstanceResource};

/// An event and all that became of it.
#[derive(Debug, Serialize)]
pub(crate) struct ExplanationResource {
    trigger_instance: TriggerInstanceResource,
    content_revision: u64,
    content_changed: bool,
    explained_revision: u64,
    rules: Vec<RuleStory>,
}

#[derive(Debug, Serialize)]
struct RuleStory {
    /// The rule, whether it matched, and each criterion.
    #[serde(flatten)]
    explanation: Value,
    enforcement: Option<EnforcementResource>,
    execution: Option<ExecutionSummary>,
}

impl ExplanationResource {
    /// The story, with what the event carried.
    pub(crate) fn new(trail: &EventTrail, payload: Value) -> Result<ExplanationResource, serde_json::Error> {
        Ok(ExplanationResource {
            trigger_instance: TriggerInstanceResource::new(&trail.trigger_instance, Some(payload)),
            content_revision: trail.content_revision,
            content_changed: trail.content_changed,
            explained_revision: trail.explained_revision,
            rules: trail.rules.iter().map(RuleStory::of).collect::<Result<_, _>>()?,
        })
    }
}

impl RuleStory {
    fn of(trail: &RuleTrail) -> Result<RuleStory, serde_json::Error> {
        Ok(RuleStory {
            explanation: serde_json::to_value(&trail.explanation)?,
            enforcement: trail.enforcement.as_ref().map(EnforcementResource::from),
            execution: trail.execution.as_ref().map(ExecutionSummary::from),
        })
    }
}

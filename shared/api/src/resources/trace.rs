//! Traces.

use engine::{Trace, TraceLink};
use model::{Id, Ref, Timestamp};
use serde::Serialize;

use super::shown;
use crate::attributes::Resource;

/// All that came of one event or one request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TraceResource {
    id: Id,
    uid: String,
    trace_tag: String,
    #[serde(serialize_with = "shown")]
    start_timestamp: Timestamp,
    action_executions: Vec<Component>,
    rules: Vec<Component>,
    trigger_instances: Vec<Component>,
}

#[derive(Clone, Debug, Serialize)]
struct Component {
    object_id: Id,
    #[serde(rename = "ref")]
    reference: Ref,
    #[serde(serialize_with = "shown")]
    updated_at: Timestamp,
    caused_by: Cause,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Cause {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl From<Trace> for TraceResource {
    fn from(trace: Trace) -> TraceResource {
        let components = |links: Vec<TraceLink>| links.into_iter().map(Component::from).collect();
        TraceResource {
            id: trace.id,
            uid: format!("trace:{}:{}", trace.id, trace.tag),
            trace_tag: trace.tag,
            start_timestamp: trace.start,
            action_executions: components(trace.executions),
            rules: components(trace.rules),
            trigger_instances: components(trace.trigger_instances),
        }
    }
}

impl From<TraceLink> for Component {
    fn from(link: TraceLink) -> Component {
        let (kind, id) = link.caused_by.unzip();
        Component { object_id: link.id, reference: link.reference, updated_at: link.at, caused_by: Cause { kind, id } }
    }
}

impl Resource for TraceResource {
    const ATTRIBUTES: &'static [&'static str] =
        &["id", "uid", "trace_tag", "start_timestamp", "action_executions", "rules", "trigger_instances"];
}

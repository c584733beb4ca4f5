//! The trace that a request asks for in its headers.

use engine::TraceRequest;
use http::HeaderMap;
use model::TraceParent;

use crate::webhook_body::text;

const TAG: &str = "st2-trace-tag";
const PARENT: &str = "traceparent";
/// What API Gateway adds to every request.
const XRAY: &str = "x-amzn-trace-id";

/// A `traceparent` that can't be read counts as none, as W3C has it.
pub(crate) fn trace_request(headers: &HeaderMap) -> TraceRequest {
    let text = |name: &str| headers.get(name).map(|value| text(value.as_bytes())).filter(|text| !text.is_empty());
    let parent = text(PARENT).and_then(|text| text.parse().ok());
    TraceRequest {
        tag: text(TAG),
        parent: parent.or_else(|| TraceParent::from_xray(&text(XRAY)?)),
        ..TraceRequest::default()
    }
}

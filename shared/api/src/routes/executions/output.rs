//! What an execution wrote, so far.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use model::OutputChunk;
use serde_json::json;
use std::sync::Arc;

use super::{super::Segment, find};
use crate::{auth::Caller, error::ApiError, params::Params, router::Api};

/// GET /executions/{id}/output: as text, or for who asks for JSON in pieces, to go on from the last one.
pub(crate) async fn output(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let wanted = match params.get("output_type") {
        None | Some("all") => None,
        Some(stream @ ("stdout" | "stderr")) => Some(stream),
        Some(other) => {
            return Err(ApiError::bad_request(format!("output_type is all, stdout or stderr, not \"{other}\"")));
        }
    };
    let after = params.parsed::<u64>("after", "the sequence number of a piece of output")?;
    // The status first: one that is final now has written all that it will.
    let execution = find(&api, &caller, &id).await?;
    let mut chunks = read(&api, &caller, execution.id, after).await?;
    chunks.retain(|chunk| wanted.is_none_or(|stream| chunk.stream.name() == stream));
    if !asks_for_json(&headers) {
        let text: String = chunks.into_iter().map(|chunk| chunk.data).collect();
        return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
    }
    let chunks: Vec<_> = chunks
        .iter()
        .map(|chunk| {
            json!({
                "sequence": chunk.sequence,
                "stream": chunk.stream.name(),
                "timestamp": chunk.timestamp.to_string(),
                "data": chunk.data,
            })
        })
        .collect();
    Ok(Json(json!({"chunks": chunks, "status": execution.status.name()})).into_response())
}

/// The engine gives so many pieces at once.
async fn read(
    api: &Api,
    caller: &Caller,
    execution: model::Id,
    mut after: Option<u64>,
) -> Result<Vec<OutputChunk>, ApiError> {
    let mut all = Vec::new();
    loop {
        let more = api.engine.output(&caller.principal, execution, after).await?;
        let Some(last) = more.last() else { return Ok(all) };
        after = Some(last.sequence);
        all.extend(more);
    }
}

fn asks_for_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().is_some_and(|media| media.trim() == "application/json"))
}

//! `/deadletters`: messages that could not be handled.

use axum::extract::State;
use http::StatusCode;
use ports::{DeadLetter, DeadLetterError, DeadLetters, MAX_LETTERS};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

use super::{Answer, Segment};
use crate::{auth::Caller, body::Fields, error::ApiError, listing::json_text, params::Params, router::Api};

/// Letters shown where nothing is said.
const SHOWN: i64 = 10;

/// Which letters to send back; all of them where none is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    #[serde(default)]
    ids: Vec<String>,
}

/// GET /deadletters: the queues. A host whose messages never leave its process has none.
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Answer {
    let queues = match &api.options.dead_letters {
        Some(letters) => letters.queues().await.map_err(refused)?,
        None => Vec::new(),
    };
    Ok(json_text(StatusCode::OK, serde_json::to_vec(&queues)?))
}

/// GET /deadletters/{queue}: some of its letters.
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(queue): Segment<String>, params: Params) -> Answer {
    let limit = params.integer("limit")?.unwrap_or(SHOWN).clamp(1, MAX_LETTERS as i64);
    let letters = letters(&api, &queue)?.letters(&queue, usize::try_from(limit).unwrap_or(MAX_LETTERS)).await;
    let shown: Vec<_> = letters.map_err(refused)?.iter().map(resource).collect();
    Ok(json_text(StatusCode::OK, serde_json::to_vec(&shown)?))
}

fn resource(letter: &DeadLetter) -> Value {
    json!({
        "id": letter.id,
        "sent_at": letter.sent_at.map(|time| time.to_string()),
        "reason": letter.reason,
        "message": letter.message,
        "function": letter.function,
        "body": letter.body,
    })
}

/// POST /deadletters/{queue}/redrive: back to where they came from.
pub(crate) async fn redrive(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(queue): Segment<String>,
    Fields(chosen): Fields<Chosen>,
) -> Answer {
    let moved = letters(&api, &queue)?.redrive(&queue, &chosen.ids).await.map_err(refused)?;
    tracing::info!(audit = "dead_letter.redrive", user = caller.principal.user, queue, moved);
    Ok(json_text(StatusCode::OK, json!({"queue": queue, "redriven": moved}).to_string().into()))
}

fn letters<'a>(api: &'a Api, queue: &str) -> Result<&'a dyn DeadLetters, ApiError> {
    api.options.dead_letters.as_deref().ok_or_else(|| ApiError::unknown("queue", queue))
}

fn refused(error: DeadLetterError) -> ApiError {
    match error {
        DeadLetterError::NoQueue(name) => ApiError::unknown("queue", &name),
        DeadLetterError::Unavailable(_) => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

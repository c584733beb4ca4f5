//! `/packuploads`: packs that come as one archive, past this interface's limits on bodies.

use axum::extract::State;
use engine::Upload;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

use super::{Answer, Segment, id_of};
use crate::{auth::Caller, body::Fields, error::ApiError, listing::json_text, router::Api};

/// What is to be uploaded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Announced {
    /// The archive's length.
    bytes: u64,
}

/// POST /packuploads: where to put an archive of so many bytes. Its pack is registered when it is there.
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Fields(announced): Fields<Announced>,
) -> Answer {
    let Some(uploads) = &api.options.uploads else {
        return Err(ApiError::not_found("this host takes no uploads: send the pack's files to POST /packs/versions"));
    };
    if announced.bytes > api.options.pack_limit as u64 {
        let (bytes, limit) = (announced.bytes, api.options.pack_limit);
        return Err(ApiError::too_large(format!("the archive has {bytes} bytes; at most {limit} are accepted here")));
    }
    let upload = api.engine.begin_upload(&caller.principal).await?;
    let place = uploads
        .place(upload.id, announced.bytes)
        .await
        .map_err(|error| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let mut body = resource(&upload);
    if let Value::Object(fields) = &mut body {
        fields.insert("put".to_owned(), json!({"url": place.url, "expires_at": place.expires_at.to_string()}));
    }
    Ok(json_text(StatusCode::CREATED, body.to_string().into()))
}

/// GET /packuploads/{id}: how far it is, and what came of it.
pub(crate) async fn get(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let upload = api.engine.upload(&caller.principal, id_of("upload", &id)?).await?;
    Ok(json_text(StatusCode::OK, resource(&upload).to_string().into()))
}

fn resource(upload: &Upload) -> Value {
    json!({
        "id": upload.id,
        "created_at": upload.created_at.to_string(),
        "state": upload.state,
        "outcome": upload.outcome,
    })
}

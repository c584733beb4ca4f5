//! The handlers, one file per resource.

pub(crate) mod actions;
mod chosen;
pub(crate) mod content;
pub(crate) mod deadletters;
pub(crate) mod executions;
pub(crate) mod inquiries;
pub(crate) mod keys;
pub(crate) mod meta;
pub(crate) mod packs;
pub(crate) mod packuploads;
pub(crate) mod policytypes;
pub(crate) mod ruleenforcements;
pub(crate) mod rules;
pub(crate) mod ruletypes;
pub(crate) mod runnertypes;
pub(crate) mod timers;
pub(crate) mod traces;
pub(crate) mod triggerinstances;
pub(crate) mod triggers;
pub(crate) mod webhooks;

use axum::{
    extract::{FromRequestParts, Path},
    response::Response,
};
use http::{StatusCode, request::Parts};
use model::{Id, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

use crate::{
    attributes::{Resource, Selection},
    error::ApiError,
    listing::json_text,
    params::Params,
    router::Api,
};

/// What every handler gives.
type Answer = Result<Response, ApiError>;

/// A resource, answered whole.
fn whole<R: Resource>(status: StatusCode, resource: &R) -> Answer {
    Ok(json_text(status, Selection::All.write(resource)?))
}

/// A resource with the attributes that were asked for.
fn one<R: Resource>(resource: &R, params: &Params) -> Answer {
    Ok(json_text(StatusCode::OK, Selection::of::<R>(params)?.write(resource)?))
}

/// The variable parts of a path.
pub(crate) struct Segment<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Api>> for Segment<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Segment<T>, ApiError> {
        let Path(segment) = Path::from_request_parts(parts, api)
            .await
            .map_err(|error| ApiError::bad_request(format!("Failed to parse request path: {}", error.body_text())))?;
        Ok(Segment(segment))
    }
}

/// An id in a path; a text that is none names nothing.
fn id_of(kind: &str, text: &str) -> Result<Id, ApiError> {
    text.parse().map_err(|_| ApiError::unknown(kind, text))
}

/// An id in a filter.
fn id_filter(params: &Params, name: &str) -> Result<Option<Id>, ApiError> {
    params.parsed(name, "an id of 24 hex digits")
}

/// The time range of a list: from its `…_gt` and `…_lt` parameters, both exclusive. The second of the pair is exclusive for the engine,
/// too; the first is not.
fn time_range(params: &Params, name: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let after = params.time(&format!("{name}_gt"))?.map(just_after);
    let before = params.time(&format!("{name}_lt"))?;
    Ok((after, before))
}

/// The next point in time there is.
fn just_after(time: Timestamp) -> Timestamp {
    time.after(Duration::from_micros(1))
}

/// Gives a body that updates a resource the name that it leaves out, so that it is not taken for one of another pack.
fn named_as(body: &mut Value, reference: &model::Ref) {
    if let Value::Object(fields) = body {
        fields.entry("pack").or_insert_with(|| reference.pack().into());
        fields.entry("name").or_insert_with(|| reference.name().into());
    }
}

/// An update does not rename.
fn same_name(wanted: &model::Ref, given: &model::Ref) -> Result<(), ApiError> {
    if wanted == given {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "the path names {wanted} and the body {given}; create {given} and delete {wanted} to rename it"
    )))
}

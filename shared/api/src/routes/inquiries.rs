//! `/inquiries`: executions that wait for a person's answer.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

use super::{Answer, Segment, id_of, one, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    body::Fields,
    error::ApiError,
    listing::{Paging, listing_key, newest_first, walk},
    params::Params,
    resources::{AnswerResource, InquiryResource},
    router::Api,
};

/// GET /inquiries
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<InquiryResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(20))?;
    let (engine, principal) = (&api.engine, &caller.principal);
    let key = listing_key("/inquiries", &params);
    let descending = newest_first(&params, "start_timestamp")?;
    let page =
        walk(&api, &key, (&paging, descending), |request| async move { engine.inquiries(principal, &request).await })
            .await?;
    page.of(page.items.iter().map(InquiryResource::from).collect()).answer(&selection)
}

/// GET /inquiries/{id}
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
) -> Answer {
    let asked = api.engine.inquiry(&caller.principal, id_of("inquiry", &id)?).await?;
    one(&InquiryResource::from(&asked), &params)
}

/// An answer. Who answers is told by the credential alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a response")]
pub(crate) struct AnswerBody {
    response: Value,
    id: Option<String>,
}

/// PUT /inquiries/{id}
pub(crate) async fn respond(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    Fields(body): Fields<AnswerBody>,
) -> Answer {
    if let Some(given) = body.id.filter(|given| *given != id) {
        return Err(ApiError::bad_request(format!("the path names inquiry \"{id}\" and the body \"{given}\"")));
    }
    let id = id_of("inquiry", &id)?;
    let response = api.engine.respond(&caller.principal, id, body.response).await?;
    whole(StatusCode::OK, &AnswerResource { id, response })
}

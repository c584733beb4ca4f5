//! `/ruletypes`

use axum::extract::State;
use http::StatusCode;
use std::sync::Arc;

use super::{Answer, Segment, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::RuleTypeResource,
    router::Api,
};

/// GET /ruletypes
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    Page::slice(RuleTypeResource::all().into(), &paging).answer(&Selection::All)
}

/// GET /ruletypes/{name_or_id}
pub(crate) async fn get(Segment(name): Segment<String>) -> Answer {
    let found = RuleTypeResource::all().into_iter().find(|kind| kind.is(&name));
    whole(StatusCode::OK, &found.ok_or_else(|| ApiError::unknown("rule type", &name))?)
}

//! `/policytypes`

use axum::extract::State;
use http::StatusCode;
use model::policy_types;
use std::sync::Arc;

use super::{Answer, Segment, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::PolicyTypeResource,
    router::Api,
};

/// GET /policytypes
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<PolicyTypeResource>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let all = policy_types().into_iter().map(PolicyTypeResource::from);
    let wanted = all.filter(|kind| kind.is_for(params.get("resource_type")));
    Page::slice(wanted.collect(), &paging).answer(&selection)
}

/// GET /policytypes/{ref_or_id}
pub(crate) async fn get(Segment(name): Segment<String>) -> Answer {
    let found = policy_types().into_iter().map(PolicyTypeResource::from).find(|kind| kind.is(&name));
    whole(StatusCode::OK, &found.ok_or_else(|| ApiError::unknown("policy type", &name))?)
}

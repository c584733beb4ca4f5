//! `/triggers`

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
    resources::TriggerResource,
    router::Api,
};

/// GET /triggers
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<TriggerResource>(&params)?;
    let paging = Paging::of(&params, &caller, &api, None)?;
    let kind = params.get("type");
    let triggers = api.engine.catalog().await?.triggers();
    let wanted = triggers.iter().filter(|trigger| kind.is_none_or(|kind| trigger.kind.as_str() == kind));
    Page::slice(wanted.map(TriggerResource::from).collect(), &paging).answer(&selection)
}

/// GET /triggers/{ref_or_id}
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(name): Segment<String>) -> Answer {
    let catalog = api.engine.catalog().await?;
    let trigger = catalog.trigger(&name).ok_or_else(|| ApiError::unknown("trigger", &name))?;
    whole(StatusCode::OK, &TriggerResource::from(&trigger))
}

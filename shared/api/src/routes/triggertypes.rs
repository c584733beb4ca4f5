//! `/triggertypes`

use axum::{extract::State, response::IntoResponse};
use engine::Catalog;
use http::StatusCode;
use model::{TriggerType, parse_trigger_type};
use std::sync::Arc;

use super::{
    Answer, Segment,
    chosen::{Entry, chosen},
    named_as, one, same_name, whole,
};
use crate::{
    attributes::Selection,
    auth::Caller,
    body::AnyJson,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::TriggerTypeResource,
    router::Api,
};

fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Arc<TriggerType>, ApiError> {
    catalog.trigger_type(name).ok_or_else(|| ApiError::unknown("trigger type", name))
}

/// GET /triggertypes
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<TriggerTypeResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let catalog = api.engine.catalog().await?;
    let kinds = catalog.trigger_types.values();
    let entries = kinds.map(|kind| Entry { reference: &kind.reference, id: kind.id(), item: &**kind });
    let page = Page::slice(chosen(entries, &params)?, &paging);
    page.of(page.items.iter().map(|kind| TriggerTypeResource::from(*kind)).collect()).answer(&selection)
}

/// GET /triggertypes/{ref_or_id}
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&TriggerTypeResource::from(&**find(&catalog, &name)?), &params)
}

/// POST /triggertypes
pub(crate) async fn create(State(api): State<Arc<Api>>, caller: Caller, AnyJson(body): AnyJson) -> Answer {
    let kind = parse_trigger_type(&body).map_err(|problems| ApiError::problems(&problems))?;
    let kind = api.engine.create_trigger_type(&caller.principal, kind).await?;
    whole(StatusCode::CREATED, &TriggerTypeResource::from(&*kind))
}

/// PUT /triggertypes/{ref_or_id}
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    AnyJson(mut body): AnyJson,
) -> Answer {
    let reference = find(&*api.engine.catalog().await?, &name)?.reference.clone();
    named_as(&mut body, &reference);
    let kind = parse_trigger_type(&body).map_err(|problems| ApiError::problems(&problems))?;
    same_name(&reference, &kind.reference)?;
    let kind = api.engine.update_trigger_type(&caller.principal, kind).await?;
    whole(StatusCode::OK, &TriggerTypeResource::from(&*kind))
}

/// DELETE /triggertypes/{ref_or_id}
pub(crate) async fn delete(State(api): State<Arc<Api>>, caller: Caller, Segment(name): Segment<String>) -> Answer {
    let reference = find(&*api.engine.catalog().await?, &name)?.reference.clone();
    api.engine.delete_trigger_type(&caller.principal, &reference).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

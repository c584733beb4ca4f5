//! `/actions`

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::Catalog;
use http::{StatusCode, header};
use model::{Action, parse_action};
use serde_json::{Value, json};
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
    resources::{ActionResource, merged_parameters},
    router::Api,
};

fn filtered<'a>(catalog: &'a Catalog, params: &Params) -> Result<Vec<&'a Arc<Action>>, ApiError> {
    let tag = params.get("tags");
    let tagged = |action: &Action| {
        let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
        tag.is_none_or(|tag| action.tags.iter().any(|own| name(own).as_deref() == Some(tag)))
    };
    let actions = catalog.actions.values().filter(|action| tagged(action));
    chosen(actions.map(|action| Entry { reference: &action.reference, id: action.id(), item: action }), params)
}

fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Arc<Action>, ApiError> {
    catalog.action(name).ok_or_else(|| ApiError::unknown("action", name))
}

/// GET /actions
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    answer_list(&api, &caller, &params, |action, _| (&**action).into()).await
}

/// GET /actions/views/overview
pub(crate) async fn overviews(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    answer_list(&api, &caller, &params, |action, catalog| ActionResource::overview(action, catalog)).await
}

async fn answer_list(
    api: &Api,
    caller: &Caller,
    params: &Params,
    resource: for<'a> fn(&'a Arc<Action>, &Catalog) -> ActionResource<'a>,
) -> Answer {
    let (selection, paging) = (Selection::of::<ActionResource<'_>>(params)?, Paging::of(params, caller, api, None)?);
    let catalog = api.engine.catalog().await?;
    let page = Page::slice(filtered(&catalog, params)?, &paging);
    page.of(page.items.iter().map(|action| resource(action, &catalog)).collect()).answer(&selection)
}

/// GET /actions/{ref_or_id}
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&ActionResource::from(&**find(&catalog, &name)?), &params)
}

/// POST /actions
pub(crate) async fn create(State(api): State<Arc<Api>>, caller: Caller, AnyJson(body): AnyJson) -> Answer {
    let action = parse_action(&body).map_err(|problems| ApiError::problems(&problems))?;
    let action = api.engine.create_action(&caller.principal, action).await?;
    whole(StatusCode::CREATED, &ActionResource::from(&*action))
}

/// PUT /actions/{ref_or_id}
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    AnyJson(mut body): AnyJson,
) -> Answer {
    let reference = find(&*api.engine.catalog().await?, &name)?.reference.clone();
    named_as(&mut body, &reference);
    let action = parse_action(&body).map_err(|problems| ApiError::problems(&problems))?;
    same_name(&reference, &action.reference)?;
    let action = api.engine.update_action(&caller.principal, action).await?;
    whole(StatusCode::OK, &ActionResource::from(&*action))
}

/// DELETE /actions/{ref_or_id}
pub(crate) async fn delete(State(api): State<Arc<Api>>, caller: Caller, Segment(name): Segment<String>) -> Answer {
    let reference = find(&*api.engine.catalog().await?, &name)?.reference.clone();
    api.engine.delete_action(&caller.principal, &reference).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// GET /actions/views/parameters/{ref_or_id}: with those that the runner brings.
pub(crate) async fn parameters(State(api): State<Arc<Api>>, Segment(name): Segment<String>) -> Answer {
    let catalog = api.engine.catalog().await?;
    Ok(Json(json!({"parameters": merged_parameters(find(&catalog, &name)?, &catalog)})).into_response())
}

/// GET /actions/views/overview/{ref_or_id}
pub(crate) async fn overview(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&ActionResource::overview(find(&catalog, &name)?, &catalog), &params)
}

/// GET /actions/views/entry_point/{ref_or_id}: the text of its script.
pub(crate) async fn entry_point(
    State(api): State<Arc<Api>>,
    Segment(name): Segment<String>,
) -> Result<Response, ApiError> {
    let catalog = api.engine.catalog().await?;
    let action = find(&catalog, &name)?;
    let path = format!("actions/{}", action.entry_point);
    let pack = catalog.pack(action.reference.pack());
    let file = pack.and_then(|pack| pack.files.iter().find(|file| file.path == path));
    let Some(file) = file.filter(|_| !action.entry_point.is_empty()) else {
        return Err(ApiError::not_found(format!("action {} has no entry point to show", action.reference)));
    };
    let bytes = api.engine.ports().blobs.get(&file.digest).await.map_err(engine::Error::from)?;
    let media = match path.rsplit('.').next().unwrap_or_default() {
        "yaml" | "yml" => "application/x-yaml",
        "py" => "application/x-python",
        "sh" => "application/x-sh",
        "json" => "application/json",
        _ => "text/plain; charset=utf-8",
    };
    Ok(([(header::CONTENT_TYPE, media)], bytes).into_response())
}

//! `/actions`

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::Catalog;
use http::header;
use model::{Action, parse_action};
use serde_json::{Value, json};
use std::sync::Arc;

use super::{
    Answer, Segment,
    content::{Shown, Written, find, page},
    one,
};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::Paging,
    params::Params,
    resources::{ActionResource, merged_parameters},
    router::Api,
};

impl Shown for Action {
    type As<'a> = ActionResource<'a>;
    const LIMIT: Option<usize> = None;

    fn shown<'a>(&'a self, _catalog: &'a Catalog, _secrets: bool) -> ActionResource<'a> {
        self.into()
    }

    fn holds(&self, params: &Params) -> Result<bool, ApiError> {
        let name = |tag: &Value| tag.get("name").and_then(Value::as_str).map(str::to_owned);
        let tagged = |wanted: &str| self.tags.iter().any(|own| name(own).as_deref() == Some(wanted));
        Ok(params.get("tags").is_none_or(tagged))
    }
}

impl Written for Action {
    fn parse(body: &Value, _caller: &Caller) -> Result<Action, ApiError> {
        parse_action(body).map_err(|problems| ApiError::problems(&problems))
    }
}

/// GET /actions/views/overview
pub(crate) async fn overviews(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let (selection, paging) =
        (Selection::of::<ActionResource<'_>>(&params)?, Paging::of(&params, &caller, &api, None)?);
    let catalog = api.engine.catalog().await?;
    let page = page::<Action>(&catalog, &params, &paging)?;
    page.of(page.items.iter().map(|action| ActionResource::overview(action, &catalog)).collect()).answer(&selection)
}

/// GET /actions/views/parameters/{ref_or_id}: with those that the runner brings.
pub(crate) async fn parameters(State(api): State<Arc<Api>>, Segment(name): Segment<String>) -> Answer {
    let catalog = api.engine.catalog().await?;
    Ok(Json(json!({"parameters": merged_parameters(find::<Action>(&catalog, &name)?, &catalog)})).into_response())
}

/// GET /actions/views/overview/{ref_or_id}
pub(crate) async fn overview(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&ActionResource::overview(find::<Action>(&catalog, &name)?, &catalog), &params)
}

/// GET /actions/views/entry_point/{ref_or_id}: the text of its script.
pub(crate) async fn entry_point(
    State(api): State<Arc<Api>>,
    Segment(name): Segment<String>,
) -> Result<Response, ApiError> {
    let catalog = api.engine.catalog().await?;
    let action = find::<Action>(&catalog, &name)?;
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

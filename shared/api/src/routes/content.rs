//! What every kind of registered content can do: be listed, be found by ref or id, and where the API writes it, be created, changed and
//! deleted.

use axum::{extract::State, response::IntoResponse};
use engine::{Catalog, Content};
use http::StatusCode;
use model::{ActionAlias, Policy, SensorType, TriggerType, parse_policy, parse_trigger_type};
use serde_json::Value;
use std::sync::Arc;

use super::{Answer, Segment, chosen::chosen, named_as, one, same_name, whole};
use crate::{
    attributes::{Resource, Selection},
    auth::Caller,
    body::AnyJson,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::{AliasResource, PolicyResource, SensorTypeResource, TriggerTypeResource},
    router::Api,
};

/// Content as it is shown.
pub(crate) trait Shown: Content {
    /// What clients see.
    type As<'a>: Resource;
    /// The length of a page where the request names none; the server's own where there is none.
    const LIMIT: Option<usize> = Some(100);

    /// As clients see it; with its secrets only where `secrets` says so.
    fn shown<'a>(&'a self, catalog: &'a Catalog, secrets: bool) -> Self::As<'a>;

    /// Do the filters that only this kind has let it through?
    fn holds(&self, _params: &Params) -> Result<bool, ApiError> {
        Ok(true)
    }
}

/// Content that clients write.
pub(crate) trait Written: Shown + engine::Resource {
    /// From a request's body.
    fn parse(body: &Value, caller: &Caller) -> Result<Self, ApiError>;
}

pub(super) fn find<'a, T: Content>(catalog: &'a Catalog, name: &str) -> Result<&'a Arc<T>, ApiError> {
    catalog.find::<T>(name).ok_or_else(|| ApiError::unknown(&T::words(), name))
}

/// The page of those that all filters let through.
pub(super) fn page<'a, T: Shown>(
    catalog: &'a Catalog,
    params: &Params,
    paging: &Paging,
) -> Result<Page<&'a Arc<T>>, ApiError> {
    let mut items = Vec::new();
    for item in T::all(catalog).values() {
        if item.holds(params)? {
            items.push(item);
        }
    }
    Ok(Page::slice(chosen(items, params)?, paging))
}

/// GET /…
pub(crate) async fn list<T: Shown>(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let (selection, secrets) = (Selection::of::<T::As<'_>>(&params)?, caller.shows_secrets(&params)?);
    let paging = Paging::of(&params, &caller, &api, T::LIMIT)?;
    let catalog = api.engine.catalog().await?;
    let page = page::<T>(&catalog, &params, &paging)?;
    page.of(page.items.iter().map(|item| item.shown(&catalog, secrets)).collect()).answer(&selection)
}

/// GET /…/{ref_or_id}
pub(crate) async fn get<T: Shown>(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    params: Params,
) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&find::<T>(&catalog, &name)?.shown(&catalog, caller.shows_secrets(&params)?), &params)
}

/// POST /…
pub(crate) async fn create<T: Written>(State(api): State<Arc<Api>>, caller: Caller, AnyJson(body): AnyJson) -> Answer {
    let created = api.engine.create(&caller.principal, &T::parse(&body, &caller)?).await?;
    whole(StatusCode::CREATED, &created.shown(&*api.engine.catalog().await?, false))
}

/// PUT /…/{ref_or_id}
pub(crate) async fn update<T: Written>(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    AnyJson(mut body): AnyJson,
) -> Answer {
    let reference = find::<T>(&*api.engine.catalog().await?, &name)?.reference().clone();
    named_as(&mut body, &reference);
    let wanted = T::parse(&body, &caller)?;
    same_name(&reference, wanted.reference())?;
    let updated = api.engine.update(&caller.principal, &wanted).await?;
    whole(StatusCode::OK, &updated.shown(&*api.engine.catalog().await?, false))
}

/// DELETE /…/{ref_or_id}
pub(crate) async fn delete<T: Written>(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
) -> Answer {
    let reference = find::<T>(&*api.engine.catalog().await?, &name)?.reference().clone();
    api.engine.delete::<T>(&caller.principal, &reference).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Shown for TriggerType {
    type As<'a> = TriggerTypeResource<'a>;
    fn shown<'a>(&'a self, _catalog: &'a Catalog, _secrets: bool) -> TriggerTypeResource<'a> {
        self.into()
    }
}

impl Written for TriggerType {
    fn parse(body: &Value, _caller: &Caller) -> Result<TriggerType, ApiError> {
        parse_trigger_type(body).map_err(|problems| ApiError::problems(&problems))
    }
}

impl Shown for SensorType {
    type As<'a> = SensorTypeResource<'a>;
    const LIMIT: Option<usize> = None;
    fn shown<'a>(&'a self, _catalog: &'a Catalog, _secrets: bool) -> SensorTypeResource<'a> {
        self.into()
    }
}

impl Shown for ActionAlias {
    type As<'a> = AliasResource<'a>;
    fn shown<'a>(&'a self, _catalog: &'a Catalog, _secrets: bool) -> AliasResource<'a> {
        self.into()
    }
}

impl Shown for Policy {
    type As<'a> = PolicyResource<'a>;
    fn shown<'a>(&'a self, _catalog: &'a Catalog, _secrets: bool) -> PolicyResource<'a> {
        self.into()
    }
    fn holds(&self, params: &Params) -> Result<bool, ApiError> {
        let named = |name: &str, value: &str| params.get(name).is_none_or(|wanted| wanted == value);
        Ok(named("resource_ref", self.resource_ref.as_str()) && named("policy_type", &self.policy_type))
    }
}

impl Written for Policy {
    fn parse(body: &Value, _caller: &Caller) -> Result<Policy, ApiError> {
        parse_policy(body).map_err(|problems| ApiError::problems(&problems))
    }
}

//! `/sensortypes`

use axum::extract::State;
use model::Id;
use std::sync::Arc;

use super::{
    Answer, Segment,
    chosen::{Entry, chosen},
    one,
};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::SensorTypeResource,
    router::Api,
};

/// GET /sensortypes
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<SensorTypeResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, None)?;
    let catalog = api.engine.catalog().await?;
    let id = |text: &str| Id::named(&["sensor_type", text]);
    let entries = catalog.sensors.values().map(|item| Entry {
        reference: &item.reference,
        id: id(item.reference.as_str()),
        item: &**item,
    });
    let page = Page::slice(chosen(entries, &params)?, &paging);
    page.of(page.items.iter().map(|item| SensorTypeResource::from(*item)).collect()).answer(&selection)
}

/// GET /sensortypes/{ref_or_id}
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    let is = |text: &str| text == name || Id::named(&["sensor_type", text]).to_string() == name;
    let found = catalog.sensors.values().find(|item| is(item.reference.as_str()));
    one(&SensorTypeResource::from(&**found.ok_or_else(|| ApiError::unknown("sensor type", &name))?), &params)
}

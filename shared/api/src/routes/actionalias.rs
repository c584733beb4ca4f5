//! `/actionalias`

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
    resources::AliasResource,
    router::Api,
};

/// GET /actionalias
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<AliasResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let catalog = api.engine.catalog().await?;
    let id = |text: &str| Id::named(&["action_alias", text]);
    let entries = catalog.aliases.values().map(|item| Entry {
        reference: &item.reference,
        id: id(item.reference.as_str()),
        item: &**item,
    });
    let page = Page::slice(chosen(entries, &params)?, &paging);
    page.of(page.items.iter().map(|item| AliasResource::from(*item)).collect()).answer(&selection)
}

/// GET /actionalias/{ref_or_id}
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    let is = |text: &str| text == name || Id::named(&["action_alias", text]).to_string() == name;
    let found = catalog.aliases.values().find(|item| is(item.reference.as_str()));
    one(&AliasResource::from(&**found.ok_or_else(|| ApiError::unknown("action alias", &name))?), &params)
}

//! `/runnertypes`

use axum::extract::State;
use std::sync::Arc;

use super::{Answer, Segment, one};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::RunnerTypeResource,
    router::Api,
};

/// GET /runnertypes
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<RunnerTypeResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let (ids, name) = (params.list("id")?, params.get("name"));
    let wanted = model::runner_types().iter().filter(|runner| {
        (ids.is_empty() || ids.contains(&runner.id().to_string().as_str()))
            && name.is_none_or(|name| name == runner.name)
    });
    Page::slice(wanted.map(RunnerTypeResource::from).collect(), &paging).answer(&selection)
}

/// GET /runnertypes/{name_or_id}
pub(crate) async fn get(Segment(name): Segment<String>, params: Params) -> Answer {
    let by_id = || model::runner_types().iter().find(|runner| runner.id().to_string() == name);
    let found = model::runner_type(&name).or_else(by_id);
    one(&RunnerTypeResource::from(found.ok_or_else(|| ApiError::unknown("runner type", &name))?), &params)
}

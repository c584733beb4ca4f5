//! `/traces`

use axum::extract::State;
use engine::TraceFilter;
use http::StatusCode;
use std::sync::Arc;

use super::{Answer, Segment, id_filter, id_of, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    listing::{Paging, listing_key, newest_first, walk},
    params::Params,
    resources::TraceResource,
    router::Api,
};

/// GET /traces: without the parts of each.
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<TraceResource>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let filter = TraceFilter {
        execution: id_filter(&params, "execution")?,
        trigger_instance: id_filter(&params, "trigger_instance")?,
        rule: params.text("rule"),
        tag: params.text("trace_tag"),
    };
    let descending = newest_first(&params, "start_timestamp")?;
    let (engine, principal, filter) = (&api.engine, &caller.principal, &filter);
    let key = listing_key("/traces", &params);
    let page =
        walk(
            &api,
            &key,
            (&paging, descending),
            |request| async move { engine.traces(principal, filter, &request).await },
        );
    let mut page = page.await?;
    let items = std::mem::take(&mut page.items).into_iter().map(TraceResource::from).collect();
    page.of(items).answer(&selection)
}

/// GET /traces/{id}
pub(crate) async fn get(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let trace = api.engine.trace(&caller.principal, id_of("trace", &id)?).await?;
    whole(StatusCode::OK, &TraceResource::from(trace))
}

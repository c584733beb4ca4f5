//! `/ruleenforcements`

use axum::extract::State;
use engine::{EnforcementFilter, ErrorKind};
use http::StatusCode;
use model::{Id, RuleEnforcement};
use std::sync::Arc;

use super::{Answer, Segment, id_filter, id_of, time_range, triggerinstances, whole};
use crate::{
    attributes::{Resource, Selection},
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging, listing_key, newest_first, walk},
    params::Params,
    resources::{EnforcementResource, EnforcementViewResource, ExecutionSummary},
    router::Api,
};

const KIND: &str = "rule enforcement";

/// GET /ruleenforcements
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let (selection, page) = read::<EnforcementResource>(&api, &caller, &params).await?;
    page.of(page.items.iter().map(EnforcementResource::from).collect()).answer(&selection)
}

/// GET /ruleenforcements/views
pub(crate) async fn views(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let (selection, page) = read::<EnforcementViewResource>(&api, &caller, &params).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for enforcement in &page.items {
        items.push(with_links(&api, &caller, enforcement).await?);
    }
    page.of(items).answer(&selection)
}

async fn read<R: Resource>(
    api: &Api,
    caller: &Caller,
    params: &Params,
) -> Result<(Selection, Page<RuleEnforcement>), ApiError> {
    let selection = Selection::of::<R>(params)?;
    let paging = Paging::of(params, caller, api, Some(50))?;
    let (from, until) = time_range(params, "enforced_at")?;
    let filter = EnforcementFilter {
        rule: params.parsed("rule_ref", "the ref of a rule")?,
        rule_id: id_filter(params, "rule_id")?,
        trigger_instance: id_filter(params, "trigger_instance")?,
        execution: id_filter(params, "execution")?,
        from,
        until,
    };
    let ids = params.list("id")?;
    if !ids.is_empty() {
        return Ok((selection, Page::slice(by_ids(api, caller, &ids).await?, &paging)));
    }
    let descending = newest_first(params, "enforced_at")?;
    let (engine, principal, filter) = (&api.engine, &caller.principal, &filter);
    let key = listing_key("/ruleenforcements", params);
    let page = walk(api, &key, (&paging, descending), |request| async move {
        engine.enforcements(principal, filter, &request).await
    });
    Ok((selection, page.await?))
}

/// Those of the ids that there are.
async fn by_ids(api: &Api, caller: &Caller, ids: &[&str]) -> Result<Vec<RuleEnforcement>, ApiError> {
    let mut found = Vec::new();
    for id in ids.iter().filter_map(|id| id.parse().ok()) {
        found.extend(present(api.engine.enforcement(&caller.principal, id).await)?);
    }
    Ok(found)
}

/// What retention took away is no error.
fn present<T>(found: Result<T, engine::Error>) -> Result<Option<T>, ApiError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn with_links(
    api: &Api,
    caller: &Caller,
    enforcement: &RuleEnforcement,
) -> Result<EnforcementViewResource, ApiError> {
    let principal = &caller.principal;
    let instance = present(api.engine.trigger_instance(principal, enforcement.trigger_instance).await)?;
    let instance = match &instance {
        Some(instance) => Some(triggerinstances::resource(api, caller, instance, true).await?),
        None => None,
    };
    let execution = match enforcement.execution {
        Some(id) => present(api.engine.execution(principal, id).await)?,
        None => None,
    };
    Ok(EnforcementViewResource {
        enforcement: enforcement.into(),
        trigger_instance: instance.into(),
        execution: execution.as_ref().map(ExecutionSummary::from).into(),
    })
}

/// GET /ruleenforcements/{id}
pub(crate) async fn get(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let id: Id = id_of(KIND, &id)?;
    whole(StatusCode::OK, &EnforcementResource::from(&api.engine.enforcement(&caller.principal, id).await?))
}

/// GET /ruleenforcements/views/{id}
pub(crate) async fn view(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let enforcement = api.engine.enforcement(&caller.principal, id_of(KIND, &id)?).await?;
    whole(StatusCode::OK, &with_links(&api, &caller, &enforcement).await?)
}

//! Looking at executions.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use model::Execution;
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Arc};

use super::{
    super::{Answer, Segment, id_of},
    filter::{expand, filter},
    find,
    render::{Rendering, children_of},
};
use crate::{
    attributes::Resource,
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging, listing_key, newest_first, walk},
    params::Params,
    resources::ExecutionResource,
    router::Api,
};

/// Descendants in one answer.
const MAX_DESCENDANTS: usize = 1_000;

/// GET /executions
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let params = expand(params)?;
    let rendering = Rendering::of(&api, &caller, &params).await?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let mut ids = params.list("id")?;
    ids.extend(params.get("liveaction"));
    let page = match ids.is_empty() {
        true => filtered(&api, &caller, &params, &paging).await?,
        false => Page::slice(by_ids(&api, &caller, &ids).await?, &paging),
    };
    rendering.page(&page).await
}

async fn filtered(api: &Api, caller: &Caller, params: &Params, paging: &Paging) -> Result<Page<Execution>, ApiError> {
    let Some(filter) = filter(params, &*api.engine.catalog().await?)? else {
        return Ok(Page::slice(Vec::new(), paging));
    };
    let (engine, principal, filter) = (&api.engine, &caller.principal, &filter);
    let key = listing_key("/executions", params);
    walk(api, &key, (paging, descending(params)?), |request| async move {
        engine.executions(principal, filter, &request).await
    })
    .await
}

/// The newest first, but from a point in time onwards the oldest first, as in StackStorm.
fn descending(params: &Params) -> Result<bool, ApiError> {
    let asked = ["sort", "sort_asc", "sort_desc", "timestamp_lt"].iter().any(|name| params.get(name).is_some());
    if !asked && params.get("timestamp_gt").is_some() {
        return Ok(false);
    }
    newest_first(params, "start_timestamp")
}

/// Those of the ids that there are.
async fn by_ids(api: &Api, caller: &Caller, ids: &[&str]) -> Result<Vec<Execution>, ApiError> {
    let mut found = Vec::new();
    for id in ids.iter().filter_map(|id| id.parse().ok()) {
        match api.engine.execution(&caller.principal, id).await {
            Ok(execution) => found.push(execution),
            Err(error) if error.kind == engine::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// GET /executions/{id}
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
) -> Answer {
    let rendering = Rendering::of(&api, &caller, &params).await?;
    rendering.one(StatusCode::OK, &find(&api, &caller, &id).await?).await
}

/// GET /executions/{id}/children: all descendants, or those down to `depth`.
pub(crate) async fn children(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
) -> Answer {
    let rendering = Rendering::of(&api, &caller, &params).await?;
    let root = find(&api, &caller, &id).await?.id;
    let depth = params.integer("depth")?.and_then(|depth| usize::try_from(depth).ok()).unwrap_or(usize::MAX);
    let (mut found, mut open) = (Vec::new(), VecDeque::from([(root, 0)]));
    while let Some((parent, level)) = open.pop_front() {
        if level >= depth || found.len() >= MAX_DESCENDANTS {
            break;
        }
        let next = children_of(&api, &caller, parent, MAX_DESCENDANTS - found.len()).await?;
        open.extend(next.iter().map(|child| (child.id, level + 1)));
        found.extend(next);
    }
    let everything = Paging::everything();
    rendering.page(&Page::slice(found, &everything)).await
}

/// GET /executions/{id}/workflow: of a workflow, its text, and how far each task came.
pub(crate) async fn workflow(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let execution = find(&api, &caller, &id).await?;
    Ok(Json(api.engine.workflow_run(&caller.principal, execution.id).await?).into_response())
}

/// GET /executions/{id}/attribute/{name}: one attribute, of those that may be left out otherwise.
pub(crate) async fn attribute(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment((id, name)): Segment<(String, String)>,
    params: Params,
) -> Answer {
    if !ExecutionResource::EXCLUDABLE.contains(&name.as_str()) {
        let valid = ExecutionResource::EXCLUDABLE.join(", ");
        return Err(ApiError::bad_request(format!(
            "Invalid attribute \"{name}\" specified. Valid attributes are: {valid}"
        )));
    }
    let execution = find(&api, &caller, &id).await?;
    let value = match name.as_str() {
        "result" => {
            let secrets = caller.shows_secrets(&params)?;
            api.engine.result(&caller.principal, &execution, secrets).await?.unwrap_or(Value::Null)
        }
        "status" => json!(execution.status.name()),
        _ => match &execution.trigger {
            Some(link) => {
                let instance = api.engine.trigger_instance(&caller.principal, link.instance).await?;
                serde_json::to_value(super::super::triggerinstances::resource(&api, &caller, &instance, true).await?)?
            }
            None => json!({}),
        },
    };
    Ok(Json(value).into_response())
}

/// GET /executions/{id}/result: what came of it and nothing else, to look at or to keep.
pub(crate) async fn result(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
) -> Result<Response, ApiError> {
    if params.flag("compress")? {
        return Err(ApiError::bad_request("results aren't compressed here: leave compress out"));
    }
    let execution = api.engine.execution(&caller.principal, id_of("execution", &id)?).await?;
    let secrets = caller.shows_secrets(&params)?;
    let result = api.engine.result(&caller.principal, &execution, secrets).await?.unwrap_or_else(|| json!({}));
    let text = match params.flag("pretty_format")? {
        true => serde_json::to_vec_pretty(&result)?,
        false => serde_json::to_vec(&result)?,
    };
    let mut response = ([(header::CONTENT_TYPE, "application/json")], Body::from(text)).into_response();
    if params.flag("download")? {
        let disposition = format!("attachment; filename=execution_{}_result.json", execution.id);
        if let Ok(value) = HeaderValue::try_from(disposition) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
    }
    Ok(response)
}

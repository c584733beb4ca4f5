//! Requesting executions, once more, and stopping them.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::{ErrorKind, ExecutionRequest, ReRun, TraceRequest};
use http::{HeaderMap, StatusCode};
use model::{Action, ExecutionStatus};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};

use super::{
    super::{Answer, Segment, id_of},
    render::Rendering,
};
use crate::{auth::Caller, body::Fields, error::ApiError, params::Params, router::Api, trace::trace_request};

const CONTEXT_HEADER: &str = "st2-context";
/// Parts of a context that tell who and what led to an execution: the platform writes them, never the caller.
const RESERVED: [&str; 9] =
    ["user", "pack", "rule", "trigger_instance", "trace_context", "rbac", "re-run", "orquesta", "chain"];

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with an action")]
pub(crate) struct NewExecution {
    action: String,
    parameters: Option<Map<String, Value>>,
    user: Option<String>,
    delay: Option<u64>,
    notify: Option<Value>,
    context: Option<Map<String, Value>>,
}

/// POST /executions
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    Fields(body): Fields<NewExecution>,
) -> Answer {
    let rendering = Rendering::of(&api, &caller, &params).await?;
    if api.engine.catalog().await?.find::<Action>(&body.action).is_none() {
        return Err(ApiError::bad_request(format!("Action \"{}\" cannot be found.", body.action)));
    }
    let mut context = body.context.unwrap_or_default();
    context.extend(header_context(&headers)?);
    let trace = trace(&headers, &context)?;
    context.retain(|name, _| !RESERVED.contains(&name.as_str()));
    let request = ExecutionRequest {
        action: body.action,
        parameters: body.parameters.unwrap_or_default(),
        user: body.user.filter(|user| !user.is_empty()),
        delay: body.delay.map(Duration::from_millis),
        notify: body.notify.filter(|notify| !notify.is_null()),
        context,
        trace,
    };
    let execution = api.engine.request(&caller.principal, request).await?;
    rendering.one(StatusCode::CREATED, &execution).await
}

fn header_context(headers: &HeaderMap) -> Result<Map<String, Value>, ApiError> {
    let Some(text) = headers.get(CONTEXT_HEADER) else { return Ok(Map::new()) };
    match serde_json::from_slice(text.as_bytes()) {
        Ok(Value::Object(context)) => Ok(context),
        _ => Err(ApiError::bad_request(format!("header {CONTEXT_HEADER} must be a JSON object"))),
    }
}

/// The trace that the request is to belong to: by the tag or the id that its context gives.
fn trace(headers: &HeaderMap, context: &Map<String, Value>) -> Result<TraceRequest, ApiError> {
    let field = |name: &str| context.get("trace_context")?.get(name)?.as_str().filter(|text| !text.is_empty());
    let id = field("id_").map(|id| {
        id.parse().map_err(|_| ApiError::bad_request(format!("trace id \"{id}\" is not an id of 24 hex digits")))
    });
    let asked = trace_request(headers);
    Ok(TraceRequest { tag: field("trace_tag").map(str::to_owned).or(asked.tag), id: id.transpose()?, ..asked })
}

/// DELETE /executions/{id}: cancels. What can't be canceled is told with code 200, as StackStorm's clients expect.
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
) -> Answer {
    let rendering = Rendering::of(&api, &caller, &params).await?;
    let execution = api.engine.execution(&caller.principal, id_of("execution", &id)?).await?;
    if execution.status == ExecutionStatus::Canceled {
        return rendering.one(StatusCode::OK, &execution).await;
    }
    if !execution.status.is_cancelable() {
        return Ok(not_cancelable(execution.status));
    }
    match api.engine.cancel(&caller.principal, execution.id).await {
        Ok(execution) => rendering.one(StatusCode::OK, &execution).await,
        // It ended between the look and the cancel.
        Err(error) if error.kind == ErrorKind::Invalid => {
            Ok(not_cancelable(api.engine.execution(&caller.principal, execution.id).await?.status))
        }
        Err(error) => Err(error.into()),
    }
}

fn not_cancelable(status: ExecutionStatus) -> Response {
    Json(json!({"faultstring": format!("Action cannot be canceled. State = {status}.")})).into_response()
}

/// A change of status that is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a status")]
pub(crate) struct StatusBody {
    status: String,
    result: Option<Value>,
}

/// PUT /executions/{id}: cancels, pauses and resumes by status.
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
    Fields(body): Fields<StatusBody>,
) -> Answer {
    use ExecutionStatus::{Canceled, Canceling, Paused, Pausing, Resuming};
    let rendering = Rendering::of(&api, &caller, &params).await?;
    let execution = api.engine.execution(&caller.principal, id_of("execution", &id)?).await?;
    if execution.status.is_final() {
        return Err(ApiError::bad_request("Execution is already in completed state."));
    }
    let status: ExecutionStatus = body.status.parse().map_err(ApiError::bad_request)?;
    let execution = match status {
        Canceling | Canceled if body.result.is_none() => api.engine.cancel(&caller.principal, execution.id).await?,
        Pausing | Paused if body.result.is_none() => api.engine.pause(&caller.principal, execution.id).await?,
        Resuming if body.result.is_none() => api.engine.resume(&caller.principal, execution.id).await?,
        other => {
            return Err(ApiError::bad_request(format!(
                "an execution's status and result are its runner's to write; \"{other}\" can't be set, only canceled, \
                 paused and resuming can"
            )));
        }
    };
    rendering.one(StatusCode::OK, &execution).await
}

/// What is to be other than the first time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct ReRunBody {
    parameters: Option<Map<String, Value>>,
    tasks: Option<Vec<String>>,
    reset: Option<Vec<String>>,
    user: Option<String>,
    delay: Option<u64>,
    no_merge: Option<bool>,
}

/// POST /executions/{id}/re_run
pub(crate) async fn re_run(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(id): Segment<String>,
    params: Params,
    Fields(body): Fields<ReRunBody>,
) -> Answer {
    let rendering = Rendering::of(&api, &caller, &params).await?;
    let original = api.engine.execution(&caller.principal, id_of("execution", &id)?).await?;
    let re_run = ReRun {
        parameters: body.parameters.unwrap_or_default(),
        no_merge: body.no_merge.unwrap_or(false) || params.flag("no_merge")?,
        user: body.user.filter(|user| !user.is_empty()),
        delay: body.delay.map(Duration::from_millis),
        tasks: body.tasks.unwrap_or_default(),
        reset: body.reset.unwrap_or_default(),
    };
    let execution = api.engine.re_run(&caller.principal, original.id, re_run).await?;
    rendering.one(StatusCode::CREATED, &execution).await
}

//! `/webhooks`: events from outside.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::Webhook;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use model::Id;
use serde_json::{Map, Value};
use std::sync::Arc;

use super::{Answer, Segment, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    body::kind,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::TriggerResource,
    router::Api,
    trace::trace_request,
    webhook_body::{WebhookBody, header_texts},
};

/// The hook for any trigger.
const GENERIC: &str = "st2";
/// Names the events that a delivery became, for whoever wants to follow them.
const INSTANCES: HeaderName = HeaderName::from_static("x-trigger-instance-id");

/// GET /webhooks
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let paging = Paging::of(&params, &caller, &api, None)?;
    let webhooks = api.engine.catalog().await?.webhooks();
    let resources = webhooks.iter().map(|(_, trigger)| TriggerResource::from(trigger)).collect();
    Page::slice(resources, &paging).answer(&Selection::of::<TriggerResource>(&params)?)
}

/// GET /webhooks/{url}
pub(crate) async fn get(State(api): State<Arc<Api>>, Segment(url): Segment<String>) -> Answer {
    let url = url.trim_matches('/');
    match api.engine.catalog().await?.webhooks().into_iter().find(|(own, _)| own == url) {
        Some((_, trigger)) => whole(StatusCode::OK, &TriggerResource::from(&trigger)),
        None => Err(ApiError::unknown("webhook", url)),
    }
}

/// POST /webhooks/{url}: accepts a delivery, and echoes its body.
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(url): Segment<String>,
    headers: HeaderMap,
    WebhookBody(body): WebhookBody,
) -> Answer {
    let url = url.trim_matches('/');
    if url == GENERIC {
        let id = emit(&api, &caller, &headers, &body).await?;
        return Ok(accepted(&body, &[id]));
    }
    let trace = trace_request(&headers);
    let webhook = Webhook { url: url.to_owned(), headers: header_texts(&headers), trace, body: body.clone() };
    let ids = api.engine.webhook(&caller.principal, webhook).await?;
    Ok(accepted(&body, &ids))
}

/// `{"trigger": ref, "payload": {}}`
async fn emit(api: &Api, caller: &Caller, headers: &HeaderMap, body: &Value) -> Result<Id, ApiError> {
    let Value::Object(fields) = body else {
        return Err(ApiError::bad_request(format!("Webhook body needs to be an object, got: {}", kind(body))));
    };
    let trigger = fields.get("trigger").and_then(Value::as_str).filter(|trigger| !trigger.is_empty());
    let Some(trigger) = trigger else {
        return Err(ApiError::bad_request("Trigger not specified: give the ref of a trigger type as \"trigger\"."));
    };
    let payload = match fields.get("payload") {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(payload @ Value::Object(_)) => payload.clone(),
        Some(other) => {
            return Err(ApiError::bad_request(format!("\"payload\" must be an object, not {}", kind(other))));
        }
    };
    Ok(api.engine.emit(&caller.principal, trigger, payload, trace_request(headers)).await?)
}

fn accepted(body: &Value, ids: &[Id]) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    let ids = ids.iter().map(Id::to_string).collect::<Vec<_>>().join(",");
    if let Some(ids) = HeaderValue::try_from(ids).ok().filter(|ids| !ids.is_empty()) {
        response.headers_mut().insert(INSTANCES, ids);
    }
    response
}

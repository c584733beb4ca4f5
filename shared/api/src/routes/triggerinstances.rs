//! `/triggerinstances`

use axum::{Json, extract::State, response::IntoResponse};
use engine::InstanceFilter;
use http::StatusCode;
use model::{TriggerInstance, TriggerInstanceStatus};
use serde_json::json;
use std::sync::Arc;

use super::{Answer, Segment, id_filter, id_of, time_range, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging, listing_key, newest_first, walk},
    params::Params,
    resources::{ExplanationResource, TriggerInstanceResource},
    router::Api,
};

const KIND: &str = "trigger instance";

/// GET /triggerinstances
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<TriggerInstanceResource>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let page = match params.list("id")? {
        ids if ids.is_empty() => filtered(&api, &caller, &params, &paging).await?,
        ids => Page::slice(by_ids(&api, &caller, &ids).await?, &paging),
    };
    let mut items = Vec::with_capacity(page.items.len());
    for instance in &page.items {
        items.push(resource(&api, &caller, instance, selection.wants("payload")).await?);
    }
    page.of(items).answer(&selection)
}

async fn filtered(
    api: &Api,
    caller: &Caller,
    params: &Params,
    paging: &Paging,
) -> Result<Page<TriggerInstance>, ApiError> {
    let (from, until) = time_range(params, "timestamp")?;
    let filter = InstanceFilter {
        trigger: params.text("trigger"),
        trigger_type: params.parsed("trigger_type", "the ref of a trigger type")?,
        status: params.get("status").map(status).transpose()?,
        trace: id_filter(params, "trace")?,
        from,
        until,
    };
    let descending = newest_first(params, "occurrence_time")?;
    let (engine, principal, filter) = (&api.engine, &caller.principal, &filter);
    let key = listing_key("/triggerinstances", params);
    walk(api, &key, (paging, descending), |request| async move {
        engine.trigger_instances(principal, filter, &request).await
    })
    .await
}

fn status(text: &str) -> Result<TriggerInstanceStatus, ApiError> {
    use TriggerInstanceStatus::{Pending, Processed, Processing, ProcessingFailed};
    let all = [Pending, Processing, Processed, ProcessingFailed];
    all.into_iter().find(|status| status.name() == text).ok_or_else(|| {
        let names = all.map(TriggerInstanceStatus::name).join(", ");
        ApiError::bad_request(format!("\"{text}\" is not a status of a trigger instance; there are {names}"))
    })
}

/// Those of the ids that there are.
async fn by_ids(api: &Api, caller: &Caller, ids: &[&str]) -> Result<Vec<TriggerInstance>, ApiError> {
    let mut found = Vec::new();
    for id in ids.iter().filter_map(|id| id.parse().ok()) {
        match api.engine.trigger_instance(&caller.principal, id).await {
            Ok(instance) => found.push(instance),
            Err(error) if error.kind == engine::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// The instance, with its payload where that is wanted.
pub(super) async fn resource(
    api: &Api,
    caller: &Caller,
    instance: &TriggerInstance,
    with_payload: bool,
) -> Result<TriggerInstanceResource, ApiError> {
    let payload = match with_payload {
        true => Some(api.engine.payload(&caller.principal, instance).await?),
        false => None,
    };
    Ok(TriggerInstanceResource::new(instance, payload))
}

/// GET /triggerinstances/{id}
pub(crate) async fn get(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let instance = api.engine.trigger_instance(&caller.principal, id_of(KIND, &id)?).await?;
    whole(StatusCode::OK, &resource(&api, &caller, &instance, true).await?)
}

/// POST /triggerinstances/{id}/re_emit: the same event once more, as an event of its own.
pub(crate) async fn re_emit(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let again = api.engine.re_emit(&caller.principal, id_of(KIND, &id)?).await?;
    let payload = api.engine.payload(&caller.principal, &again).await?;
    let message = format!("Trigger instance {id} successfully re-sent.");
    Ok(Json(json!({"message": message, "payload": payload, "id": again.id})).into_response())
}

/// GET /triggerinstances/{id}/explain: what each rule made of it, and why.
pub(crate) async fn explain(State(api): State<Arc<Api>>, caller: Caller, Segment(id): Segment<String>) -> Answer {
    let trail = api.engine.explain(&caller.principal, id_of(KIND, &id)?).await?;
    let payload = api.engine.payload(&caller.principal, &trail.trigger_instance).await?;
    Ok(Json(ExplanationResource::new(&trail, payload)?).into_response())
}

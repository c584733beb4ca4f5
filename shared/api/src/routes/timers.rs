//! `/timers`

use axum::extract::State;
use engine::Timer;
use http::StatusCode;
use model::core_types;
use std::sync::Arc;

use super::{Answer, Segment, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::{TimerResource, TriggerResource},
    router::Api,
};

const KINDS: [&str; 3] = [core_types::INTERVAL_TIMER, core_types::DATE_TIMER, core_types::CRON_TIMER];

fn resource(timer: &Timer) -> TimerResource {
    TimerResource {
        trigger: TriggerResource::from(&timer.trigger),
        next_occurrence: timer.next,
        last_occurrence: timer.last,
    }
}

/// GET /timers
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<TimerResource>(&params)?;
    let paging = Paging::of(&params, &caller, &api, None)?;
    let kind = params.get("timer_type");
    if let Some(kind) = kind.filter(|kind| !KINDS.contains(kind)) {
        let kinds = KINDS.join(", ");
        return Err(ApiError::bad_request(format!("Timer type {kind} not in supported types - {kinds}.")));
    }
    let timers = api.engine.timers(&caller.principal).await?;
    let wanted = timers.iter().filter(|timer| kind.is_none_or(|kind| timer.trigger.kind.as_str() == kind));
    Page::slice(wanted.map(resource).collect(), &paging).answer(&selection)
}

/// GET /timers/{ref_or_id}
pub(crate) async fn get(State(api): State<Arc<Api>>, caller: Caller, Segment(name): Segment<String>) -> Answer {
    let timers = api.engine.timers(&caller.principal).await?;
    let found = timers.iter().map(resource).find(|timer| timer.trigger.is(&name));
    whole(StatusCode::OK, &found.ok_or_else(|| ApiError::unknown("timer", &name))?)
}

//! Which executions: StackStorm's filters, and the values that they may have.

use axum::{Json, extract::State, response::IntoResponse};
use engine::{Catalog, ExecutionFilter};
use model::{ExecutionStatus, Ref, Timestamp};
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, sync::Arc};

use super::super::{Answer, id_filter, just_after, time_range};
use crate::{auth::Caller, error::ApiError, params::Params, router::Api};

/// Attributes of the free-form `filter` and the parameters that they stand for.
const PATHS: [(&str, &str); 13] = [
    ("action.ref", "action"),
    ("status", "status"),
    ("parent", "parent"),
    ("rule.ref", "rule"),
    ("rule.name", "rule"),
    ("runner.name", "runner"),
    ("trigger.ref", "trigger"),
    ("trigger.name", "trigger"),
    ("trigger_type.ref", "trigger_type"),
    ("trigger_type.name", "trigger_type"),
    ("trigger_instance.id", "trigger_instance"),
    ("context.user", "user"),
    ("context.trace_context.id_", "trace"),
];

/// The parameters with `filter=key:value key:value` written out as parameters.
pub(super) fn expand(params: Params) -> Result<Params, ApiError> {
    let Some(text) = params.text("filter") else { return Ok(params) };
    let mut expanded = params;
    for token in text.split_whitespace() {
        let Some((key, value)) = token.split_once(':') else {
            return Err(ApiError::bad_request(format!("invalid format for filter \"{token}\": write key:value")));
        };
        let Some((_, parameter)) = PATHS.iter().find(|(path, parameter)| *path == key || *parameter == key) else {
            let paths = PATHS.map(|(path, _)| path).join(", ");
            return Err(ApiError::bad_request(format!("executions can't be filtered by \"{key}\"; there are {paths}")));
        };
        expanded.set(parameter, value);
    }
    Ok(expanded)
}

/// The engine's filter for these parameters; `None` where nothing can match.
pub(super) fn filter(params: &Params, catalog: &Catalog) -> Result<Option<ExecutionFilter>, ApiError> {
    let top_level = params.get("parent") == Some("null");
    let trigger_type = match params.get("trigger_type") {
        None => None,
        Some(name) => match kind_named(name, catalog) {
            None => return Ok(None),
            kind => kind,
        },
    };
    let (from, until) = range(params)?;
    Ok(Some(ExecutionFilter {
        action: params.parsed("action", "the ref of an action")?,
        rule: params.text("rule"),
        status: params.get("status").map(str::parse::<ExecutionStatus>).transpose().map_err(ApiError::bad_request)?,
        parent: if top_level { None } else { id_filter(params, "parent")? },
        top_level,
        trigger_instance: id_filter(params, "trigger_instance")?,
        trigger: params.text("trigger"),
        trigger_type,
        runner: params.text("runner"),
        user: params.text("user"),
        trace: id_filter(params, "trace")?,
        from,
        until,
    }))
}

/// StackStorm's clients name a trigger type by its name alone, others by its ref.
fn kind_named(name: &str, catalog: &Catalog) -> Option<Ref> {
    let as_ref = name.parse::<Ref>().ok();
    let registered = as_ref.clone().filter(|reference| catalog.trigger_types.contains_key(reference));
    let by_name = || catalog.trigger_types.keys().find(|reference| reference.name() == name).cloned();
    registered.or_else(by_name).or(as_ref)
}

/// `timestamp` (a time, or `a..b` with both ends) or `timestamp_gt` and `timestamp_lt`.
fn range(params: &Params) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    match params.time_range("timestamp")? {
        Some((from, until)) => Ok((Some(from), Some(just_after(until)))),
        None => time_range(params, "timestamp"),
    }
}

/// GET /executions/views/filters: the values that filters may have, from what is registered.
pub(crate) async fn filters(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    let types = params.list("types")?;
    let mut answer = Map::new();
    let mut add = |name: &str, values: BTreeSet<String>| {
        if types.is_empty() || types.contains(&name) {
            answer.insert(name.to_owned(), json!(values));
        }
    };
    add("action", catalog.actions.keys().map(Ref::to_string).collect());
    add("status", ExecutionStatus::ALL.iter().map(ExecutionStatus::to_string).collect());
    add("rule", catalog.rules.keys().map(Ref::to_string).collect());
    add("runner", model::runner_types().iter().map(|runner| runner.name.clone()).collect());
    add(
        "trigger",
        catalog.triggers().iter().filter_map(|trigger| Some(trigger.reference().ok()?.to_string())).collect(),
    );
    add("trigger_type", catalog.trigger_types.keys().map(Ref::to_string).collect());
    add("user", BTreeSet::from([caller.principal.user.clone()]));
    Ok(Json(Value::Object(answer)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<ExecutionFilter, String> {
        let text = |error: ApiError| error.message().to_owned();
        let params = expand(Params::parse(Some(query))).map_err(text)?;
        Ok(filter(&params, &Catalog::default()).map_err(text)?.unwrap())
    }

    #[test]
    fn filters_are_read() {
        let found =
            read("action=core.local&status=failed&parent=null&rule=x&timestamp_gt=2026-01-01T00:00:00Z").unwrap();
        assert_eq!(found.action.unwrap().as_str(), "core.local");
        assert_eq!(found.status, Some(ExecutionStatus::Failed));
        assert!(found.top_level && found.parent.is_none());
        assert_eq!(found.from.unwrap().to_string(), "2026-01-01T00:00:00.000001Z");
    }

    #[test]
    fn a_range_holds_both_ends() {
        let found = read("timestamp=2026-01-01T00:00:00Z..2026-01-02T00:00:00Z").unwrap();
        assert_eq!(found.until.unwrap().to_string(), "2026-01-02T00:00:00.000001Z");
    }

    #[test]
    fn the_free_form_stands_for_parameters() {
        let found = read("filter=action.ref:core.local%20context.user:ann").unwrap();
        assert_eq!((found.action.unwrap().as_str(), found.user.as_deref()), ("core.local", Some("ann")));
        assert!(read("filter=colour:red").unwrap_err().contains("\"colour\""));
        assert!(read("filter=colour").unwrap_err().contains("write key:value"));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (query, part) in [("status=done", "\"done\""), ("parent=x", "24 hex"), ("action=local", "\"local\"")] {
            assert!(read(query).unwrap_err().contains(part), "{query}");
        }
    }
}

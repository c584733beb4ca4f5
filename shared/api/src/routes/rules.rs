//! `/rules`

use axum::{extract::State, response::IntoResponse};
use engine::Catalog;
use http::StatusCode;
use model::{Rule, parse_rule};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{
    Answer, Segment,
    chosen::{Entry, chosen},
    named_as, one, same_name, whole,
};
use crate::{
    attributes::Selection,
    auth::Caller,
    body::AnyJson,
    error::ApiError,
    listing::{Page, Paging},
    params::Params,
    resources::{RuleResource, RuleViewResource},
    router::Api,
};

fn filtered<'a>(catalog: &'a Catalog, params: &Params) -> Result<Vec<&'a Rule>, ApiError> {
    let enabled = params.get("enabled").map(|_| params.flag("enabled")).transpose()?;
    let holds = |name: &str, value: &str| params.get(name).is_none_or(|wanted| wanted == value);
    let rules = catalog.rules.values().filter(|rule| {
        enabled.is_none_or(|enabled| rule.enabled == enabled)
            && holds("action", rule.action.reference.as_str())
            && holds("user", rule.context.get("user").and_then(Value::as_str).unwrap_or_default())
            && params.get("trigger").is_none_or(|wanted| listens_to(rule, wanted))
    });
    chosen(rules.map(|rule| Entry { reference: &rule.reference, id: rule.id(), item: &**rule }), params)
}

/// A rule is found by its trigger's ref, and by its trigger type's.
fn listens_to(rule: &Rule, wanted: &str) -> bool {
    let trigger = model::Trigger::new(rule.trigger.kind.clone(), rule.trigger.parameters.clone());
    rule.trigger.kind.as_str() == wanted || trigger.reference().is_ok_and(|reference| reference.as_str() == wanted)
}

fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Arc<Rule>, ApiError> {
    catalog.rule(name).ok_or_else(|| ApiError::unknown("rule", name))
}

/// GET /rules
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let (selection, show) = (Selection::of::<RuleResource<'_>>(&params)?, caller.shows_secrets(&params)?);
    let paging = Paging::of(&params, &caller, &api, None)?;
    let catalog = api.engine.catalog().await?;
    let page = Page::slice(filtered(&catalog, &params)?, &paging);
    page.of(page.items.iter().map(|rule| RuleResource::new(rule, &catalog, show)).collect()).answer(&selection)
}

/// GET /rules/views
pub(crate) async fn views(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<RuleViewResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, None)?;
    let catalog = api.engine.catalog().await?;
    let page = Page::slice(filtered(&catalog, &params)?, &paging);
    page.of(page.items.iter().map(|rule| RuleViewResource::new(rule, &catalog)).collect()).answer(&selection)
}

/// GET /rules/{ref_or_id}
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    params: Params,
) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&RuleResource::new(find(&catalog, &name)?, &catalog, caller.shows_secrets(&params)?), &params)
}

/// GET /rules/views/{ref_or_id}
pub(crate) async fn view(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&RuleViewResource::new(find(&catalog, &name)?, &catalog), &params)
}

/// POST /rules
pub(crate) async fn create(State(api): State<Arc<Api>>, caller: Caller, AnyJson(body): AnyJson) -> Answer {
    let rule = parse(&body, &caller)?;
    let rule = api.engine.create_rule(&caller.principal, rule).await?;
    answer(&api, StatusCode::CREATED, &rule).await
}

/// PUT /rules/{ref_or_id}
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    AnyJson(mut body): AnyJson,
) -> Answer {
    let reference = find(&*api.engine.catalog().await?, &name)?.reference.clone();
    named_as(&mut body, &reference);
    let rule = parse(&body, &caller)?;
    same_name(&reference, &rule.reference)?;
    let rule = api.engine.update_rule(&caller.principal, rule).await?;
    answer(&api, StatusCode::OK, &rule).await
}

/// DELETE /rules/{ref_or_id}
pub(crate) async fn delete(State(api): State<Arc<Api>>, caller: Caller, Segment(name): Segment<String>) -> Answer {
    let reference = find(&*api.engine.catalog().await?, &name)?.reference.clone();
    api.engine.delete_rule(&caller.principal, &reference).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The rule's context names the one who wrote it, whatever the body says.
fn parse(body: &Value, caller: &Caller) -> Result<Rule, ApiError> {
    let mut rule = parse_rule(body).map_err(|problems| ApiError::problems(&problems))?;
    rule.context = Map::from_iter([("user".to_owned(), json!(caller.principal.user))]);
    Ok(rule)
}

async fn answer(api: &Api, status: StatusCode, rule: &Rule) -> Answer {
    let catalog = api.engine.catalog().await?;
    whole(status, &RuleResource::new(rule, &catalog, false))
}

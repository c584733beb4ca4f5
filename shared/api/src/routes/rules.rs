//! `/rules`

use axum::extract::State;
use engine::Catalog;
use model::{Rule, parse_rule};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{
    Answer, Segment,
    content::{Shown, Written, find, page},
    one,
};
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::Paging,
    params::Params,
    resources::{RuleResource, RuleViewResource},
    router::Api,
};

impl Shown for Rule {
    type As<'a> = RuleResource<'a>;
    const LIMIT: Option<usize> = None;

    fn shown<'a>(&'a self, catalog: &'a Catalog, secrets: bool) -> RuleResource<'a> {
        RuleResource::new(self, catalog, secrets)
    }

    fn holds(&self, params: &Params) -> Result<bool, ApiError> {
        let enabled = params.get("enabled").map(|_| params.flag("enabled")).transpose()?;
        let holds = |name: &str, value: &str| params.get(name).is_none_or(|wanted| wanted == value);
        Ok(enabled.is_none_or(|enabled| self.enabled == enabled)
            && holds("action", self.action.reference.as_str())
            && holds("user", self.context.get("user").and_then(Value::as_str).unwrap_or_default())
            && params.get("trigger").is_none_or(|wanted| listens_to(self, wanted)))
    }
}

impl Written for Rule {
    /// The rule's context names the one who wrote it, whatever the body says.
    fn parse(body: &Value, caller: &Caller) -> Result<Rule, ApiError> {
        let mut rule = parse_rule(body).map_err(|problems| ApiError::problems(&problems))?;
        rule.context = Map::from_iter([("user".to_owned(), json!(caller.principal.user))]);
        Ok(rule)
    }
}

/// A rule is found by its trigger's ref, and by its trigger type's.
fn listens_to(rule: &Rule, wanted: &str) -> bool {
    let trigger = model::Trigger::new(rule.trigger.kind.clone(), rule.trigger.parameters.clone());
    rule.trigger.kind.as_str() == wanted || trigger.reference().is_ok_and(|reference| reference.as_str() == wanted)
}

/// GET /rules/views
pub(crate) async fn views(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<RuleViewResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, None)?;
    let catalog = api.engine.catalog().await?;
    let page = page::<Rule>(&catalog, &params, &paging)?;
    page.of(page.items.iter().map(|rule| RuleViewResource::new(rule, &catalog)).collect()).answer(&selection)
}

/// GET /rules/views/{ref_or_id}
pub(crate) async fn view(State(api): State<Arc<Api>>, Segment(name): Segment<String>, params: Params) -> Answer {
    let catalog = api.engine.catalog().await?;
    one(&RuleViewResource::new(find::<Rule>(&catalog, &name)?, &catalog), &params)
}

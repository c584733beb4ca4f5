//! From an execution's record to its resource: what must be fetched for it.

use engine::{Catalog, ErrorKind};
use http::StatusCode;
use model::{Execution, Id, TriggerInstance};
use serde_json::Value;
use std::sync::Arc;

use super::super::Answer;
use crate::{
    attributes::Selection,
    auth::Caller,
    error::ApiError,
    listing::{Page, json_text},
    params::Params,
    resources::{ExecutionResource, Surroundings},
    router::Api,
};

/// The largest `max_result_size`, as in StackStorm.
const MOST_RESULT: i64 = 14 * 1024 * 1024;
/// Children of one execution that are named in it.
const MAX_CHILDREN: usize = 1_000;

/// How executions are to be shown.
pub(super) struct Rendering<'a> {
    api: &'a Api,
    caller: &'a Caller,
    catalog: Arc<Catalog>,
    pub(super) selection: Selection,
    show_secrets: bool,
    /// Larger results are left out.
    max_result: Option<u64>,
}

impl<'a> Rendering<'a> {
    pub(super) async fn of(api: &'a Api, caller: &'a Caller, params: &Params) -> Result<Rendering<'a>, ApiError> {
        let max_result = match params.integer("max_result_size")? {
            None => None,
            Some(size @ 1..=MOST_RESULT) => Some(size.unsigned_abs()),
            Some(size) => {
                return Err(ApiError::bad_request(format!("max_result_size must be 1 to {MOST_RESULT}, not {size}")));
            }
        };
        Ok(Rendering {
            api,
            caller,
            catalog: api.engine.catalog().await?,
            selection: Selection::of::<ExecutionResource<'_>>(params)?,
            show_secrets: caller.shows_secrets(params)?,
            max_result,
        })
    }

    /// One execution, with all that belongs to it.
    pub(super) async fn one(&self, status: StatusCode, execution: &Execution) -> Answer {
        let mut around = self.surroundings(execution).await?;
        if self.selection.wants("trigger_instance") || self.selection.wants("trigger") {
            around.event = self.event(execution).await?;
        }
        if self.selection.wants("children") {
            around.children = self.children(execution).await?;
        }
        let resource = ExecutionResource::new(execution, &self.catalog, around);
        Ok(json_text(status, self.selection.write(&resource)?))
    }

    /// A page of executions. The event of each is named, not fetched: a list costs one read.
    pub(super) async fn page(&self, page: &Page<Execution>) -> Answer {
        let mut items = Vec::with_capacity(page.items.len());
        for execution in &page.items {
            let around = self.surroundings(execution).await?;
            items.push(ExecutionResource::new(execution, &self.catalog, around));
        }
        page.of(items).answer(&self.selection)
    }

    async fn surroundings(&self, execution: &Execution) -> Result<Surroundings, ApiError> {
        let (engine, principal) = (&self.api.engine, &self.caller.principal);
        let parameters = match self.show_secrets {
            true => Some(engine.parameters(principal, execution, true).await?),
            false => None,
        };
        let fits = self.max_result.is_none_or(|most| execution.result_size <= most);
        let result = match fits && self.selection.wants("result") {
            true => engine.result(principal, execution, self.show_secrets).await?,
            false => None,
        };
        let web_url = self.api.options.web_url.as_ref();
        let web_url = web_url.map(|base| format!("{}/#/history/{}/general", base.trim_end_matches('/'), execution.id));
        Ok(Surroundings { parameters, result, event: None, children: Vec::new(), web_url })
    }

    /// The event that led to it; `None` where retention took it away.
    async fn event(&self, execution: &Execution) -> Result<Option<(TriggerInstance, Value)>, ApiError> {
        let Some(link) = &execution.trigger else { return Ok(None) };
        let (engine, principal) = (&self.api.engine, &self.caller.principal);
        match engine.trigger_instance(principal, link.instance).await {
            Ok(instance) => {
                let payload = engine.payload(principal, &instance).await?;
                Ok(Some((instance, payload)))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn children(&self, execution: &Execution) -> Result<Vec<Id>, ApiError> {
        let found = children_of(self.api, self.caller, execution.id, MAX_CHILDREN).await?;
        Ok(found.into_iter().map(|child| child.id).collect())
    }
}

/// The executions that one requested, the first first; at most `limit`, and no more than 1,000.
pub(super) async fn children_of(
    api: &Api,
    caller: &Caller,
    parent: Id,
    limit: usize,
) -> Result<Vec<Execution>, ApiError> {
    let filter = engine::ExecutionFilter { parent: Some(parent), ..engine::ExecutionFilter::default() };
    let page = engine::PageRequest { limit: limit.clamp(1, MAX_CHILDREN), skip: 0, cursor: None, descending: false };
    Ok(api.engine.executions(&caller.principal, &filter, &page).await?.items)
}

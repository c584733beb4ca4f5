//! `/executions`, which are `/actionexecutions`, too.

mod filter;
mod look;
mod output;
mod render;
mod request;

pub(crate) use filter::filters;
pub(crate) use look::{attribute, children, get, list, result, workflow};
pub(crate) use output::output;
pub(crate) use request::{cancel, create, re_run, update};

use model::Execution;

use super::id_of;
use crate::{auth::Caller, error::ApiError, router::Api};

/// The execution of that id, or the last one.
async fn find(api: &Api, caller: &Caller, id: &str) -> Result<Execution, ApiError> {
    if id != "last" {
        return Ok(api.engine.execution(&caller.principal, id_of("execution", id)?).await?);
    }
    let page = engine::PageRequest { limit: 1, skip: 0, cursor: None, descending: true };
    let newest = api.engine.executions(&caller.principal, &engine::ExecutionFilter::default(), &page).await?;
    newest.items.into_iter().next().ok_or_else(|| ApiError::not_found("there are no executions yet"))
}

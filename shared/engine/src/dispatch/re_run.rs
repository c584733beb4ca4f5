//! An execution once more.

use model::{Execution, Id};
use serde_json::{Map, Value, json};
use std::time::Duration;

use super::ExecutionRequest;
use crate::{Engine, Error, Principal, TraceRequest, parameters::Inputs};

/// What is to be other than the first time.
#[derive(Clone, Debug, Default)]
pub struct ReRun {
    /// Over the original's, one by one.
    pub parameters: Map<String, Value>,
    /// Take nothing over from the original's parameters.
    pub no_merge: bool,
    /// In whose name; another's for admins.
    pub user: Option<String>,
    /// How long to wait before it starts.
    pub delay: Option<Duration>,
    /// Of a workflow: go on from these tasks with what it knew, in place of running it from the beginning.
    pub tasks: Vec<String>,
    /// Of these tasks: those of which all items run again, not only those that failed.
    pub reset: Vec<String>,
}

impl Engine {
    /// Runs an execution's action once more, in the same trace.
    pub async fn re_run(&self, principal: &Principal, id: Id, re_run: ReRun) -> Result<Execution, Error> {
        let original = self.execution(principal, id).await?;
        if original.user != principal.user {
            principal.require_admin("run another user's execution again")?;
        }
        let goes_on = !re_run.tasks.is_empty() || !re_run.reset.is_empty();
        if goes_on {
            self.check_goes_on(&original, &re_run).await?;
        }
        let mut inputs = Inputs::default();
        if !re_run.no_merge {
            // They were rendered once; what looks like a template in them now is data.
            inputs.literals = self.clear_parameters(&original).await?.expose().clone();
            inputs.literals.retain(|name, _| !re_run.parameters.contains_key(name));
        }
        let mut context = original.context.clone();
        context.retain(|name, _| name == "api_user" || name == "source_channel" || name == "pack");
        let told = json!({"ref": id, "tasks": re_run.tasks, "reset": re_run.reset});
        context.insert("re-run".to_owned(), if goes_on { told } else { json!({"ref": id}) });
        let request = ExecutionRequest {
            action: original.action.to_string(),
            parameters: re_run.parameters,
            user: re_run.user,
            delay: re_run.delay,
            notify: original.notify.clone(),
            context,
            trace: TraceRequest::default(),
        };
        self.request_within(principal, request, inputs, Some(original.trace)).await
    }
}

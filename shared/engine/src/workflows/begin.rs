//! A workflow begins: its text is inspected, its inputs are rendered.

use model::{Execution, ExecutionStatus};
use orquesta::{State, Status, StepEvent};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{chain, outcome, run::Run};
use crate::{Engine, Error, datastore::Reader, redact::Redactor};

impl Engine {
    /// The run of a workflow that was requested, before its first turn. Where it can't begin it has failed, and there is none.
    pub(super) async fn begin_workflow(&self, execution: Execution, version: u64) -> Result<Option<Run>, Error> {
        let begun = match self.goes_on_from(&execution) {
            Some((from, tasks)) => self.go_on(&execution, version, (from, &tasks)).await.map(Ok),
            None => self.try_to_begin(&execution, version).await,
        };
        match begun {
            Ok(Ok(run)) => Ok(Some(run)),
            Ok(Err(result)) => self.fail_unbegun(execution, version, result).await,
            Err(error) if error.is_retryable() => Err(error),
            Err(error) if execution.runner == super::CHAIN => {
                self.fail_unbegun(execution, version, Value::Object(chain::failure(&error.message))).await
            }
            Err(error) => {
                let errors = json!([{"type": "error", "message": error.message}]);
                self.fail_unbegun(execution, version, json!({"errors": errors, "output": null})).await
            }
        }
    }

    async fn fail_unbegun(&self, mut execution: Execution, version: u64, result: Value) -> Result<Option<Run>, Error> {
        let now = self.ports.clock.now();
        execution.advance_by(ExecutionStatus::Running, now).map_err(Error::damaged)?;
        execution.advance(ExecutionStatus::Failed, now).map_err(Error::damaged)?;
        self.complete(execution, result, version, Vec::new()).await?;
        Ok(None)
    }

    async fn try_to_begin(&self, execution: &Execution, version: u64) -> Result<Result<Run, Value>, Error> {
        let (action, pack) = self.action_of(execution).await?;
        let definition = self.definition(&action, pack.as_ref()).await?;
        let mut catalog = self.catalog().await?;
        let live = catalog.packs.get(execution.action.pack()).map(|pack| &pack.digest);
        if live != execution.pack_version.as_ref() {
            // What is known here may be older than the request.
            catalog = self.reload_catalog().await?;
        }
        let problems = definition.problems(&catalog);
        if !problems.is_empty() {
            return Ok(Err(json!({"errors": problems, "output": null})));
        }
        let plan = catalog.plan(&action)?;
        let clear = self.clear_parameters(execution).await?;
        let reader = Reader { user: execution.user.clone(), decrypts: execution.decrypts };
        let rendered = self
            .with_datastore(&reader, |keys| {
                plan.final_parameters(&self.jinja, clear.expose(), &execution.context, keys)
            })
            .await?;
        let inputs = rendered.value.map_err(Error::invalid)?.action;
        let mut chain = None;
        if let Some(definition) = &definition.chain {
            match self.begin_chain(Arc::clone(definition), execution, &inputs).await {
                Ok(begun) => chain = Some(begun),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    let mut result = chain::failure(&error.message);
                    result.extend([("tasks".to_owned(), json!([])), ("published".to_owned(), json!({}))]);
                    return Ok(Err(Value::Object(result)));
                }
            }
        }
        let parent = self.workflow_context(execution);
        let (mut state, mut secrets): (State, _) = self
            .with_outside((&definition.conductor, execution), None, |conductor| conductor.begin(&inputs, &parent))
            .await?;
        // Only from here on a workflow knows its own id, as in StackStorm.
        let mut own = parent.get("st2").cloned().unwrap_or_default();
        if let Some(own) = own.as_object_mut() {
            own.insert("workflow_execution_id".to_owned(), json!(execution.id));
        }
        state.set_initial("st2", own);
        // Nothing is written before the first turn: its row has all of it.
        let _begun = state.take_changes();
        secrets.extend(rendered.secrets);
        // What is secret in the inputs is so wherever a task passes it on.
        let (given, shown) = (Value::Object(clear.expose().clone()), Value::Object(execution.parameters.clone()));
        secrets.extend(crate::redact::hidden(&given, &shown));
        // One whose inputs can't be rendered has failed already.
        let first = if state.status().is_completed() { Vec::new() } else { vec![StepEvent::Request(Status::Running)] };
        let mut run = Run {
            execution: execution.clone(),
            version,
            due: execution.due(),
            definition,
            state,
            first,
            rows: 0,
            whole: (0, execution.start),
            children: BTreeMap::new(),
            owed: VecDeque::new(),
            inputs: if chain.is_some() { inputs } else { Map::new() },
            chain,
            drawn: None,
            calls: Vec::new(),
            secrets,
        };
        self.draw(&mut run);
        run.execution.advance_by(ExecutionStatus::Running, self.ports.clock.now()).map_err(Error::damaged)?;
        Ok(Ok(run))
    }

    /// What a workflow knows of itself: `ctx().st2`, and `ctx().parent` where it has one.
    fn workflow_context(&self, execution: &Execution) -> Map<String, Value> {
        let mut own = json!({
            "action_execution_id": execution.id,
            "api_url": self.options.api_url,
            "user": execution.user,
            "pack": execution.action.pack(),
            "action": execution.action,
            "runner": execution.runner,
        });
        if let Some(own) = own.as_object_mut() {
            for name in ["api_user", "source_channel"] {
                own.extend(execution.context.get(name).map(|value| (name.to_owned(), value.clone())));
            }
        }
        let mut context = Map::new();
        context.insert("st2".to_owned(), own);
        context.extend(execution.context.get("parent").map(|parent| ("parent".to_owned(), parent.clone())));
        context
    }

    /// Takes what is secret out of what a workflow gives back.
    pub(super) async fn workflow_result(&self, run: &Run) -> Result<Value, Error> {
        let clear = self.clear_parameters(&run.execution).await?;
        let shown = &run.execution.parameters;
        let secret = clear.expose().iter().filter(|(name, value)| shown.get(*name) != Some(*value));
        let redactor = Redactor::new(secret.map(|(_, value)| value), &run.secrets);
        let result = || outcome::result(&run.state, &run.definition);
        Ok(redactor.value(run.chain.as_ref().map_or_else(result, |chain| run.chain_result(chain))))
    }
}

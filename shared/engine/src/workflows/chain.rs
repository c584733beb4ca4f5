//! What is an action chain's own: its context, in which Jinja renders what actions are given and publish, and its result.

use expressions::{Context, KeyValues};
use model::{Action, Execution, ExecutionStatus};
use orquesta::{Chain, ChainNode};
use ports::{Query, Slot};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::run::Run;
use crate::{Engine, Error, datastore::Reader, records};

/// Children read at once.
const PAGE: usize = 500;
/// What a failed chain's traceback says: there is none.
const NO_TRACEBACK: &str = "None";

/// A chain at work.
pub(super) struct ChainRun {
    chain: Arc<Chain>,
    pub(super) variables: Variables,
    /// The newest result of each action.
    results: Map<String, Value>,
    /// What became of each, as the chain's result shows it.
    tasks: Vec<Value>,
    /// How the last one ended.
    pub(super) last: Option<ExecutionStatus>,
}

/// What the journal keeps of a chain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Variables {
    vars: Map<String, Value>,
    published: Map<String, Value>,
}

impl ChainRun {
    pub(super) fn new(chain: Arc<Chain>, variables: Variables) -> ChainRun {
        ChainRun { chain, variables, results: Map::new(), tasks: Vec::new(), last: None }
    }

    pub(super) fn node(&self, task: &str) -> Option<&ChainNode> {
        self.chain.nodes.get(task)
    }

    fn note(&mut self, execution: &Execution, result: Value) {
        let Some(task) = &execution.task else { return };
        if self.tasks.iter().any(|noted| noted.get("execution_id") == Some(&json!(execution.id))) {
            return;
        }
        self.tasks.push(json!({
            "id": task.name,
            "name": task.name,
            "execution_id": execution.id,
            "liveaction_id": execution.id,
            "workflow": null,
            "created_at": execution.start.to_string(),
            "updated_at": execution.end.unwrap_or(execution.start).to_string(),
            "state": execution.status,
            "result": result,
        }));
        self.results.insert(task.name.clone(), result);
        self.last = Some(execution.status);
    }
}

impl Run {
    /// `{tasks, published}`, and the error of a chain that could not go on.
    pub(super) fn chain_result(&self, chain: &ChainRun) -> Value {
        let mut result = Map::new();
        result.insert("tasks".to_owned(), Value::from(chain.tasks.clone()));
        let shows = self.execution.parameters.get("display_published").is_none_or(|shows| *shows != json!(false));
        if shows {
            result.insert("published".to_owned(), Value::Object(chain.variables.published.clone()));
        }
        // An action that failed has said why itself.
        if let Some(error) = self.state.errors().find(|entry| entry.route.is_some()) {
            result.extend(failure(&error.message));
        }
        Value::Object(result)
    }
}

/// What a chain's result says of an error.
pub(super) fn failure(message: &str) -> Map<String, Value> {
    [("error", message), ("traceback", NO_TRACEBACK)]
        .map(|(key, text)| (key.to_owned(), Value::from(text)))
        .into_iter()
        .collect()
}

impl Engine {
    /// Renders the variables that a chain begins with.
    pub(super) async fn begin_chain(
        &self,
        chain: Arc<Chain>,
        execution: &Execution,
        inputs: &Map<String, Value>,
    ) -> Result<ChainRun, Error> {
        let mut begun = ChainRun::new(chain, Variables::default());
        let vars = begun.chain.vars.clone();
        begun.variables.vars = self.render_in_chain(&begun, execution, inputs, &vars).await.map_err(|error| Error {
            message: format!("Failed initializing ``vars`` in chain. {}", error.message),
            ..error
        })?;
        Ok(begun)
    }

    /// What an action of a chain is given.
    pub(super) async fn chain_parameters(&self, run: &Run, task: &str) -> Result<Map<String, Value>, Error> {
        let Some((chain, node)) = run.chain.as_ref().and_then(|chain| Some((chain, chain.node(task)?))) else {
            return Ok(Map::new());
        };
        self.render_in_chain(chain, &run.execution, &run.inputs, &node.parameters).await
    }

    /// Takes in that an action of a chain has ended; says what is wrong where it can't publish.
    pub(super) async fn note_in_chain(
        &self,
        run: &mut Run,
        execution: &Execution,
        result: Value,
    ) -> Result<Option<String>, Error> {
        let Some(mut chain) = run.chain.take() else { return Ok(None) };
        chain.note(execution, result);
        let publish = execution.task.as_ref().and_then(|task| chain.node(&task.name)).map(|node| node.publish.clone());
        let published = match publish.filter(|publish| !publish.is_empty()) {
            Some(publish) => self.render_in_chain(&chain, &run.execution, &run.inputs, &publish).await.map(Some),
            None => Ok(None),
        };
        let outcome = match published {
            Ok(published) => {
                chain.variables.published.extend(published.unwrap_or_default());
                Ok(None)
            }
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => Ok(Some(format!("Failed rendering value for publish parameter: {}", error.message))),
        };
        run.chain = Some(chain);
        outcome
    }

    async fn render_in_chain(
        &self,
        chain: &ChainRun,
        execution: &Execution,
        inputs: &Map<String, Value>,
        templates: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        if templates.is_empty() {
            return Ok(Map::new());
        }
        let catalog = self.catalog().await?;
        let action = catalog.find::<Action>(execution.action.as_str());
        let plan = catalog.plan(action.ok_or_else(|| Error::not_found("action", &execution.action))?)?;
        let reader = Reader { user: execution.user.clone(), decrypts: execution.decrypts };
        let render = |keys: Arc<dyn KeyValues>| {
            let context = chain.context(plan.surroundings(&execution.context, keys), inputs);
            let rendered = templates.iter().map(|(name, value)| {
                let value = self.jinja.render_value(value, &context).map_err(|error| format!("{name}: {error}"))?;
                Ok((name.clone(), value))
            });
            rendered.collect::<Result<Map<_, _>, String>>()
        };
        self.with_datastore(&reader, render).await?.value.map_err(Error::invalid)
    }

    /// Reads what became of a chain's actions so far.
    pub(super) async fn recall_chain(&self, run: &mut Run) -> Result<(), Error> {
        let Some(mut chain) = run.chain.take() else { return Ok(()) };
        let mut query = Query::index(Slot::Parent, format!("execution/{}", run.execution.id), PAGE);
        loop {
            let page = self.ports.store.query(&query).await?;
            for record in &page.records {
                let execution: Execution = records::read(record)?;
                if execution.status.is_final() {
                    let result = match &execution.result {
                        Some(payload) => self.load(payload).await?,
                        None => Value::Null,
                    };
                    chain.note(&execution, result);
                }
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        run.chain = Some(chain);
        Ok(())
    }
}

impl ChainRun {
    /// What templates of a chain see, the newest over the oldest.
    fn context(&self, mut context: Context, inputs: &Map<String, Value>) -> Context {
        for values in [inputs, &self.variables.vars, &self.results, &self.variables.published] {
            for (name, value) in values {
                context.insert(name.clone(), value.clone());
            }
        }
        context.insert("__results", Value::Object(self.results.clone()));
        context
    }
}

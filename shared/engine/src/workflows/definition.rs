//! The text of a workflow, read and inspected once for each content of it.

use model::{Action, runner_type};
use orquesta::{Chain, Conductor, Inspection, Nothing, Workflow, inspect};
use ports::PackVersion;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

use super::{Workflows, machines::Machine};
use crate::{Catalog, Engine, Error, catalog::lock};

/// Definitions kept at hand.
const KEPT: usize = 1_024;
/// Variables that every workflow has.
pub(super) const KNOWN: [&str; 2] = ["st2", "parent"];
const TASKS: &str = "properties.tasks.patternProperties.^\\w+$.properties";

/// A workflow, ready to be conducted.
pub(super) struct Definition {
    pub(super) conductor: Conductor,
    /// Where it is an action chain.
    pub(super) chain: Option<Arc<Chain>>,
    /// Its expressions read the datastore or the records of tasks.
    pub(super) reads_outside: bool,
    /// The file in its pack.
    pub(super) path: String,
    /// What pictures it, once somebody asks.
    pub(super) machine: OnceLock<Machine>,
    /// What is wrong with it, as a workflow that fails for it tells.
    problems: Vec<Value>,
}

impl Engine {
    /// The definition of the workflow that an action runs, of that version of its pack.
    pub(super) async fn definition(
        &self,
        action: &Action,
        pack: Option<&PackVersion>,
    ) -> Result<Arc<Definition>, Error> {
        let path = format!("actions/{}", action.entry_point);
        let file = pack.and_then(|pack| pack.files.iter().find(|file| file.path == path));
        let Some(file) = file else {
            let message = format!("the workflow {path} of action {} is not in its pack", action.reference);
            return Err(Error::invalid(message));
        };
        if let Some(known) = lock(&self.workflows.definitions).get(&file.digest) {
            return Ok(Arc::clone(known));
        }
        let bytes = self.ports.blobs.get(&file.digest).await?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::invalid(format!("{path} is not UTF-8")))?;
        let definition = match action.runner_type.as_str() {
            super::CHAIN => self.workflows.read_chain(&path, text)?,
            _ => self.workflows.read(&path, text)?,
        };
        let definition = Arc::new(definition);
        let mut definitions = lock(&self.workflows.definitions);
        if definitions.len() >= KEPT {
            definitions.clear();
        }
        definitions.insert(file.digest.clone(), Arc::clone(&definition));
        Ok(definition)
    }
}

impl Workflows {
    fn read(&self, path: &str, text: &str) -> Result<Definition, Error> {
        let root = yaml::read(text).map_err(|error| Error::invalid(format!("{path}:{error}")))?;
        let inspection = inspect(&root, &KNOWN, &self.expressions);
        let problems = problems(&inspection);
        // One with problems won't run; what can be read of it may show more of them.
        let workflow = Workflow::outline(&root);
        let reads_outside = text.contains("st2kv") || text.contains("task(");
        let (path, machine) = (path.to_owned(), OnceLock::new());
        Ok(Definition { conductor: self.conductor(workflow), chain: None, reads_outside, path, machine, problems })
    }

    fn read_chain(&self, path: &str, text: &str) -> Result<Definition, Error> {
        let root = yaml::read(text).map_err(|error| Error::invalid(format!("{path}:{error}")))?;
        let chain = Chain::read(&root).map_err(|error| Error::invalid(error.message))?;
        let conductor = self.conductor(chain.workflow());
        let (path, machine) = (path.to_owned(), OnceLock::new());
        let chain = Some(Arc::new(chain));
        Ok(Definition { conductor, chain, reads_outside: false, path, machine, problems: Vec::new() })
    }

    fn conductor(&self, workflow: Workflow) -> Conductor {
        Conductor::new(Arc::new(workflow), self.expressions.clone(), Arc::new(Nothing))
    }
}

impl Definition {
    /// All that is wrong: with the text, and with what it asks of this platform's actions.
    pub(super) fn problems(&self, catalog: &Catalog) -> Vec<Value> {
        if self.chain.is_some() {
            // What is wrong with an action of a chain shows when its turn comes.
            return Vec::new();
        }
        let mut all = self.content_problems(catalog);
        all.extend(self.problems.iter().cloned());
        all
    }

    /// Actions that are not there, and inputs that they do not take or miss.
    fn content_problems(&self, catalog: &Catalog) -> Vec<Value> {
        let mut found = Vec::new();
        for (name, task) in &self.conductor.workflow().tasks {
            let Some(action) = task.action.written().as_str().filter(|text| !text.is_empty()) else { continue };
            if expressions::orquesta::Language::of(action).is_some() {
                continue;
            }
            let mut report = |key: &str, message: String| {
                found.push(json!({
                    "type": "content", "message": message,
                    "spec_path": format!("tasks.{name}.{key}"), "schema_path": format!("{TASKS}.{key}"),
                }));
            };
            if !action.contains('.') {
                report("action", format!("The action reference \"{action}\" is not formatted correctly."));
                continue;
            }
            let Some(known) = action.parse().ok().and_then(|reference| catalog.actions.get(&reference)) else {
                report("action", format!("The action \"{action}\" is not registered in the database."));
                continue;
            };
            let empty = serde_json::Map::new();
            let written = task.input.written();
            // An input that is one expression gives its names when it is evaluated.
            let given = if written.is_null() { Some(&empty) } else { written.as_object() };
            let Some(given) = given else { continue };
            let of_runner = runner_type(&known.runner_type).map(|runner| &runner.runner_parameters);
            let declared = |name: &String| {
                known.parameters.get(name).or_else(|| of_runner.and_then(|parameters| parameters.get(name)))
            };
            let all = known.parameters.iter().chain(of_runner.into_iter().flatten());
            for (name, _) in all.filter(|(name, parameter)| {
                let parameter = declared(name).unwrap_or(parameter);
                parameter.required && parameter.default.is_none() && !given.contains_key(*name)
            }) {
                report("input", format!("Action \"{action}\" is missing required input \"{name}\"."));
            }
            for name in given.keys().filter(|name| declared(name).is_none()) {
                report("input", format!("Action \"{action}\" has unexpected input \"{name}\"."));
            }
        }
        found
    }
}

/// What the inspection found, in the shape of a workflow's errors.
fn problems(inspection: &Inspection) -> Vec<Value> {
    let mut issues: Vec<_> = inspection.issues.iter().collect();
    issues.sort_by_key(|issue| kind(issue.category));
    let told = issues.into_iter().map(|issue| {
        let mut told = json!({"type": kind(issue.category), "message": issue.message});
        let path = |path: &str| if path.is_empty() { Value::Null } else { Value::from(path) };
        if let Some(told) = told.as_object_mut() {
            told.insert("spec_path".to_owned(), path(&issue.spec_path));
            told.insert("schema_path".to_owned(), path(&issue.schema_path));
            if let Some((language, expression)) = &issue.expression {
                told.insert("language".to_owned(), json!(language.map(|language| language.name())));
                told.insert("expression".to_owned(), json!(expression));
            }
        }
        told
    });
    told.collect()
}

/// The name of a category in a workflow's errors.
fn kind(category: orquesta::Category) -> &'static str {
    match category {
        orquesta::Category::Expressions => "expression",
        other => other.name(),
    }
}

//! The text of a workflow, read and inspected once for each content of it.

use model::{Action, Ref};
use orquesta::{Chain, Conductor, Inspection, Nothing, Workflow, inspect, place};
use ports::PackVersion;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

use super::{
    Workflows,
    content::{ContentIssue, Lookup, content_issues},
    machines::Machine,
};
use crate::{Catalog, Engine, Error, catalog::lock};

/// Definitions kept at hand.
const KEPT: usize = 1_024;
/// Variables that every workflow has.
pub(super) const KNOWN: [&str; 2] = ["st2", "parent"];
const TASKS: &str = "properties.tasks.patternProperties.^\\w+$.properties";

/// A workflow, ready to be conducted.
pub(super) struct Definition {
    pub(super) conductor: Conductor,
    /// The file in its pack.
    pub(super) path: String,
    pub(super) text: String,
    /// Where it is an action chain.
    pub(super) chain: Option<Arc<Chain>>,
    /// Its expressions read the datastore or the records of tasks.
    pub(super) reads_outside: bool,
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
        let (path, text, machine) = (path.to_owned(), text.to_owned(), OnceLock::new());
        Ok(Definition {
            conductor: self.conductor(workflow),
            path,
            text,
            chain: None,
            reads_outside,
            machine,
            problems,
        })
    }

    fn read_chain(&self, path: &str, text: &str) -> Result<Definition, Error> {
        let root = yaml::read(text).map_err(|error| Error::invalid(format!("{path}:{error}")))?;
        let chain = Chain::read(&root).map_err(|error| Error::invalid(error.message))?;
        let conductor = self.conductor(chain.workflow());
        let (path, text, machine) = (path.to_owned(), text.to_owned(), OnceLock::new());
        let chain = Some(Arc::new(chain));
        Ok(Definition { conductor, path, text, chain, reads_outside: false, machine, problems: Vec::new() })
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

    /// The tree of its text, for whoever says where something stands.
    pub(super) fn root(&self) -> Option<yaml::Node> {
        yaml::read(&self.text).ok()
    }

    fn content_problems(&self, catalog: &Catalog) -> Vec<Value> {
        let find = |reference: &Ref| {
            catalog.actions.get(reference).map_or(Lookup::Missing(None), |known| Lookup::Found(known))
        };
        let issues = content_issues(self.conductor.workflow(), &find).into_iter();
        let mut root = None;
        let problem = |ContentIssue { task, key, message, .. }| {
            let path = format!("tasks.{task}.{key}");
            let line = root.get_or_insert_with(|| self.root()).as_ref().map(|root| place(root, &path).line);
            json!({
                "type": "content", "message": message, "spec_path": path, "schema_path": format!("{TASKS}.{key}"),
                "line": line,
            })
        };
        issues.map(problem).collect()
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
            told.insert("line".to_owned(), json!(issue.position.line));
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

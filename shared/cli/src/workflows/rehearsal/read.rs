//! Files of rehearsals.

use model::ExecutionStatus;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use yaml::Node;

use crate::{documents::read_text, failure::Failure};

/// A file: a workflow, and cases of it.
#[derive(Clone, Debug)]
pub(crate) struct Rehearsal {
    pub(crate) file: PathBuf,
    /// The workflow's file, seen from this one, or its action's ref.
    pub(crate) workflow: String,
    pub(crate) cases: Vec<Case>,
}

/// What is given, and what is to come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) input: Map<String, Value>,
    /// What `ctx()` has besides, such as `st2` and `parent`.
    #[serde(default)]
    pub(crate) context: Map<String, Value>,
    /// The datastore.
    #[serde(default)]
    pub(crate) keys: BTreeMap<String, String>,
    /// What `now()` gives.
    #[serde(default)]
    pub(crate) now: Option<String>,
    /// The results of each task, run by run.
    #[serde(default)]
    pub(crate) tasks: BTreeMap<String, Answered>,
    pub(crate) expect: Expected,
}

/// What the runs of a task give, the first first. One that runs once needs no list.
#[derive(Clone, Debug)]
pub(crate) struct Answered(pub(crate) Vec<Answer>);

/// What a run of a task gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    #[serde(default = "succeeded")]
    pub(crate) status: ExecutionStatus,
    #[serde(default)]
    pub(crate) result: Value,
    /// Of a task with items: what each item gives.
    #[serde(default)]
    pub(crate) items: Option<Vec<Answer>>,
    /// Seconds that it takes: says which of two branches is first.
    #[serde(default)]
    pub(crate) lasts: f64,
}

/// What is to come of it. What is not there is not compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) status: ExecutionStatus,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) output: Option<Value>,
    /// Of each error what is to be in it.
    #[serde(default)]
    pub(crate) errors: Option<Vec<Map<String, Value>>>,
    /// Names, in the order of their starts; or by name how often, or as what they end.
    #[serde(default)]
    pub(crate) tasks: Option<Value>,
}

fn succeeded() -> ExecutionStatus {
    ExecutionStatus::Succeeded
}

fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Answered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Answered, D::Error> {
        let list = match Value::deserialize(deserializer)? {
            Value::Array(answers) => answers,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let answers = list.into_iter().map(|answer| Answer::deserialize(answer).map_err(serde::de::Error::custom));
        Ok(Answered(answers.collect::<Result<_, _>>()?))
    }
}

impl Rehearsal {
    /// Reads a file; what is wrong with it is told with its line.
    pub(crate) fn read(name: &str) -> Result<Rehearsal, Failure> {
        Rehearsal::parse(Path::new(name), &read_text(name)?)
    }

    pub(crate) fn parse(file: &Path, text: &str) -> Result<Rehearsal, Failure> {
        let wrong = |at: yaml::Position, message: &str| {
            Failure::usage(format!("{}:{}:{}: {message}", file.display(), at.line, at.column))
        };
        let root = yaml::read(text).map_err(|error| wrong(error.position, &error.message).maybe_hint(error.hint))?;
        if let Some(entry) = root.as_map().into_iter().flatten().find(|entry| !KEYS.contains(&entry.key.as_str())) {
            let message = format!("a rehearsal has no \"{}\"", entry.key);
            return Err(wrong(entry.position, &message).hint(format!("it has {}", KEYS.join(", "))));
        }
        let workflow = root.get("workflow").and_then(Node::as_text);
        let workflow = workflow.ok_or_else(|| {
            wrong(root.position, "a rehearsal needs a \"workflow\"")
                .hint("workflow: ../actions/workflows/deploy.yaml, or workflow: my_pack.deploy")
        })?;
        let listed = root.get("cases").and_then(Node::as_list).filter(|cases| !cases.is_empty());
        let listed = listed.ok_or_else(|| {
            wrong(root.position, "a rehearsal needs \"cases\", a list of at least one")
                .hint("cases: [{name: it works, tasks: {build: {result: {…}}}, expect: {status: succeeded}}]")
        })?;
        let cases = listed.iter().map(|case| {
            Case::deserialize(case.to_json()).map_err(|error| {
                let name = case.get("name").and_then(Node::as_text).map(|name| format!(" \"{name}\""));
                wrong(case.position, &format!("in the case{}: {error}", name.unwrap_or_default()))
            })
        });
        let cases: Vec<Case> = cases.collect::<Result<_, _>>()?;
        Ok(Rehearsal { file: file.to_owned(), workflow: workflow.to_owned(), cases })
    }
}

const KEYS: [&str; 2] = ["workflow", "cases"];

//! The examples of `packs/examples` at work on an engine, and what each is to become. Shared by the tests of both hosts.

use engine::{Engine, ExecutionFilter, ExecutionRequest, PageRequest, Principal, SetKey};
use model::{Execution, ExecutionStatus, Id, KeyScope, Secret};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A file in the pack's `tests`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) action: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    /// Set in the datastore before.
    #[serde(default)]
    keys: BTreeMap<String, String>,
    /// For the inquiries, in order; those that are open at once are answered by the names of their tasks.
    #[serde(default)]
    answers: Vec<Value>,
    expect: Expected,
}

/// What must become of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    status: ExecutionStatus,
    /// The output of a workflow, what an action chain has published.
    #[serde(default)]
    output: Value,
    /// Of each task that has executions, their statuses, in any order.
    #[serde(default)]
    tasks: BTreeMap<String, Value>,
    /// Of each error what is to be in it.
    #[serde(default)]
    errors: Vec<Map<String, Value>>,
    /// Of a task with items, how many may run at once.
    #[serde(default)]
    at_once: BTreeMap<String, usize>,
}

pub(crate) fn pack(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs").join(name)
}

pub(crate) fn cases() -> BTreeMap<String, Case> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let node = yaml::read(&std::fs::read_to_string(&path).unwrap());
        let node = node.unwrap_or_else(|error| panic!("tests/{name}:{error}"));
        let case = serde_json::from_value(node.to_json()).unwrap_or_else(|error| panic!("tests/{name}: {error}"));
        (name, case)
    };
    std::fs::read_dir(pack("examples").join("tests")).unwrap().map(read).collect()
}

/// One example at work.
pub(crate) struct Running {
    pub(crate) engine: Arc<Engine>,
    pub(crate) case: Case,
    /// No example takes longer.
    pub(crate) longest: Duration,
}

impl Running {
    /// What is not as it should be.
    pub(crate) async fn wrongs(self) -> Vec<String> {
        let principal = Principal::system();
        for (name, value) in &self.case.keys {
            let value = Secret::new(value.clone());
            let set = SetKey { name: name.clone(), value, scope: KeyScope::System, ..SetKey::default() };
            self.engine.set_key(&principal, set).await.unwrap();
        }
        let request = ExecutionRequest {
            action: self.case.action.clone(),
            parameters: self.case.parameters.clone(),
            ..ExecutionRequest::default()
        };
        let id = match self.engine.request(&principal, request).await {
            Ok(requested) => requested.id,
            Err(error) => return vec![format!("refused: {}", error.message)],
        };
        match tokio::time::timeout(self.longest, self.ended(id)).await {
            Ok(ended) => self.compare(&ended).await,
            Err(_) => {
                let children = self.children(id).await;
                let stands = |child: &Execution| format!("{} is {}", child.task.as_ref().unwrap().name, child.status);
                vec![format!("it does not end: {}", children.iter().map(stands).collect::<Vec<_>>().join(", "))]
            }
        }
    }

    async fn ended(&self, id: Id) -> Execution {
        let mut answers = self.case.answers.iter();
        loop {
            let mut asked = self.pending(id).await;
            asked.sort_by_key(|asked| asked.task.as_ref().map(|task| task.name.clone()));
            for asked in asked {
                let Some(answer) = answers.next() else { break };
                self.engine.respond(&Principal::system(), asked.id, answer.clone()).await.unwrap();
            }
            let execution = self.engine.execution(&Principal::system(), id).await.unwrap();
            // What runs beside a failure ends later than its workflow.
            if execution.status.is_final() && self.children(id).await.iter().all(|child| child.status.is_final()) {
                return execution;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The inquiries that wait below an execution.
    async fn pending(&self, id: Id) -> Vec<Execution> {
        let mut pending = Vec::new();
        if self.case.answers.is_empty() {
            return pending;
        }
        for child in self.children(id).await {
            match child.status {
                ExecutionStatus::Pending => pending.push(child),
                status if status.is_final() => {}
                _ => pending.extend(Box::pin(self.pending(child.id)).await),
            }
        }
        pending
    }

    async fn children(&self, parent: Id) -> Vec<Execution> {
        let filter = ExecutionFilter { parent: Some(parent), ..ExecutionFilter::default() };
        let page = PageRequest { limit: 1_000, descending: false, ..PageRequest::default() };
        self.engine.executions(&Principal::system(), &filter, &page).await.unwrap().items
    }

    async fn compare(&self, ended: &Execution) -> Vec<String> {
        let expect = &self.case.expect;
        let result = self.engine.result(&Principal::system(), ended, false).await.unwrap().unwrap_or_default();
        let children = self.children(ended.id).await;
        let tasks = by_task(&children);
        let mut wrongs = Vec::new();
        let mut compare = |what: &str, expected: Value, actual: Value| {
            if expected != actual {
                wrongs.push(format!("{what}\n  expected {expected}\n  became   {actual}"));
            }
        };
        compare("status", json!(expect.status), json!(ended.status));
        let output = if ended.runner == "action-chain" { &result["published"] } else { &result["output"] };
        compare("output", expect.output.clone(), output.clone());
        let expected = expect.tasks.iter().map(|(name, statuses)| match statuses {
            Value::Array(statuses) => (name, statuses.clone()),
            status => (name, vec![status.clone()]),
        });
        let actual = tasks.iter().map(|(name, runs)| (name, runs.iter().map(|run| json!(run.status)).collect()));
        compare("tasks", in_any_order(expected), in_any_order(actual));
        for (task, most) in &expect.at_once {
            let at_once = tasks.get(task).map_or(0, |runs| at_once(runs));
            if at_once > *most {
                wrongs.push(format!("{task} ran {at_once} items at once, not at most {most}"));
            }
        }
        let of_chain = result.get("error").map(|message| json!({"message": message}));
        let errors: Vec<Value> =
            result["errors"].as_array().cloned().unwrap_or_default().into_iter().chain(of_chain).collect();
        let fits =
            |(error, wanted): (&Value, &Map<String, Value>)| wanted.iter().all(|(key, value)| error[key] == *value);
        if errors.len() != expect.errors.len() || !errors.iter().zip(&expect.errors).all(fits) {
            wrongs.push(format!("errors\n  expected {}\n  became   {}", json!(expect.errors), json!(errors)));
        }
        wrongs
    }
}

fn by_task(children: &[Execution]) -> BTreeMap<String, Vec<&Execution>> {
    let mut tasks: BTreeMap<String, Vec<&Execution>> = BTreeMap::new();
    for child in children {
        tasks.entry(child.task.as_ref().unwrap().name.clone()).or_default().push(child);
    }
    tasks
}

fn in_any_order<'n>(tasks: impl Iterator<Item = (&'n String, Vec<Value>)>) -> Value {
    let sorted = tasks.map(|(name, mut statuses)| {
        statuses.sort_by_key(Value::to_string);
        (name.clone(), Value::from(statuses))
    });
    Value::Object(sorted.collect())
}

/// How many of them were under way at one moment. One that starts in the millisecond in which another ends comes after it.
fn at_once(runs: &[&Execution]) -> usize {
    let under_way = |run: &Execution| {
        runs.iter().filter(|other| other.start <= run.start && other.end.is_none_or(|end| end > run.start)).count()
    };
    runs.iter().map(|run| under_way(run)).max().unwrap_or(0)
}

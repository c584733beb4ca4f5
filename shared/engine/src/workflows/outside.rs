//! What expressions ask of the world around a workflow: the datastore, the records of tasks, the time. They ask without waiting; what is
//! not here yet is fetched, and they are evaluated once more.

use expressions::{KeyValues, Scope};
use model::{Execution, Id, Secret};
use orquesta::{Conductor, Surroundings};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::run::{Run, TaskChildren};
use crate::{Engine, Error, catalog::lock, datastore::Reader, records};

/// Evaluations of one step, at most, for the records of tasks that it reads.
const MAX_PASSES: usize = 8;

type TaskKey = (String, u32);

#[derive(Default)]
struct Tasks {
    known: HashMap<TaskKey, Arc<Value>>,
    missing: Vec<TaskKey>,
}

struct Outside {
    keys: Arc<dyn KeyValues>,
    tasks: Arc<Mutex<Tasks>>,
    now: i64,
    seed: u64,
}

impl Surroundings for Outside {
    fn task(&self, name: &str, route: u32) -> Result<Arc<Value>, String> {
        let mut tasks = lock(&self.tasks);
        let key = (name.to_owned(), route);
        if let Some(task) = tasks.known.get(&key) {
            return Ok(Arc::clone(task));
        }
        tasks.missing.push(key);
        Err(format!("the task {name} has not run"))
    }

    fn key_value(&self, key: &str, decrypt: bool) -> Result<Option<String>, String> {
        let (scope, name) = match key.split_once('.') {
            Some(("system", name)) => (Scope::System, name),
            Some(("user", name)) => (Scope::User, name),
            _ => (Scope::User, key),
        };
        match self.keys.get(scope, name) {
            Some(value) if decrypt => self.keys.decrypt(&value).map(Some),
            value => Ok(value),
        }
    }

    fn now(&self) -> Option<i64> {
        Some(self.now)
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }
}

impl Engine {
    /// A conductor of the run's workflow that knows nothing but the time.
    pub(super) fn conductor(&self, conductor: &Conductor) -> Conductor {
        let clock = &self.ports.clock;
        let (now, seed) = (clock.now().micros(), clock.entropy());
        conductor.with_surroundings(Arc::new(Outside { keys: Arc::new(Empty), tasks: Arc::default(), now, seed }))
    }

    /// Does something with a conductor that finds what it asks for. It may be done several times: only the last counts. Gives the secrets
    /// that were decrypted on the way, too.
    pub(super) async fn with_outside<T>(
        &self,
        (conductor, execution): (&Conductor, &Execution),
        run: Option<&Run>,
        mut act: impl FnMut(&Conductor) -> T + Send,
    ) -> Result<(T, Vec<Secret<String>>), Error>
    where
        T: Send,
    {
        // What a user may decrypt is decided when the keys are opened; the platform's own workflows may.
        let reader = Reader { user: execution.user.clone(), decrypts: true };
        let tasks: Arc<Mutex<Tasks>> = Arc::default();
        let (now, seed) = (self.ports.clock.now().micros(), self.ports.clock.entropy());
        let mut passes = 0;
        loop {
            let evaluated = self
                .with_datastore(&reader, |keys| {
                    lock(&tasks).missing.clear();
                    let outside = Outside { keys, tasks: Arc::clone(&tasks), now, seed };
                    act(&conductor.with_surroundings(Arc::new(outside)))
                })
                .await?;
            let missing = std::mem::take(&mut lock(&tasks).missing);
            passes += 1;
            let mut found = false;
            for key in missing {
                if let Some(record) = self.task_record(run, &key).await? {
                    lock(&tasks).known.insert(key, Arc::new(record));
                    found = true;
                }
            }
            if !found || passes == MAX_PASSES {
                return Ok((evaluated.value, evaluated.secrets));
            }
        }
    }

    /// What `task('name')` gives.
    async fn task_record(&self, run: Option<&Run>, (name, route): &TaskKey) -> Result<Option<Value>, Error> {
        let Some(run) = run else { return Ok(None) };
        let Some(entry) = run.state.last_entry(name, *route) else { return Ok(None) };
        let children = run.children.get(&(Arc::clone(&entry.task), *route));
        let mut executions = Vec::new();
        for id in children.iter().flat_map(|children| children.ids.values()) {
            if let Some(record) = self.ports.store.get(&records::execution_key(*id)).await? {
                executions.push(records::read::<Execution>(&record)?);
            }
        }
        let mut results = Vec::new();
        for execution in &executions {
            results.push(match &execution.result {
                Some(payload) => self.load(payload).await?,
                None => Value::Null,
            });
        }
        let has_items = children.is_some_and(TaskChildren::have_items);
        let result = if has_items { json!({"items": results}) } else { results.pop().unwrap_or_default() };
        let start = executions.iter().map(|execution| execution.start).min();
        let end = executions.iter().map(|execution| execution.end).max().flatten();
        Ok(Some(json!({
            "task_execution_id": task_execution_id(run.execution.id, entry.index),
            "workflow_execution_id": run.execution.id,
            "task_name": name,
            "task_id": name,
            "route": route,
            "result": result,
            "status": entry.status.unwrap_or_default().name(),
            "start_timestamp": start.map(|time| time.to_string()),
            "end_timestamp": end.map(|time| time.to_string()),
        })))
    }
}

/// The id of one run of a task.
pub(super) fn task_execution_id(workflow: Id, entry: u32) -> Id {
    Id::named(&["task", &workflow.to_string(), &entry.to_string()])
}

/// No keys.
struct Empty;

impl KeyValues for Empty {
    fn get(&self, _scope: Scope, _name: &str) -> Option<String> {
        None
    }

    fn decrypt(&self, _ciphertext: &str) -> Result<String, String> {
        Err("there is no datastore here".to_owned())
    }
}

//! What expressions ask of the world around a workflow: the datastore, the records of tasks, the time. They ask without waiting; what is
//! not here yet is fetched, and they are evaluated once more.

use expressions::{KeyValues, Scope};
use model::{Execution, ExecutionStatus, Id, Secret};
use orquesta::{Conductor, Surroundings, TaskRun};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::run::Run;
use crate::{Engine, Error, catalog::lock, datastore::Reader, records};

/// Evaluations of one step, at most, for the records of tasks that it reads.
const MAX_PASSES: usize = 8;

/// Which run of which task.
type TaskKey = (String, u32, u32);

#[derive(Default)]
struct Tasks {
    known: HashMap<TaskKey, Map<String, Value>>,
    missing: Vec<TaskKey>,
}

struct Outside {
    keys: Arc<dyn KeyValues>,
    tasks: Arc<Mutex<Tasks>>,
    now: i64,
    seed: u64,
}

impl Surroundings for Outside {
    fn task(&self, run: &TaskRun<'_>) -> Result<Arc<Value>, String> {
        let mut tasks = lock(&self.tasks);
        let key = (run.name.to_owned(), run.route, run.entry);
        if let Some(record) = tasks.known.get(&key) {
            let mut record = record.clone();
            record.insert("status".to_owned(), json!(run.status.name()));
            return Ok(Arc::new(Value::Object(record)));
        }
        tasks.missing.push(key);
        Err(format!("the record of task {} is not here", run.name))
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
                if let Some(run) = run {
                    let record = self.task_record(run, &key).await?;
                    lock(&tasks).known.insert(key, record);
                    found = true;
                }
            }
            if !found || passes == MAX_PASSES {
                return Ok((evaluated.value, evaluated.secrets));
            }
        }
    }

    /// What `task('name')` gives, but for the status.
    async fn task_record(&self, run: &Run, (name, route, entry): &TaskKey) -> Result<Map<String, Value>, Error> {
        let children =
            run.children.get(&(Arc::from(name.as_str()), *route)).filter(|children| children.entry == *entry);
        let has_items =
            run.definition.conductor.workflow().tasks.get(name.as_str()).is_some_and(|task| task.with.is_some());
        let (mut results, mut start, mut end) = (Vec::new(), None, None);
        for id in children.iter().flat_map(|children| children.ids.values()) {
            let record = self.ports.store.get(&records::execution_key(*id)).await?;
            // One that is not stored yet has ended in the turn that is on.
            let Some(execution) = record.as_ref().map(records::read::<Execution>).transpose()? else {
                results.push((ExecutionStatus::Succeeded, crate::noop_result()));
                continue;
            };
            let result = match &execution.result {
                Some(payload) => self.load(payload).await?,
                None => Value::Null,
            };
            results.push((execution.status, result));
            start = start.min(Some(execution.start)).or(Some(execution.start));
            end = end.max(execution.end);
        }
        let result = if has_items {
            let items = results.into_iter().map(|(status, result)| json!({"status": status, "result": result}));
            json!({"items": items.collect::<Vec<_>>()})
        } else {
            results.pop().map(|(_, result)| result).unwrap_or_default()
        };
        let record = json!({
            "task_execution_id": task_execution_id(run.execution.id, *entry),
            "workflow_execution_id": run.execution.id,
            "task_name": name,
            "task_id": name,
            "route": route,
            "result": result,
            "start_timestamp": start.map(|time| time.to_string()),
            "end_timestamp": end.map(|time| time.to_string()),
        });
        Ok(record.as_object().cloned().unwrap_or_default())
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

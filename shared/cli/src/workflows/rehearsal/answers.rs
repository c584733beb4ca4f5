//! What tasks are given when they are started, and what expressions see of it.

use asl::simulate::{Outcome, Started};
use model::ExecutionStatus;
use orquesta::{Status, TaskRun};
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Step,
    read::{Answer, Case},
};

const NOOP: &str = "core.noop";
/// When it is, where a case does not say.
const NOW: &str = "2026-01-01T00:00:00Z";
/// What `random()` begins with.
const SEED: u64 = 1;

/// Hands out the results of a case.
pub(super) struct Answers<'c> {
    case: &'c Case,
    surroundings: Arc<Surroundings>,
    /// The runs of tasks so far, the first first.
    runs: Vec<Step>,
    /// Of each task and route the run that is on.
    current: HashMap<(Arc<str>, u32), Current>,
    /// How many runs of each task there were.
    counts: HashMap<Arc<str>, usize>,
    /// How many were answered with what is given.
    used: HashMap<Arc<str>, usize>,
    /// What is missing.
    pub(super) problem: Option<String>,
}

#[derive(Clone, Copy)]
struct Current {
    /// The place in the runs.
    run: usize,
    /// The how manieth of the task.
    number: usize,
}

impl<'c> Answers<'c> {
    pub(super) fn new(case: &'c Case, surroundings: Arc<Surroundings>) -> Answers<'c> {
        let (runs, current, counts, used) = Default::default();
        Answers { case, surroundings, runs, current, counts, used, problem: None }
    }

    /// What comes of an action that is started; nothing where that is not given.
    pub(super) fn answer(&mut self, started: &Started) -> Option<Outcome> {
        let current = self.begin(started);
        let answered = self.case.tasks.get(&*started.task);
        let given = answered.and_then(|answered| answered.0.get(current.number));
        let answer = match (started.item, given) {
            (Some(item), Some(given)) => self.of_item(started, current, item, given),
            (None, Some(given)) if given.items.is_some() => {
                self.refuse(format!("task {} has no items: give it a `result`", started.task))
            }
            (None, Some(given)) => Some(given.clone()),
            (_, None) if started.action.is_null() => Some(succeeded(Value::Null)),
            (_, None) if started.action == NOOP => {
                Some(succeeded(json!({"failed": false, "succeeded": true, "return_code": 0})))
            }
            (_, None) => self.refuse(wanting(started, current.number)),
        }?;
        if !matches!(started.input, Value::Null | Value::Object(_)) {
            return self.refuse(format!("the input of task {} is no object: {}", started.task, started.input));
        }
        if given.is_some() {
            let used = self.used.entry(Arc::clone(&started.task)).or_default();
            *used = (*used).max(current.number + 1);
        }
        let status = status(answer.status);
        if let Some(step) = self.runs.get_mut(current.run) {
            step.items = started.item.map(|item| step.items.unwrap_or(0).max(item + 1));
            step.status = if step.status == Status::Failed { step.status } else { status };
        }
        self.surroundings.note(started, status, &answer.result);
        let seconds = std::time::Duration::try_from_secs_f64(answer.lasts).unwrap_or_default();
        Some(Outcome { status, result: answer.result, lasts: u64::try_from(seconds.as_micros()).unwrap_or(u64::MAX) })
    }

    /// The run that something is started in: the first item begins a new one.
    fn begin(&mut self, started: &Started) -> Current {
        let key = (Arc::clone(&started.task), started.route);
        if let Some(current) = self.current.get(&key).filter(|_| started.item.is_some_and(|item| item > 0)) {
            return *current;
        }
        let count = self.counts.entry(Arc::clone(&started.task)).or_default();
        let current = Current { run: self.runs.len(), number: *count };
        *count += 1;
        self.runs.push(Step {
            task: started.task.to_string(),
            route: started.route,
            status: Status::Unset,
            delay: started.delay,
            items: None,
        });
        self.current.insert(key, current);
        current
    }

    fn of_item(&mut self, started: &Started, current: Current, item: usize, given: &Answer) -> Option<Answer> {
        let task = &started.task;
        let Some(items) = &given.items else {
            return self.refuse(format!("task {task} runs over items: give it `items`, a list with what each gives"));
        };
        match items.get(item) {
            Some(answer) => Some(answer.clone()),
            None => self.refuse(format!(
                "task {task} wants a result for its {} item in its {} run: {} with {}; it is given {}",
                ordinal(item),
                ordinal(current.number),
                action(started),
                started.input,
                items.len(),
            )),
        }
    }

    fn refuse<T>(&mut self, problem: String) -> Option<T> {
        self.problem.get_or_insert(problem);
        None
    }

    pub(super) fn path(&self) -> Vec<Step> {
        self.runs.clone()
    }

    /// What was given and not asked for.
    pub(super) fn unused(&self) -> Vec<String> {
        let of_task = |(name, answered): (&String, &super::read::Answered)| {
            let used = self.used.get(name.as_str()).copied().unwrap_or_default();
            let rest = answered.0.len().saturating_sub(used);
            (rest > 0).then(|| format!("{name}: {rest} of {}", answered.0.len()))
        };
        self.case.tasks.iter().filter_map(of_task).collect()
    }
}

fn succeeded(result: Value) -> Answer {
    Answer { status: ExecutionStatus::Succeeded, result, items: None, lasts: 0.0 }
}

fn wanting(started: &Started, number: usize) -> String {
    let example = if started.item.is_some() { "{items: [{result: {…}}, …]}" } else { "{result: {…}}" };
    format!(
        "task {} wants a result for its {} run: {} with {}; give it under `tasks`, such as {}: {example}",
        started.task,
        ordinal(number),
        action(started),
        started.input,
        started.task,
    )
}

fn action(started: &Started) -> String {
    started.action.as_str().map_or_else(|| started.action.to_string(), str::to_owned)
}

/// `1st` for 0.
fn ordinal(number: usize) -> String {
    let number = number + 1;
    let tail = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{tail}")
}

/// What a workflow is told of an execution: what ran out of time or was lost has failed.
pub(super) fn status(status: ExecutionStatus) -> Status {
    match status {
        ExecutionStatus::Succeeded => Status::Succeeded,
        ExecutionStatus::Canceled => Status::Canceled,
        _ => Status::Failed,
    }
}

/// The datastore, the time and the records of tasks, as a case has them.
#[derive(Default)]
pub(crate) struct Surroundings {
    keys: HashMap<String, String>,
    now: Option<i64>,
    /// Keys that were asked for and are not given.
    absent: Mutex<BTreeSet<String>>,
    records: Mutex<HashMap<(String, u32), Value>>,
}

impl Surroundings {
    pub(crate) fn new(case: &Case) -> Surroundings {
        let keys = case.keys.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let now = case.now.as_deref().unwrap_or(NOW).parse::<jiff::Timestamp>().ok();
        Surroundings { keys, now: now.map(jiff::Timestamp::as_microsecond), ..Surroundings::default() }
    }

    /// Keys of the datastore that were asked for and are not given.
    pub(super) fn absent(&self) -> Vec<String> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Remembers what `task('name')` gives.
    fn note(&self, started: &Started, status: Status, result: &Value) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let record = records.entry((started.task.to_string(), started.route)).or_default();
        let result = match started.item {
            None => result.clone(),
            Some(item) => {
                let mut items = record.pointer("/result/items").and_then(Value::as_array).cloned().unwrap_or_default();
                items.truncate(if item == 0 { 0 } else { items.len() });
                items.push(json!({"status": status, "result": result}));
                json!({"items": items})
            }
        };
        *record = json!({
            "task_execution_id": "rehearsal", "workflow_execution_id": "rehearsal", "task_name": started.task,
            "task_id": started.task, "route": started.route, "result": result,
        });
    }
}

impl orquesta::Surroundings for Surroundings {
    fn task(&self, run: &TaskRun<'_>) -> Result<Arc<Value>, String> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut record = records.get(&(run.name.to_owned(), run.route)).cloned().unwrap_or_else(|| json!({}));
        if let Some(record) = record.as_object_mut() {
            record.insert("status".to_owned(), json!(run.status.name()));
        }
        Ok(Arc::new(record))
    }

    fn key_value(&self, key: &str, _decrypt: bool) -> Result<Option<String>, String> {
        let short = key.strip_prefix("user.");
        let value = [Some(key), short].into_iter().flatten().find_map(|key| self.keys.get(key)).cloned();
        if value.is_none() {
            self.absent.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        }
        Ok(value)
    }

    fn now(&self) -> Option<i64> {
        self.now
    }

    fn seed(&self) -> Option<u64> {
        Some(SEED)
    }
}

//! A whole run on given results.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use orquesta::{Conductor, Event, NextTask, State, Status};
use serde_json::{Map, Value, json};

use crate::Answer;
use crate::jinja::map;
use crate::scenarios::{begin, ended};

/// How many actions a run may start.
const MOST_ACTIONS: usize = 20_000;

pub(crate) fn answer(case: &Value) -> Answer {
    let (conductor, mut state) = begin(case)?;
    let mut run = Run {
        conductor: &conductor,
        mocks: map(case, "mocks"),
        runs: HashMap::new(),
        queue: VecDeque::new(),
        executed: Vec::new(),
    };
    if state.status() != Status::Failed {
        run.all(&mut state).map_err(|error| error.to_string())?;
    }
    conductor.render_output(&mut state);
    let mut told = ended(&state);
    if let Some(told) = told.as_object_mut() {
        told.insert("executed".to_owned(), Value::Array(run.executed));
    }
    Ok(told)
}

struct Run<'c> {
    conductor: &'c Conductor,
    mocks: Map<String, Value>,
    /// How often each task has run.
    runs: HashMap<Arc<str>, usize>,
    /// What is to complete, the oldest first: task, route, mock of the run, item.
    queue: VecDeque<(Arc<str>, u32, Value, Option<usize>)>,
    executed: Vec<Value>,
}

impl Run<'_> {
    fn all(&mut self, state: &mut State) -> Result<(), orquesta::Refused> {
        self.conductor.request_status(state, Status::Running)?;
        while self.executed.len() < MOST_ACTIONS {
            let next = self.conductor.next_tasks(state)?;
            let nothing = next.is_empty();
            for task in next {
                self.start(state, task)?;
            }
            match self.queue.pop_front() {
                Some((task, route, mock, item)) => self.complete(state, &task, route, &mock, item)?,
                None if nothing => break,
                None => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, state: &mut State, next: NextTask) -> Result<(), orquesta::Refused> {
        let NextTask { task, route, actions, items, .. } = next;
        let goes_on = items.is_some() && self.queue.iter().any(|(queued, on, ..)| *queued == task && *on == route);
        let begins =
            !goes_on && state.last_entry(&task, route).is_none_or(|entry| entry.status != Some(Status::Running));
        if begins {
            *self.runs.entry(Arc::clone(&task)).or_default() += 1;
        }
        let mock = self.mock(&task);
        if items == Some(0) {
            self.conductor.update(state, &task, route, action(Status::Running, None))?;
            self.queue.push_back((task, route, json!({"status": "succeeded", "result": []}), None));
            return Ok(());
        }
        for (item, run) in actions {
            let event = match item {
                Some(item) => Event::Item { item, status: Status::Running, result: None, accumulated: None },
                None => action(Status::Running, None),
            };
            self.conductor.update(state, &task, route, event)?;
            let mut executed = json!({"task": task, "action": run.action, "input": run.input});
            if let (Some(item), Some(executed)) = (item, executed.as_object_mut()) {
                executed.insert("item".to_owned(), json!(item));
            }
            self.executed.push(executed);
            self.queue.push_back((Arc::clone(&task), route, mock.clone(), item));
        }
        Ok(())
    }

    /// The mock of the task's present run.
    fn mock(&self, task: &str) -> Value {
        let mocks = self.mocks.get(task).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let run = self.runs.get(task).copied().unwrap_or(1).saturating_sub(1);
        mocks.get(run).or(mocks.last()).cloned().unwrap_or_default()
    }

    fn complete(
        &self,
        state: &mut State,
        task: &str,
        route: u32,
        mock: &Value,
        item: Option<usize>,
    ) -> Result<(), orquesta::Refused> {
        let Some(item) = item else {
            return self.conductor.update(state, task, route, action(status(mock), mock.get("result")));
        };
        let items = mock.get("items").and_then(Value::as_array).filter(|items| !items.is_empty());
        let mock = items.and_then(|items| items.get(item % items.len())).unwrap_or(&Value::Null);
        let result = Some(Arc::new(mock.get("result").cloned().unwrap_or_default()));
        self.conductor.update(state, task, route, Event::Item { item, status: status(mock), result, accumulated: None })
    }
}

fn action(status: Status, result: Option<&Value>) -> Event {
    Event::Action { status, result: result.cloned().map(Arc::new) }
}

fn status(mock: &Value) -> Status {
    mock.get("status").and_then(Value::as_str).and_then(|status| status.parse().ok()).unwrap_or(Status::Succeeded)
}

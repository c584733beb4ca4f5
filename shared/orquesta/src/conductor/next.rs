//! Tasks that are ready start.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Conductor, Refused, error, integer};
use crate::Status;
use crate::expression::{CurrentTask, Scope, Template};
use crate::spec::{Itemized, Task, is_command};
use crate::state::{Action, Items, Staged, State, index};

/// A task that is to start, or items of one.
#[derive(Clone, Debug, PartialEq)]
pub struct NextTask {
    /// The task.
    pub task: Arc<str>,
    /// The route.
    pub route: u32,
    /// Seconds to wait.
    pub delay: Option<i64>,
    /// What to run: the one action, or those of the items that are next, by the number of the item.
    pub actions: Vec<(Option<usize>, Action)>,
    /// How many items the task has in all, where it has items. Of a task with none nothing is to be run: it has succeeded.
    pub items: Option<usize>,
}

impl Conductor {
    /// The tasks that are to start now, by name and route. Asked again they are the same, until an event says that they have started. Where
    /// an input has no value none start, and the workflow fails.
    pub fn next_tasks(&self, state: &mut State) -> Result<Vec<NextTask>, Refused> {
        let failed = state.status() == Status::Failed;
        if !failed && !state.status().is_running() {
            return Ok(Vec::new());
        }
        // The list of ready tasks is short; what is behind it is not copied.
        let ready: Vec<Staged> = state.ready().filter(|staged| !failed || staged.run_on_fail).cloned().collect();
        let mut next = Vec::new();
        let mut errors = Vec::new();
        for staged in ready {
            match self.next_task(state, &staged) {
                Ok(task) if !task.actions.is_empty() || task.items == Some(0) => next.push(task),
                Ok(_) => {}
                Err(message) => errors.push(error(message, &staged.task, staged.route)),
            }
        }
        if !errors.is_empty() {
            errors.into_iter().for_each(|error| state.log(error));
            self.fail(state)?;
            return Ok(Vec::new());
        }
        next.sort_by(|a, b| (&a.task, a.route).cmp(&(&b.task, b.route)));
        Ok(next)
    }

    fn next_task(&self, state: &mut State, staged: &Staged) -> Result<NextTask, String> {
        let Some(task) = self.workflow.tasks.get(&staged.task).filter(|_| !is_command(&staged.task)) else {
            return Ok(command(staged));
        };
        // Where a task is staged twice the first one is meant.
        let first = state.staged_task(&staged.task, staged.route).cloned().unwrap_or_else(|| staged.clone());
        let current = CurrentTask { name: Arc::clone(&staged.task), route: staged.route, result: Arc::default() };
        let scope = self.scope(state, state.variables(first.context), Some(current));
        let delay = match staged.retry_after {
            Some(delay) => Some(delay),
            None => self.delay(task, &scope)?,
        };
        let (actions, items) = match &task.with {
            None => (vec![(None, self.action(task, &scope)?)], None),
            Some(with) => {
                let all = match state.rendered(first.index) {
                    Some(rendered) => Arc::clone(rendered),
                    None => Arc::new(self.all_actions(task, with, &scope)?),
                };
                let concurrency = self.concurrency(with, &scope)?;
                itemize(state, &first, &all);
                let items = state.items(first.index);
                (items.map(|items| startable(items, &all, concurrency)).unwrap_or_default(), Some(all.len()))
            }
        };
        Ok(NextTask { task: Arc::clone(&staged.task), route: staged.route, delay, actions, items })
    }

    fn action(&self, task: &Task, scope: &Scope<'_>) -> Result<Action, String> {
        let evaluate =
            |template: &Template| template.evaluate(&self.expressions, scope).map_err(|error| error.to_string());
        Ok(Action { action: evaluate(&task.action)?, input: evaluate(&task.input)? })
    }

    /// The actions of all items.
    fn all_actions(&self, task: &Task, with: &Itemized, scope: &Scope<'_>) -> Result<Vec<Action>, String> {
        let list = with.list.evaluate(&self.expressions, scope).map_err(|error| error.to_string())?;
        let Value::Array(items) = list else {
            return Err(format!("TypeError: The value of \"{}\" is not type of list.", text(with.list.written())));
        };
        let mut scope = scope.clone();
        let mut actions = Vec::with_capacity(items.len());
        for item in items {
            scope.item = Some(Arc::new(named(item, with.names.as_deref())));
            actions.push(self.action(task, &scope)?);
        }
        Ok(actions)
    }

    /// How many items may be at work at a time.
    fn concurrency(&self, with: &Itemized, scope: &Scope<'_>) -> Result<Option<usize>, String> {
        let Some(concurrency) = &with.concurrency else { return Ok(None) };
        let value = concurrency.evaluate(&self.expressions, scope).map_err(|error| error.to_string())?;
        if value.is_null() {
            return Ok(None);
        }
        let count = integer(&value).ok_or("TypeError: The concurrency of a task with items is not an integer.")?;
        Ok(Some(usize::try_from(count.max(1)).unwrap_or(usize::MAX)))
    }

    fn delay(&self, task: &Task, scope: &Scope<'_>) -> Result<Option<i64>, String> {
        let Some(delay) = task.delay.as_ref().filter(|delay| *delay.written() != json!(0)) else { return Ok(None) };
        let value = delay.evaluate(&self.expressions, scope).map_err(|error| error.to_string())?;
        integer(&value).map(Some).ok_or_else(|| "TypeError: The value of task delay is not type of integer.".to_owned())
    }
}

/// A command that is run again is a task that does nothing.
fn command(staged: &Staged) -> NextTask {
    let nothing = Action { action: Value::Null, input: Value::Null };
    let (task, delay) = (Arc::clone(&staged.task), staged.retry_after);
    NextTask { task, route: staged.route, delay, actions: vec![(None, nothing)], items: None }
}

/// From here on the items of the staged task count.
fn itemize(state: &mut State, staged: &Staged, all: &Arc<Vec<Action>>) {
    if staged.items.is_none_or(|items| items == 0) {
        state.change_staged(staged.index, |staged| staged.items = Some(index(all.len())));
    }
    state.keep_rendered(staged.index, Arc::clone(all));
}

/// The items that may begin.
fn startable(items: &Items, all: &[Action], concurrency: Option<usize>) -> Vec<(Option<usize>, Action)> {
    let room = concurrency.map_or(usize::MAX, |concurrency| concurrency.saturating_sub(items.active()));
    let waiting = items.waiting().take(room);
    waiting.filter_map(|item| Some((Some(item), all.get(item)?.clone()))).collect()
}

/// An item under its names: the parts of a list, or the whole of anything else where there is one name.
fn named(item: Value, names: Option<&[String]>) -> Value {
    match (names, item) {
        (Some(names), Value::Array(parts)) => Value::Object(names.iter().cloned().zip(parts).collect()),
        (Some([name]), item) => json!({name: item}),
        (_, item) => item,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

//! What a task requests, and how its workflow is told what came of it.

use model::{Action, Execution, ExecutionStatus, Id, Payload, TaskLink, Timestamp, core_types};
use orquesta::{Event, Start, Status, StepEvent};
use ports::{Guard, Operation, Wake};
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};

use super::{
    outcome,
    outside::task_execution_id,
    run::{Born, Child, Run},
    turn::Turn,
};
use crate::{
    Engine, Error,
    dispatch::{Message, Origin, Requested},
    parameters::Inputs,
    records::{self, Stored},
};

/// What came of starting a child.
pub(super) enum Started {
    /// An execution is to be written.
    Requested,
    /// It has ended already.
    Ended(StepEvent),
    /// It can't be, for this reason.
    Refused(String),
}

impl Run {
    /// What the conductor wants started.
    pub(super) fn child(&self, start: Start, now: Timestamp) -> Child {
        let Start { task, route, item, action, delay } = start;
        let delay = delay.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
        let entry = self.state.last_entry(&task, route).map_or(0, |entry| entry.index);
        Child {
            task: TaskLink { name: task.to_string(), route, item: item.and_then(|item| u32::try_from(item).ok()) },
            entry,
            action: action.action,
            input: action.input,
            at: delay.map(|seconds| now.after(Duration::from_secs(seconds))),
        }
    }

    /// The execution that was requested last for a task or an item of it.
    pub(super) fn child_of(&self, task: &TaskLink) -> Option<Id> {
        self.children.get(&(Arc::from(task.name.as_str()), task.route))?.ids.get(&task.item).copied()
    }

    /// What its execution is to be. A chain whose last action ran out of time has run out of time.
    pub(super) fn ends_as(&self) -> ExecutionStatus {
        let last = self.chain.as_ref().and_then(|chain| chain.last);
        match (outcome::execution_status(self.status()), last) {
            (ExecutionStatus::Failed, Some(ExecutionStatus::Timeout)) => ExecutionStatus::Timeout,
            (status, _) => status,
        }
    }

    /// It holds, and not because somebody asked for that.
    pub(super) fn waits_for_answers(&self) -> bool {
        self.status() == Status::Paused && !self.execution.context.contains_key("paused_by")
    }
}

impl Engine {
    /// Requests what a task wants, where it does not end at once.
    pub(super) async fn start_child(&self, run: &mut Run, turn: &mut Turn, child: &Child) -> Result<Started, Error> {
        if matches!(run.status(), Status::Canceling | Status::Canceled) {
            return Ok(Started::Ended(event(&child.task, Status::Canceled, None)));
        }
        if child.action.is_null() {
            return Ok(Started::Ended(event(&child.task, Status::Succeeded, None)));
        }
        let requested = match self.request_child(run, turn.now, child).await {
            Ok(requested) => requested,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => return Ok(Started::Refused(error.message)),
        };
        if let Some(reason) = requested.failure {
            return Ok(Started::Refused(reason));
        }
        let born = Born { task: child.task.clone(), entry: child.entry, id: requested.execution.id };
        run.remember(&born);
        turn.row.born.push(born);
        if self.ends_at_once(&requested.execution).await? {
            return self.end_at_once(run, turn, requested.execution).await;
        }
        turn.write(requested.put()?);
        turn.wakes.extend(requested.wake());
        Ok(Started::Requested)
    }

    async fn request_child(&self, run: &Run, now: Timestamp, child: &Child) -> Result<Requested, Error> {
        let reference = child.action.as_str().unwrap_or_default();
        let mut catalog = self.catalog().await?;
        if catalog.find::<Action>(reference).is_none() {
            catalog = self.reload_catalog().await?;
        }
        let action = catalog
            .find::<Action>(reference)
            .ok_or_else(|| Error::invalid(format!("Unable to find action \"{reference}\".")))?;
        let plan = catalog.plan(action)?;
        plan.check_enabled()?;
        let literals = match &child.input {
            Value::Null => self.chain_parameters(run, &child.task.name).await?,
            Value::Object(input) => input.clone(),
            other => return Err(Error::invalid(format!("the input of an action is an object, not {other}"))),
        };
        plan.check_given(&literals)?;
        let parent = &run.execution;
        let of_node = run.chain.as_ref().and_then(|chain| chain.node(&child.task.name)?.notify.clone());
        let notified = parent.parameters.get("notify").and_then(Value::as_array);
        let notifies = notified.is_some_and(|tasks| tasks.iter().any(|task| *task == child.task.name));
        let origin = Origin {
            id: Id::at(now, self.ports.clock.entropy()),
            user: parent.user.clone(),
            decrypts: parent.decrypts,
            context: context(run, action, child),
            rule: None,
            trigger: None,
            trace: parent.trace.clone(),
            not_before: child.at,
            notify: of_node.or_else(|| parent.notify.clone().filter(|_| notifies)),
            parent: Some((parent.id, child.task.clone())),
        };
        // Rendered by the conductor: what looks like a template in them now is data.
        let inputs = Inputs { literals, secrets: run.secrets.clone(), ..Inputs::default() };
        self.prepare(&plan, inputs, origin).await
    }

    /// An action that does nothing, and of whose end nobody hears but its workflow, needs no worker.
    async fn ends_at_once(&self, execution: &Execution) -> Result<bool, Error> {
        let is_idle = execution.runner == crate::NOOP && execution.not_before.is_none();
        let catalog = self.catalog().await?;
        let is_heard = [core_types::ACTION, core_types::NOTIFY].into_iter().any(|kind| catalog.is_listened(kind));
        Ok(is_idle && !is_heard && catalog.active_policies(&execution.action).is_empty())
    }

    async fn end_at_once(&self, run: &mut Run, turn: &mut Turn, mut execution: Execution) -> Result<Started, Error> {
        execution.advance_by(ExecutionStatus::Succeeded, self.ports.clock.now()).map_err(Error::damaged)?;
        let result = crate::noop_result();
        let (payload, size) = self.payload_of(result.clone()).await?;
        (execution.result, execution.result_size) = (Some(payload), size);
        turn.write(execution.put(Guard::Absent, None, Some(turn.now.after(self.options.retention)))?);
        self.note_end(run, &execution, result).await
    }

    /// What comes of an execution of a task that has ended.
    pub(super) async fn note_end(&self, run: &mut Run, execution: &Execution, result: Value) -> Result<Started, Error> {
        let Some(task) = &execution.task else { return Ok(Started::Requested) };
        if let Some(reason) = self.note_in_chain(run, execution, result.clone()).await? {
            return Ok(Started::Refused(reason));
        }
        Ok(Started::Ended(event(task, outcome::task_status(execution.status), Some(result))))
    }

    /// Adds to a change of an execution what its workflow has to know of it.
    pub(crate) fn tell_parent(
        &self,
        execution: &Execution,
        result: Option<&Payload>,
        (operations, wakes): (&mut Vec<Operation>, &mut Vec<Wake>),
    ) -> Result<(), Error> {
        let Some((parent, message)) = news_of(execution, result) else { return Ok(()) };
        let (operation, wake) = self.message(parent, &message)?;
        operations.push(operation);
        // Only workflows have children.
        wakes.push(Wake { key: records::workflow_wake_key(parent), ..wake });
        Ok(())
    }
}

/// The workflow that an execution is for, and what it has to know.
pub(super) fn news_of(execution: &Execution, result: Option<&Payload>) -> Option<(Id, Message)> {
    let message = Message::Child {
        task: execution.task.clone()?,
        execution: execution.id,
        status: execution.status,
        result: result.cloned(),
        sealed: execution.sealed_result.is_some(),
    };
    Some((execution.parent?, message))
}

/// What a task or an item of it is told.
pub(super) fn event(task: &TaskLink, status: Status, result: Option<Value>) -> StepEvent {
    let result = result.map(Arc::new);
    let event = match task.item.and_then(|item| usize::try_from(item).ok()) {
        Some(item) => Event::Item { item, status, result, accumulated: None },
        None => Event::Action { status, result },
    };
    StepEvent::Task { task: Arc::from(task.name.as_str()), route: task.route, event }
}

fn context(run: &Run, action: &Action, child: &Child) -> Map<String, Value> {
    let parent = &run.execution;
    let trace = json!({"id_": parent.trace.id, "trace_tag": parent.trace.tag});
    let mut orquesta = json!({
        "workflow_execution_id": parent.id,
        "task_execution_id": task_execution_id(parent.id, child.entry),
        "task_name": child.task.name,
        "task_id": child.task.name,
        "task_route": child.task.route,
    });
    if let (Some(orquesta), Some(item)) = (orquesta.as_object_mut(), child.task.item) {
        orquesta.insert("item_id".to_owned(), json!(item));
    }
    let mut context = Map::new();
    context.insert("user".to_owned(), json!(parent.user));
    context.insert("pack".to_owned(), json!(action.reference.pack()));
    context.insert(
        "parent".to_owned(),
        json!({"execution_id": parent.id, "user": parent.user, "pack": parent.action.pack(), "trace_context": trace}),
    );
    context.insert("trace_context".to_owned(), trace);
    if run.chain.is_some() {
        let chain = json!({"name": child.task.name, "ref": action.reference});
        context.insert("chain".to_owned(), chain);
    } else {
        context.insert("orquesta".to_owned(), orquesta);
    }
    for name in ["api_user", "source_channel"] {
        context.extend(parent.context.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    context
}

impl Engine {
    /// A row in an execution's inbox, and the wake that says so.
    pub(crate) fn message(&self, to: Id, message: &Message) -> Result<(Operation, Wake), Error> {
        let now = self.ports.clock.now();
        let row = Id::at(now, self.ports.clock.entropy());
        let key = records::inbox_key(to, row);
        // Due, too: where the wake is lost, somebody must look.
        let life =
            records::Life { due: Some(now.after(self.options.lease)), ttl: Some(now.after(self.options.retention)) };
        let operation = records::put(key.clone(), message, Vec::new(), Guard::Absent, life)?;
        Ok((operation, Wake { key, at: now }))
    }
}

//! The state machines that picture workflows: one for each definition, made when its pack is registered; and their calls.

use model::{Action, Execution, ExecutionStatus, Id};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use super::{
    ATTEMPTS,
    definition::Definition,
    drawn::{self, Drawn, WorkflowCall},
    run::Run,
};
use crate::{Engine, Error, ErrorKind, dispatch::Message, records};
use asl::Options;
use ports::{PackVersion, StateMachineError};

/// Characters of a machine's name that come from the file's.
const STEM: usize = 40;
/// Hexadecimal digits of a definition's digest in the name of its machine.
const DIGITS: usize = 20;
/// The name that the machine of re-runs begins with.
const DRIVEN: &str = "driven";

/// Where an execution's context names its machine.
const CONTEXT: &str = "step_functions";

/// Does a state machine picture this workflow?
pub(super) fn is_pictured(execution: &Execution) -> bool {
    execution.context.contains_key(CONTEXT)
}

/// A machine as it is made.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    definition: String,
}

impl Machine {
    /// Immutable: its name is a function of what it is.
    fn new(stem: &str, machine: &asl::StateMachine) -> Machine {
        let definition = serde_json::to_string(machine).unwrap_or_default();
        let digest = hex::encode(Sha256::digest(&definition));
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' };
        let stem: String = stem.chars().take(STEM).map(plain).collect();
        Machine { name: format!("{stem}-{}", digest.get(..DIGITS).unwrap_or(&digest)), definition }
    }

    fn driven(function: &str) -> Machine {
        Machine::new(DRIVEN, &asl::driven(&Options { function, ..Options::default() }))
    }
}

impl Definition {
    /// What pictures it, calling that function.
    fn machine(&self, function: &str) -> &Machine {
        self.machine.get_or_init(|| {
            let options = Options { function, source: Some(&self.path), ..Options::default() };
            let machine = asl::compile(&self.conductor, &options);
            let file = self.path.rsplit('/').next().unwrap_or(&self.path);
            Machine::new(file.split('.').next().unwrap_or(file), &machine)
        })
    }
}

/// What a machine that has failed ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aborted {
    /// The error.
    pub error: String,
    /// What happened.
    pub cause: String,
}

impl Engine {
    /// Has a run that is about to begin pictured, where the host has that.
    pub(super) fn draw(&self, run: &mut Run) {
        let Some(machines) = self.artist().filter(|_| run.chain.is_none()) else { return };
        let machine = run.definition.machine(machines.function()).name.clone();
        self.draw_as(run, &machine);
    }

    /// The same for one that goes on from some of its tasks.
    pub(super) fn draw_driven(&self, run: &mut Run) {
        let Some(machines) = self.artist() else { return };
        let machine = Machine::driven(machines.function());
        self.draw_as(run, &machine.name);
    }

    fn draw_as(&self, run: &mut Run, machine: &str) {
        run.drawn = Some(Drawn::new(machine));
        let shown = json!({"state_machine": machine, "execution": run.execution.id});
        run.execution.context.insert(CONTEXT.to_owned(), shown);
    }

    /// Makes the machines of all workflows that are live now, and removes those that nobody needs any more. Says how many there are.
    pub async fn draw_workflows(&self) -> Result<usize, Error> {
        let Some(machines) = self.artist() else { return Ok(0) };
        let catalog = self.reload_catalog().await?;
        let mut wanted = vec![Machine::driven(machines.function())];
        for action in catalog.actions.values().filter(|action| action.runner_type == "orquesta") {
            let Some(pack) = catalog.packs.get(action.reference.pack()) else { continue };
            let (name, digest) = (action.reference.pack().to_owned(), pack.digest.clone());
            let version = PackVersion { pack: name, digest, files: Arc::clone(&pack.files) };
            wanted.extend(self.machine_of(action, &version, machines.function()).await?);
        }
        let wanted = wanted.into_iter().map(|machine| (machine.name, machine.definition)).collect::<BTreeMap<_, _>>();
        machines.keep(&wanted).await.map_err(unavailable)?;
        Ok(wanted.len())
    }

    async fn machine_of(&self, action: &Action, pack: &PackVersion, function: &str) -> Result<Option<Machine>, Error> {
        match self.definition(action, Some(pack)).await {
            Ok(definition) => Ok(Some(definition.machine(function).clone())),
            Err(error) if error.is_retryable() => Err(error),
            // One that can't be read fails when it runs, and says why.
            Err(_) => Ok(None),
        }
    }

    /// Takes a call of a workflow's state machine. It may come twice; the answer goes to the call itself.
    pub async fn call_workflow(&self, id: Id, call: WorkflowCall) -> Result<(), Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.take_call(id, &call).await {
                Err(error) if error.kind == ErrorKind::Conflict && attempt < ATTEMPTS => {}
                other => return other,
            }
        }
    }

    async fn take_call(&self, id: Id, call: &WorkflowCall) -> Result<(), Error> {
        let desk = self.workflows.desk(id);
        let mut held = desk.run.lock().await;
        if held.is_none() {
            *held = self.recall_run(id).await?;
        }
        let Some(run) = held.as_mut() else { return self.dismiss(id, call).await };
        if run.is_over() {
            let run = held.take();
            drop(held);
            self.workflows.leave(id);
            return match run {
                Some(run) => self.answer_late(run, call).await,
                None => Ok(()),
            };
        }
        run.calls.push(call.clone());
        let more = self.turns(id, &mut held).await;
        if more.is_err() {
            *held = None;
        }
        drop(held);
        if !more? {
            self.workflows.leave(id);
        }
        if desk.again.load(Ordering::SeqCst) {
            // Somebody was woken meanwhile, and found the place taken.
            self.handle_workflow(id).await?;
        }
        Ok(())
    }

    async fn recall_run(&self, id: Id) -> Result<Option<Run>, Error> {
        let Some(record) = self.ports.store.get(&records::execution_key(id)).await? else { return Ok(None) };
        let execution: Execution = records::read(&record)?;
        Ok(self.read_run(execution, &record).await?.ok().filter(|run| run.drawn.is_some()))
    }

    /// A call for a workflow that has ended: nothing of it is written any more.
    async fn answer_late(&self, mut run: Run, call: &WorkflowCall) -> Result<(), Error> {
        run.calls.push(call.clone());
        let now = self.ports.clock.now();
        run.take_calls(now);
        run.do_deeds(now);
        self.speak(&mut run).await
    }

    /// A call for a workflow that there is not, or that no machine pictures: the call ends, and its machine with it.
    async fn dismiss(&self, id: Id, call: &WorkflowCall) -> Result<(), Error> {
        let Some(machines) = &self.ports.state_machines else { return Ok(()) };
        let cause = format!("there is no workflow {id} that a state machine pictures");
        tracing::warn!(execution = %id, "a state machine calls for a workflow that there is not");
        match machines.fail(call.token(), drawn::FAILED, &cause).await {
            Err(error @ StateMachineError::Unavailable(_)) => Err(unavailable(error)),
            _ => Ok(()),
        }
    }

    /// A workflow's machine has failed. Where its workflow has not, it fails now: something is wrong with the machine. Says what the machine
    /// is to end with.
    pub async fn abort_workflow(&self, id: Id, reason: &str) -> Result<Aborted, Error> {
        let Some(record) = self.ports.store.get(&records::execution_key(id)).await? else {
            let cause = format!("there is no workflow {id}");
            return Ok(Aborted { error: drawn::FAILED.to_owned(), cause });
        };
        let execution: Execution = records::read(&record)?;
        if !execution.status.is_final() {
            self.send_messages(&[id], &Message::Broken { reason: reason.to_owned() }).await?;
            return Ok(Aborted { error: drawn::FAILED.to_owned(), cause: reason.to_owned() });
        }
        let result = match &execution.result {
            Some(payload) => self.load(payload).await?,
            None => Value::Null,
        };
        Ok(Aborted { error: drawn::FAILED.to_owned(), cause: drawn::cause(&result) })
    }

    /// A workflow's machine has ended without being told to. A person who stops it cancels the workflow.
    pub async fn reconcile_workflow(&self, id: Id, was_stopped: bool, reason: &str) -> Result<(), Error> {
        let record = self.ports.store.get(&records::execution_key(id)).await?;
        let Some(execution) = record.as_ref().map(records::read::<Execution>).transpose()? else { return Ok(()) };
        if execution.status.is_final() || execution.status == ExecutionStatus::Canceling {
            return Ok(());
        }
        let message = match was_stopped {
            true => Message::Cancel { user: "step-functions".to_owned() },
            false => Message::Broken { reason: reason.to_owned() },
        };
        self.send_messages(&[id], &message).await
    }
}

impl Run {
    /// Takes what its machine has called for, and what became of what the machine was told.
    pub(super) fn take_calls(&mut self, now: model::Timestamp) {
        let Some(drawn) = &mut self.drawn else { return self.calls.clear() };
        let conductor = &self.definition.conductor;
        drawn.take_up(conductor, &self.state);
        for call in std::mem::take(&mut self.calls) {
            drawn.called(conductor, &self.state, &call);
        }
        self.do_deeds(now);
    }
}

fn unavailable(error: StateMachineError) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}

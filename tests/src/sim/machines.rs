//! Step Functions of the simulated world: calls are made again where their handler dies or fails, each time with a new token.

use asl::{Ending, Execution, StateMachine};
use async_trait::async_trait;
use engine::{Engine, Error, WorkflowCall};
use model::{Id, Timestamp};
use ports::{StateMachineError, StateMachines};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{executor::lock, world::World};

/// After so long a call whose handler was not heard of is made again.
pub(crate) const CALL_AGAIN: Duration = Duration::from_secs(60);

/// All machines, and the walks through them.
#[derive(Default)]
pub(crate) struct Machines {
    /// By name; leaked, since walks stay in them for as long as the run lasts.
    definitions: BTreeMap<String, &'static StateMachine>,
    walks: BTreeMap<String, Walk>,
}

struct Walk {
    execution: Execution<'static>,
    /// The interpreter's token of each call, by the one that was given out last.
    tokens: BTreeMap<String, asl::Token>,
    /// The interpreter's tokens of the calls that were answered: those are not made again.
    answered: BTreeSet<asl::Token>,
}

/// A call on its way.
#[derive(Clone)]
pub(crate) struct Pending {
    walk: String,
    inner: asl::Token,
    payload: Value,
}

impl Machines {
    /// Lets time pass in all walks.
    pub(crate) fn pass(&mut self, now: Timestamp) {
        self.walks.values_mut().for_each(|walk| walk.execution.pass(micros(now)));
    }

    /// When the next wait is over.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let due = self.walks.values().filter_map(|walk| walk.execution.due()).min()?;
        Some(Timestamp::from_micros(i64::try_from(due).unwrap_or(i64::MAX)))
    }

    /// The calls that were made since this was asked last.
    pub(crate) fn take_calls(&mut self) -> Vec<Pending> {
        let calls = self.walks.iter_mut().flat_map(|(name, walk)| {
            let pending = |call: asl::Call| Pending { walk: name.clone(), inner: call.token, payload: call.payload };
            walk.execution.take_calls().into_iter().map(pending)
        });
        calls.collect()
    }

    /// How each walk has ended; none of those that have not.
    pub(crate) fn endings(&self) -> BTreeMap<String, Option<Ending>> {
        self.walks.iter().map(|(name, walk)| (name.clone(), walk.execution.ending().cloned())).collect()
    }

    /// Gives a call a token of its own; what was given out for it before is worth nothing any more.
    fn give_token(&mut self, pending: &Pending, number: u64) -> Option<String> {
        let walk = self.walks.get_mut(&pending.walk).filter(|walk| walk.execution.ending().is_none())?;
        if walk.answered.contains(&pending.inner) {
            return None;
        }
        walk.tokens.retain(|_, inner| *inner != pending.inner);
        let token = format!("{}#{number}", pending.walk);
        walk.tokens.insert(token.clone(), Arc::clone(&pending.inner));
        Some(token)
    }

    fn called(&mut self, token: &str) -> Result<(&mut Walk, asl::Token), StateMachineError> {
        let walk = self.walks.values_mut().find(|walk| walk.tokens.contains_key(token));
        let walk = walk.ok_or(StateMachineError::Over)?;
        let inner = walk.tokens.remove(token).ok_or(StateMachineError::Over)?;
        walk.answered.insert(Arc::clone(&inner));
        Ok((walk, inner))
    }
}

fn micros(time: Timestamp) -> u64 {
    u64::try_from(time.micros()).unwrap_or(0)
}

/// One call. `false`: its handler could not do it, and it is to be made again.
pub(crate) async fn take_call(world: Arc<World>, engine: Arc<Engine>, pending: Pending) -> bool {
    let number = world.number();
    let Some(token) = lock(&world.machines).give_token(&pending, number) else { return true };
    world.step(format_args!("call {token}: {}", pending.payload));
    match call(&world, &engine, &pending, token.clone()).await {
        Ok(()) if world.fault(world.faults.redelivered) => false,
        Ok(()) => true,
        Err(error) if error.is_retryable() => {
            world.step(format_args!("call {token} fails: {error}"));
            false
        }
        Err(error) => {
            world.violation(format!("call {token} can't be taken: {:?}: {error}", error.kind));
            true
        }
    }
}

async fn call(world: &World, engine: &Engine, pending: &Pending, token: String) -> Result<(), Error> {
    let text = |key: &str| pending.payload.get(key).and_then(Value::as_str).map(str::to_owned);
    let route = pending.payload.get("route").and_then(Value::as_u64).and_then(|route| u32::try_from(route).ok());
    let route = route.unwrap_or_default();
    let Some(id) = text("wf").and_then(|id| id.parse::<Id>().ok()) else { return Ok(()) };
    match (text("op").as_deref(), text("task")) {
        (Some("run"), Some(task)) => engine.call_workflow(id, WorkflowCall::Run { task, route, token }).await,
        (Some("drive"), _) => {
            engine.call_workflow(id, WorkflowCall::Drive { after: text("after"), route, token }).await
        }
        _ => {
            let aborted = engine.abort_workflow(id, "simulated").await?;
            let answer = json!({"error": aborted.error, "cause": aborted.cause});
            if let Ok((walk, inner)) = lock(&world.machines).called(&token) {
                // What is not taken is over.
                let _taken = walk.execution.succeed(&inner, answer);
            }
            Ok(())
        }
    }
}

/// The machines as one host reaches them.
pub(crate) struct SimMachines {
    world: Arc<World>,
    host: usize,
}

impl SimMachines {
    /// The machines of that host.
    pub(crate) fn new(world: Arc<World>, host: usize) -> SimMachines {
        SimMachines { world, host }
    }

    async fn reach(&self) -> Result<(), StateMachineError> {
        self.world.occasion(self.host, true).await;
        if self.world.fault(self.world.faults.unreachable) { Err(unavailable("not reached")) } else { Ok(()) }
    }

    async fn answered<T>(&self, answer: Result<T, StateMachineError>) -> Result<T, StateMachineError> {
        self.world.occasion(self.host, true).await;
        if self.world.fault(self.world.faults.answer_lost) {
            return Err(unavailable("the answer is lost"));
        }
        answer
    }

    fn answer(&self, token: &str, say: impl FnOnce(&mut Walk, &asl::Token) -> bool) -> Result<(), StateMachineError> {
        let mut machines = lock(&self.world.machines);
        let (walk, inner) = machines.called(token)?;
        if say(walk, &inner) { Ok(()) } else { Err(StateMachineError::Over) }
    }
}

fn unavailable(why: &str) -> StateMachineError {
    StateMachineError::Unavailable(format!("simulated: {why}"))
}

#[async_trait]
impl StateMachines for SimMachines {
    fn function(&self) -> &str {
        "workflow-engine"
    }

    async fn keep(&self, machines: &BTreeMap<String, String>) -> Result<(), StateMachineError> {
        self.reach().await?;
        let mut known = lock(&self.world.machines);
        for (name, definition) in machines {
            let machine: StateMachine =
                serde_json::from_str(definition).map_err(|error| StateMachineError::Unavailable(error.to_string()))?;
            known.definitions.entry(name.clone()).or_insert_with(|| Box::leak(Box::new(machine)));
        }
        Ok(())
    }

    async fn start(&self, machine: &str, walk: &str, input: &Value) -> Result<(), StateMachineError> {
        self.reach().await?;
        let now = micros(self.world.now());
        let started = {
            let mut machines = lock(&self.world.machines);
            match machines.definitions.get(machine).copied() {
                None => Err(StateMachineError::Unknown(machine.to_owned())),
                Some(definition) => {
                    let begin = || Walk {
                        execution: Execution::new(definition, input.clone(), now),
                        tokens: BTreeMap::new(),
                        answered: BTreeSet::new(),
                    };
                    machines.walks.entry(walk.to_owned()).or_insert_with(begin);
                    Ok(())
                }
            }
        };
        self.world.step(format_args!("walk {walk} through {machine}: {started:?}"));
        self.answered(started).await
    }

    async fn succeed(&self, token: &str, answer: &Value) -> Result<(), StateMachineError> {
        self.reach().await?;
        let taken = self.answer(token, |walk, inner| walk.execution.succeed(inner, answer.clone()).is_ok());
        self.world.step(format_args!("answer to {token}: {answer}: {taken:?}"));
        self.answered(taken).await
    }

    async fn fail(&self, token: &str, error: &str, cause: &str) -> Result<(), StateMachineError> {
        self.reach().await?;
        let taken = self.answer(token, |walk, inner| walk.execution.fail(inner, error, cause).is_ok());
        self.world.step(format_args!("failure of {token}: {taken:?}"));
        self.answered(taken).await
    }

    async fn stop(&self, _machine: &str, walk: &str, _error: &str, _cause: &str) -> Result<(), StateMachineError> {
        self.reach().await?;
        self.world.step(format_args!("walk {walk} is stopped"));
        if let Some(walk) = lock(&self.world.machines).walks.get_mut(walk) {
            walk.execution.stop();
        }
        self.answered(Ok(())).await
    }
}

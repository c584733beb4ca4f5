//! Runs the definitions that we emit, in a time that somebody else keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::machine::{Catcher, Resource, State, StateMachine};
use crate::path;
use crate::projection::Token;

/// An execution of a state machine. Times are microseconds.
#[derive(Debug)]
pub struct Execution<'m> {
    input: Value,
    now: u64,
    /// Scopes that are at work: the machine itself is the first one.
    scopes: Vec<Scope<'m>>,
    threads: BTreeMap<u64, Thread<'m>>,
    next: u64,
    calls: Vec<Call>,
    ending: Option<Ending>,
    visited: Vec<&'m str>,
    events: u64,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What the answer is given with.
    pub token: Token,
    /// What the function gets.
    pub payload: Value,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Succeeded,
    /// Badly.
    Failed {
        /// The error.
        error: String,
        /// Its cause.
        cause: String,
    },
    /// It was stopped.
    Aborted,
}

/// There is no call with that token any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no call with this token")]
pub struct NoSuchCall;

#[derive(Debug)]
struct Scope<'m> {
    machine: &'m StateMachine,
    /// The scope that it is a branch in.
    outer: Option<usize>,
    /// The branches that its thread waits for.
    fork: Option<Fork<'m>>,
    is_over: bool,
}

#[derive(Debug)]
struct Fork<'m> {
    name: &'m str,
    input: Value,
    /// How many branches are at work.
    open: usize,
    scopes: Vec<usize>,
}

#[derive(Debug)]
struct Thread<'m> {
    scope: usize,
    state: &'m str,
    input: Value,
    waits: Waiting,
}

#[derive(Debug)]
enum Waiting {
    Until(u64),
    For(Token, Resource),
}

impl<'m> Execution<'m> {
    /// Starts an execution.
    pub fn new(machine: &'m StateMachine, input: Value, now: u64) -> Execution<'m> {
        let mut execution = Execution {
            input: input.clone(),
            now,
            scopes: Vec::new(),
            threads: BTreeMap::new(),
            next: 0,
            calls: Vec::new(),
            ending: None,
            visited: Vec::new(),
            events: 1,
        };
        execution.scopes.push(Scope { machine, outer: None, fork: None, is_over: false });
        execution.enter(0, &machine.start_at, input);
        execution
    }

    /// How it ended, once it has.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The states that it came to, in order.
    pub fn visited(&self) -> &[&'m str] {
        &self.visited
    }

    /// About how many events its history has.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The calls that were made since this was asked last.
    pub fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// When the next wait is over.
    pub fn due(&self) -> Option<u64> {
        let until = |thread: &Thread<'_>| match thread.waits {
            Waiting::Until(until) => Some(until),
            Waiting::For(..) => None,
        };
        self.threads.values().filter_map(until).min()
    }

    /// It is so late now.
    pub fn pass(&mut self, now: u64) {
        self.now = now;
        while let Some(number) = self.threads.iter().find_map(|(number, thread)| match thread.waits {
            Waiting::Until(until) if until <= now => Some(*number),
            _ => None,
        }) {
            self.leave(number, None);
        }
    }

    /// Answers a call.
    pub fn succeed(&mut self, token: &Token, output: Value) -> Result<(), NoSuchCall> {
        let (number, resource) = self.called(token)?;
        let output = match resource {
            Resource::WaitForTaskToken => output,
            Resource::Invoke => json!({"Payload": output}),
        };
        self.leave(number, Some(output));
        Ok(())
    }

    /// Fails a call.
    pub fn fail(&mut self, token: &Token, error: &str, cause: &str) -> Result<(), NoSuchCall> {
        let (number, _) = self.called(token)?;
        if let Some(thread) = self.threads.remove(&number) {
            self.raise(thread.scope, thread.state, thread.input, error, cause);
        }
        Ok(())
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.end(Ending::Aborted);
    }

    fn called(&self, token: &Token) -> Result<(u64, Resource), NoSuchCall> {
        let call = |(number, thread): (&u64, &Thread<'_>)| match &thread.waits {
            Waiting::For(own, resource) if own == token => Some((*number, *resource)),
            _ => None,
        };
        self.threads.iter().find_map(call).ok_or(NoSuchCall)
    }

    fn state(&self, scope: usize, name: &str) -> Option<(&'m str, &'m State)> {
        let machine = self.scopes.get(scope)?.machine;
        machine.states.get_key_value(name).map(|(name, state)| (name.as_str(), state))
    }

    /// A thread comes to a state.
    fn enter(&mut self, scope: usize, name: &str, input: Value) {
        let (mut name, mut state) = match self.state(scope, name) {
            Some(found) => found,
            None => return self.raise(scope, "", input, "States.Runtime", &format!("there is no state {name}")),
        };
        loop {
            self.visited.push(name);
            self.events += 2;
            match state {
                State::Choice(choice) => {
                    let holds = |path: &str| path::find(path, &input, &Value::Null).is_some();
                    let chosen = choice.choices.iter().find(|rule| holds(&rule.variable));
                    let next = chosen.map_or(&choice.default, |rule| &rule.next);
                    match self.state(scope, next) {
                        Some(found) => (name, state) = found,
                        None => {
                            let cause = format!("there is no state {next}");
                            return self.raise(scope, name, input, "States.Runtime", &cause);
                        }
                    }
                }
                State::Wait(wait) => {
                    let path = wait.seconds_path.as_deref().and_then(|path| path::find(path, &input, &Value::Null));
                    let Some(seconds) = wait.seconds.or_else(|| path.and_then(Value::as_u64)) else {
                        return self.raise(scope, name, input, "States.Runtime", "there are no seconds to wait");
                    };
                    let waits = Waiting::Until(self.now.saturating_add(seconds.saturating_mul(1_000_000)));
                    return self.add(Thread { scope, state: name, input, waits });
                }
                State::Task(task) => {
                    self.events += 4;
                    let token: Token = Arc::from(format!("token-{}", self.next));
                    let context = json!({
                        "Task": {"Token": &*token}, "Execution": {"Input": self.input}, "State": {"Name": name},
                    });
                    return match payload(&task.parameters.payload, &input, &context) {
                        Ok(payload) => {
                            let waits = Waiting::For(Arc::clone(&token), task.resource);
                            self.calls.push(Call { token, payload });
                            self.add(Thread { scope, state: name, input, waits });
                        }
                        Err(path) => {
                            let cause = format!("the input of {name} has no {path}: {input}");
                            self.raise(scope, name, input, "States.ParameterPathFailure", &cause);
                        }
                    };
                }
                State::Parallel(parallel) => {
                    self.events += 2;
                    return self.split(scope, name, &parallel.branches, &input);
                }
                State::Succeed(_) => return self.end_of(scope),
                State::Fail(fail) => {
                    let text = |path: &str| {
                        let found = path::find(path, &input, &Value::Null);
                        found.map_or_else(String::new, |found| {
                            found.as_str().map_or_else(|| found.to_string(), str::to_owned)
                        })
                    };
                    return self.raise(scope, "", Value::Null, &text(&fail.error_path), &text(&fail.cause_path));
                }
            }
        }
    }

    fn add(&mut self, thread: Thread<'m>) {
        self.threads.insert(self.next, thread);
        self.next += 1;
    }

    fn split(&mut self, scope: usize, name: &'m str, branches: &'m [StateMachine], input: &Value) {
        let first = self.scopes.len();
        let scopes: Vec<usize> = (first..first + branches.len()).collect();
        let fork = Fork { name, input: input.clone(), open: branches.len(), scopes: scopes.clone() };
        if let Some(own) = self.scopes.get_mut(scope) {
            own.fork = Some(fork);
        }
        let branch = |machine| Scope { machine, outer: Some(scope), fork: None, is_over: false };
        self.scopes.extend(branches.iter().map(branch));
        for (inner, machine) in scopes.into_iter().zip(branches) {
            // One that fails at once takes the others with it.
            if self.scopes.get(inner).is_some_and(|scope| !scope.is_over) {
                self.enter(inner, &machine.start_at, input.clone());
            }
        }
    }

    /// A thread goes on from its state, with what came out where that counts.
    fn leave(&mut self, number: u64, output: Option<Value>) {
        let Some(Thread { scope, state, input, .. }) = self.threads.remove(&number) else { return };
        let next = match self.state(scope, state) {
            Some((_, State::Task(task))) => task.next.as_deref(),
            Some((_, State::Wait(wait))) => Some(wait.next.as_str()),
            _ => None,
        };
        match next {
            Some(next) => self.enter(scope, next, output.unwrap_or(input)),
            None => self.end_of(scope),
        }
    }

    /// The thread of a scope has ended well.
    fn end_of(&mut self, scope: usize) {
        let Some(own) = self.scopes.get_mut(scope) else { return };
        own.is_over = true;
        let Some(outer) = own.outer else { return self.end(Ending::Succeeded) };
        let Some(fork) = self.scopes.get_mut(outer).and_then(|outer| outer.fork.as_mut()) else { return };
        fork.open = fork.open.saturating_sub(1);
        if fork.open > 0 {
            return;
        }
        let Some(Fork { name, input, .. }) = self.scopes.get_mut(outer).and_then(|outer| outer.fork.take()) else {
            return;
        };
        let next = match self.state(outer, name) {
            Some((_, State::Parallel(parallel))) => parallel.next.as_deref(),
            _ => None,
        };
        match next {
            Some(next) => self.enter(outer, next, input),
            None => self.end_of(outer),
        }
    }

    /// Something failed at a state: it is caught there, or ends what it is a branch of.
    fn raise(&mut self, scope: usize, name: &str, mut input: Value, error: &str, cause: &str) {
        let catch: &[Catcher] = match self.state(scope, name) {
            Some((_, State::Task(task))) => &task.catch,
            Some((_, State::Parallel(parallel))) => &parallel.catch,
            _ => &[],
        };
        if let Some(catcher) = catch.first() {
            if let Value::Object(input) = &mut input {
                input.insert("e".to_owned(), json!({"Error": error, "Cause": cause}));
            }
            return self.enter(scope, &catcher.next, input);
        }
        let Some(outer) = self.scopes.get(scope).and_then(|own| own.outer) else {
            return self.end(Ending::Failed { error: error.to_owned(), cause: cause.to_owned() });
        };
        let fork = self.scopes.get_mut(outer).and_then(|outer| outer.fork.take());
        let Some(Fork { name, input, scopes, .. }) = fork else { return };
        scopes.into_iter().for_each(|scope| self.kill(scope));
        self.raise(outer, name, input, error, cause);
    }

    fn kill(&mut self, scope: usize) {
        self.threads.retain(|_, thread| thread.scope != scope);
        let Some(own) = self.scopes.get_mut(scope) else { return };
        own.is_over = true;
        let inner = own.fork.take();
        inner.into_iter().flat_map(|fork| fork.scopes).for_each(|scope| self.kill(scope));
    }

    fn end(&mut self, ending: Ending) {
        self.threads.clear();
        self.ending.get_or_insert(ending);
    }
}

/// What a function gets, or the path at which there is nothing.
fn payload(written: &serde_json::Map<String, Value>, input: &Value, context: &Value) -> Result<Value, String> {
    let given = |(key, value): (&String, &Value)| match key.strip_suffix(".$") {
        None => Ok((key.clone(), value.clone())),
        Some(name) => {
            let path = value.as_str().unwrap_or_default();
            let found = path::find(path, input, context).ok_or_else(|| path.to_owned())?;
            Ok((name.to_owned(), found.clone()))
        }
    };
    written.iter().map(given).collect::<Result<_, _>>().map(Value::Object)
}

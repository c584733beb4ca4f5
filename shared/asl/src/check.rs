//! What is wrong with a definition, all at once.

use std::collections::{BTreeSet, HashSet};

use crate::machine::{State, StateMachine};

/// How long a state's name may be.
pub const LONGEST_NAME: usize = 80;

/// How large a definition may be.
pub const LARGEST: usize = 1_000_000;

/// Something that Step Functions would not take, or would fail at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A state that isn't there.
    #[error("{from} leads to \"{to}\", and there is no such state beside it: add one, or correct the name")]
    Dangling {
        /// The state that leads there, or `StartAt`.
        from: String,
        /// The name.
        to: String,
    },
    /// A state that nothing leads to.
    #[error("nothing leads to the state \"{0}\": lead to it, or take it out")]
    Unreachable(String),
    /// A name that is too long.
    #[error("the name of the state \"{0}\" has more than {LONGEST_NAME} characters: shorten it")]
    LongName(String),
    /// Two states of one name.
    #[error("more than one state of the machine has the name \"{0}\": give each its own")]
    DoubleName(String),
    /// States that only lead to one another.
    #[error(
        "none of the states that begin with \"{0}\" ends: one of them needs \"End\": true, or must be a Succeed or a Fail"
    )]
    Endless(String),
    /// Both `Next` and `End`, or neither.
    #[error("the state \"{0}\" needs either \"Next\" or \"End\": true")]
    NoOnward(String),
    /// Both `Seconds` and `SecondsPath`, or neither.
    #[error("the state \"{0}\" needs either \"Seconds\" or \"SecondsPath\"")]
    NoSeconds(String),
    /// Nothing to choose from, or nothing to run.
    #[error("the state \"{0}\" has no {1}")]
    Empty(String, &'static str),
    /// A path that can't be read.
    #[error("the state \"{0}\" has the path \"{1}\", which is none that we emit: $, $.a.b, $.a['b'] or $$.a.b")]
    Path(String, String),
    /// A definition that is too large.
    #[error("the definition has {0} bytes, more than the {LARGEST} that Step Functions takes")]
    Large(usize),
}

/// All that is wrong with a definition; nothing where it is sound.
pub fn check(machine: &StateMachine) -> Vec<Fault> {
    let mut faults = Vec::new();
    let size = machine.to_json().to_string().len();
    if size > LARGEST {
        faults.push(Fault::Large(size));
    }
    of_scope(machine, &mut HashSet::new(), &mut faults);
    faults
}

fn of_scope<'m>(machine: &'m StateMachine, names: &mut HashSet<&'m str>, faults: &mut Vec<Fault>) {
    let there = |name: &str| machine.states.contains_key(name);
    if !there(&machine.start_at) {
        faults.push(Fault::Dangling { from: "StartAt".to_owned(), to: machine.start_at.clone() });
    }
    for (name, state) in &machine.states {
        if name.chars().count() > LONGEST_NAME {
            faults.push(Fault::LongName(name.clone()));
        }
        if !names.insert(name) {
            faults.push(Fault::DoubleName(name.clone()));
        }
        let dangling = state.successors().into_iter().filter(|next| !there(next));
        faults.extend(dangling.map(|to| Fault::Dangling { from: format!("the state \"{name}\""), to: to.to_owned() }));
        of_state(name, state, faults);
        if let State::Parallel(parallel) = state {
            for branch in &parallel.branches {
                of_scope(branch, names, faults);
            }
        }
    }
    let reached = reached(machine);
    let lost = machine.states.keys().filter(|name| !reached.contains(name.as_str()));
    faults.extend(lost.map(|name| Fault::Unreachable(name.clone())));
    if !machine.states.values().any(State::is_terminal) {
        faults.push(Fault::Endless(machine.start_at.clone()));
    }
}

fn of_state(name: &str, state: &State, faults: &mut Vec<Fault>) {
    let mut paths: Vec<&str> = Vec::new();
    match state {
        State::Task(task) => {
            if task.next.is_some() == task.end {
                faults.push(Fault::NoOnward(name.to_owned()));
            }
            let given = task.parameters.payload.iter().filter(|(key, _)| key.ends_with(".$"));
            paths.extend(given.map(|(_, path)| path.as_str().unwrap_or_default()));
        }
        State::Parallel(parallel) => {
            if parallel.next.is_some() == parallel.end {
                faults.push(Fault::NoOnward(name.to_owned()));
            }
            if parallel.branches.is_empty() {
                faults.push(Fault::Empty(name.to_owned(), "Branches"));
            }
        }
        State::Wait(wait) => {
            if wait.seconds.is_some() == wait.seconds_path.is_some() {
                faults.push(Fault::NoSeconds(name.to_owned()));
            }
            paths.extend(wait.seconds_path.as_deref());
        }
        State::Choice(choice) => {
            if choice.choices.is_empty() {
                faults.push(Fault::Empty(name.to_owned(), "Choices"));
            }
            paths.extend(choice.choices.iter().map(|rule| rule.variable.as_str()));
        }
        State::Fail(fail) => paths.extend([fail.error_path.as_str(), fail.cause_path.as_str()]),
        State::Succeed(_) => {}
    }
    let wrong = paths.into_iter().filter(|path| crate::path::keys(path).is_none());
    faults.extend(wrong.map(|path| Fault::Path(name.to_owned(), path.to_owned())));
}

fn reached(machine: &StateMachine) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![machine.start_at.as_str()];
    while let Some(name) = open.pop() {
        if let Some(state) = machine.states.get(name).filter(|_| reached.insert(name)) {
            open.extend(state.successors());
        }
    }
    reached
}

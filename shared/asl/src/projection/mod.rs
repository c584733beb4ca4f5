//! What the boxes of a compiled workflow do.
//!
//! The state machine calls when it comes to a task ([`Projection::enter`]) or to a box that drives ([`Projection::drive`]); the host tells
//! what became of actions ([`Projection::update`]) and what people want of the workflow ([`Projection::request`]). Each of these is one turn:
//! it takes the conductor's state and the [`Threads`], and gives what changed of both and what the host is to do ([`Deed`]).
//!
//! The conductor starts tasks; the state machine only finds out. What a task started is in its answer, and each such start waits for the
//! state machine to come to it. So at most one of its threads goes on with a join, and one that comes to a join that has not come about is
//! sent on.

mod enter;
mod settle;
mod start;
mod threads;

use std::sync::Arc;

use orquesta::{Conductor, Event, Record, Refused, Rerun, Start, State, Status, StepEvent};

use crate::reply::Reply;
use settle::Before;
pub use threads::{Phase, ThreadHead, ThreadRecord, Threads, Token, Visit};

/// Beyond so many events of its history an execution has the conductor start everything itself: at 25,000 Step Functions ends it.
pub const MOST_EVENTS: u64 = 20_000;

/// How many events a task comes to at most: its own six, a choice, and a share of the branches.
const EVENTS_PER_TASK: u64 = 12;

/// The part of a workflow engine that is behind a compiled workflow. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Projection {
    conductor: Conductor,
    most_events: u64,
}

/// What the host is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Start an action under a visit, or keep it until the visit begins.
    Start {
        /// The visit.
        visit: u64,
        /// The action.
        start: Start,
        /// It is to be kept.
        is_kept: bool,
    },
    /// Start the actions that were kept for a visit.
    Begin {
        /// The visit.
        visit: u64,
        /// After so many seconds.
        delay: u64,
    },
    /// Answer a call: `SendTaskSuccess`.
    Answer {
        /// The call.
        token: Token,
        /// Other tokens that it has, or had: one of all these is live.
        former: Vec<Token>,
        /// The task that it was made for.
        task: Arc<str>,
        /// The answer.
        reply: Reply,
    },
    /// The workflow has failed at this call: `SendTaskFailure`.
    Fail {
        /// The call.
        token: Token,
        /// Other tokens that it has, or had.
        former: Vec<Token>,
    },
    /// The workflow has been canceled: `StopExecution`.
    Stop,
}

impl Deed {
    fn answer(token: &Token, task: &Arc<str>, reply: Reply) -> Deed {
        Deed::Answer { token: Arc::clone(token), former: Vec::new(), task: Arc::clone(task), reply }
    }
}

/// What a turn comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The status of the workflow.
    pub status: Status,
    /// The conductor's records that changed.
    pub changes: Vec<Record>,
    /// The records of the threads that changed.
    pub threads: Vec<ThreadRecord>,
    /// What the host is to do once these are kept.
    pub deeds: Vec<Deed>,
}

impl Projection {
    /// The projection of the workflow that the conductor conducts.
    pub fn new(conductor: Conductor) -> Projection {
        Projection { conductor, most_events: MOST_EVENTS }
    }

    /// With another limit to the history.
    pub fn with_most_events(self, most_events: u64) -> Projection {
        Projection { most_events, ..self }
    }

    /// The conductor.
    pub fn conductor(&self) -> &Conductor {
        &self.conductor
    }

    /// Begins a run. What it gives besides is the input of the execution, to which the host adds the run's own names; none where nothing
    /// is at work.
    pub fn begin(&self, state: &mut State, threads: &mut Threads) -> Result<(Turn, Option<Reply>), Refused> {
        let before = Before::of(state);
        let step = self.conductor.step(state, StepEvent::Request(Status::Running))?;
        Ok(self.begun(state, threads, &before, step))
    }

    /// Takes in what became of an action that was started under a visit. Of a visit that is over it is too late, and nothing happens.
    pub fn update(&self, state: &mut State, threads: &mut Threads, visit: u64, event: Event) -> Result<Turn, Refused> {
        let Some(own) = threads.get(visit) else { return Ok(Turn { status: state.status(), ..Turn::default() }) };
        let event = StepEvent::Task { task: own.task.clone(), route: own.route, event };
        self.take_in(state, threads, Some(visit), event)
    }

    /// Takes in that the workflow is to pause, to go on or to stop.
    pub fn request(&self, state: &mut State, threads: &mut Threads, status: Status) -> Result<Turn, Refused> {
        self.take_in(state, threads, None, StepEvent::Request(status))
    }

    /// Runs a completed workflow again from these tasks on, for a new execution of the machine that [`crate::driven`] gives.
    pub fn rerun(&self, state: &mut State, threads: &mut Threads, tasks: Vec<Rerun>) -> Result<Turn, Refused> {
        threads.clear();
        *threads.head_mut() = ThreadHead { next: threads.head.next, ..ThreadHead::default() };
        self.take_in(state, threads, None, StepEvent::Rerun(tasks))
    }

    /// Takes in that an answer was not taken, since the call had been given up: whoever comes in its stead gets it.
    pub fn returned(&self, state: &State, threads: &mut Threads, task: &str, reply: Reply) -> Turn {
        let route = reply.route;
        let is_there = threads.find(|visit| visit.is_of(task, route)).is_some();
        if let Some(entry) = state.last_entry(task, route).filter(|_| !is_there) {
            threads.add(&entry.task, route, entry.index, Phase::Passed { after: None, reply });
        }
        self.turn(state, threads, Vec::new())
    }

    fn turn(&self, state: &State, threads: &mut Threads, mut deeds: Vec<Deed>) -> Turn {
        // What an answer leads to must be there when it is given.
        deeds.sort_by_key(|deed| !matches!(deed, Deed::Start { .. }));
        Turn { status: state.status(), changes: Vec::new(), threads: threads.take_changes(), deeds }
    }
}

//! The compiled definition in the interpreter; its boxes do what the projection says.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use orquesta::{Event, Start, State, Status};
use serde_json::{Value, json};

use super::clock::Clock;
use super::{Report, Scenario, Stage, micros, seconds};
use crate::interpreter::{Call, Ending, Execution};
use crate::machine::StateMachine;
use crate::projection::{Deed, Projection, ThreadRecord, Threads, Turn};

/// How the state machine went through its definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// The states that it came to, in order.
    pub visited: Vec<String>,
    /// About how many events the history has.
    pub events: u64,
    /// How it ended; none where it hasn't.
    pub ending: Option<Ending>,
    /// Calls that nothing answers any more, though the machine waits for them.
    pub unanswered: usize,
}

enum Happening {
    Request(Status),
    Start(u64, Box<Start>),
    Update(u64, Event),
}

/// A run in the making.
struct Run<'r> {
    projection: &'r Projection,
    state: State,
    threads: Threads,
    /// The records of the threads, as a store would have them.
    stored: HashMap<Option<u64>, ThreadRecord>,
    kept: HashMap<u64, Vec<Start>>,
    execution: Option<Execution<'r>>,
    clock: Clock<Happening>,
    stage: Stage<'r>,
    ended: u64,
}

/// Runs a workflow by its definition.
pub fn compiled(projection: &Projection, machine: &StateMachine, scenario: Scenario<'_>) -> (Report, Journey) {
    let Scenario { inputs, context, outcomes, requests, most_starts } = scenario;
    let mut run = Run {
        projection,
        state: projection.conductor().begin(&inputs, &context),
        threads: Threads::default(),
        stored: HashMap::new(),
        kept: HashMap::new(),
        execution: None,
        clock: Clock::new(requests.into_iter().map(|(at, status)| (at, Happening::Request(status)))),
        stage: Stage::new(outcomes, most_starts),
        ended: 0,
    };
    run.begin(machine);
    while !run.stage.is_over() && run.go_on() {}
    let Run { state, threads, execution, stage, ended, .. } = run;
    let journey = Journey {
        visited: execution.iter().flat_map(|run| run.visited()).map(|name| (*name).to_owned()).collect(),
        events: execution.as_ref().map_or(0, Execution::events),
        ending: execution.as_ref().and_then(|run| run.ending().cloned()),
        unanswered: threads.visits().count(),
    };
    (stage.report(&state, ended), journey)
}

impl<'r> Run<'r> {
    fn begin(&mut self, machine: &'r StateMachine) {
        if self.state.status() == Status::Failed {
            return;
        }
        let Ok((turn, input)) = self.projection.begin(&mut self.state, &mut self.threads) else { return };
        let deeds = self.keep(turn);
        if let Some(reply) = input {
            let mut input = reply.to_json();
            if let Value::Object(input) = &mut input {
                input.insert("wf".to_owned(), json!("simulated"));
                input.insert("spec".to_owned(), json!("simulated"));
            }
            deeds.into_iter().for_each(|deed| self.act(deed));
            self.execution = Some(Execution::new(machine, input, 0));
            self.answer_calls();
        }
    }

    /// The next thing that happens; false where nothing does.
    fn go_on(&mut self) -> bool {
        let waits = self.execution.as_ref().and_then(Execution::due);
        match (self.clock.due(), waits) {
            (None, None) => return false,
            (due, Some(until)) if due.is_none_or(|due| until < due) => {
                self.clock.now = until;
                self.pass_time();
            }
            _ => {
                let happening = self.clock.take();
                self.pass_time();
                self.happen(happening);
            }
        }
        self.answer_calls();
        true
    }

    fn pass_time(&mut self) {
        let now = self.clock.now;
        if let Some(execution) = &mut self.execution {
            execution.pass(now);
        }
        self.answer_calls();
    }

    fn happen(&mut self, happening: Option<Happening>) {
        let turn = match happening {
            Some(Happening::Start(visit, start)) => {
                if let Some((at, event)) = self.stage.start(*start, self.clock.now) {
                    self.clock.put(at, Happening::Update(visit, event));
                }
                return;
            }
            Some(Happening::Update(visit, event)) => {
                self.ended = self.clock.now;
                self.projection.update(&mut self.state, &mut self.threads, visit, event)
            }
            Some(Happening::Request(status)) => self.projection.request(&mut self.state, &mut self.threads, status),
            None => return,
        };
        // What the conductor refuses changes nothing.
        if let Ok(turn) = turn {
            self.do_all(turn);
        }
    }

    /// Keeps what has changed, and goes on with what was kept.
    fn keep(&mut self, turn: Turn) -> Vec<Deed> {
        for record in turn.threads {
            match record {
                ThreadRecord::Gone(number) => drop(self.stored.remove(&Some(number))),
                ThreadRecord::Visit(visit) => {
                    self.stored.insert(Some(visit.number), ThreadRecord::Visit(visit));
                }
                head @ ThreadRecord::Head(_) => drop(self.stored.insert(None, head)),
            }
        }
        self.threads = Threads::from_records(self.stored.values().cloned());
        turn.deeds
    }

    fn do_all(&mut self, turn: Turn) {
        self.keep(turn).into_iter().for_each(|deed| self.act(deed));
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Start { visit, start, is_kept: true } => self.kept.entry(visit).or_default().push(start),
            Deed::Start { visit, start, is_kept: false } => {
                let delay = seconds(&start);
                self.start(visit, start, delay);
            }
            Deed::Begin { visit, delay } => {
                for start in self.kept.remove(&visit).unwrap_or_default() {
                    self.start(visit, start, delay);
                }
            }
            // A call that is over by now is none to answer.
            Deed::Answer { token, former, reply, .. } => {
                for token in former.iter().chain([&token]) {
                    let _ = self.execution.as_mut().map(|execution| execution.succeed(token, reply.to_json()));
                }
            }
            Deed::Fail { token, former } => {
                let cause = "the workflow has failed";
                for token in former.iter().chain([&token]) {
                    let _ = self.execution.as_mut().map(|execution| execution.fail(token, "Orquesta.Failed", cause));
                }
            }
            Deed::Stop => self.execution.iter_mut().for_each(Execution::stop),
        }
    }

    fn start(&mut self, visit: u64, start: Start, delay: u64) {
        self.clock.put(self.clock.now.saturating_add(micros(delay)), Happening::Start(visit, Box::new(start)));
    }

    /// Does what the boxes ask for that the state machine has come to.
    fn answer_calls(&mut self) {
        let mut calls: VecDeque<Call> = VecDeque::new();
        loop {
            calls.extend(self.execution.as_mut().map(Execution::take_calls).unwrap_or_default());
            let Some(Call { token, payload }) = calls.pop_front() else { break };
            let text = |key: &str| payload.get(key).and_then(Value::as_str);
            let route = payload.get("route").and_then(Value::as_u64).and_then(|route| u32::try_from(route).ok());
            let route = route.unwrap_or_default();
            let (state, threads) = (&self.state, &mut self.threads);
            let turn = match text("op") {
                Some("run") => self.projection.enter(state, threads, text("task").unwrap_or_default(), route, &token),
                Some("drive") => self.projection.drive(state, threads, text("after"), route, &token),
                _ => {
                    let told = |key: &str| payload.get("error").and_then(|error| error.get(key)).cloned();
                    let settled = json!({"error": told("Error"), "cause": told("Cause")});
                    let _ = self.execution.as_mut().map(|execution| execution.succeed(&Arc::clone(&token), settled));
                    continue;
                }
            };
            self.do_all(turn);
        }
    }
}

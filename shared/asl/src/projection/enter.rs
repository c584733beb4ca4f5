//! The state machine comes to a box.

use std::sync::Arc;

use orquesta::{State, Status};

use super::{Deed, EVENTS_PER_TASK, Phase, Projection, Threads, Token, Turn, Visit};
use crate::reply::Reply;

impl Projection {
    /// The state machine has come to a task. Called again with the same token it does the same; with another one, that one is answered.
    pub fn enter(&self, state: &State, threads: &mut Threads, task: &str, route: u32, token: &Token) -> Turn {
        threads.head_mut().events += EVENTS_PER_TASK;
        let deeds = self.entered(state, threads, task, route, token);
        self.turn(state, threads, deeds)
    }

    pub(super) fn entered(
        &self,
        state: &State,
        threads: &mut Threads,
        task: &str,
        route: u32,
        token: &Token,
    ) -> Vec<Deed> {
        let waits = |visit: &Visit| {
            let is_due = matches!(visit.phase, Phase::Awaited { .. } | Phase::Passed { .. });
            is_due && visit.driver.is_none() && visit.is_of(task, route)
        };
        match threads.find(waits).cloned() {
            Some(visit) => self.come(state, threads, visit, token),
            None => come_in_vain(state, threads, task, route, token),
        }
    }

    /// To a task that the conductor has started.
    fn come(&self, state: &State, threads: &mut Threads, visit: Visit, token: &Token) -> Vec<Deed> {
        let Visit { number, task, route, .. } = visit;
        match visit.phase {
            Phase::Passed { reply, .. } => {
                threads.remove(number);
                if reply.started.is_empty() && state.status() == Status::Failed {
                    return send_on(state, threads, (&task, route), token);
                }
                vec![Deed::answer(token, &task, reply)]
            }
            Phase::Awaited { after, delay, is_waited, told }
                if delay > 0 && (!is_waited || told.as_ref() == Some(token)) =>
            {
                let told = told.or_else(|| Some(Arc::clone(token)));
                threads.change(number, |visit| visit.phase = Phase::Awaited { after, delay, is_waited: true, told });
                let reply = self.wait(&task, route, delay);
                vec![Deed::answer(token, &task, reply)]
            }
            _ => {
                threads.change(number, |visit| visit.phase = Phase::Open { token: Some(Arc::clone(token)) });
                vec![Deed::Begin { visit: number, delay: 0 }]
            }
        }
    }

    /// The state machine has come to a box in which the conductor starts what comes after a task, or everything.
    pub fn drive(&self, state: &State, threads: &mut Threads, after: Option<&str>, route: u32, token: &Token) -> Turn {
        threads.head_mut().events += EVENTS_PER_TASK;
        let task: Arc<str> = Arc::from(after.unwrap_or_default());
        let drives = |visit: &Visit| matches!(visit.phase, Phase::Driving { .. }) && visit.is_of(&task, route);
        if let Some(number) = threads.find(drives).map(|visit| visit.number) {
            threads.change(number, |visit| visit.bind(token));
            return self.turn(state, threads, Vec::new());
        }
        let driver = threads.add(&task, route, u32::MAX, Phase::Driving { token: Arc::clone(token) });
        let is_after = |entry: Option<u32>| {
            let entry = entry.and_then(|entry| state.entries().get(usize::try_from(entry).ok()?));
            after.is_none() || entry.is_some_and(|entry| entry.task == task && entry.route == route)
        };
        let deeds = take_over(threads, driver, &is_after);
        let mut deeds: Vec<Deed> = deeds.into_iter().map(|(visit, delay)| Deed::Begin { visit, delay }).collect();
        if deeds.is_empty() && !matches!(state.status(), Status::Pausing | Status::Paused) {
            threads.remove(driver);
            deeds = send_on(state, threads, (&task, route), token);
        }
        self.turn(state, threads, deeds)
    }

    /// The answer that makes the state machine come again after a while.
    pub(super) fn wait(&self, task: &Arc<str>, route: u32, delay: u64) -> Reply {
        // A state that draws a further run of the task looks for it under that run's flag.
        let runs = crate::routing::runs_at_once(self.conductor.graph(), task);
        Reply { route, started: vec![(Arc::clone(task), route); runs], wait: Some(delay), ..Reply::default() }
    }
}

/// To a task that the conductor has not started, or that is under way already.
fn come_in_vain(state: &State, threads: &mut Threads, task: &str, route: u32, token: &Token) -> Vec<Deed> {
    let is_again = |visit: &Visit| {
        let there = matches!(visit.phase, Phase::Open { .. } | Phase::Held { .. } | Phase::Early { .. });
        there && visit.driver.is_none() && visit.is_of(task, route)
    };
    if let Some(number) = threads.find(is_again).map(|visit| visit.number) {
        threads.change(number, |visit| visit.bind(token));
        return Vec::new();
    }
    if matches!(state.status(), Status::Pausing | Status::Paused) {
        threads.add(&Arc::from(task), route, u32::MAX, Phase::Early { token: Arc::clone(token) });
        return Vec::new();
    }
    send_on(state, threads, (&Arc::from(task), route), token)
}

/// Where there is nothing to do for a call.
fn send_on(state: &State, threads: &mut Threads, (task, route): (&Arc<str>, u32), token: &Token) -> Vec<Deed> {
    match state.status() {
        // The failure is told to one call when the last task has ended, and ends all others.
        Status::Failed if threads.any_at_work(state) => {
            threads.head_mut().culprit.get_or_insert_with(|| Arc::clone(token));
            Vec::new()
        }
        Status::Failed => vec![Deed::Fail { token: Arc::clone(token), former: Vec::new() }],
        Status::Canceling | Status::Canceled => Vec::new(),
        _ => {
            let reply = Reply { route, ..Reply::default() };
            vec![Deed::answer(token, task, reply)]
        }
    }
}

/// What waits for the state machine to come after a run of a task belongs to a box from now on: the visits, and how long each is to wait.
fn take_over(threads: &mut Threads, driver: u64, is_after: &dyn Fn(Option<u32>) -> bool) -> Vec<(u64, u64)> {
    let (mut begun, mut passed) = (Vec::new(), Vec::new());
    loop {
        let follows = |visit: &Visit| match &visit.phase {
            Phase::Awaited { after, .. } | Phase::Passed { after, .. } => {
                let is_behind = after.is_some_and(|after| passed.contains(&after));
                visit.driver.is_none() && (is_after(*after) || is_behind)
            }
            _ => false,
        };
        let Some(visit) = threads.find(follows).cloned() else { break };
        match visit.phase {
            Phase::Awaited { delay, .. } => {
                threads.change(visit.number, |visit| {
                    (visit.driver, visit.phase) = (Some(driver), Phase::Open { token: None });
                });
                begun.push((visit.number, delay));
            }
            _ => {
                threads.remove(visit.number);
                passed.push(visit.entry);
            }
        }
    }
    begun.sort_unstable();
    begun
}

//! What a step of the conductor means for the state machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use orquesta::{Entry, Event, Refused, State, Status, Step, StepEvent};

use super::{Deed, Phase, Projection, Threads, Token, Turn, Visit};
use crate::reply::Reply;
use crate::routing::Routing;

/// How things stood before a step.
pub(super) struct Before {
    pub(super) entries: usize,
    status: Status,
}

impl Before {
    pub(super) fn of(state: &State) -> Before {
        Before { entries: state.entries().len(), status: state.status() }
    }
}

/// A step that is being taken in.
pub(super) struct Settling<'s> {
    pub(super) projection: &'s Projection,
    pub(super) state: &'s State,
    pub(super) threads: &'s mut Threads,
    pub(super) own: Option<u64>,
    /// The visit goes on as a box in which the conductor starts everything.
    pub(super) own_drives: bool,
    /// The visits that a run of a task led to, in order. Those of no run began with the workflow.
    pub(super) led_to: BTreeMap<Option<u32>, Vec<u64>>,
    /// Who drives what a run of a task that had nothing to do leads to.
    pub(super) drivers: BTreeMap<u32, Option<u64>>,
    pub(super) deeds: Vec<Deed>,
}

impl Projection {
    pub(super) fn take_in(
        &self,
        state: &mut State,
        threads: &mut Threads,
        own: Option<u64>,
        event: StepEvent,
    ) -> Result<Turn, Refused> {
        let before = Before::of(state);
        self.subject(state, threads, own);
        let tries = own.and_then(|own| threads.get(own)).map(|own| own.tries);
        let ends =
            matches!(&event, StepEvent::Task { event: Event::Action { status, .. }, .. } if status.is_completed());
        let step = match self.conductor.step(state, event) {
            Ok(step) => step,
            Err(_) if own.is_some() && state.status() == Status::Failed => return Ok(self.unheard(state, threads, own)),
            Err(refused) => return Err(refused),
        };
        let mut settling = self.settling(state, threads, own);
        settling.take(&before, step.start);
        let is_tried_again = settling.own().map(|own| own.tries) != tries;
        if ends && !is_tried_again {
            settling.let_go();
        }
        settling.settle(&before);
        let deeds = settling.deeds;
        Ok(Turn { changes: step.changes, ..self.turn(state, threads, deeds) })
    }

    /// The workflow has failed, and its conductor knows nothing more of what a visit has started: the state machine does not wait for it.
    fn unheard(&self, state: &State, threads: &mut Threads, own: Option<u64>) -> Turn {
        own.into_iter().for_each(|own| threads.hold(own));
        let mut settling = self.settling(state, threads, own);
        if !settling.threads.any_at_work(state) {
            settling.fail();
        }
        let deeds = settling.deeds;
        self.turn(state, threads, deeds)
    }

    /// A task of a loop may be started once more while it runs, and the conductor knows one run of it then: whichever action ends first ends
    /// that, and leads on; of the other nothing comes.
    fn subject(&self, state: &State, threads: &mut Threads, own: Option<u64>) {
        let Some(visit) = own.and_then(|own| threads.get(own)) else { return };
        let last = state.last_entry(&visit.task, visit.route).filter(|entry| !is_completed(entry));
        let subject = last.map_or(u32::MAX, |entry| entry.index);
        if visit.entry != subject {
            threads.change(visit.number, |visit| visit.entry = subject);
        }
    }

    /// The first step: what it starts is the input of the execution.
    pub(super) fn begun(
        &self,
        state: &State,
        threads: &mut Threads,
        before: &Before,
        step: Step,
    ) -> (Turn, Option<Reply>) {
        let mut settling = self.settling(state, threads, None);
        settling.take(before, step.start);
        settling.pass_on();
        let started = settling.started(None);
        let deeds = settling.deeds;
        let input = threads.find(Visit::is_open).is_some().then(|| Reply { started, ..Reply::default() });
        if input.is_none() {
            threads.clear();
        }
        (Turn { changes: step.changes, ..self.turn(state, threads, deeds) }, input)
    }

    fn settling<'s>(&'s self, state: &'s State, threads: &'s mut Threads, own: Option<u64>) -> Settling<'s> {
        let mut settling = Settling {
            projection: self,
            state,
            threads,
            own,
            own_drives: false,
            led_to: BTreeMap::new(),
            drivers: BTreeMap::new(),
            deeds: Vec::new(),
        };
        settling.own_drives = settling.is_to_drive();
        settling
    }
}

impl Settling<'_> {
    pub(super) fn own(&self) -> Option<&Visit> {
        self.threads.get(self.own?)
    }

    pub(super) fn entry(&self, at: u32) -> Option<&Entry> {
        self.state.entries().get(usize::try_from(at).ok()?)
    }

    pub(super) fn is_completed(&self, visit: &Visit) -> bool {
        entry(self.state, visit).is_none_or(is_completed)
    }

    pub(super) fn routing(&self, task: &str) -> Option<Routing> {
        let conductor = &self.projection.conductor;
        conductor.graph().node(task).map(|node| Routing::of(conductor, node))
    }

    /// The history has become long, and the box can do without what is behind it.
    pub(super) fn is_to_drive(&self) -> bool {
        let Some(own) = self.own().filter(|own| own.driver.is_none() && own.token().is_some()) else { return false };
        let is_long = self.threads.head.events > self.projection.most_events;
        is_long && self.is_completed(own) && self.routing(&own.task).is_some_and(|routing| !routing.is_certain)
    }

    pub(super) fn started(&self, after: Option<u32>) -> Vec<(Arc<str>, u32)> {
        let visits = self.led_to.get(&after).into_iter().flatten().filter_map(|number| self.threads.get(*number));
        visits.filter(|visit| visit.driver.is_none()).map(|visit| (Arc::clone(&visit.task), visit.route)).collect()
    }

    pub(super) fn reply(&self, visit: &Visit) -> Reply {
        let entry = self.entry(visit.entry);
        let node = self.projection.conductor.graph().node(&visit.task);
        let edges = entry.into_iter().flat_map(|entry| entry.next.iter()).filter(|(_, fired)| **fired);
        let edge = |at: &u32| node.and_then(|node| node.edges.get(usize::try_from(*at).ok()?));
        let mut fired: Vec<usize> = edges.filter_map(|(at, _)| Some(edge(at)?.transition)).collect();
        fired.sort_unstable();
        fired.dedup();
        let is_surprising =
            fired.len() > 1 && self.routing(&visit.task).is_some_and(|routing| routing.is_surprised(&fired));
        Reply { route: visit.route, started: self.started(Some(visit.entry)), fired, wait: None, is_surprising }
    }

    // What has ended.

    /// The action has ended and the task runs on: another action runs it.
    pub(super) fn let_go(&mut self) {
        let runs = |own: &&Visit| entry(self.state, own).is_some_and(|entry| entry.status == Some(Status::Running));
        if let Some(number) = self.own().filter(runs).map(|own| own.number) {
            self.threads.change(number, |visit| visit.entry = u32::MAX);
        }
    }

    pub(super) fn settle(&mut self, before: &Before) {
        let status = self.state.status();
        if status == Status::Canceled {
            if before.status != Status::Canceled {
                self.deeds.push(Deed::Stop);
            }
            self.threads.clear();
            return;
        }
        if status == Status::Failed && before.status != Status::Failed {
            self.blame();
            self.begin_at_once();
        }
        self.pass_on();
        let is_held = matches!(status, Status::Pausing | Status::Paused | Status::Canceling);
        if let Some(own) = self.own().filter(|own| self.is_completed(own)).cloned() {
            self.end(&own, status, is_held);
            self.end_others(&own, status, is_held);
        }
        if !is_held {
            for number in self.threads.all(|visit| matches!(visit.phase, Phase::Held { .. })) {
                if let Some(visit) = self.threads.get(number).cloned() {
                    self.end(&visit, status, false);
                }
            }
            if status != Status::Failed {
                self.take_early();
                self.end_drives();
            }
        }
        if status == Status::Failed && !self.threads.any_at_work(self.state) {
            self.fail();
        }
    }

    /// The workflow failed at the task that the step is about.
    pub(super) fn blame(&mut self) {
        let called = self.own().and_then(|own| own.driver.map_or(Some(own), |driver| self.threads.get(driver)));
        let tokens = called.map(Visit::tokens).unwrap_or_default();
        self.threads.head_mut().blame(tokens);
    }

    /// Something has started because of a run of a task, if only behind tasks that had nothing to do.
    pub(super) fn leads_on(&self, entry: u32) -> bool {
        let led_to = self.led_to.get(&Some(entry)).into_iter().flatten();
        led_to
            .filter_map(|number| self.threads.get(*number))
            .any(|visit| visit.is_open() || (matches!(visit.phase, Phase::Passed { .. }) && self.leads_on(visit.entry)))
    }

    /// Once the workflow has failed the state machine may be kept from coming: what still runs begins by itself, and is found at work by it.
    pub(super) fn begin_at_once(&mut self) {
        let waits = |visit: &Visit| matches!(visit.phase, Phase::Awaited { delay: 0, .. }) && visit.driver.is_none();
        for visit in self.threads.all(waits) {
            self.threads.change(visit, |visit| visit.phase = Phase::Open { token: None });
            self.deeds.push(Deed::Begin { visit, delay: 0 });
        }
    }

    /// Gives the tasks that had nothing to do their answers.
    pub(super) fn pass_on(&mut self) {
        for number in self.led_to.values().flatten().copied().collect::<Vec<u64>>() {
            let is_passed = |visit: &&Visit| matches!(visit.phase, Phase::Passed { .. });
            let Some(visit) = self.threads.get(number).filter(is_passed).cloned() else { continue };
            let told = self.reply(&visit);
            self.threads.change(number, |visit| {
                if let Phase::Passed { reply, .. } = &mut visit.phase {
                    *reply = told;
                }
            });
        }
    }

    /// A visit whose task is completed.
    pub(super) fn end(&mut self, visit: &Visit, status: Status, is_held: bool) {
        let number = visit.number;
        if let Phase::Awaited { after, .. } = visit.phase {
            let reply = self.reply(visit);
            self.threads.change(number, |visit| visit.phase = Phase::Passed { after, reply });
            return;
        }
        if is_held {
            self.threads.change(number, |visit| {
                if let Phase::Open { token } = &mut visit.phase {
                    visit.phase = Phase::Held { token: token.take() };
                }
            });
            return;
        }
        let drives = |other: &Visit| self.own_drives && self.own == Some(number) && other.driver == Some(number);
        let drives = self.threads.find(drives).is_some();
        let led_on = drives || self.leads_on(visit.entry);
        let Some(token) = visit.token().cloned() else {
            self.threads.remove(number);
            return;
        };
        if drives {
            self.threads.change(number, |visit| visit.phase = Phase::Driving { token });
            return;
        }
        if status == Status::Failed && !led_on {
            // The failure is told when the last task has ended, and ends all other calls.
            if self.threads.head.culprit.is_some() {
                self.threads.remove(number);
            } else {
                self.threads.change(number, |visit| visit.phase = Phase::Held { token: Some(token) });
            }
            return;
        }
        let has_driven = self.own_drives && self.own == Some(number);
        let reply = if has_driven { Reply { route: visit.route, ..Reply::default() } } else { self.reply(visit) };
        self.threads.remove(number);
        if self.threads.head.culprit.as_ref() == Some(&token) {
            self.threads.head_mut().blame((None, Vec::new()));
        }
        self.deeds.push(Deed::Answer { token, former: visit.former.clone(), task: Arc::clone(&visit.task), reply });
    }

    /// A task with items that was started once more while it ran ends as one.
    pub(super) fn end_others(&mut self, own: &Visit, status: Status, is_held: bool) {
        let task = self.projection.conductor.workflow().tasks.get(&own.task);
        if task.is_none_or(|task| task.with.is_none()) {
            return;
        }
        let is_same = |visit: &Visit| visit.entry == own.entry && visit.number != own.number && visit.is_open();
        for number in self.threads.all(is_same) {
            self.threads.change(number, |visit| visit.entry = u32::MAX);
            if let Some(visit) = self.threads.get(number).cloned() {
                self.end(&visit, status, is_held);
            }
        }
    }

    /// Calls that came before the workflow went on.
    pub(super) fn take_early(&mut self) {
        for number in self.threads.all(|visit| matches!(visit.phase, Phase::Early { .. })) {
            let Some(Visit { task, route, phase: Phase::Early { token }, .. }) = self.threads.remove(number) else {
                continue;
            };
            self.deeds.extend(self.projection.entered(self.state, self.threads, &task, route, &token));
        }
    }

    /// Boxes in which nothing is left to drive.
    pub(super) fn end_drives(&mut self) {
        for number in self.threads.all(|visit| matches!(visit.phase, Phase::Driving { .. })) {
            if self.threads.find(|visit| visit.driver == Some(number)).is_some() {
                continue;
            }
            if let Some(Visit { task, route, former, phase: Phase::Driving { token }, .. }) =
                self.threads.remove(number)
            {
                self.deeds.push(Deed::Answer { token, former, task, reply: Reply { route, ..Reply::default() } });
            }
        }
    }

    /// Nothing is at work any more.
    pub(super) fn fail(&mut self) {
        let head = &self.threads.head;
        let called = |(token, former): (Option<Token>, Vec<Token>)| Some((token?, former));
        let of = |visit: &Visit| called(visit.tokens());
        let any = || self.own().and_then(of).or_else(|| self.threads.visits().find_map(of));
        if let Some((token, former)) = called((head.culprit.clone(), head.former.clone())).or_else(any) {
            self.deeds.push(Deed::Fail { token, former });
        }
        self.threads.head_mut().blame((None, Vec::new()));
        self.threads.clear();
    }
}

fn entry<'s>(state: &'s State, visit: &Visit) -> Option<&'s Entry> {
    state.entries().get(usize::try_from(visit.entry).ok()?)
}

pub(super) fn is_completed(entry: &Entry) -> bool {
    entry.status.is_some_and(Status::is_completed)
}

//! What a step of the conductor has started: what was under way goes on, what is new waits for the state machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use orquesta::{Entry, Start, Status, is_command};

use super::settle::{Before, Settling};
use super::{Deed, Phase, Visit};
use crate::reply::Reply;
use crate::routing::{LONGEST_WAIT, literal_delay};

impl Settling<'_> {
    /// Takes in what the step has started: what was under way goes on, what is new waits for the state machine.
    pub(super) fn take(&mut self, before: &Before, starts: Vec<Start>) {
        let mut groups: BTreeMap<u32, Vec<Start>> = BTreeMap::new();
        for start in starts {
            if let Some(entry) = self.state.last_entry(&start.task, start.route) {
                groups.entry(entry.index).or_default().push(start);
            }
        }
        let new = u32::try_from(before.entries).unwrap_or(u32::MAX)..;
        let known: Vec<u32> = groups.keys().copied().filter(|entry| !new.contains(entry)).collect();
        for entry in known {
            if let Some(starts) = groups.remove(&entry) {
                self.go_on(entry, starts);
            }
        }
        let added: Vec<Entry> = self.state.entries().iter().skip(before.entries).cloned().collect();
        for entry in added.iter().filter(|entry| !is_command(&entry.task)) {
            let after = self.state.origin(entry).map(|arrival| arrival.entry);
            match groups.remove(&entry.index) {
                Some(starts) => self.begin(entry, after, starts),
                None if entry.status.is_some_and(Status::is_completed) => self.pass(entry, after),
                None => {}
            }
        }
    }

    /// A run of a task that was there before the step starts something: further items, another try, or the task once more while it runs.
    pub(super) fn go_on(&mut self, at: u32, starts: Vec<Start>) {
        let Some(entry) = self.entry(at).cloned() else { return };
        let is_own =
            |visit: &Visit| visit.entry == at && (visit.is_open() || matches!(visit.phase, Phase::Held { .. }));
        let tries = entry.retry.as_ref().map_or(0, |tries| tries.tally);
        let known = if self.own.is_some() { self.own().filter(|own| is_own(own)) } else { self.threads.find(is_own) };
        let known = known.cloned();
        match known {
            Some(visit) if visit.tries != tries => self.try_again(&visit, tries, starts),
            Some(visit) if starts.iter().any(|start| start.item.is_some()) => {
                let is_kept = matches!(visit.phase, Phase::Awaited { .. });
                let start = |start| Deed::Start { visit: visit.number, start, is_kept };
                self.deeds.extend(starts.into_iter().map(start));
            }
            _ => {
                let after = self.own().map(|own| own.entry);
                self.begin(&entry, after, starts);
            }
        }
    }

    pub(super) fn try_again(&mut self, visit: &Visit, tries: i64, starts: Vec<Start>) {
        let number = visit.number;
        let delay = starts.first().map_or(0, seconds);
        self.threads.change(number, |visit| visit.tries = tries);
        match visit.token().cloned() {
            Some(token) => {
                let phase = Phase::Awaited { after: None, delay, is_waited: true, told: None };
                self.threads.change(number, |visit| (visit.phase, visit.former) = (phase, Vec::new()));
                let reply = self.projection.wait(&visit.task, visit.route, delay);
                let former = visit.former.clone();
                self.deeds.push(Deed::Answer { token, former, task: Arc::clone(&visit.task), reply });
                self.keep(number, starts);
            }
            None => {
                self.threads.change(number, |visit| visit.phase = Phase::Open { token: None });
                let start = |start| Deed::Start { visit: number, start, is_kept: false };
                self.deeds.extend(starts.into_iter().map(start));
            }
        }
    }

    pub(super) fn keep(&mut self, visit: u64, starts: Vec<Start>) {
        let keep = |start| Deed::Start { visit, start: Start { delay: None, ..start }, is_kept: true };
        self.deeds.extend(starts.into_iter().map(keep));
    }

    /// Who drives what a run of a task leads to.
    pub(super) fn driver(&self, after: Option<u32>) -> Option<u64> {
        let after = after?;
        if let Some(driver) = self.drivers.get(&after) {
            return *driver;
        }
        match self.own().filter(|own| own.entry == after) {
            Some(own) if self.own_drives => Some(own.number),
            Some(own) => own.driver,
            None => {
                self.threads.find(|visit| visit.entry == after && matches!(visit.phase, Phase::Held { .. }))?.driver
            }
        }
    }

    pub(super) fn begin(&mut self, entry: &Entry, after: Option<u32>, starts: Vec<Start>) {
        let driver = self.driver(after);
        let task = self.projection.conductor.workflow().tasks.get(&entry.task);
        let is_waited = task.is_some_and(|task| literal_delay(task).is_some());
        let delay = starts.first().map_or(0, seconds);
        let is_kept = driver.is_none() && self.state.status() != Status::Failed;
        let phase =
            if is_kept { Phase::Awaited { after, delay, is_waited, told: None } } else { Phase::Open { token: None } };
        let tries = entry.retry.as_ref().map_or(0, |tries| tries.tally);
        let number = self.threads.add(&entry.task, entry.route, entry.index, phase);
        self.threads.change(number, |visit| (visit.driver, visit.tries) = (driver, tries));
        self.led_to.entry(after).or_default().push(number);
        if is_kept {
            self.keep(number, starts);
        } else {
            let start = |start| Deed::Start { visit: number, start, is_kept: false };
            self.deeds.extend(starts.into_iter().map(start));
        }
    }

    /// A run of a task that had nothing to do is over already.
    pub(super) fn pass(&mut self, entry: &Entry, after: Option<u32>) {
        let driver = self.driver(after);
        self.drivers.insert(entry.index, driver);
        if driver.is_none() {
            let phase = Phase::Passed { after, reply: Reply::default() };
            let number = self.threads.add(&entry.task, entry.route, entry.index, phase);
            self.led_to.entry(after).or_default().push(number);
        }
    }
}

/// Seconds before a start.
fn seconds(start: &Start) -> u64 {
    start.delay.and_then(|delay| u64::try_from(delay).ok()).unwrap_or(0).min(LONGEST_WAIT)
}

//! What happens when.

use std::collections::BTreeMap;

/// Things by the time at which they happen, those of one time in the order in which they were put in.
pub(super) struct Clock<T> {
    pub(super) now: u64,
    next: u64,
    things: BTreeMap<(u64, u64), T>,
}

impl<T> Clock<T> {
    pub(super) fn new(things: impl IntoIterator<Item = (u64, T)>) -> Clock<T> {
        let mut clock = Clock { now: 0, next: 0, things: BTreeMap::new() };
        things.into_iter().for_each(|(at, thing)| clock.put(at, thing));
        clock
    }

    pub(super) fn put(&mut self, at: u64, thing: T) {
        self.things.insert((at, self.next), thing);
        self.next += 1;
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.things.keys().next().map(|(at, _)| *at)
    }

    /// The next thing; it is that late then.
    pub(super) fn take(&mut self) -> Option<T> {
        let ((at, _), thing) = self.things.pop_first()?;
        self.now = self.now.max(at);
        Some(thing)
    }
}

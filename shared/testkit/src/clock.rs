//! A clock that stands still until it is told to go on.

use async_trait::async_trait;
use futures::channel::oneshot;
use model::Timestamp;
use ports::Clock;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Time moves by [`FakeClock::set`] and [`FakeClock::advance`] alone; entropy is a function of the seed and of how often it was asked
/// for. Needs no runtime.
#[derive(Debug)]
pub struct FakeClock(Mutex<State>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    entropy: u64,
    sleepers: Vec<(Timestamp, oneshot::Sender<()>)>,
}

impl FakeClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp, seed: u64) -> FakeClock {
        FakeClock(Mutex::new(State { now, entropy: seed, sleepers: Vec::new() }))
    }

    /// Shows `now` from here on and wakes whoever slept until then, the earliest first.
    pub fn set(&self, now: Timestamp) {
        let mut awake = {
            let mut state = self.state();
            state.now = now;
            let (awake, asleep): (Vec<_>, Vec<_>) =
                std::mem::take(&mut state.sleepers).into_iter().partition(|(time, _)| *time <= now);
            state.sleepers = asleep;
            awake
        };
        awake.sort_by_key(|(time, _)| *time);
        for (_, sleeper) in awake {
            // Who stopped waiting need not be woken.
            let _gone = sleeper.send(());
        }
    }

    /// Goes on by `duration`.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().after(duration));
    }

    /// The earliest time that anybody sleeps until: where a simulator goes when nothing else is left to do.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let mut state = self.state();
        state.sleepers.retain(|(_, sleeper)| !sleeper.is_canceled());
        state.sleepers.iter().map(|(time, _)| *time).min()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    /// SplitMix64: every seed gives another sequence, and none repeats within 2⁶⁴ calls.
    fn entropy(&self) -> u64 {
        let mut state = self.state();
        state.entropy = state.entropy.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state.entropy ^ (state.entropy >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    async fn sleep_until(&self, time: Timestamp) {
        let woken = {
            let mut state = self.state();
            if time <= state.now {
                return;
            }
            let (sender, receiver) = oneshot::channel();
            state.sleepers.push((time, sender));
            receiver
        };
        if woken.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn sleepers_wake_when_their_time_comes() {
        let clock = FakeClock::new(Timestamp::from_millis(0), 1);
        let mut sleep = Box::pin(clock.sleep_until(Timestamp::from_millis(10)));
        assert_eq!((&mut sleep).now_or_never(), None);
        assert_eq!(clock.next_wake(), Some(Timestamp::from_millis(10)));
        clock.advance(Duration::from_millis(9));
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!(sleep.now_or_never(), Some(()));
        assert_eq!(clock.next_wake(), None);
    }

    #[test]
    fn entropy_is_a_function_of_the_seed() {
        let draw = |seed| {
            let clock = FakeClock::new(Timestamp::default(), seed);
            [clock.entropy(), clock.entropy()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}

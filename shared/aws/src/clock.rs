//! The machine's clock.

use async_trait::async_trait;
use aws_lc_rs::rand;
use model::Timestamp;
use ports::Clock;
use std::time::SystemTime;

/// The time of day and randomness of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn entropy(&self) -> u64 {
        let mut bytes = [0; 8];
        // The library fails only where the system has no source at all; a hash map's seed comes from the same place.
        if rand::fill(&mut bytes).is_err() {
            use std::hash::{BuildHasher, RandomState};
            return RandomState::new().hash_one(self.now().micros());
        }
        u64::from_ne_bytes(bytes)
    }

    async fn sleep_until(&self, time: Timestamp) {
        // A function that was frozen meanwhile wakes early by its own reckoning.
        while self.now() < time {
            tokio::time::sleep(time.since(self.now())).await;
        }
    }
}

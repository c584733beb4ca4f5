//! The machine's clock.

use async_trait::async_trait;
use aws_lc_rs::rand;
use model::Timestamp;
use ports::Clock;
use std::time::{Duration, SystemTime};

/// How long is slept at once: the time of day may be set meanwhile, or the machine suspended.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// The time of day and randomness of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is what everybody else asks for the time")]
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

    #[expect(clippy::disallowed_methods, reason = "this is how everybody else sleeps")]
    async fn sleep_until(&self, time: Timestamp) {
        loop {
            let rest = time.since(self.now());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest.min(MAX_SLEEP)).await;
        }
    }
}

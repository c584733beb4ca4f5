//! Time and randomness.

use async_trait::async_trait;
use model::Timestamp;

/// What the engine asks instead of the machine, so that a simulator can answer.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// 64 bits that nobody can foretell.
    fn entropy(&self) -> u64;

    /// Returns at `time` or later.
    async fn sleep_until(&self, time: Timestamp);
}

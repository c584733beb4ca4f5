//! Hints to look at a record.

use async_trait::async_trait;
use model::Timestamp;

use crate::Key;

/// "Look at this record, at this time." It may be lost, doubled, late or out of order: who gets it loads the record and decides from
/// its state alone, and a lost one is made good when the record's `due` passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The record.
    pub key: Key,
    /// Not before.
    pub at: Timestamp,
}

/// Sends wakes.
#[async_trait]
pub trait Wakes: Send + Sync + 'static {
    /// Never fails and never waits for room: what can't be queued is dropped, for the `due` index has it.
    async fn send(&self, wakes: Vec<Wake>);
}

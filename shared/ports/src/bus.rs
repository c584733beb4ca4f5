//! Triggers on their way to the rules.

use async_trait::async_trait;
use model::{Id, Timestamp, TraceContext, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event: something that happened, for every rule on its trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerEvent {
    /// The id that its trigger instance will have. Two events with one id are one event.
    pub id: Id,
    /// What happened.
    pub trigger: Trigger,
    /// What it carries.
    pub payload: Value,
    /// When it happened.
    pub occurrence_time: Timestamp,
    /// The trace it belongs to.
    pub trace: TraceContext,
}

/// The event was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// It never will be.
    #[error("{0}")]
    Refused(String),
    /// It may be, later.
    #[error("the event could not be taken: {0}")]
    Unavailable(String),
}

/// Carries events to the rules.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// `Ok` when every event is safe: it will be matched, also after a crash. Events may arrive twice and out of order.
    async fn publish(&self, events: Vec<TriggerEvent>) -> Result<(), BusError>;

    /// Says which triggers come from outside the platform: the bus subscribes to what they need and drops every other subscription that
    /// it made before. Saying the same twice changes nothing. A bus that nothing from outside reaches has nothing to do.
    async fn listen(&self, _triggers: &[Trigger]) -> Result<(), BusError> {
        Ok(())
    }
}

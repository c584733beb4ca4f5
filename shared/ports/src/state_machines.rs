//! State machines that a service outside walks through, calling the platform at every task.

use async_trait::async_trait;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why a state machine was not dealt with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateMachineError {
    /// There is no machine of that name.
    #[error("there is no state machine {0}")]
    Unknown(String),
    /// The call was given up before it was answered: its machine has ended, or has called again.
    #[error("the call is over")]
    Over,
    /// It can't be said now, or was refused.
    #[error("state machines can't be reached: {0}")]
    Unavailable(String),
}

/// State machines on Amazon's States Language. A machine is immutable: its name is a function of its definition.
#[async_trait]
pub trait StateMachines: Send + Sync + 'static {
    /// The function that the tasks of a definition are to call.
    fn function(&self) -> &str;

    /// Makes the machines of these names and definitions that are not there, and removes those of other names that nothing walks through.
    async fn keep(&self, machines: &BTreeMap<String, String>) -> Result<(), StateMachineError>;

    /// Begins to walk through a machine. A walk of that name that has begun already is the same one.
    async fn start(&self, machine: &str, walk: &str, input: &Value) -> Result<(), StateMachineError>;

    /// Answers a call. [`StateMachineError::Over`] is said only where this answer was certainly not taken.
    async fn succeed(&self, token: &str, answer: &Value) -> Result<(), StateMachineError>;

    /// Answers a call with a failure.
    async fn fail(&self, token: &str, error: &str, cause: &str) -> Result<(), StateMachineError>;

    /// Ends a walk where it is; one that has ended stays as it is.
    async fn stop(&self, machine: &str, walk: &str, error: &str, cause: &str) -> Result<(), StateMachineError>;
}

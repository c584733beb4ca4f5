//! Messages that could not be handled.

use async_trait::async_trait;
use model::Timestamp;
use serde::Serialize;

/// Letters shown or redriven at once.
pub const MAX_LETTERS: usize = 100;

/// A queue of letters beside the queue that they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetterQueue {
    /// The name by which it is asked for: that of the queue whose messages end here.
    pub name: String,
    /// About how many letters there are.
    pub letters: u64,
}

/// One message that could not be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// A stable name of what went wrong; none where the function ended without a word.
    pub reason: Option<String>,
    /// What went wrong, in words.
    pub message: Option<String>,
    /// The function that gave it up.
    pub function: Option<String>,
    /// The message as it was sent.
    pub body: String,
}

/// The letters can't be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadLetterError {
    /// There is no queue of that name.
    #[error("there is no queue \"{0}\"")]
    NoQueue(String),
    /// Ask again later.
    #[error("the queue can't be reached: {0}")]
    Unavailable(String),
}

/// Where messages end that could not be handled.
#[async_trait]
pub trait DeadLetters: Send + Sync + 'static {
    /// All queues, by name.
    async fn queues(&self) -> Result<Vec<DeadLetterQueue>, DeadLetterError>;

    /// Up to `limit` letters, at most [`MAX_LETTERS`], in no order. They stay where they are.
    async fn letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, DeadLetterError>;

    /// Sends letters back to where they came from: those with these ids, or all where none is named. Says how many. A letter may be sent
    /// back twice where the removal of the first fails; it is never lost.
    async fn redrive(&self, queue: &str, ids: &[String]) -> Result<u64, DeadLetterError>;
}

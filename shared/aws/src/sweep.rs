//! The sweep that the platform does once a minute: what will be due soon is sent ahead, what is overdue is sent again.

use model::Timestamp;
use ports::{StoreError, Wake, Wakes};
use std::time::Duration;

use crate::{DynamoStore, LOOK_AHEAD, SqsWakes};

/// How often it is done.
const EVERY: Duration = Duration::from_secs(60);
/// It may begin a little later than a minute after the one before.
const SLACK: Duration = Duration::from_secs(15);
/// What is overdue by so much was not looked at when it should have been.
const GRACE: Duration = Duration::from_secs(60);
/// Records in one sweep that will be due soon.
const MOST_AHEAD: usize = 50_000;
/// Records in one sweep that are overdue.
const MOST_OVERDUE: usize = 5_000;
/// Where so many messages wait, what is overdue waits among them: sending it again would only make the queue longer.
const BUSY: u64 = 1_000;

/// What a sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Records that will be due soon.
    pub ahead: usize,
    /// Records that are overdue.
    pub overdue: usize,
    /// Wakes for overdue records that were left out, because their queue is busy.
    pub left_out: usize,
}

/// Sends what is due. Needs no memory of the sweep before: each looks at the minute that has just come into what a queue can hold back,
/// and at whatever is overdue, however it came to be.
pub async fn sweep(store: &DynamoStore, wakes: &SqsWakes, now: Timestamp) -> Result<Swept, StoreError> {
    let horizon = now.after(LOOK_AHEAD);
    let from = now.after(LOOK_AHEAD - EVERY - SLACK);
    let late = Timestamp::from_micros(now.micros().saturating_sub(i64::try_from(GRACE.as_micros()).unwrap_or(0)));
    let (ahead, overdue, waiting) = futures::join!(
        store.due_wakes(Some(from), horizon, MOST_AHEAD),
        store.due_wakes(None, late, MOST_OVERDUE),
        wakes.waiting(),
    );
    let (ahead, overdue, waiting) = (ahead?, overdue?, waiting.map_err(StoreError::Unavailable)?);
    let found = Swept { ahead: ahead.len(), overdue: overdue.len(), left_out: 0 };
    let is_wanted = |wake: &Wake| waiting.get(wakes.queue_of(&wake.key)).is_none_or(|waiting| *waiting < BUSY);
    let again: Vec<Wake> = overdue.into_iter().filter(is_wanted).collect();
    let left_out = found.overdue - again.len();
    wakes.send(ahead.into_iter().chain(again).collect()).await;
    Ok(Swept { left_out, ..found })
}

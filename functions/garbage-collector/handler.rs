//! The sweep.

use aws::{DynamoStore, SqsWakes};
use functions::{Failure, Start};
use ports::Clock;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a sweep needs.
pub(crate) struct Collector {
    store: DynamoStore,
    wakes: SqsWakes,
    clock: Arc<dyn Clock>,
}

impl Collector {
    pub(crate) fn new(start: Start) -> Collector {
        let clock = start.clock();
        let (store, wakes) = start.store_and_wakes();
        Collector { store, wakes, clock }
    }

    /// One sweep; what the schedule sends along says nothing.
    pub(crate) async fn handle(&self, _: Value) -> Result<Value, Failure> {
        let swept = aws::sweep(&self.store, &self.wakes, self.clock.now()).await.map_err(Failure::unavailable)?;
        if swept.left_out > 0 {
            tracing::warn!(left_out = swept.left_out, "queues are busy: what is overdue in them is not sent again");
        }
        Ok(json!({"ahead": swept.ahead, "overdue": swept.overdue, "left_out": swept.left_out}))
    }
}

//! What is due, as the minute's sweep wants it: keys alone, straight from the index.

use model::Timestamp;
use ports::{StoreError, Wake};
use std::ops::Bound;

use super::{
    DynamoStore,
    query::{Span, Walk},
    schema::{self, DUE, DUE_SHARDS},
};

/// Entries read at once.
const PAGE: usize = 1_000;

impl DynamoStore {
    /// A wake for every record that is due from one time on, or ever, and before another; the earliest first, at most `limit`. Reads the
    /// index alone: there may be wakes among them that find nothing to do.
    pub async fn due_wakes(
        &self,
        from: Option<Timestamp>,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Wake>, StoreError> {
        let span = Span {
            low: from.map_or(Bound::Unbounded, |from| Bound::Included(schema::due_sort(from))),
            high: Bound::Excluded(schema::due_sort(before)),
        };
        let shards = (0..DUE_SHARDS).map(|shard| shard.to_string()).collect();
        let mut walk = Walk::new(self, DUE, shards, span, false);
        let mut wakes = Vec::new();
        while wakes.len() < limit {
            let entries = walk.next(PAGE.min(limit - wakes.len())).await?;
            if entries.is_empty() {
                break;
            }
            let wake = |entry: super::query::Entry| Some(Wake { at: schema::due_of(&entry.place)?, key: entry.key });
            wakes.extend(entries.into_iter().filter_map(wake));
        }
        Ok(wakes)
    }
}

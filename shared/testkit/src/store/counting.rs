//! A store that counts what it is asked.

use async_trait::async_trait;
use ports::{Key, Operation, Page, Query, Record, Store, StoreError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often a store was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commits that went through.
    pub commits: usize,
    /// Commits that did not: conflicts, limits, faults.
    pub refused: usize,
    /// Operations in the commits that went through.
    pub operations: usize,
    /// Bytes of bodies in the commits that went through.
    pub bytes: usize,
    /// Calls of `get`.
    pub gets: usize,
    /// Calls of `query`.
    pub queries: usize,
}

/// Counts on the way to another store.
pub struct CountingStore {
    inner: Arc<dyn Store>,
    counts: Mutex<Counts>,
}

impl CountingStore {
    /// Counts from zero.
    pub fn new(inner: Arc<dyn Store>) -> CountingStore {
        CountingStore { inner, counts: Mutex::default() }
    }

    /// What was counted since the last call of [`CountingStore::take`].
    pub fn counts(&self) -> Counts {
        *self.lock()
    }

    /// The same, and counts from zero again.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for CountingStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.lock().gets += 1;
        self.inner.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.lock().queries += 1;
        self.inner.query(query).await
    }

    async fn commit(&self, operations: Vec<Operation>) -> Result<(), StoreError> {
        let (count, bytes) = (operations.len(), operations.iter().map(body_bytes).sum::<usize>());
        let answer = self.inner.commit(operations).await;
        let mut counts = self.lock();
        if answer.is_ok() {
            counts.commits += 1;
            counts.operations += count;
            counts.bytes += bytes;
        } else {
            counts.refused += 1;
        }
        answer
    }
}

fn body_bytes(operation: &Operation) -> usize {
    match operation {
        Operation::Put(record, _) => record.body.len(),
        Operation::Delete(..) | Operation::Check(..) => 0,
    }
}

//! A store that fails on purpose.

use async_trait::async_trait;
use ports::{Key, Operation, Page, Query, Record, Store, StoreError};
use std::sync::Arc;

/// What a store is asked.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// A record.
    Get(&'a Key),
    /// Records of a scope.
    Query(&'a Query),
    /// A change.
    Commit(&'a [Operation]),
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The call does not reach the store.
    Before(StoreError),
    /// The store does it, and the answer is lost.
    After(StoreError),
}

/// Asks `plan` about every call to another store.
pub struct FaultyStore<P> {
    inner: Arc<dyn Store>,
    plan: P,
}

impl<P: Fn(Call<'_>) -> Fault + Send + Sync + 'static> FaultyStore<P> {
    /// A store whose faults are `plan`'s.
    pub fn new(inner: Arc<dyn Store>, plan: P) -> FaultyStore<P> {
        FaultyStore { inner, plan }
    }
}

#[async_trait]
impl<P: Fn(Call<'_>) -> Fault + Send + Sync + 'static> Store for FaultyStore<P> {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        match (self.plan)(Call::Get(key)) {
            Fault::None => self.inner.get(key).await,
            Fault::Before(error) | Fault::After(error) => Err(error),
        }
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        match (self.plan)(Call::Query(query)) {
            Fault::None => self.inner.query(query).await,
            Fault::Before(error) | Fault::After(error) => Err(error),
        }
    }

    async fn commit(&self, operations: Vec<Operation>) -> Result<(), StoreError> {
        match (self.plan)(Call::Commit(&operations)) {
            Fault::None => self.inner.commit(operations).await,
            Fault::Before(error) => Err(error),
            Fault::After(error) => {
                self.inner.commit(operations).await?;
                Err(error)
            }
        }
    }
}

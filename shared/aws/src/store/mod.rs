//! Records in one DynamoDB table.

mod commit;
mod query;
mod schema;
mod sweep;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use ports::{Clock, Key, Operation, Page, Query, Record, Scope, Store, StoreError, check_operations, check_query};
use std::sync::Arc;

use crate::{Patience, retry};

pub use schema::{INDEXES, IndexSchema};

/// The store in a table. Reads of the table are strongly consistent; the indexes lag behind it by moments: what was just written may
/// be missing from a listing, and what a listing shows is as it stands in the table.
pub struct DynamoStore {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    patience: Patience,
}

impl DynamoStore {
    /// The store in that table. `clock` tells which records have expired.
    pub fn new(client: Client, table: &str, clock: Arc<dyn Clock>, patience: Patience) -> DynamoStore {
        DynamoStore { client, table: table.to_owned(), clock, patience }
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.set_key(Some(schema::key_item(key)));
        let found = self.patience.send(|| request.clone().send()).await.map_err(|error| store_error(&error))?;
        match found.item {
            Some(item) => schema::record_of(&item, self.clock.now()),
            None => Ok(None),
        }
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        check_query(query)?;
        match &query.scope {
            Scope::Partition(name) => self.partition_page(name, query).await,
            Scope::Index(..) | Scope::Due(_) => self.index_page(query).await,
        }
    }

    async fn commit(&self, operations: Vec<Operation>) -> Result<(), StoreError> {
        check_operations(&operations)?;
        self.write(operations).await
    }
}

/// What an error that was not mended by patience means to the core.
fn store_error<E>(error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let words = retry::words(error);
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("ValidationException" | "ItemCollectionSizeLimitExceededException") => StoreError::Limit(words),
        // Also what only an operator can mend: a missing table, a role that may not. Asking again later is right for the caller.
        _ => StoreError::Unavailable(words),
    }
}

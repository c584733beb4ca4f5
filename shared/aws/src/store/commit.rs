//! Commits. One put is a conditional put, for a transaction costs twice as much; everything else is a transaction.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::{
        put_item::PutItemError,
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
    },
    types::{CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use model::Timestamp;
use ports::{Guard, Key, NewRecord, Operation, StoreError};

use super::{
    DynamoStore,
    schema::{self, EXPIRES, Item, PK, VERSION, WRITE},
    store_error,
};
use crate::retry::is_passing_transaction;

/// A guard in DynamoDB's words.
struct Condition {
    expression: String,
    names: std::collections::HashMap<String, String>,
    values: Item,
}

impl Condition {
    fn of(guard: Guard, now: Timestamp) -> Condition {
        let mut names = std::collections::HashMap::from([("#expires".to_owned(), EXPIRES.to_owned())]);
        let mut values = Item::from([(":now".to_owned(), schema::number(now.micros()))]);
        let expression = match guard {
            Guard::Absent => {
                names.insert("#pk".to_owned(), PK.to_owned());
                "attribute_not_exists(#pk) OR #expires <= :now"
            }
            Guard::Version(version) => {
                names.insert("#version".to_owned(), VERSION.to_owned());
                values.insert(":version".to_owned(), schema::number(version));
                "#version = :version AND (attribute_not_exists(#expires) OR #expires > :now)"
            }
        };
        Condition { expression: expression.to_owned(), names, values }
    }
}

/// The item that a put writes.
fn written(record: NewRecord, guard: Guard) -> Result<Item, StoreError> {
    let version = match guard {
        Guard::Absent => 1,
        Guard::Version(version) => version.saturating_add(1),
    };
    schema::item_of(record, version)
}

impl DynamoStore {
    pub(super) async fn write(&self, mut operations: Vec<Operation>) -> Result<(), StoreError> {
        match (operations.pop(), operations.is_empty()) {
            (Some(Operation::Put(record, guard)), true) => self.put(record, guard).await,
            (Some(Operation::Delete(key, None)), true) => self.delete(&key).await,
            (last, _) => {
                operations.extend(last);
                self.transact(operations).await
            }
        }
    }

    async fn put(&self, record: NewRecord, guard: Guard) -> Result<(), StoreError> {
        let write = format!("{:016x}", self.clock.entropy());
        let mut item = written(record, guard)?;
        item.insert(WRITE.to_owned(), schema::text(&write));
        let condition = Condition::of(guard, self.clock.now());
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(Some(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match self.patience.send(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // An earlier try of ours went through, and its answer was lost.
                Some(PutItemError::ConditionalCheckFailedException(failed))
                    if failed.item().and_then(|item| item.get(WRITE)) == Some(&schema::text(&write)) =>
                {
                    Ok(())
                }
                Some(PutItemError::ConditionalCheckFailedException(_)) => Err(StoreError::Conflict { failed: vec![0] }),
                _ => Err(store_error(&error)),
            },
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table).set_key(Some(schema::key_item(key)));
        let deleted = self.patience.send(|| request.clone().send()).await;
        deleted.map(drop).map_err(|error| store_error(&error))
    }

    /// The token makes a second try of the same transaction find the first, for ten minutes: longer than anybody is patient.
    async fn transact(&self, operations: Vec<Operation>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let items: Result<Vec<_>, _> = operations.into_iter().map(|operation| self.part(operation, now)).collect();
        let token = format!("{:016x}{:016x}", self.clock.entropy(), self.clock.entropy());
        let request = self.client.transact_write_items().set_transact_items(Some(items?)).client_request_token(token);
        let sent: Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError, HttpResponse>> =
            self.patience.send_while(|| request.clone().send(), is_passing_transaction).await;
        sent.map(drop).map_err(|error| transaction_error(&error))
    }

    fn part(&self, operation: Operation, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let item = TransactWriteItem::builder();
        let built = match operation {
            Operation::Put(record, guard) => {
                let condition = Condition::of(guard, now);
                let put = Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(written(record, guard)?))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(Some(condition.names))
                    .set_expression_attribute_values(Some(condition.values));
                put.build().map(|put| item.put(put))
            }
            Operation::Delete(key, guard) => {
                let mut delete = Delete::builder().table_name(&self.table).set_key(Some(schema::key_item(&key)));
                if let Some(condition) = guard.map(|guard| Condition::of(guard, now)) {
                    delete = delete
                        .condition_expression(condition.expression)
                        .set_expression_attribute_names(Some(condition.names))
                        .set_expression_attribute_values(Some(condition.values));
                }
                delete.build().map(|delete| item.delete(delete))
            }
            Operation::Check(key, guard) => {
                let condition = Condition::of(guard, now);
                let check = ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(Some(schema::key_item(&key)))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(Some(condition.names))
                    .set_expression_attribute_values(Some(condition.values));
                check.build().map(|check| item.condition_check(check))
            }
        };
        built.map(|item| item.build()).map_err(|error: BuildError| StoreError::Damaged(error.to_string()))
    }
}

fn transaction_error(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> StoreError {
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
        return store_error(error);
    };
    let reasons = canceled.cancellation_reasons();
    let coded = |wanted: &str| {
        let places = reasons.iter().enumerate().filter(|(_, reason)| reason.code() == Some(wanted));
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let failed = coded("ConditionalCheckFailed");
    if !failed.is_empty() {
        return StoreError::Conflict { failed };
    }
    let words = reasons.iter().filter_map(CancellationReason::message).collect::<Vec<_>>().join("; ");
    if coded("ValidationError").is_empty() && coded("ItemCollectionSizeLimitExceeded").is_empty() {
        return StoreError::Unavailable(format!("the transaction was given up: {words}"));
    }
    StoreError::Limit(words)
}

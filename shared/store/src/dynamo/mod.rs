//! The table carried out with the DynamoDB SDK, in the cloud and on one machine.
//!
//! [`expression`] builds requests from our words and [`convert`] turns rows into them: both pure.
//! [`schema`] is the definition of the tables. Here are the calls and the meaning of their errors.

mod convert;
mod expression;
pub mod schema;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};

use crate::keys::Key;
use crate::table::{Condition, Page, Query, Row, Table, TableError, Update};

/// What the calls of a [`Dynamo`] consumed, as the table reports it.
///
/// A refused condition is a call, but its unit is not among the writes: the table does not tell.
#[derive(Debug, Default)]
pub struct Units {
    /// Read units times ten: an eventually consistent read costs half a unit.
    pub reads_x10: AtomicU64,
    /// Write units times ten, those of the indexes included.
    pub writes_x10: AtomicU64,
    /// Calls, whatever came of them.
    pub calls: AtomicU64,
}

impl Units {
    /// Whole write units so far.
    pub fn writes(&self) -> u64 {
        self.writes_x10.load(Ordering::Relaxed) / 10
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// A table of DynamoDB.
#[derive(Clone, Debug)]
pub struct Dynamo {
    client: Client,
    table: String,
    units: Option<Arc<Units>>,
}

impl Dynamo {
    /// The table of this name.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), units: None }
    }

    /// The same, adding up what each call consumed.
    pub fn counting(client: Client, table: impl Into<String>, units: Arc<Units>) -> Self {
        Self { units: Some(units), ..Self::new(client, table) }
    }

    /// Counts the call; the question for capacity to ask with it.
    fn call(&self) -> Option<ReturnConsumedCapacity> {
        let units = self.units.as_ref()?;
        units.calls.fetch_add(1, Ordering::Relaxed);
        Some(ReturnConsumedCapacity::Indexes)
    }

    fn count_read(&self, capacity: Option<&ConsumedCapacity>) {
        if let Some(units) = &self.units {
            units.reads_x10.fetch_add(tenths(capacity), Ordering::Relaxed);
        }
    }

    /// A wrong request is refused; a table that is not there or not ours did nothing; whatever else went wrong may
    /// have happened nevertheless.
    fn failure<E, R>(&self, error: &SdkError<E, R>) -> TableError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        let table = &self.table;
        let Some(service) = error.as_service_error() else {
            return TableError::Unavailable(DisplayErrorContext(error).to_string());
        };
        let code = service.code().unwrap_or("unknown error");
        let why = format!("{code}: {}", service.message().unwrap_or("no message"));
        match code {
            "ValidationException" | "SerializationException" | "ItemCollectionSizeLimitExceededException" => {
                TableError::Refused(why)
            }
            "ResourceNotFoundException" => TableError::Unusable(format!(
                "there is no table `{table}` or an index of it is missing: compare its name in the function's \
                 environment with what the stack made, and deploy again ({why})"
            )),
            "AccessDeniedException" => TableError::Unusable(format!(
                "the role of this function may not do that with `{table}`: compare its name in the function's \
                 environment with what the stack made, and deploy the template again ({why})"
            )),
            "ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded" => {
                TableError::Unavailable(format!(
                    "`{table}` has had too much at once and takes more in a moment ({why})"
                ))
            }
            "TransactionConflictException" => {
                TableError::Unavailable(format!("another write of the row was under way and is over next time ({why})"))
            }
            _ => TableError::Unavailable(why),
        }
    }

    fn count_write(&self, capacity: Option<&ConsumedCapacity>) {
        if let Some(units) = &self.units {
            units.writes_x10.fetch_add(tenths(capacity), Ordering::Relaxed);
        }
    }
}

fn tenths(capacity: Option<&ConsumedCapacity>) -> u64 {
    let units = capacity.and_then(ConsumedCapacity::capacity_units).unwrap_or_default();
    (units * 10.0).round() as u64
}

#[async_trait]
impl Table for Dynamo {
    async fn get(&self, key: &Key) -> Result<Option<Row>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(convert::key(key)))
            .consistent_read(true)
            .set_return_consumed_capacity(self.call())
            .send()
            .await
            .map_err(|error| self.failure(&error))?;
        self.count_read(answer.consumed_capacity());
        answer.item.map(convert::row).transpose()
    }

    async fn update(&self, update: Update) -> Result<Row, TableError> {
        let parts = expression::update(&update);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(convert::key(&update.key)))
            .set_update_expression(parts.update)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_return_consumed_capacity(self.call())
            .send()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(it)) => conflict(it.item()),
                _ => self.failure(&error),
            })?;
        self.count_write(answer.consumed_capacity());
        convert::row(answer.attributes.unwrap_or_default())
    }

    async fn delete(&self, key: &Key, condition: Option<Condition>) -> Result<(), TableError> {
        let parts = expression::condition(condition.as_ref());
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(convert::key(key)))
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_return_consumed_capacity(self.call())
            .send()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(it)) => conflict(it.item()),
                _ => self.failure(&error),
            })?;
        self.count_write(answer.consumed_capacity());
        Ok(())
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        // The service calls an empty range an error; for us it is an empty page.
        if matches!((&query.from, &query.to), (Some(from), Some(to)) if from > to) {
            return Ok(Page::default());
        }
        let start = query.start.as_deref().map(convert::parse_mark).transpose()?;
        let parts = expression::query(&query);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(query.index.map(|index| index.name().to_owned()))
            .set_key_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .scan_index_forward(!query.backward)
            .limit(i32::try_from(query.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .consistent_read(query.consistent)
            .set_return_consumed_capacity(self.call())
            .send()
            .await
            .map_err(|error| self.failure(&error))?;
        self.count_read(answer.consumed_capacity());
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok(Page {
            next: next.as_ref().map(convert::mark).transpose()?,
            rows: answer.items.unwrap_or_default().into_iter().map(convert::row).collect::<Result<_, _>>()?,
        })
    }
}

/// The condition did not hold; `old` is the row that it did not hold for.
fn conflict(old: Option<&HashMap<String, AttributeValue>>) -> TableError {
    match old.filter(|item| !item.is_empty()).cloned().map(convert::row).transpose() {
        Ok(row) => TableError::Conflict(row.map(Box::new)),
        Err(unreadable) => unreadable,
    }
}

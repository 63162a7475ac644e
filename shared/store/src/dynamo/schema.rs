//! The definition of the tables, for whoever makes them by a call: the embedded database, tests.
//!
//! In the cloud the template makes them; a law holds the two together.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex, Projection,
    ProjectionType, ScalarAttributeType,
};

use crate::table::Index;

/// The attribute with the time after which a row may be removed, in epoch seconds.
pub const TTL_ATTRIBUTE: &str = "expires";

/// The request that makes the main table, with its indexes.
///
/// # Errors
/// None in practice: the SDK wants to be asked whether all parts of the request are there.
pub fn create_main_table(table: &str) -> Result<CreateTableInputBuilder, BuildError> {
    let mut request = create_quarantine_table(table)?
        .attribute_definitions(attribute("open", ScalarAttributeType::S)?)
        .local_secondary_indexes(
            LocalSecondaryIndex::builder()
                .index_name(Index::Open.name())
                .set_key_schema(Some(key_schema(Index::Open.keys())?))
                .projection(keys_only())
                .build()?,
        );
    // The feed and the list of a number have one order.
    let mut sorts = BTreeMap::new();
    for index in Index::ALL.into_iter().filter(|index| *index != Index::Open) {
        let (partition, sort) = index.keys();
        let kind = if index.sorts_numbers() { ScalarAttributeType::N } else { ScalarAttributeType::S };
        sorts.insert(sort, kind);
        request =
            request.attribute_definitions(attribute(partition, ScalarAttributeType::S)?).global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(index.name())
                    .set_key_schema(Some(key_schema(index.keys())?))
                    .projection(projection(index))
                    .build()?,
            );
    }
    for (sort, kind) in sorts {
        request = request.attribute_definitions(attribute(sort, kind)?);
    }
    Ok(request)
}

/// The request that makes the quarantine table: keys only, no index.
///
/// # Errors
/// As [`create_main_table`].
pub fn create_quarantine_table(table: &str) -> Result<CreateTableInputBuilder, BuildError> {
    Ok(CreateTableInputBuilder::default()
        .table_name(table)
        .set_key_schema(Some(key_schema(("pk", "sk"))?))
        .attribute_definitions(attribute("pk", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("sk", ScalarAttributeType::S)?)
        .billing_mode(BillingMode::PayPerRequest))
}

fn projection(index: Index) -> Projection {
    match index.shows_summary() {
        true => Projection::builder().projection_type(ProjectionType::Include).non_key_attributes("summary").build(),
        false => keys_only(),
    }
}

fn keys_only() -> Projection {
    Projection::builder().projection_type(ProjectionType::KeysOnly).build()
}

fn attribute(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
}

fn key_schema((partition, sort): (&str, &str)) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    Ok(vec![element(partition, KeyType::Hash)?, element(sort, KeyType::Range)?])
}

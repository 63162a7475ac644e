//! The table in this process: DynamoDB on SQLite, behind the same SDK client as in the cloud.
//!
//! [`Wire`] stands where the HTTP client would: it hands the request's JSON to the database and its
//! answer back, so that everything above it is the code that runs in the cloud.

use std::fmt;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use dynoxide::actions::update_time_to_live::UpdateTimeToLiveRequest;
use dynoxide::{Database, DynoxideError};
use perezvon_store::dynamo::{Dynamo, schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

const MAIN: &str = "perezvon-main";
const QUARANTINE: &str = "perezvon-quarantine";

/// What the database on disk could not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the table's database: {0}")]
pub struct TableFileError(String);

fn failed(why: impl fmt::Display) -> TableFileError {
    TableFileError(why.to_string())
}

/// The database with both tables.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    client: Client,
}

impl Embedded {
    /// Opens the file, which is made if it is missing. Only one process may do so: take the
    /// [`Lock`](super::lock::Lock) first.
    ///
    /// # Errors
    /// The file cannot be opened, is no database, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, TableFileError> {
        let path = text(path)?;
        Self::over(blocking(move || Database::new(&path)).await?).await
    }

    /// A database that is gone with the process, for tests.
    ///
    /// # Errors
    /// None that are expected.
    #[cfg(test)]
    pub async fn open_in_memory() -> Result<Self, TableFileError> {
        Self::over(blocking(Database::memory).await?).await
    }

    async fn over(database: Database) -> Result<Self, TableFileError> {
        let client = client(database.clone());
        let this = Self { database, client };
        this.make(MAIN, schema::create_main_table(MAIN).map_err(failed)?).await?;
        this.make(QUARANTINE, schema::create_quarantine_table(QUARANTINE).map_err(failed)?).await?;
        Ok(this)
    }

    async fn make(&self, table: &str, request: CreateTableInputBuilder) -> Result<(), TableFileError> {
        if let Err(error) = request.send_with(&self.client).await {
            let exists = error.as_service_error().is_some_and(|it| it.is_resource_in_use_exception());
            if !exists {
                return Err(failed(DisplayErrorContext(&error)));
            }
        }
        // Saying it again is fine, and a start may have ended between the two.
        let specification = json!({ "AttributeName": schema::TTL_ATTRIBUTE, "Enabled": true });
        let request: UpdateTimeToLiveRequest =
            serde_json::from_value(json!({ "TableName": table, "TimeToLiveSpecification": specification }))
                .map_err(failed)?;
        let database = self.database.clone();
        blocking(move || database.update_time_to_live(request)).await.map(drop)
    }

    /// The SDK client that speaks to this database.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The main table.
    pub fn main(&self) -> Dynamo {
        Dynamo::new(self.client(), MAIN)
    }

    /// The quarantine table.
    pub fn quarantine(&self) -> Dynamo {
        Dynamo::new(self.client(), QUARANTINE)
    }

    /// Removes the rows of both tables whose `expires` has passed; returns how many. The database
    /// has no timer of its own, so call it now and then; other calls go on meanwhile.
    ///
    /// # Errors
    /// The database failed; what it removed before that stays removed.
    pub async fn sweep_ttl(&self) -> Result<usize, TableFileError> {
        let database = self.database.clone();
        blocking(move || database.sweep_ttl()).await
    }

    /// Writes a copy as of now to a new file.
    ///
    /// # Errors
    /// The file exists already or cannot be written.
    pub async fn backup_to(&self, path: &Path) -> Result<(), TableFileError> {
        let (name, database) = (text(path)?, self.database.clone());
        blocking(move || database.vacuum_into(&name)).await?;
        let copy = std::fs::File::open(path).and_then(|file| file.sync_all());
        copy.map_err(failed)
    }
}

fn text(path: &Path) -> Result<String, TableFileError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| failed(format!("the path {} must be UTF-8", path.display())))
}

/// Calls block on the disk and on each other: never on a thread of the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> dynoxide::Result<T> + Send + 'static,
) -> Result<T, TableFileError> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?.map_err(failed)
}

/// Credentials, region and endpoint are asked for by the SDK and read by nobody.
fn client(database: Database) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("embedded", "embedded", None, None, "embedded"))
        .identity_cache(IdentityCache::no_cache())
        .region(Region::from_static("local"))
        .endpoint_url("http://table.invalid")
        // No network lies between: what fails once fails again.
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(Wire { database })
        .build();
    Client::from_conf(config)
}

/// The way from the SDK to the database.
#[derive(Clone)]
struct Wire {
    database: Database,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.database.clone();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(async move {
            let answered = tokio::task::spawn_blocking(move || answer(&database, &target, &body)).await;
            let (status, body) = answered.map_err(|error| ConnectorError::other(error.into(), None))?;
            let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

/// Status and JSON of the answer.
fn answer(database: &Database, target: &str, body: &[u8]) -> (u16, String) {
    match dispatch(database, target, body) {
        Ok(body) => (200, body),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

/// The operations that our code uses.
fn dispatch(database: &Database, target: &str, body: &[u8]) -> dynoxide::Result<String> {
    match target.strip_prefix("DynamoDB_20120810.") {
        Some("GetItem") => call(body, |request| database.get_item(request)),
        Some("UpdateItem") => call(body, |request| database.update_item(request)),
        Some("DeleteItem") => call(body, |request| database.delete_item(request)),
        Some("Query") => call(body, |request| database.query(request)),
        Some("CreateTable") => call(body, |request| database.create_table(request)),
        _ => Err(DynoxideError::ValidationException(format!("the embedded table does not carry out {target:?}"))),
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    run: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body);
    let request = request.map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let answer = run(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

#[cfg(test)]
mod sweeps;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use perezvon_domain::{AccountId, ChannelId, Timestamp};
    use perezvon_store::dynamo::Units;
    use perezvon_store::{Key, Table, TableError, Update, contract, keys};

    use super::*;

    fn row(name: &str) -> Key {
        keys::call(&AccountId::from("a"), &ChannelId::from("c"), name)
    }

    #[tokio::test]
    async fn the_contract_holds_in_memory() {
        let embedded = Embedded::open_in_memory().await.expect("open");
        assert_eq!(contract::all(&embedded.main()).await, Ok(()));
    }

    #[tokio::test]
    async fn the_contract_holds_on_disk_and_a_reopened_file_has_its_rows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("table.db");
        let embedded = Embedded::open(&path).await.expect("open");
        assert_eq!(contract::all(&embedded.main()).await, Ok(()));
        let written = embedded.main().update(Update::new(row("kept")).set("text", "Привет")).await.expect("a write");
        drop(embedded);
        let again = Embedded::open(&path).await.expect("open again");
        assert_eq!(again.main().get(&row("kept")).await, Ok(Some(written)));
        assert_eq!(again.quarantine().get(&row("kept")).await, Ok(None));
    }

    #[tokio::test]
    async fn a_backup_is_a_database_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy.db");
        let embedded = Embedded::open(&folder.path().join("table.db")).await.expect("open");
        let written = embedded.main().update(Update::new(row("kept")).set("n", 1)).await.expect("a write");
        embedded.backup_to(&copy).await.expect("a backup");
        embedded.main().update(Update::new(row("kept")).set("n", 2)).await.expect("a later write");
        let restored = Embedded::open(&copy).await.expect("open the copy");
        assert_eq!(restored.main().get(&row("kept")).await, Ok(Some(written)));
        embedded.backup_to(&copy).await.expect_err("a backup never overwrites");
    }

    #[tokio::test]
    async fn a_sweep_removes_what_has_expired_from_both_tables() {
        let embedded = Embedded::open_in_memory().await.expect("open");
        // The sweep goes by the clock of the host: "now" is anything between these two.
        let now = jiff::Timestamp::now().as_second();
        let (main, quarantine) = (embedded.main(), embedded.quarantine());
        let refused = keys::quarantined(&AccountId::from("a"), Timestamp(1), "id");
        for (table, key, expires) in [
            (&main, row("old"), now - 1000),
            (&main, row("young"), now + 100_000),
            (&quarantine, refused.clone(), now - 1000),
        ] {
            table.update(Update::new(key).set("expires", expires)).await.expect("a write");
        }
        assert_eq!(embedded.sweep_ttl().await, Ok(2));
        assert_eq!(main.get(&row("old")).await, Ok(None));
        assert_eq!(quarantine.get(&refused).await, Ok(None));
        assert!(main.get(&row("young")).await.expect("a read").is_some());
    }

    #[tokio::test]
    async fn units_are_counted_as_the_service_bills_them() {
        let embedded = Embedded::open_in_memory().await.expect("open");
        let units = Arc::new(Units::default());
        let table = Dynamo::counting(embedded.client(), MAIN, Arc::clone(&units));
        let place = Update::new(row("billed")).set("feed", "a#2026-11").set("feed_at", "1").set("summary", "s");
        table.update(place).await.expect("a write");
        assert_eq!((units.writes(), units.calls()), (2, 1), "the row, and the feed at birth");
        table.update(Update::new(row("billed")).set("state", "s")).await.expect("a write");
        assert_eq!(units.writes(), 3, "a change that leaves the summary alone");
        table.update(Update::new(row("billed")).set("summary", "t")).await.expect("a write");
        assert_eq!(units.writes(), 5, "a change of the summary");
        table.get(&row("billed")).await.expect("a read");
        assert_eq!((units.reads_x10.load(Ordering::Relaxed), units.calls()), (10, 4));
    }

    #[tokio::test]
    async fn an_unknown_table_is_not_taken_for_a_conflict() {
        let embedded = Embedded::open_in_memory().await.expect("open");
        let table = Dynamo::new(embedded.client(), "elsewhere");
        let error = table.get(&row("any")).await.expect_err("no such table");
        assert!(matches!(error, TableError::Unusable(_)), "{error:?}");
    }
}

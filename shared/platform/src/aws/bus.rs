//! The event bus of EventBridge.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use serde_json::{Map, Value};

use super::batch::batches;
use super::explain::{explain, told};
use crate::ports::{Bus, BusEvent, PortError};

const SOURCE: &str = "perezvon";

/// One custom bus.
#[derive(Clone, Debug)]
pub struct EventBus {
    client: Client,
    name: String,
}

impl EventBus {
    /// What the role of a publisher needs.
    pub const ACTIONS: &[&str] = &["events:PutEvents"];

    /// The bus of this name.
    pub fn new(sdk: &SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), name: name.into() }
    }

    fn error(&self, why: impl std::fmt::Display) -> PortError {
        PortError::new(format!("bus {}", self.name), why)
    }

    fn entry(&self, name: &str, detail: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(name)
            .detail(detail)
            .build()
    }
}

#[async_trait]
impl Bus for EventBus {
    async fn publish(&self, events: Vec<BusEvent>) -> Result<(), PortError> {
        let facts = events.into_iter().map(|event| Ok((detail(&event)?, event.name)));
        let facts = facts.collect::<Result<Vec<_>, PortError>>()?;
        for batch in batches(facts, |(detail, name)| detail.len() + name.len() + SOURCE.len()) {
            let entries = batch.iter().map(|(detail, name)| self.entry(name, detail)).collect();
            let call = self.client.put_events().set_entries(Some(entries));
            let output = call.send().await.map_err(|error| self.error(explain(&error)))?;
            let failed =
                output.entries().iter().filter_map(|entry| Some(told(entry.error_code()?, entry.error_message())));
            let failed: Vec<_> = failed.collect();
            if !failed.is_empty() {
                return Err(self.error(format!("{} events were not taken: {}", failed.len(), failed.join(", "))));
            }
        }
        Ok(())
    }
}

/// The detail with `id` and `account` in it: the bus gives each copy an id of its own, and
/// listeners need ours to notice a repetition.
fn detail(event: &BusEvent) -> Result<String, PortError> {
    let mut detail: Map<String, Value> = serde_json::from_str(&event.detail).map_err(|error| {
        PortError::new("bus", format!("the detail of {} is not a JSON object: {error}", event.name))
    })?;
    detail.insert("id".to_owned(), event.id.clone().into());
    detail.insert("account".to_owned(), event.account.clone().into());
    Ok(Value::Object(detail).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(detail: &str) -> BusEvent {
        BusEvent { id: "e-1".into(), account: "acme".into(), name: "CallMissed".into(), detail: detail.into() }
    }

    #[test]
    fn the_detail_names_event_and_account_beside_the_fact() {
        let detail = detail(&event(r#"{"entry":"1"}"#)).expect("an object");
        assert_eq!(detail, r#"{"account":"acme","entry":"1","id":"e-1"}"#);
    }

    #[test]
    fn a_detail_that_is_no_object_is_refused() {
        let error = detail(&event("[1]")).expect_err("a list");
        assert!(error.to_string().starts_with("bus: the detail of CallMissed is not a JSON object"), "{error}");
    }
}

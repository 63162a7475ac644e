//! A table, a secret store and queues in memory, as small as applying allows.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use perezvon_domain::Timestamp;
use perezvon_platform::{Message, PortError, Queue, Secrets};
use perezvon_store::{Attributes, Condition, Key, Page, Query, Row, Table, TableError, Update, Value};

use super::super::Applier;

/// All that applying touches.
#[derive(Default)]
pub(super) struct World {
    rows: Mutex<BTreeMap<Key, Attributes>>,
    pub(super) secrets: Store,
    pub(super) crm: Sent,
    pub(super) outbound: Sent,
    /// The write before which this happens, counted from 1: `None` breaks off, `Some` is another's write.
    pub(super) interrupt: Mutex<Option<(usize, Option<Update>)>>,
    writes: Mutex<usize>,
}

#[derive(Default)]
pub(super) struct Store(pub(super) Mutex<BTreeMap<String, String>>);

#[derive(Default)]
pub(super) struct Sent(pub(super) Mutex<Vec<String>>);

impl World {
    pub(super) fn applier(&self) -> Applier<'_> {
        let (crm, outbound) = (&self.crm, &self.outbound);
        Applier { table: self, secrets: &self.secrets, crm, outbound, now: Timestamp(1_000) }
    }

    /// Before the `nth` write from now on.
    pub(super) fn interrupt(&self, nth: usize, by: Option<Update>) {
        *self.writes.lock().expect("free") = 0;
        *self.interrupt.lock().expect("free") = Some((nth, by));
    }

    pub(super) fn writes(&self) -> usize {
        *self.writes.lock().expect("free")
    }

    fn write(&self, update: Update) -> Result<Row, TableError> {
        let mut rows = self.rows.lock().expect("free");
        let now = rows.get(&update.key).cloned();
        if !update.condition.as_ref().is_none_or(|it| holds(it, now.as_ref())) {
            return Err(TableError::Conflict(None));
        }
        let attributes = rows.entry(update.key.clone()).or_default();
        for (path, value) in update.set {
            attributes.insert(path[0].clone(), value);
        }
        for path in update.remove {
            attributes.remove(&path[0]);
        }
        for (name, by) in update.add {
            let before = attributes.get(&name).and_then(Value::as_n).unwrap_or_default();
            attributes.insert(name, Value::N(before + by));
        }
        Ok(Row { key: update.key, attributes: attributes.clone() })
    }
}

fn holds(condition: &Condition, row: Option<&Attributes>) -> bool {
    match condition {
        Condition::Absent => row.is_none(),
        Condition::Present => row.is_some(),
        Condition::NotExists(name) => row.is_none_or(|row| !row.contains_key(name)),
        Condition::And(all) => all.iter().all(|it| holds(it, row)),
        Condition::Eq(name, value) => row.is_some_and(|row| row.get(name) == Some(value)),
        other => unreachable!("applying does not use {other:?}"),
    }
}

#[async_trait]
impl Table for World {
    async fn get(&self, key: &Key) -> Result<Option<Row>, TableError> {
        let attributes = self.rows.lock().expect("free").get(key).cloned();
        Ok(attributes.map(|attributes| Row { key: key.clone(), attributes }))
    }

    async fn update(&self, update: Update) -> Result<Row, TableError> {
        let count = {
            let mut writes = self.writes.lock().expect("free");
            *writes += 1;
            *writes
        };
        let interrupt = self.interrupt.lock().expect("free").take_if(|(nth, _)| *nth == count);
        match interrupt {
            Some((_, None)) => return Err(TableError::Unavailable("broken off".to_owned())),
            Some((_, Some(other))) => _ = self.write(other)?,
            None => {}
        }
        self.write(update)
    }

    async fn delete(&self, key: &Key, _: Option<Condition>) -> Result<(), TableError> {
        unreachable!("applying deletes nothing: {key:?}")
    }

    /// One row a page, so that pages are followed.
    async fn query(&self, query: Query) -> Result<Page, TableError> {
        let rows = self.rows.lock().expect("free");
        let from = query.start.as_deref().or_else(|| query.from.as_ref()?.as_s()).unwrap_or_default();
        let to = query.to.as_ref().and_then(Value::as_s).unwrap_or("~");
        let mut found = rows.iter().filter(|(key, _)| key.pk() == query.partition && (from..=to).contains(&key.sk()));
        let row = found.next();
        let next = found.next().map(|(key, _)| key.sk().to_owned());
        let row = row.map(|(key, it)| Row { key: key.clone(), attributes: it.clone() });
        Ok(Page { rows: row.into_iter().collect(), next })
    }
}

#[async_trait]
impl Secrets for Store {
    async fn get(&self, name: &str) -> Result<Option<String>, PortError> {
        Ok(self.0.lock().expect("free").get(name).cloned())
    }

    async fn put(&self, name: &str, value: &str) -> Result<(), PortError> {
        self.0.lock().expect("free").insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

#[async_trait]
impl Queue for Sent {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        self.0.lock().expect("free").extend(messages.into_iter().map(|message| message.body));
        Ok(())
    }
}

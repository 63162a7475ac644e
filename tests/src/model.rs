//! A model of the table: conditional writes, sparse indexes, paging, write units. Held to the same
//! contract as the embedded table by `table_contract.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use perezvon_store::table::{Path, TableError, size};
use perezvon_store::{Attributes, Condition, Index, Key, Page, Query, Row, Table, Update, Value};

use crate::faults::{Faults, Port};

/// Largest row, in bytes.
const ROW_LIMIT: usize = 400 * 1024;

/// The model.
pub struct Model {
    name: &'static str,
    rows: Mutex<BTreeMap<Key, Attributes>>,
    /// What reads that are not strongly consistent still see.
    stale: Mutex<Option<BTreeMap<Key, Attributes>>>,
    units: Mutex<Units>,
    faults: Option<Arc<Faults>>,
}

/// What calls of the table cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Write units.
    pub writes: u64,
    /// Writes, refused ones included.
    pub calls: u64,
    /// Reads.
    pub reads: u64,
    /// Read units times two: an eventually consistent read costs half a unit.
    pub half_reads: u64,
}

impl Model {
    /// An empty table without faults.
    pub fn new() -> Self {
        Self { name: "table", rows: Mutex::default(), stale: Mutex::default(), units: Mutex::default(), faults: None }
    }

    /// An empty table whose calls are crash points.
    pub fn with_faults(name: &'static str, faults: Arc<Faults>) -> Self {
        Self { name, faults: Some(faults), ..Self::new() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Attributes>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that stands there.
    pub fn all(&self) -> Vec<Row> {
        let rows = self.lock();
        rows.iter().map(|(key, attributes)| Row { key: key.clone(), attributes: attributes.clone() }).collect()
    }

    /// From now on reads that are not strongly consistent see only what stands there now.
    pub fn lag(&self) {
        *self.stale.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.lock().clone());
    }

    /// A row, read without a port call: by the spec itself.
    pub fn row(&self, key: &Key) -> Option<Row> {
        self.lock().get(key).map(|attributes| Row { key: key.clone(), attributes: attributes.clone() })
    }

    /// Puts a row back as it was, without a port call.
    pub fn put_back(&self, row: Row) {
        self.lock().insert(row.key, row.attributes);
    }

    /// Erases a row without a port call.
    pub fn erase(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Units so far.
    pub fn units(&self) -> Units {
        self.units.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn before(&self, what: &str, port: &Port<'_>) -> Result<u64, TableError> {
        let Some(faults) = &self.faults else { return Ok(0) };
        let call = faults.before_call(&format!("{}.{what}", self.name), port).await;
        call.map_err(|error| TableError::Unavailable(error.to_string()))
    }

    async fn after(&self, call: u64) {
        if let Some(faults) = &self.faults {
            faults.after(call).await;
        }
    }

    /// Writes without a port call: what somebody else does meanwhile.
    pub fn write(&self, update: Update) -> Result<Row, TableError> {
        let mut rows = self.lock();
        let old = rows.get(&update.key).cloned();
        let fails = update.condition.as_ref().is_some_and(|condition| !holds(condition, old.as_ref()));
        if fails {
            let row = old.map(|attributes| Box::new(Row { key: update.key.clone(), attributes }));
            // A refused write costs what the row costs.
            self.count(units_of(&update.key, row.as_ref().map(|row| &row.attributes)));
            return Err(TableError::Conflict(row));
        }
        check_paths(&update)?;
        let new = update.applied_to(old.as_ref())?;
        if size(&new) > ROW_LIMIT {
            return Err(refused("Item size has exceeded the maximum allowed size"));
        }
        check_index_types(&new)?;
        let units = units_of(&update.key, old.as_ref()).max(units_of(&update.key, Some(&new)));
        self.count(units + index_units(&update.key, old.as_ref(), &new));
        rows.insert(update.key.clone(), new.clone());
        Ok(Row { key: update.key, attributes: new })
    }

    fn count(&self, writes: u64) {
        let mut units = self.units.lock().unwrap_or_else(PoisonError::into_inner);
        units.writes += writes;
        units.calls += 1;
    }

    fn count_read(&self, bytes: usize, consistent: bool) {
        let mut units = self.units.lock().unwrap_or_else(PoisonError::into_inner);
        units.reads += 1;
        units.half_reads += bytes.div_ceil(4096).max(1) as u64 * if consistent { 2 } else { 1 };
    }

    fn page(&self, query: &Query) -> Result<Page, TableError> {
        if query.consistent && query.index.is_some_and(|index| index != Index::Open) {
            return Err(refused("Consistent reads are not supported on global indexes"));
        }
        let stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.lock();
        let rows = stale.as_ref().filter(|_| !query.consistent).unwrap_or(&now);
        // The real table reads no other partition either.
        let own = query.index.is_none_or(|index| index.keys().0 == "pk");
        let first = Key::from_table(if own { query.partition.clone() } else { String::new() }, String::new());
        let places = rows.range(first..).take_while(|(key, _)| !own || key.pk() == query.partition);
        let mut found: Vec<(Value, (&Key, &Attributes))> =
            places.filter_map(|(key, row)| Some((sort_in_partition(query, key, row)?, (key, row)))).collect();
        found.retain(|(sort, _)| {
            query.from.as_ref().is_none_or(|from| sort >= from) && query.to.as_ref().is_none_or(|to| sort <= to)
        });
        found.sort_by(|(left, (a, _)), (right, (b, _))| (left, a).cmp(&(right, b)));
        if query.backward {
            found.reverse();
        }
        if let Some(start) = &query.start {
            let place = found.iter().position(|(_, (key, _))| mark(key) == *start);
            found.drain(..place.map_or(0, |place| place + 1));
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        let next = found.last().filter(|_| more).map(|(_, (key, _))| mark(key));
        let shown = |row: &Attributes| query.index.map_or_else(|| row.clone(), |index| projected(index, row));
        let rows = found.into_iter().map(|(_, (key, row))| Row { key: key.clone(), attributes: shown(row) });
        Ok(Page { rows: rows.collect(), next })
    }
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Table for Model {
    async fn get(&self, key: &Key) -> Result<Option<Row>, TableError> {
        let call = self.before("get", &Port::Get(key)).await?;
        let row = self.lock().get(key).cloned();
        self.count_read(row.as_ref().map_or(0, |row| key_size(key) + size(row)), true);
        self.after(call).await;
        Ok(row.map(|attributes| Row { key: key.clone(), attributes }))
    }

    async fn update(&self, update: Update) -> Result<Row, TableError> {
        let call = self.before("update", &Port::Update(&update)).await?;
        let written = self.write(update);
        self.after(call).await;
        written
    }

    async fn delete(&self, key: &Key, condition: Option<Condition>) -> Result<(), TableError> {
        let call = self.before("delete", &Port::Other("delete")).await?;
        let result = {
            let mut rows = self.lock();
            let old = rows.get(key).cloned();
            if condition.is_some_and(|condition| !holds(&condition, old.as_ref())) {
                Err(TableError::Conflict(old.map(|attributes| Box::new(Row { key: key.clone(), attributes }))))
            } else {
                rows.remove(key);
                Ok(())
            }
        };
        self.after(call).await;
        result
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        let call = self.before("query", &Port::Query(&query)).await?;
        let page = self.page(&query);
        let read = page
            .as_ref()
            .map_or(0, |page| page.rows.iter().map(|row| key_size(&row.key) + size(&row.attributes)).sum());
        self.count_read(read, query.consistent);
        self.after(call).await;
        page
    }
}

fn mark(key: &Key) -> String {
    format!("{}\n{}", key.pk(), key.sk())
}

fn holds(condition: &Condition, row: Option<&Attributes>) -> bool {
    let value = |name: &str| row.and_then(|row| row.get(name));
    match condition {
        Condition::Absent => row.is_none(),
        Condition::Present => row.is_some(),
        Condition::Exists(name) => value(name).is_some(),
        Condition::NotExists(name) => value(name).is_none(),
        Condition::Eq(name, wanted) => value(name) == Some(wanted),
        Condition::Lt(name, wanted) => value(name).is_some_and(|value| comparable(value, wanted) && value < wanted),
        Condition::Ge(name, wanted) => value(name).is_some_and(|value| comparable(value, wanted) && value >= wanted),
        Condition::And(all) => all.iter().all(|one| holds(one, row)),
        Condition::Or(any) => any.iter().any(|one| holds(one, row)),
    }
}

fn comparable(left: &Value, right: &Value) -> bool {
    matches!((left, right), (Value::S(_), Value::S(_)) | (Value::N(_), Value::N(_)))
}

fn refused(why: &str) -> TableError {
    TableError::Refused(why.to_owned())
}

/// No two paths of one write may overlap, and the key cannot be written.
fn check_paths(update: &Update) -> Result<(), TableError> {
    let added = update.add.iter().map(|(name, _)| vec![name.clone()]);
    let paths: Vec<Path> =
        update.set.iter().map(|(path, _)| path.clone()).chain(update.remove.iter().cloned()).chain(added).collect();
    for (place, path) in paths.iter().enumerate() {
        if path.first().is_some_and(|name| name == "pk" || name == "sk") {
            return Err(refused("Cannot update attribute. This attribute is part of the key"));
        }
        if paths[place + 1..].iter().any(|other| other.starts_with(path) || path.starts_with(other)) {
            return Err(refused("Two document paths overlap with each other"));
        }
    }
    Ok(())
}

/// An index key of another type is refused, as the real table does.
fn check_index_types(row: &Attributes) -> Result<(), TableError> {
    for index in Index::ALL {
        let (partition, sort) = index.keys();
        let text = |name: &str| row.get(name).is_none_or(|value| value.as_s().is_some_and(|text| !text.is_empty()));
        let number = |name: &str| row.get(name).is_none_or(|value| value.as_n().is_some());
        let sorted = if index.sorts_numbers() { number(sort) } else { text(sort) };
        if (partition != "pk" && !text(partition)) || !sorted {
            return Err(TableError::Refused(format!("Type mismatch for Index Key of {}", index.name())));
        }
    }
    Ok(())
}

fn in_index(index: Index, key: &Key, row: &Attributes) -> Option<(String, Value)> {
    let (partition, sort) = index.keys();
    let partition = if partition == "pk" { key.pk().to_owned() } else { row.get(partition)?.as_s()?.to_owned() };
    Some((partition, row.get(sort)?.clone()))
}

/// What a row of the query's partition is sorted by; `None`: it is in another one.
fn sort_in_partition(query: &Query, key: &Key, row: &Attributes) -> Option<Value> {
    let Some(index) = query.index else {
        return (key.pk() == query.partition).then(|| Value::S(key.sk().to_owned()));
    };
    let (partition, sort) = index.keys();
    let is_in = if partition == "pk" { key.pk() } else { row.get(partition)?.as_s()? } == query.partition;
    if is_in { row.get(sort).cloned() } else { None }
}

fn projected(index: Index, row: &Attributes) -> Attributes {
    let (partition, sort) = index.keys();
    let mut names = BTreeSet::from([partition, sort]);
    if index.shows_summary() {
        names.insert("summary");
    }
    row.iter().filter(|(name, _)| names.contains(name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect()
}

fn key_size(key: &Key) -> usize {
    "pksk".len() + key.pk().len() + key.sk().len()
}

fn units_of(key: &Key, row: Option<&Attributes>) -> u64 {
    row.map_or(1, |row| ((key_size(key) + size(row)) as u64).div_ceil(1024).max(1))
}

/// One unit for each index entry that is written, one more for one that is moved.
fn index_units(key: &Key, old: Option<&Attributes>, new: &Attributes) -> u64 {
    let mut units = 0;
    for index in Index::ALL {
        let before = old.and_then(|old| in_index(index, key, old).map(|keys| (keys, projected(index, old))));
        let after = in_index(index, key, new).map(|keys| (keys, projected(index, new)));
        units += match (before, after) {
            (None, None) => 0,
            (Some(_), None) | (None, Some(_)) => 1,
            (Some((old_keys, _)), Some((new_keys, _))) if old_keys != new_keys => 2,
            (Some((_, old)), Some((_, new))) => u64::from(old != new),
        };
    }
    units
}

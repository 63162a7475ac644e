//! The port to the table: get, one conditional update, one query. No scan, no transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::keys::Key;

/// A value of an attribute. Numbers are whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    S(String),
    N(i64),
    B(Vec<u8>),
    M(BTreeMap<String, Value>),
}

impl Value {
    /// The text, if it is one.
    pub fn as_s(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_n(&self) -> Option<i64> {
        match self {
            Self::N(number) => Some(*number),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_m(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::M(map) => Some(map),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::S(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::S(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::N(number)
    }
}

/// Attributes by name, without the two of the key.
pub type Attributes = BTreeMap<String, Value>;

/// An attribute, or one entry of a map attribute: `["outbox", "call/1/2"]`. At most two parts.
pub type Path = Vec<String>;

/// A condition on the row as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The row is not there.
    Absent,
    /// The row is there.
    Present,
    Exists(String),
    NotExists(String),
    /// False where the attribute is missing.
    Eq(String, Value),
    Lt(String, Value),
    Ge(String, Value),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// One conditional write of one row. Makes the row if the condition allows its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    pub key: Key,
    /// An empty map attribute must be set whole before entries are set in it.
    pub set: Vec<(Path, Value)>,
    pub remove: Vec<Path>,
    /// Adds to a number; a missing one counts as 0.
    pub add: Vec<(String, i64)>,
    pub condition: Option<Condition>,
}

impl Update {
    /// A write of this row, with nothing in it yet.
    pub fn new(key: Key) -> Self {
        Self { key, set: Vec::new(), remove: Vec::new(), add: Vec::new(), condition: None }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set.push((vec![name.to_owned()], value.into()));
        self
    }

    /// Sets one entry of a map attribute.
    #[must_use]
    pub fn set_in(mut self, name: &str, entry: &str, value: impl Into<Value>) -> Self {
        self.set.push((vec![name.to_owned(), entry.to_owned()], value.into()));
        self
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.remove.push(vec![name.to_owned()]);
        self
    }

    /// Removes one entry of a map attribute.
    #[must_use]
    pub fn remove_in(mut self, name: &str, entry: &str) -> Self {
        self.remove.push(vec![name.to_owned(), entry.to_owned()]);
        self
    }

    /// Adds to a number.
    #[must_use]
    pub fn add(mut self, name: &str, by: i64) -> Self {
        self.add.push((name.to_owned(), by));
        self
    }

    /// Writes only if this holds.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// What the row would be after this write; its condition is not looked at.
    ///
    /// # Errors
    /// The write does not fit the row: an entry of a map that is not there, a sum of texts.
    pub fn applied_to(&self, old: Option<&Attributes>) -> Result<Attributes, TableError> {
        let mut new = old.cloned().unwrap_or_default();
        for (path, value) in &self.set {
            let (attributes, name) = place(&mut new, path)?;
            attributes.insert(name.clone(), value.clone());
        }
        for path in &self.remove {
            let (attributes, name) = place(&mut new, path)?;
            attributes.remove(name);
        }
        for (name, by) in &self.add {
            let sum = match new.get(name) {
                None => *by,
                Some(Value::N(number)) => number + by,
                Some(_) => return Err(TableError::Refused(format!("`{name}` is no number, nothing can be added"))),
            };
            new.insert(name.clone(), Value::N(sum));
        }
        Ok(new)
    }
}

/// Where an attribute, or an entry of a map, stands.
fn place<'a>(row: &'a mut Attributes, path: &'a Path) -> Result<(&'a mut Attributes, &'a String), TableError> {
    match path.as_slice() {
        [name] => Ok((row, name)),
        [name, entry] => match row.get_mut(name) {
            Some(Value::M(map)) => Ok((map, entry)),
            _ => Err(TableError::Refused(format!("`{name}` is no map, it has no entries"))),
        },
        _ => Err(TableError::Refused(format!("a path has one or two parts, not {}", path.len()))),
    }
}

/// Bytes of a row without its key, near enough to the real table's count.
pub fn size(row: &Attributes) -> usize {
    row.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &Value) -> usize {
    match value {
        Value::S(text) => text.len(),
        Value::B(bytes) => bytes.len(),
        Value::N(_) => 8,
        Value::M(map) => 3 + map.iter().map(|(name, value)| name.len() + 1 + size_of(value)).sum::<usize>(),
    }
}

/// A row with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub attributes: Attributes,
}

impl Row {
    /// A text attribute.
    pub fn s(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_s)
    }

    /// A number attribute.
    pub fn n(&self, name: &str) -> Option<i64> {
        self.attributes.get(name).and_then(Value::as_n)
    }

    /// A map attribute.
    pub fn m(&self, name: &str) -> Option<&BTreeMap<String, Value>> {
        self.attributes.get(name).and_then(Value::as_m)
    }
}

/// The indexes. Sparse: a row is in one while it has the index's attributes.
///
/// | index | partition | sort | projects | reads |
/// |---|---|---|---|---|
/// | `Open` (local) | `pk` | `open` (S) | keys | strongly consistent |
/// | `WakeDue` (global) | `due_shard` (S) | `wake_due` (N) | keys | eventually consistent |
/// | `ReplyDue` (global) | `reply_shard` (S) | `reply_due` (N) | keys | eventually consistent |
/// | `CloseDue` (global) | `close_shard` (S) | `close_due` (N) | keys | eventually consistent |
/// | `Feed` (global) | `feed` (S) | `feed_at` (S) | `summary` | eventually consistent |
/// | `Phone` (global) | `phone` (S) | `feed_at` (S) | keys | eventually consistent |
/// | `Waiting` (global) | `waiting` (S) | `waiting_at` (N) | `summary` | eventually consistent |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Index {
    Open,
    WakeDue,
    ReplyDue,
    CloseDue,
    Feed,
    Phone,
    Waiting,
}

impl Index {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::WakeDue, Self::ReplyDue, Self::CloseDue, Self::Feed, Self::Phone, Self::Waiting];

    /// Its sort attribute is a number.
    pub fn sorts_numbers(self) -> bool {
        matches!(self, Self::WakeDue | Self::ReplyDue | Self::CloseDue | Self::Waiting)
    }

    /// It shows `summary` besides the keys.
    pub fn shows_summary(self) -> bool {
        matches!(self, Self::Feed | Self::Waiting)
    }

    /// Name in the table's definition.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open_jobs",
            Self::WakeDue => "wake_due",
            Self::ReplyDue => "reply_due",
            Self::CloseDue => "close_due",
            Self::Feed => "feed",
            Self::Phone => "phone",
            Self::Waiting => "waiting",
        }
    }

    /// Names of the partition and the sort attribute.
    pub fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("pk", "open"),
            Self::WakeDue => ("due_shard", "wake_due"),
            Self::Feed => ("feed", "feed_at"),
            Self::Phone => ("phone", "feed_at"),
            Self::ReplyDue => ("reply_shard", "reply_due"),
            Self::CloseDue => ("close_shard", "close_due"),
            Self::Waiting => ("waiting", "waiting_at"),
        }
    }
}

/// Rows of one partition of the table or of an index, in the order of the sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// `None`: the table itself.
    pub index: Option<Index>,
    pub partition: String,
    /// Sort key at least this (inclusive). Its type is the sort attribute's.
    pub from: Option<Value>,
    /// Sort key at most this (inclusive).
    pub to: Option<Value>,
    /// Greatest first.
    pub backward: bool,
    pub limit: usize,
    /// Goes on after a page: its `next`.
    pub start: Option<String>,
    /// Strongly consistent; not on a global index.
    pub consistent: bool,
}

impl Query {
    /// Everything in one partition of the table, smallest sort key first.
    pub fn table(partition: String) -> Self {
        Self {
            index: None,
            partition,
            from: None,
            to: None,
            backward: false,
            limit: 100,
            start: None,
            consistent: true,
        }
    }

    /// These sort keys alone, both ends included.
    #[must_use]
    pub fn between(self, (from, to): (String, String)) -> Self {
        Self { from: Some(Value::S(from)), to: Some(Value::S(to)), ..self }
    }

    /// One partition of an index.
    pub fn index(index: Index, partition: String) -> Self {
        Self { index: Some(index), consistent: index == Index::Open, ..Self::table(partition) }
    }
}

/// A page of rows. Rows of an index that projects keys have no attributes but those of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Opaque: where the next page starts; `None`: this was the last one.
    pub next: Option<String>,
}

/// Why a read or write did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The condition did not hold; the row as it was then, if there was one.
    #[error("the row changed meanwhile")]
    Conflict(Option<Box<Row>>),
    /// Throttled, unreachable, lost answer: the write may have happened.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
    /// Not there, or not ours to use: nothing happened. The text says what to set right.
    #[error("the table cannot be used: {0}")]
    Unusable(String),
    /// The request itself is wrong: an item too large, a reserved word.
    #[error("the table refused: {0}")]
    Refused(String),
}

impl TableError {
    /// Whether somebody else was faster.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// The port to the table.
#[async_trait]
pub trait Table: Send + Sync {
    /// A row, strongly consistent.
    async fn get(&self, key: &Key) -> Result<Option<Row>, TableError>;
    /// One conditional write; returns the row as it is after it.
    async fn update(&self, update: Update) -> Result<Row, TableError>;
    /// Removes a row if the condition holds. Removing what is not there is fine.
    async fn delete(&self, key: &Key, condition: Option<Condition>) -> Result<(), TableError>;
    /// A page of one partition.
    async fn query(&self, query: Query) -> Result<Page, TableError>;
}

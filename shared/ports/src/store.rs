//! Records: the one mechanism of durability.

use async_trait::async_trait;
use bytes::Bytes;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Operations in one commit, as DynamoDB has it.
pub const MAX_OPERATIONS: usize = 100;
/// Bytes of one record: key, body and index entries together. DynamoDB has 400 KiB, of which an adapter needs some for itself.
pub const MAX_RECORD_BYTES: usize = 384 * 1024;
/// Bytes of all records in one commit. DynamoDB has 4 MiB, likewise.
pub const MAX_COMMIT_BYTES: usize = 3 * 1024 * 1024;
/// Bytes of a partition's name.
pub const MAX_PARTITION_BYTES: usize = 2_048;
/// Bytes of a sort key.
pub const MAX_SORT_BYTES: usize = 1_024;
/// Bytes of an entry's place in an index together with the key of its record, which an adapter may have to write behind it; also of the
/// key alone where a record is due. A NUL counts twice.
pub const MAX_PLACE_BYTES: usize = 1_000;
/// Records on one page.
pub const MAX_PAGE: usize = 1_000;

/// Where a record is: a partition, and its place in it. Records of one partition are ordered by the bytes of `sort`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The partition.
    pub partition: String,
    /// The place in it.
    pub sort: String,
}

impl Key {
    /// The key of those two.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Key {
        Key { partition: partition.into(), sort: sort.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.partition, self.sort)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The overloaded indexes. A record has at most one entry in each; what an entry's partition means is up to the kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Slot {
    /// All records of a kind.
    Kind,
    /// By action.
    Action,
    /// By rule.
    Rule,
    /// By status.
    Status,
    /// By parent.
    Parent,
    /// By trigger instance, or by trigger.
    Trigger,
    /// By trace.
    Trace,
    /// By user, or by trace tag.
    User,
}

impl Slot {
    /// All of them.
    pub const ALL: [Slot; 8] =
        [Slot::Kind, Slot::Action, Slot::Rule, Slot::Status, Slot::Parent, Slot::Trigger, Slot::Trace, Slot::User];

    /// Its number, from 0; never changes, for it is stored.
    pub const fn number(self) -> u8 {
        match self {
            Slot::Kind => 0,
            Slot::Action => 1,
            Slot::Rule => 2,
            Slot::Status => 3,
            Slot::Parent => 4,
            Slot::Trigger => 5,
            Slot::Trace => 6,
            Slot::User => 7,
        }
    }
}

/// A record's place in an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexEntry {
    /// Which index.
    pub slot: Slot,
    /// The partition of the index.
    pub partition: String,
    /// The place in it. Records with equal places are ordered by their keys.
    pub sort: String,
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// Where.
    pub key: Key,
    /// JSON text.
    pub body: Bytes,
    /// Its places in the indexes.
    pub index: Vec<IndexEntry>,
    /// The time by which someone must look at it; `None` for what is finished.
    pub due: Option<Timestamp>,
    /// The time from which it is gone.
    pub ttl: Option<Timestamp>,
}

/// A record as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where.
    pub key: Key,
    /// 1 when it is created, one more with every change.
    pub version: u64,
    /// JSON text.
    pub body: Bytes,
    /// The time by which someone must look at it.
    pub due: Option<Timestamp>,
    /// The time from which it is gone.
    pub ttl: Option<Timestamp>,
}

/// What must hold for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// There is no such record.
    Absent,
    /// The record has this version.
    Version(u64),
}

/// One part of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Writes the whole record.
    Put(NewRecord, Guard),
    /// Removes it; without a guard, also where there is none.
    Delete(Key, Option<Guard>),
    /// Changes nothing; the commit fails unless the guard holds.
    Check(Key, Guard),
}

impl Operation {
    /// The record that it is about.
    pub fn key(&self) -> &Key {
        match self {
            Operation::Put(record, _) => &record.key,
            Operation::Delete(key, _) | Operation::Check(key, _) => key,
        }
    }
}

/// What a query goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A partition, ordered by sort key.
    Partition(String),
    /// A partition of an index, ordered by the entries' place, then by key.
    Index(Slot, String),
    /// Every record that is due at this time or before, ordered by `due`, then by key. Range, direction and count do not apply.
    Due(Timestamp),
}

/// Where a page ended. Stays right while records come and go: what was there before and after is neither repeated nor left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The place of the last record in the order of the scope; for what is due, its `due` in microseconds.
    pub sort: String,
    /// Its key, where the scope is not a partition.
    pub key: Option<Key>,
}

/// A question to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Through what.
    pub scope: Scope,
    /// Only places at or after this.
    pub from: Option<String>,
    /// Only places before this.
    pub until: Option<String>,
    /// The last first.
    pub descending: bool,
    /// At most so many records; 1 to [`MAX_PAGE`].
    pub limit: usize,
    /// Leave out so many first. Costs less than reading them, but grows with the number; go on with `cursor` where you can.
    pub skip: u64,
    /// Go on behind this.
    pub cursor: Option<Cursor>,
    /// Say also how many there are in the whole scope (range and cursor left aside).
    pub count: bool,
}

impl Query {
    /// The first records of a scope.
    pub fn new(scope: Scope, limit: usize) -> Query {
        Query { scope, from: None, until: None, descending: false, limit, skip: 0, cursor: None, count: false }
    }

    /// A whole partition's first records.
    pub fn partition(name: impl Into<String>, limit: usize) -> Query {
        Query::new(Scope::Partition(name.into()), limit)
    }

    /// An index partition's first records.
    pub fn index(slot: Slot, partition: impl Into<String>, limit: usize) -> Query {
        Query::new(Scope::Index(slot, partition.into()), limit)
    }

    /// The same, the last first.
    pub fn descending(mut self) -> Query {
        self.descending = true;
        self
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Page {
    /// In the order asked for.
    pub records: Vec<Record>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
    /// How many there are, where it was asked for and the store can tell cheaply.
    pub total: Option<u64>,
}

/// The store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Guards did not hold. Nothing was written; load again, decide again.
    #[error("another one was faster: the guards of operations {failed:?} do not hold")]
    Conflict {
        /// The operations, by their place in the commit.
        failed: Vec<usize>,
    },
    /// A limit of this port was passed. Asking again does not help.
    #[error("{0}")]
    Limit(String),
    /// The store is busy or out of reach. Ask again later.
    #[error("the store can't be reached: {0}")]
    Unavailable(String),
    /// What is stored can't be read.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Records.
///
/// - A commit is all or nothing, and durable when it returns `Ok`. Whoever reads after that sees it.
/// - A record whose `ttl` has come is invisible to every operation at once, whenever it is removed: a guard `Absent` holds for it.
/// - Index entries follow their record in the same commit (an adapter whose indexes lag says so; the engine relies on them for
///   listings and for finding what is due only).
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The record of that key.
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError>;

    /// The records of a scope.
    async fn query(&self, query: &Query) -> Result<Page, StoreError>;

    /// Up to [`MAX_OPERATIONS`] operations, no key twice.
    async fn commit(&self, operations: Vec<Operation>) -> Result<(), StoreError>;
}

/// The limits that every adapter keeps, whatever its store could hold. Call it before anything is written.
pub fn check_operations(operations: &[Operation]) -> Result<(), StoreError> {
    let limit = |text: String| Err(StoreError::Limit(text));
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return limit(format!("a commit has 1 to {MAX_OPERATIONS} operations, not {}", operations.len()));
    }
    let mut keys = std::collections::HashSet::with_capacity(operations.len());
    let mut total = 0;
    for operation in operations {
        let key = operation.key();
        check_key(&key.partition, &key.sort)?;
        if !keys.insert(key) {
            return limit(format!("record {key} stands twice in one commit"));
        }
        let Operation::Put(record, _) = operation else { continue };
        let size = record_size(record)?;
        if size > MAX_RECORD_BYTES {
            return limit(format!("record {key} has {size} bytes; at most {MAX_RECORD_BYTES} are allowed"));
        }
        total += size;
    }
    if total > MAX_COMMIT_BYTES {
        return limit(format!("the commit has {total} bytes; at most {MAX_COMMIT_BYTES} are allowed"));
    }
    Ok(())
}

/// The limits of a query, for every adapter to check first.
pub fn check_query(query: &Query) -> Result<(), StoreError> {
    if query.limit == 0 || query.limit > MAX_PAGE {
        return Err(StoreError::Limit(format!("a page has 1 to {MAX_PAGE} records, not {}", query.limit)));
    }
    let Some(cursor) = &query.cursor else { return Ok(()) };
    let fits = match query.scope {
        Scope::Partition(_) => true,
        Scope::Index(..) => cursor.key.is_some(),
        Scope::Due(_) => cursor.key.is_some() && cursor.sort.parse::<i64>().is_ok(),
    };
    if fits { Ok(()) } else { Err(StoreError::Limit("the cursor belongs to another query".to_owned())) }
}

fn record_size(record: &NewRecord) -> Result<usize, StoreError> {
    let mut size = record.key.partition.len() + record.key.sort.len() + record.body.len();
    let mut slots = 0u8;
    for entry in &record.index {
        check_key(&entry.partition, &entry.sort)?;
        let bit = 1 << entry.slot.number();
        if slots & bit != 0 {
            return Err(StoreError::Limit(format!("record {} has two entries in index {:?}", record.key, entry.slot)));
        }
        slots |= bit;
        check_place(&record.key, &entry.sort)?;
        size += entry.partition.len() + entry.sort.len();
    }
    if record.due.is_some() {
        check_place(&record.key, "")?;
    }
    Ok(size)
}

fn check_place(key: &Key, place: &str) -> Result<(), StoreError> {
    let bytes = |text: &str| text.len() + text.bytes().filter(|byte| *byte == 0).count();
    let size = bytes(place) + bytes(&key.partition) + bytes(&key.sort);
    if size > MAX_PLACE_BYTES {
        let hint = "choose a shorter name";
        let limit = format!(
            "record {key} has a place in an index of {size} bytes, its key among them; at most {MAX_PLACE_BYTES} are allowed: {hint}"
        );
        return Err(StoreError::Limit(limit));
    }
    Ok(())
}

fn check_key(partition: &str, sort: &str) -> Result<(), StoreError> {
    let bad = |what: &str, text: &str, most: usize| {
        Err(StoreError::Limit(format!("a {what} has 1 to {most} bytes, not {}", text.len())))
    };
    if partition.is_empty() || partition.len() > MAX_PARTITION_BYTES {
        return bad("partition name", partition, MAX_PARTITION_BYTES);
    }
    if sort.is_empty() || sort.len() > MAX_SORT_BYTES {
        return bad("sort key", sort, MAX_SORT_BYTES);
    }
    Ok(())
}

//! The one thread that writes.

use model::Timestamp;
use ports::{Clock, Guard, IndexEntry, Key, NewRecord, Operation, Slot, StoreError};
use rusqlite::{
    CachedStatement, Connection, OptionalExtension, params,
    types::{ToSqlOutput, ValueRef},
};
use std::{borrow::Cow, sync::Arc};
use tokio::sync::{mpsc, oneshot};

use super::{
    outline::{Area, Change, Outlines, Place, Unfinished},
    schema::store_error,
};

/// Jobs in one transaction.
const MAX_BATCH: usize = 256;
/// Expired records that go in one job, so that others need not wait.
pub(super) const PURGE_BATCH: u32 = 256;

/// What the writer is asked.
pub(super) enum Job {
    /// A commit.
    Commit(Vec<Operation>, oneshot::Sender<Result<(), StoreError>>),
    /// Take out expired records, at most [`PURGE_BATCH`]; says how many they were.
    Purge(oneshot::Sender<Result<usize, StoreError>>),
    /// Follow the changes of an area from here on, and open a read transaction that sees everything before them.
    Follow(Area, Connection, oneshot::Sender<Followed>),
}

/// The reader with its transaction, and where nobody followed the area before, the duty to finish its outline.
pub(super) type Followed = Result<(Connection, Option<Unfinished>), StoreError>;

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) outlines: Arc<Outlines>,
}

impl Writer {
    /// Until nobody can send any more and the queue is empty. Whatever waits goes into one transaction, so that all of it shares one
    /// write to the disk.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while jobs.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
            let mut writes = Vec::with_capacity(batch.len());
            for job in batch.drain(..) {
                match job {
                    Job::Follow(area, connection, reply) => self.follow(area, connection, reply),
                    write => writes.push(write),
                }
            }
            self.write(writes);
        }
    }

    fn follow(&self, area: Area, reader: Connection, reply: oneshot::Sender<Followed>) {
        let opened = reader.execute_batch("BEGIN; SELECT 1 FROM records LIMIT 1").map_err(store_error);
        // Where nobody waits any more, what is begun ends as it is dropped.
        drop(reply.send(opened.map(|()| (reader, Unfinished::begin(&self.outlines, area)))));
    }

    fn write(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        match self.transact(&jobs) {
            Ok(answers) => jobs.into_iter().zip(answers).for_each(|(job, answer)| job.answer(answer)),
            // One job alone can be the reason: the others must not suffer from it.
            Err(_) if jobs.len() > 1 => jobs.into_iter().for_each(|job| self.write(vec![job])),
            Err(error) => {
                let error = store_error(error);
                tracing::error!(%error, "the store could not write");
                jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
            }
        }
    }

    /// The answers are true once this has returned, and only then.
    fn transact(&mut self, jobs: &[Job]) -> rusqlite::Result<Vec<Result<usize, StoreError>>> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut step =
            Step { connection: &transaction, outlines: &self.outlines, now: self.clock.now(), changes: Vec::new() };
        let answers = jobs.iter().map(|job| step.take(job)).collect::<Result<Vec<_>, _>>()?;
        let changes = step.changes;
        transaction.commit()?;
        self.outlines.apply(changes);
        Ok(answers)
    }
}

impl Job {
    fn answer(self, answer: Result<usize, StoreError>) {
        // Who asked may have gone; what was written stays.
        match self {
            Job::Commit(_, reply) => drop(reply.send(answer.map(|_| ()))),
            Job::Purge(reply) => drop(reply.send(answer)),
            Job::Follow(..) => {}
        }
    }
}

/// One transaction.
struct Step<'a> {
    connection: &'a Connection,
    outlines: &'a Outlines,
    now: Timestamp,
    changes: Vec<Change>,
}

/// A record as the file has it, also where it has expired.
struct Stored {
    id: i64,
    version: u64,
    due: Option<i64>,
    ttl: Option<i64>,
    entries: String,
}

/// An entry as it is kept beside its record.
type Entry<'a> = (u8, Cow<'a, str>, Cow<'a, str>);

impl Step<'_> {
    fn take(&mut self, job: &Job) -> rusqlite::Result<Result<usize, StoreError>> {
        match job {
            Job::Commit(operations, _) => self.commit(operations),
            Job::Purge(_) => self.purge().map(Ok),
            Job::Follow(..) => Ok(Ok(0)),
        }
    }

    fn statement(&self, text: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.connection.prepare_cached(text)
    }

    /// All guards are looked at before anything is written, so that a conflict has nothing to undo.
    fn commit(&mut self, operations: &[Operation]) -> rusqlite::Result<Result<usize, StoreError>> {
        let mut stored = Vec::with_capacity(operations.len());
        let mut failed = Vec::new();
        for (place, operation) in operations.iter().enumerate() {
            let found = self.find(operation.key())?;
            if !self.holds(operation, found.as_ref()) {
                failed.push(place);
            }
            stored.push(found);
        }
        if !failed.is_empty() {
            return Ok(Err(StoreError::Conflict { failed }));
        }
        for (operation, stored) in operations.iter().zip(stored) {
            match (operation, stored) {
                (Operation::Put(record, _), None) => self.insert(record)?,
                (Operation::Put(record, _), Some(stored)) => self.update(record, &stored)?,
                (Operation::Delete(key, _), Some(stored)) => self.remove(key, &stored)?,
                (Operation::Delete(_, _), None) | (Operation::Check(..), _) => {}
            }
        }
        Ok(Ok(operations.len()))
    }

    fn find(&self, key: &Key) -> rusqlite::Result<Option<Stored>> {
        let text = "SELECT id, version, due, ttl, entries FROM records INDEXED BY records_key WHERE partition = ?1 AND sort = ?2";
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Stored {
                id: row.get(0)?,
                version: row.get::<_, i64>(1)?.unsigned_abs(),
                due: row.get(2)?,
                ttl: row.get(3)?,
                entries: row.get(4)?,
            })
        };
        self.statement(text)?.query_row((&key.partition, &key.sort), row).optional()
    }

    fn expired(&self, stored: &Stored) -> bool {
        stored.ttl.is_some_and(|ttl| ttl <= self.now.micros())
    }

    fn holds(&self, operation: &Operation, stored: Option<&Stored>) -> bool {
        let version = stored.filter(|stored| !self.expired(stored)).map(|stored| stored.version);
        match operation {
            Operation::Delete(_, None) => true,
            Operation::Put(_, guard) | Operation::Delete(_, Some(guard)) | Operation::Check(_, guard) => match guard {
                Guard::Absent => version.is_none(),
                Guard::Version(wanted) => version == Some(*wanted),
            },
        }
    }

    fn insert(&mut self, record: &NewRecord) -> rusqlite::Result<()> {
        let entries = sorted(&record.index);
        let text = "INSERT INTO records (partition, sort, version, due, ttl, entries, body) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)";
        let (due, ttl) = (record.due.map(Timestamp::micros), record.ttl.map(Timestamp::micros));
        let key = &record.key;
        self.statement(text)?.execute(params![key.partition, key.sort, due, ttl, encode(&entries)?, body(record)])?;
        let id = self.connection.last_insert_rowid();
        self.note((None, &key.partition), &key.sort, None, true);
        entries.iter().try_for_each(|entry| self.place(key, id, entry))
    }

    /// Writes the columns and index rows that differ; most updates touch no index at all.
    fn update(&mut self, record: &NewRecord, stored: &Stored) -> rusqlite::Result<()> {
        let entries = sorted(&record.index);
        let encoded = encode(&entries)?;
        let version = if self.expired(stored) { 1 } else { stored.version.saturating_add(1).cast_signed() };
        let (due, ttl) = (record.due.map(Timestamp::micros), record.ttl.map(Timestamp::micros));
        // A column that is named is taken out of its index and put in again, whether it changes or not.
        let head = "UPDATE records SET version = ?2, entries = ?3, body = ?4";
        let (id, body) = (stored.id, body(record));
        match (due != stored.due, ttl != stored.ttl) {
            (false, false) => {
                self.statement(&format!("{head} WHERE id = ?1"))?.execute(params![id, version, encoded, body])
            }
            (true, false) => self
                .statement(&format!("{head}, due = ?5 WHERE id = ?1"))?
                .execute(params![id, version, encoded, body, due]),
            (false, true) => self
                .statement(&format!("{head}, ttl = ?5 WHERE id = ?1"))?
                .execute(params![id, version, encoded, body, ttl]),
            (true, true) => self
                .statement(&format!("{head}, due = ?5, ttl = ?6 WHERE id = ?1"))?
                .execute(params![id, version, encoded, body, due, ttl]),
        }?;
        if encoded == stored.entries {
            return Ok(());
        }
        let old = decode(&stored.entries)?;
        for entry in old.iter().filter(|entry| !entries.contains(entry)) {
            self.displace(&record.key, entry)?;
        }
        entries
            .iter()
            .filter(|entry| !old.contains(entry))
            .try_for_each(|entry| self.place(&record.key, stored.id, entry))
    }

    fn remove(&mut self, key: &Key, stored: &Stored) -> rusqlite::Result<()> {
        self.statement("DELETE FROM records WHERE id = ?1")?.execute([stored.id])?;
        self.note((None, &key.partition), &key.sort, None, false);
        decode(&stored.entries)?.iter().try_for_each(|entry| self.displace(key, entry))
    }

    fn place(&mut self, key: &Key, record: i64, (slot, partition, sort): &Entry<'_>) -> rusqlite::Result<()> {
        let text = "INSERT INTO places (slot, partition, sort, record_partition, record_sort, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.statement(text)?.execute(params![slot, partition, sort, key.partition, key.sort, record])?;
        self.note((Some(*slot), partition), sort, Some(key), true);
        Ok(())
    }

    fn displace(&mut self, key: &Key, (slot, partition, sort): &Entry<'_>) -> rusqlite::Result<()> {
        let text = "DELETE FROM places WHERE slot = ?1 AND partition = ?2 AND sort = ?3 AND record_partition = ?4 AND record_sort = ?5";
        self.statement(text)?.execute(params![slot, partition, sort, key.partition, key.sort])?;
        self.note((Some(*slot), partition), sort, Some(key), false);
        Ok(())
    }

    /// Keeps a change for the outlines, where somebody asked for one.
    fn note(&mut self, (slot, partition): (Option<u8>, &str), sort: &str, key: Option<&Key>, came: bool) {
        let slot = slot.and_then(|number| Slot::ALL.into_iter().find(|slot| slot.number() == number));
        if self.outlines.follows(slot, partition) {
            let place = Place { sort: sort.to_owned(), key: key.cloned() };
            self.changes.push(Change { area: (slot, partition.to_owned()), place, came });
        }
    }

    fn purge(&mut self) -> rusqlite::Result<usize> {
        let text = "SELECT partition, sort, id, version, due, ttl, entries FROM records INDEXED BY records_ttl WHERE ttl <= ?1 LIMIT ?2";
        let expired = self
            .statement(text)?
            .query_map(params![self.now.micros(), PURGE_BATCH], |row| {
                let stored = Stored {
                    id: row.get(2)?,
                    version: row.get::<_, i64>(3)?.unsigned_abs(),
                    due: row.get(4)?,
                    ttl: row.get(5)?,
                    entries: row.get(6)?,
                };
                Ok((Key::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?), stored))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        expired.iter().try_for_each(|(key, stored)| self.remove(key, stored))?;
        Ok(expired.len())
    }
}

/// Text to SQLite, whatever the bytes are.
fn body(record: &NewRecord) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(&record.body))
}

fn sorted(index: &[IndexEntry]) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = index
        .iter()
        .map(|entry| (entry.slot.number(), Cow::Borrowed(entry.partition.as_str()), Cow::Borrowed(entry.sort.as_str())))
        .collect();
    entries.sort_unstable();
    entries
}

fn encode(entries: &[Entry<'_>]) -> rusqlite::Result<String> {
    serde_json::to_string(entries).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn decode(text: &str) -> rusqlite::Result<Vec<Entry<'_>>> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, error.into()))
}

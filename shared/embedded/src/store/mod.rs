//! Records in SQLite.
//!
//! One thread writes; what waits for it meanwhile goes into one transaction and shares one write to the disk. Readers have
//! connections of their own and see what was committed last. Small reads run where they are asked for: they take less time than a
//! change of threads. Whatever may take longer goes to a thread that may block.

mod outline;
mod pool;
mod reader;
mod schema;
mod writer;

use async_trait::async_trait;
use ports::{Clock, Key, Operation, Page, Query, Record, Store, StoreError, check_operations, check_query};
use rusqlite::Connection;
use std::{path::Path, sync::Arc, thread};
use tokio::sync::{mpsc, oneshot};

use outline::{Area, Outlines, Start};
use pool::Pool;
use reader::Span;
use schema::store_error;
use writer::{Job, PURGE_BATCH, Writer};

pub use schema::OpenError;

/// Commits that wait for the writer; whoever comes then waits for room.
const MAX_WAITING: usize = 1_024;
/// Records on a page that is read where it is asked for.
const SMALL_PAGE: usize = 128;
/// Rows to be skipped from which on an outline pays.
const LONG_SKIP: u64 = 1_000;
/// Batches of expired records that a query waits for before it goes through them instead.
const MAX_PURGES: usize = 16;

/// The store in a file.
pub struct SqliteStore {
    clock: Arc<dyn Clock>,
    pool: Arc<Pool>,
    outlines: Arc<Outlines>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<thread::JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file and starts the writer; makes the file where there is none. `clock` tells which records have expired.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<SqliteStore, OpenError> {
        SqliteStore::start(schema::open_writer(path)?, path, clock)
    }

    fn start(connection: Connection, path: &Path, clock: Arc<dyn Clock>) -> Result<SqliteStore, OpenError> {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let outlines = Arc::<Outlines>::default();
        let writer = Writer { connection, clock: Arc::clone(&clock), outlines: Arc::clone(&outlines) };
        let writer = thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run(waiting));
        let writer = writer.map_err(|error| OpenError::Store {
            path: path.to_owned(),
            reason: StoreError::Unavailable(format!("no thread for the writer: {error}")),
        })?;
        Ok(SqliteStore {
            clock,
            pool: Arc::new(Pool::new(path.to_owned())),
            outlines,
            jobs: Some(jobs),
            writer: Some(writer),
        })
    }

    /// Takes out the records that have expired, in small batches that let other commits pass; says how many they were. They are
    /// invisible without it: it makes room.
    pub async fn purge_expired(&self) -> Result<usize, StoreError> {
        let mut removed = 0;
        loop {
            let batch = self.ask(Job::Purge).await??;
            removed += batch;
            if batch < PURGE_BATCH as usize {
                return Ok(removed);
            }
        }
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, StoreError> {
        let stopped = || StoreError::Unavailable("the store is closed".to_owned());
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        jobs.send(job(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }

    /// Reads on a thread that may block.
    async fn read_aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let pool = Arc::clone(&self.pool);
        aside(move || pool.read(read)).await
    }

    /// Takes expired records out of the way of a query that counts rows; false where there are too many to wait for.
    async fn clear_expired(&self) -> Result<bool, StoreError> {
        for _ in 0..MAX_PURGES {
            let now = self.clock.now();
            if !self.pool.read(|connection| reader::any_expired(connection, now))? {
                return Ok(true);
            }
            self.ask(Job::Purge).await??;
        }
        Ok(false)
    }

    /// How many rows an area has and where to begin. Reads the whole area when it is asked for it first.
    async fn look(&self, area: &Area, query: &Query) -> Result<(u64, Option<Start>), StoreError> {
        if let Some(found) = self.outlines.look(area, query.skip, query.descending) {
            return Ok(found);
        }
        let reader = self.pool.take()?;
        let (reader, unfinished) = self.ask(|reply| Job::Follow(area.clone(), reader, reply)).await??;
        let (pool, area, skip, descending) = (Arc::clone(&self.pool), area.clone(), query.skip, query.descending);
        aside(move || {
            let outline = reader::outline(&reader, &area);
            let ended = reader.execute_batch("ROLLBACK");
            pool.give(reader);
            let outline = outline.and_then(|outline| ended.map(|()| outline)).map_err(store_error)?;
            let found = (outline.total(), outline.start(skip, descending));
            if let Some(unfinished) = unfinished {
                unfinished.finish(outline);
            }
            Ok(found)
        })
        .await
    }

    /// A page of an area by a query that counts rows.
    async fn counted_page(&self, area: Area, query: &Query) -> Result<Page, StoreError> {
        if !self.clear_expired().await? {
            let query = query.clone();
            let now = self.clock.now();
            return self.read_aside(move |connection| reader::read(connection, &query, now)).await;
        }
        let whole = Span::is_whole(query);
        let (mut total, mut start) = (None, Some(Start { low: None, high: None, rest: query.skip }));
        if query.count || (whole && query.skip >= LONG_SKIP) {
            let (rows, found) = self.look(&area, query).await?;
            total = query.count.then_some(rows);
            start = if whole { found } else { start };
        }
        let Some(start) = start else { return Ok(Page { total, ..Page::default() }) };
        let (now, small) = (self.clock.now(), start.rest < LONG_SKIP && query.limit <= SMALL_PAGE);
        let query = query.clone();
        let read = move |connection: &Connection| reader::page_behind(connection, &area, &query, start, now);
        let page = if small { self.pool.read(read) } else { self.read_aside(read).await }?;
        Ok(Page { total, ..page })
    }
}

async fn aside<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let lost = |_| StoreError::Unavailable("the host is shutting down".to_owned());
    tokio::task::spawn_blocking(act).await.map_err(lost)?
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.pool.read(|connection| reader::get(connection, key, self.clock.now()))
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        check_query(query)?;
        match outline::area(&query.scope) {
            Some(area) if query.count || query.skip > 0 => self.counted_page(area, query).await,
            _ => {
                let now = self.clock.now();
                if query.limit <= SMALL_PAGE {
                    return self.pool.read(|connection| reader::read(connection, query, now));
                }
                let query = query.clone();
                self.read_aside(move |connection| reader::read(connection, &query, now)).await
            }
        }
    }

    async fn commit(&self, operations: Vec<Operation>) -> Result<(), StoreError> {
        check_operations(&operations)?;
        self.ask(|reply| Job::Commit(operations, reply)).await?
    }
}

impl Drop for SqliteStore {
    /// Whatever was taken is written.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

#[cfg(test)]
mod tests;

//! Connections to read with.

use ports::StoreError;
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::schema::{open_reader, store_error};

/// Connections that wait for the next one who asks. More are opened for as long as more read at once.
const MAX_IDLE: usize = 4;

pub(super) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(path: PathBuf) -> Pool {
        Pool { path, idle: Mutex::default() }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| open_reader(&self.path), Ok).map_err(store_error)
    }

    /// Only what is in no transaction.
    pub(super) fn give(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE && connection.is_autocommit() {
            idle.push(connection);
        }
    }

    /// Reads on this thread.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = self.take()?;
        let answer = read(&connection).map_err(store_error);
        self.give(connection);
        answer
    }
}

//! The database file: how it is opened, and how an older one is brought forward.

use ports::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// From each schema version to the next. The text of one that was ever released never changes.
const MIGRATIONS: &[&str] = &[include_str!("v1.sql")];

/// The store can't be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A newer release wrote it.
    #[error(
        "{path} has schema version {found}, and this release knows versions up to {known}: use the release that wrote it, or one after it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The file can't be read, or written.
    #[error("{path} can't be opened: {reason}")]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: StoreError,
    },
}

/// Opens the file to write to it: makes it where there is none, brings it to the newest schema.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error| OpenError::Store { path: path.to_owned(), reason: store_error(error) };
    let mut connection = Connection::open(path).map_err(failed)?;
    prepare(&connection).map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    connection.pragma_update(None, "cache_size", -32_768).map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000).map_err(failed)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    migrate(&mut connection, found).map_err(failed)?;
    Ok(connection)
}

/// Each step in a transaction of its own, so that a crash leaves one version or the other.
fn migrate(connection: &mut Connection, found: i64) -> rusqlite::Result<()> {
    for (version, step) in (1i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Opens the file to read from it.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    connection.pragma_update(None, "cache_size", -4_096)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "temp_store", "memory")
}

/// What a failure of SQLite means to who asks.
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    let rusqlite::Error::SqliteFailure(failure, _) = &error else { return damaged(&text) };
    match failure.code {
        ErrorCode::DiskFull => StoreError::Unavailable(format!("{text}: make room on the disk of the data directory")),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OperationInterrupted => StoreError::Unavailable(text),
        ErrorCode::TooBig => StoreError::Limit(text),
        _ => damaged(&text),
    }
}

fn damaged(text: &str) -> StoreError {
    StoreError::Damaged(format!("{text}: restore a backup, or save what can be read with `sqlite3 FILE .recover`"))
}

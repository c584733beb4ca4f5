//! The data directory: everything that one platform keeps, and that one process at a time may use.

use model::Secret;
use std::{
    fs::{self, File, Permissions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    private_file,
    vault::{KeyError, LocalVault},
};

/// How often a lock that is taken is tried again, and after how long each time.
const LOCK_TRIES: u32 = 40;
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// Where things are in a data directory. Needs no lock: the command line finds the key and the address of a running platform by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataLayout(PathBuf);

impl DataLayout {
    /// The layout of that directory.
    pub fn new(path: impl Into<PathBuf>) -> DataLayout {
        DataLayout(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The records.
    pub fn store(&self) -> PathBuf {
        self.0.join("store.sqlite3")
    }

    /// What is too large for a record.
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// Files of pack versions, unpacked where actions run; made again from the blobs when it is lost.
    pub fn content(&self) -> PathBuf {
        self.0.join("content")
    }

    /// The key of the secrets in the records.
    pub fn vault_key(&self) -> PathBuf {
        self.0.join("vault.key")
    }

    /// The API key that the first start made.
    pub fn api_key(&self) -> PathBuf {
        self.0.join("api-key")
    }

    /// The address at which the platform listens.
    pub fn address(&self) -> PathBuf {
        self.0.join("address")
    }

    fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    fn epoch(&self) -> PathBuf {
        self.0.join("epoch")
    }
}

/// The data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process has it.
    #[error("{path} is in use by {}: stop it first, or name another data directory", holder(.pid))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Who has it, where that can be told.
        pid: Option<u32>,
    },
    /// There are other things in it.
    #[error("{0} is not a data directory, and it is not empty: name a new or an empty one")]
    Foreign(PathBuf),
    /// Without the key the secrets in the store can't be opened, and a new one would not open them.
    #[error("{key} is missing, and {store} was written with it: put the key back from a backup")]
    KeyMissing {
        /// Where the key should be.
        key: PathBuf,
        /// The store that needs it.
        store: PathBuf,
    },
    /// The key can't be used.
    #[error("the key {path} can't be used: {reason}")]
    Key {
        /// The key's file.
        path: PathBuf,
        /// Why.
        reason: KeyError,
    },
    /// The number of starts can't be read.
    #[error("{0} does not hold a number: write into it one that is larger than every number of starts so far")]
    Epoch(PathBuf),
    /// A file can't be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

fn holder(pid: &Option<u32>) -> String {
    pid.as_ref().map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

fn file(path: &Path) -> impl Fn(io::Error) -> DataDirError {
    move |reason| DataDirError::File { path: path.to_owned(), reason }
}

/// A data directory that is this process's until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    layout: DataLayout,
    epoch: u64,
    /// Held by being open.
    _lock: File,
}

impl DataDir {
    /// Takes the directory for this process; makes it, readable by the owner alone, where there is none.
    pub fn open(path: &Path) -> Result<DataDir, DataDirError> {
        prepare(path)?;
        let path = path.canonicalize().map_err(file(path))?;
        let layout = DataLayout(path);
        let lock = lock(&layout)?;
        for directory in [layout.blobs(), layout.content()] {
            private_file::create_directory(&directory).map_err(file(&directory))?;
        }
        ensure_key(&layout)?;
        let epoch = raise_epoch(&layout)?;
        Ok(DataDir { layout, epoch, _lock: lock })
    }

    /// Where things are.
    pub fn layout(&self) -> &DataLayout {
        &self.layout
    }

    /// How often the directory was opened; raised, durably, each time.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The vault of this directory.
    pub fn vault(&self) -> Result<LocalVault, DataDirError> {
        let path = self.layout.vault_key();
        LocalVault::open(&path).map_err(|reason| DataDirError::Key { path, reason })
    }

    /// The API key, where one was made.
    pub fn api_key(&self) -> Result<Option<Secret<String>>, DataDirError> {
        let path = self.layout.api_key();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Secret::new(text.trim_end().to_owned()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file(&path)(error)),
        }
    }

    /// Keeps the API key, readable by the owner alone.
    pub fn write_api_key(&self, key: &Secret<String>) -> Result<(), DataDirError> {
        self.write(self.layout.api_key(), &format!("{}\n", key.expose()))
    }

    /// Says where the platform listens.
    pub fn write_address(&self, address: &str) -> Result<(), DataDirError> {
        self.write(self.layout.address(), &format!("{address}\n"))
    }

    fn write(&self, path: PathBuf, text: &str) -> Result<(), DataDirError> {
        replace(&path, text).map_err(file(&path))
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    private_file::replace(path, &path.with_added_extension("new"), text.as_bytes())
}

/// Only a directory that is new, empty, or was a data directory before is touched: its mode is changed, and files come into it.
fn prepare(path: &Path) -> Result<(), DataDirError> {
    private_file::create_directory(path).map_err(file(path))?;
    if DataLayout::new(path).lock().try_exists().map_err(file(path))? {
        return Ok(());
    }
    if fs::read_dir(path).map_err(file(path))?.next().is_some() {
        return Err(DataDirError::Foreign(path.to_owned()));
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(file(path))
}

/// The system gives the lock back when the process ends, however it ends.
fn lock(layout: &DataLayout) -> Result<File, DataDirError> {
    let path = layout.lock();
    let mut lock = private_file::open(&path).map_err(file(&path))?;
    match try_lock_for_a_while(&lock) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = lock.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(DataDirError::InUse { path: layout.0.clone(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(file(&path)(error)),
    }
    let pid = format!("{}\n", std::process::id());
    let written = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| lock.write_all(pid.as_bytes()));
    written.map_err(file(&path))?;
    Ok(lock)
}

/// A child that a killed process was just starting holds the lock until it has become the program that it should: a moment, not a user.
#[expect(clippy::disallowed_methods, reason = "the host is not up yet: there is nothing else to do meanwhile")]
fn try_lock_for_a_while(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_RETRY),
            other => return other,
        }
    }
    lock.try_lock()
}

fn ensure_key(layout: &DataLayout) -> Result<(), DataDirError> {
    let (key, store) = (layout.vault_key(), layout.store());
    if key.try_exists().map_err(file(&key))? {
        return Ok(());
    }
    if store.try_exists().map_err(file(&store))? {
        return Err(DataDirError::KeyMissing { key, store });
    }
    LocalVault::create_key(&key).map_err(|reason| DataDirError::Key { path: key, reason })
}

fn raise_epoch(layout: &DataLayout) -> Result<u64, DataDirError> {
    let path = layout.epoch();
    let last: u64 = match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|_| DataDirError::Epoch(path.clone()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(file(&path)(error)),
    };
    let epoch = last.saturating_add(1);
    replace(&path, &format!("{epoch}\n")).map_err(file(&path))?;
    Ok(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_directory_is_private_and_complete() {
        let parent = TempDir::new().unwrap();
        let path = parent.path().join("some/where");
        let data = DataDir::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        let layout = data.layout();
        for directory in [layout.blobs(), layout.content()] {
            assert_eq!(mode(&directory), 0o700);
        }
        data.write_api_key(&Secret::new("key".to_owned())).unwrap();
        data.write_address("127.0.0.1:9101").unwrap();
        for file in [layout.vault_key(), layout.api_key(), layout.address(), layout.lock(), layout.epoch()] {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        assert_eq!(data.api_key().unwrap(), Some(Secret::new("key".to_owned())));
        assert!(data.vault().is_ok());
    }

    #[test]
    fn an_empty_directory_becomes_private() {
        let directory = TempDir::new().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        drop(DataDir::open(directory.path()).unwrap());
        assert_eq!(mode(directory.path()), 0o700);
    }

    #[test]
    fn one_at_a_time_and_the_other_learns_who() {
        let directory = TempDir::new().unwrap();
        let first = DataDir::open(directory.path()).unwrap();
        let error = DataDir::open(directory.path()).unwrap_err();
        assert!(matches!(error, DataDirError::InUse { pid: Some(pid), .. } if pid == std::process::id()));
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        assert!(DataDir::open(directory.path()).is_ok());
    }

    #[test]
    fn every_start_has_a_later_epoch() {
        let directory = TempDir::new().unwrap();
        let epochs: Vec<_> = (0..3).map(|_| DataDir::open(directory.path()).unwrap().epoch()).collect();
        assert_eq!(epochs, [1, 2, 3]);
        let layout = DataLayout::new(directory.path());
        fs::write(layout.epoch(), "").unwrap();
        assert!(matches!(DataDir::open(directory.path()), Err(DataDirError::Epoch(_))));
    }

    #[test]
    fn other_peoples_directories_are_left_alone() {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(DataDir::open(directory.path()), Err(DataDirError::Foreign(_))));
        assert_eq!(mode(directory.path()), 0o755);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_store_without_its_key_is_refused() {
        let directory = TempDir::new().unwrap();
        let layout = DataDir::open(directory.path()).unwrap().layout().clone();
        fs::write(layout.store(), "").unwrap();
        fs::remove_file(layout.vault_key()).unwrap();
        assert!(matches!(DataDir::open(directory.path()), Err(DataDirError::KeyMissing { .. })));
        assert!(!layout.vault_key().exists());
    }
}

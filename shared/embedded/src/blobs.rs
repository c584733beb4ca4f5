//! Blobs as files.

use async_trait::async_trait;
use bytes::Bytes;
use ports::{BlobError, Blobs};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::private_file;

/// Where files are written before they get their names.
const UNFINISHED: &str = "unfinished";
/// Hex digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// A file per blob: `ab/<digest>`, where `ab` are the digest's first two digits. A blob is in memory as a whole when it is written or
/// read: whoever takes content from outside bounds it there.
pub struct FileBlobs(Arc<Directory>);

struct Directory {
    path: PathBuf,
    written: AtomicU64,
}

impl FileBlobs {
    /// Blobs in that directory, which is made where there is none. What a crash left unfinished is removed: one process at a time.
    pub fn open(path: &Path) -> Result<FileBlobs, BlobError> {
        let unfinished = path.join(UNFINISHED);
        let cleared = match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => private_file::create_directory(&unfinished),
        };
        cleared.map_err(|error| unavailable(path, &error))?;
        Ok(FileBlobs(Arc::new(Directory { path: path.to_owned(), written: AtomicU64::new(0) })))
    }

    async fn aside<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Directory) -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        let directory = Arc::clone(&self.0);
        let lost = |_| BlobError::Unavailable("the host is shutting down".to_owned());
        tokio::task::spawn_blocking(move || act(&directory)).await.map_err(lost)?
    }
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put(&self, content: Bytes) -> Result<String, BlobError> {
        self.aside(move |directory| directory.put(&content)).await
    }

    async fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        let digest = digest.to_owned();
        self.aside(move |directory| directory.get(&digest)).await
    }
}

impl Directory {
    fn put(&self, content: &[u8]) -> Result<String, BlobError> {
        let digest = hex::encode(Sha256::digest(content));
        let path = self.file(&digest).ok_or_else(|| BlobError::Missing(digest.clone()))?;
        self.write(&path, content).map_err(|error| unavailable(&path, &error))?;
        Ok(digest)
    }

    /// A file that has the content already is made durable and left; one that is damaged is replaced.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        if fs::read(path).is_ok_and(|found| found == content) {
            return private_file::sync_directory(parent);
        }
        private_file::create_directory(parent)?;
        private_file::sync_directory(&self.path)?;
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        private_file::replace(path, &self.path.join(UNFINISHED).join(number.to_string()), content)
    }

    fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        let path = self.file(digest).ok_or_else(|| BlobError::Missing(digest.to_owned()))?;
        let content = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::Missing(digest.to_owned()),
            _ => unavailable(&path, &error),
        })?;
        if hex::encode(Sha256::digest(&content)) != digest {
            return Err(BlobError::Damaged(digest.to_owned()));
        }
        Ok(content.into())
    }

    /// `None` for what is no digest: no other text becomes a path.
    fn file(&self, digest: &str) -> Option<PathBuf> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let (head, _) =
            digest.split_at_checked(2).filter(|_| digest.len() == DIGEST_DIGITS && digest.bytes().all(digit))?;
        Some(self.path.join(head).join(digest))
    }
}

fn unavailable(path: &Path, error: &io::Error) -> BlobError {
    BlobError::Unavailable(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    fn run(case: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(case);
    }

    fn open() -> (Arc<dyn Blobs>, TempDir) {
        let directory = TempDir::new().unwrap();
        (Arc::new(FileBlobs::open(directory.path()).unwrap()), directory)
    }

    testkit::blobs_contract!(run, open);

    #[test]
    fn a_damaged_blob_is_found_out_and_mended_by_the_next_put() {
        run(async {
            let (blobs, directory) = open();
            let content = Bytes::from_static(b"content");
            let digest = blobs.put(content.clone()).await.unwrap();
            let file = directory.path().join(digest.split_at(2).0).join(&digest);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            fs::write(&file, "damaged").unwrap();
            assert_eq!(blobs.get(&digest).await, Err(BlobError::Damaged(digest.clone())));
            assert_eq!(blobs.put(content.clone()).await, Ok(digest.clone()));
            assert_eq!(blobs.get(&digest).await, Ok(content));
        });
    }

    #[test]
    fn what_a_crash_left_unfinished_is_removed() {
        let (_, directory) = open();
        let left = directory.path().join(UNFINISHED).join("0");
        fs::write(&left, "half").unwrap();
        drop(FileBlobs::open(directory.path()).unwrap());
        assert!(!left.exists());
    }
}

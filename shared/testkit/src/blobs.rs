//! Blobs in memory.

use async_trait::async_trait;
use bytes::Bytes;
use ports::{BlobError, Blobs};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The specification of a blob store.
#[derive(Debug, Default)]
pub struct MemoryBlobs(Mutex<BTreeMap<String, Bytes>>);

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, content: Bytes) -> Result<String, BlobError> {
        let digest = hex::encode(Sha256::digest(&content));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest.clone(), content);
        Ok(digest)
    }

    async fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        let blobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.get(digest).cloned().ok_or_else(|| BlobError::Missing(digest.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::sync::Arc;

    fn run(case: impl Future<Output = ()>) {
        case.now_or_never().expect("nothing here waits");
    }

    fn open() -> (Arc<dyn Blobs>, ()) {
        (Arc::new(MemoryBlobs::default()), ())
    }

    crate::blobs_contract!(run, open);
}

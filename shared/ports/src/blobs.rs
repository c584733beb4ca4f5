//! What is too large for a record.

use async_trait::async_trait;
use bytes::Bytes;

/// The blob store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// There is none of that digest.
    #[error("there is no blob {0}")]
    Missing(String),
    /// What is stored is not what its digest says.
    #[error("blob {0} is damaged: its content has another digest")]
    Damaged(String),
    /// Ask again later.
    #[error("the blob store can't be reached: {0}")]
    Unavailable(String),
}

/// Content-addressed bytes.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    /// Stores the bytes and returns their SHA-256 in hex. Storing the same bytes twice is storing them once. Durable when it returns.
    async fn put(&self, content: Bytes) -> Result<String, BlobError>;

    /// The bytes of that digest, checked against it.
    async fn get(&self, digest: &str) -> Result<Bytes, BlobError>;
}

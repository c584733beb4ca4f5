//! Packs on their way in, past the limits of an API's bodies.

use async_trait::async_trait;
use model::{Id, Timestamp};

/// Where a client puts an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadUrl {
    /// The URL to `PUT` the bytes to. Whoever has it may, until it expires: it is a secret.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The upload can't be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upload can't be taken: {0}")]
pub struct UploadError(pub String);

/// Takes uploads; what was taken is handed to whoever registers packs.
#[async_trait]
pub trait Uploads: Send + Sync + 'static {
    /// A place for an upload of exactly so many bytes.
    async fn place(&self, id: Id, bytes: u64) -> Result<UploadUrl, UploadError>;
}

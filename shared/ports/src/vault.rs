//! Encryption of secrets at rest.

use async_trait::async_trait;
use model::Secret;

/// The vault did not do it. Says nothing of what was to be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Not what this vault sealed under this context.
    #[error("the secret can't be opened: it was sealed by another key or for another place")]
    Refused,
    /// Ask again later.
    #[error("the vault can't be reached: {0}")]
    Unavailable(String),
}

/// Seals and opens.
#[async_trait]
pub trait Vault: Send + Sync + 'static {
    /// Encrypts; the text opens only under the same `context` (the place where it is kept).
    async fn seal(&self, context: &str, plain: &Secret<Vec<u8>>) -> Result<String, VaultError>;

    /// Decrypts what [`Vault::seal`] gave.
    async fn open(&self, context: &str, sealed: &str) -> Result<Secret<Vec<u8>>, VaultError>;
}

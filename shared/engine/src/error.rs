//! What the engine answers where it can't do what was asked.

use model::{Diagnostic, Id};
use ports::{BlobError, BusError, StoreError, VaultError};

/// What kind of refusal it is; the REST interface gives each its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong; asking again does not help (400).
    Invalid,
    /// There is no valid credential (401).
    Unauthorized,
    /// The principal may not (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// It exists already, or was changed meanwhile (409).
    Conflict,
    /// Over a limit (413).
    TooLarge,
    /// Ask again later (503).
    Unavailable,
    /// A fault of the platform (500).
    Internal,
}

/// A refusal, in words for the person who asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind.
    pub kind: ErrorKind,
    /// What is wrong and how to mend it.
    pub message: String,
    /// Findings in a pack, each with its place.
    pub diagnostics: Vec<Diagnostic>,
    /// What stands in the way of a create.
    pub conflict: Option<Id>,
}

impl Error {
    /// A refusal of that kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), diagnostics: Vec::new(), conflict: None }
    }

    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, message)
    }

    /// There is no such thing.
    pub fn not_found(what: &str, which: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::NotFound, format!("{what} \"{which}\" could not be found"))
    }

    /// A record can't be read: a fault of the platform, not of the request.
    pub fn damaged(what: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Internal, format!("a stored record can't be read: {what}"))
    }

    /// May the same be asked again, later, with hope?
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Conflict)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        let kind = match &error {
            StoreError::Conflict { .. } => ErrorKind::Conflict,
            StoreError::Limit(_) => ErrorKind::TooLarge,
            StoreError::Unavailable(_) => ErrorKind::Unavailable,
            StoreError::Damaged(_) => ErrorKind::Internal,
        };
        Error::new(kind, error.to_string())
    }
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Error {
        let kind = match &error {
            BlobError::Unavailable(_) => ErrorKind::Unavailable,
            BlobError::Missing(_) | BlobError::Damaged(_) => ErrorKind::Internal,
        };
        Error::new(kind, error.to_string())
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Error {
        let kind = match &error {
            VaultError::Unavailable(_) => ErrorKind::Unavailable,
            VaultError::Refused => ErrorKind::Internal,
        };
        Error::new(kind, error.to_string())
    }
}

impl From<BusError> for Error {
    fn from(error: BusError) -> Error {
        let kind = match &error {
            BusError::Refused(_) => ErrorKind::Invalid,
            BusError::Unavailable(_) => ErrorKind::Unavailable,
        };
        Error::new(kind, error.to_string())
    }
}

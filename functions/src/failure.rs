//! Why a message was not handled, under names that stay.

use engine::ErrorKind;
use lambda_runtime::Diagnostic;

/// A message was not handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Trying again may help.
    Passing {
        /// The stable name.
        name: &'static str,
        /// What went wrong.
        message: String,
    },
    /// It never will be.
    Poison {
        /// The stable name.
        name: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl Failure {
    /// A message that can't be read.
    pub fn unreadable(error: impl std::fmt::Display) -> Failure {
        Failure::Poison { name: "UnreadableMessage", message: error.to_string() }
    }

    /// Something outside that can't be reached.
    pub fn unavailable(error: impl std::fmt::Display) -> Failure {
        Failure::Passing { name: "Unavailable", message: error.to_string() }
    }

    /// For a caller that is a state machine: what may pass has the one name for which it tries again.
    #[must_use]
    pub fn try_again(self) -> Failure {
        match self {
            Failure::Passing { name, message } => {
                Failure::Passing { name: asl::TRY_AGAIN, message: format!("{name}: {message}") }
            }
            poison @ Failure::Poison { .. } => poison,
        }
    }

    /// The stable name, and what went wrong.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Failure::Passing { name, message } | Failure::Poison { name, message } => (name, message),
        }
    }
}

/// The name of an engine's refusal; alarms and callers go by it.
const fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "Invalid",
        ErrorKind::Unauthorized => "Unauthorized",
        ErrorKind::Forbidden => "Forbidden",
        ErrorKind::NotFound => "NotFound",
        ErrorKind::Conflict => "Conflict",
        ErrorKind::TooLarge => "TooLarge",
        ErrorKind::Unavailable => "Unavailable",
        ErrorKind::Internal => "Internal",
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Failure {
        let (name, message) = (name(error.kind), error.message.clone());
        if error.is_retryable() { Failure::Passing { name, message } } else { Failure::Poison { name, message } }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Diagnostic {
        let (name, message) = failure.parts();
        Diagnostic { error_type: name.to_owned(), error_message: message.to_owned() }
    }
}

//! Why a command could not do what it was asked to, and what to do about it.

use serde_json::Value;
use std::{fmt, io};

/// How a command ended that did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Success,
    /// Exit code 1: the answer is no, or the execution did not succeed.
    Unsuccessful,
}

/// What is shown as `error: …` and `hint: …`, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hints: Vec<String>,
    kind: FailureKind,
    answer: Option<Box<Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureKind {
    Error,
    Usage,
    NotFound,
    Interrupted,
    ClosedPipe,
}

impl Failure {
    /// Exit code 1.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), hints: Vec::new(), kind: FailureKind::Error, answer: None }
    }

    /// Exit code 2: the command line itself is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { kind: FailureKind::Usage, ..Failure::new(message) }
    }

    /// Exit code 1, and the caller may know a better name.
    pub(crate) fn not_found(message: impl Into<String>) -> Failure {
        Failure { kind: FailureKind::NotFound, ..Failure::new(message) }
    }

    /// Exit code 130, as shells have it for Ctrl-C.
    pub(crate) fn interrupted(message: impl Into<String>) -> Failure {
        Failure { kind: FailureKind::Interrupted, ..Failure::new(message) }
    }

    /// Adds a way out.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// Adds a way out where there is one.
    pub(crate) fn maybe_hint(self, hint: Option<String>) -> Failure {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Keeps what the host answered, for a caller that can show more of it.
    pub(crate) fn with_answer(mut self, answer: Value) -> Failure {
        self.answer = Some(Box::new(answer));
        self
    }

    /// What the host answered.
    pub(crate) fn answer(&self) -> Option<&Value> {
        self.answer.as_deref()
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.kind == FailureKind::NotFound
    }

    /// Whoever read our output has gone: nothing to say to anybody.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.kind == FailureKind::ClosedPipe
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            FailureKind::Error | FailureKind::NotFound => 1,
            FailureKind::Usage => 2,
            FailureKind::Interrupted => 130,
            FailureKind::ClosedPipe => 0,
        }
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        let kind = if error.kind() == io::ErrorKind::BrokenPipe { FailureKind::ClosedPipe } else { FailureKind::Error };
        Failure { kind, ..Failure::new(error.to_string()) }
    }
}

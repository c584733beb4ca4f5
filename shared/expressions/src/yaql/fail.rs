//! What goes wrong in YAQL, by the kinds that YAQL itself tells apart.

use crate::error::{ErrorKind, ExpressionError, Limit, limit_message};

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A character that begins no token.
    Lexical,
    /// Tokens that make no expression.
    Grammar,
    /// There is no function of that name.
    NoFunction,
    /// There is no method of that name.
    NoMethod,
    /// No overload of the function takes these arguments.
    NoMatch,
    /// More than one overload takes these arguments.
    Ambiguous,
    /// The name of a named argument isn't a name.
    Mapping,
    /// A key or variable that isn't there.
    Key,
    /// A position that isn't there.
    Index,
    /// An operation that the values don't have.
    Type,
    /// A value that doesn't suit.
    Value,
    /// `assert` didn't hold.
    Assertion,
    /// A collection has too few or too many items.
    Stop,
    /// The datastore refused.
    Datastore,
    /// It isn't there in Squall.
    Unsupported,
    /// A bound.
    Limit(Limit),
}

impl Class {
    fn kind(self) -> ErrorKind {
        match self {
            Class::Lexical | Class::Grammar => ErrorKind::Syntax,
            Class::NoFunction | Class::NoMethod => ErrorKind::Unknown,
            Class::NoMatch | Class::Mapping => ErrorKind::NoMatch,
            Class::Ambiguous => ErrorKind::Ambiguous,
            Class::Key => ErrorKind::Undefined,
            Class::Index | Class::Type | Class::Value | Class::Assertion | Class::Stop => ErrorKind::Value,
            Class::Datastore => ErrorKind::Datastore,
            Class::Unsupported => ErrorKind::Unsupported,
            Class::Limit(limit) => ErrorKind::Limit(limit),
        }
    }
}

/// A failure on its way out of the evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fail {
    pub(crate) class: Class,
    pub(crate) message: String,
    /// The byte in the expression where it happened.
    pub(crate) at: Option<u32>,
    pub(crate) hint: Option<String>,
}

/// What evaluating gives. Failures are boxed, for they are rare and large.
pub(crate) type Res<T> = Result<T, Box<Fail>>;

/// A failure of this kind.
pub(crate) fn fail<T>(class: Class, message: impl Into<String>) -> Res<T> {
    Err(Box::new(Fail { class, message: message.into(), at: None, hint: None }))
}

/// A failure with advice.
pub(crate) fn fail_with_hint<T>(class: Class, message: impl Into<String>, hint: &str) -> Res<T> {
    Err(Box::new(Fail { class, message: message.into(), at: None, hint: Some(hint.to_owned()) }))
}

/// A value that doesn't suit.
pub(crate) fn bad<T>(message: impl Into<String>) -> Res<T> {
    fail(Class::Value, message)
}

/// A bound that was hit.
pub(crate) fn over<T>(limit: Limit) -> Res<T> {
    fail(Class::Limit(limit), limit_message(limit))
}

impl Fail {
    /// The same failure at this place, unless it has one.
    pub(crate) fn at(mut self: Box<Fail>, at: u32) -> Box<Fail> {
        self.at.get_or_insert(at);
        self
    }

    /// The error for the author of the expression.
    pub(crate) fn told(self, expression: &str) -> ExpressionError {
        let before = self.at.and_then(|at| expression.get(..usize::try_from(at).ok()?));
        ExpressionError {
            kind: self.class.kind(),
            message: self.message,
            line: before.map(|before| before.matches('\n').count() + 1),
            column: before.map(|before| before.rsplit('\n').next().unwrap_or_default().chars().count() + 1),
            hint: self.hint,
        }
    }
}

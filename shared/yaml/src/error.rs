//! What may be wrong with a text, where, and how to mend it.

use std::fmt;

/// A place in the text: line and column, counted from 1 in characters; zeros where there is no text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Not YAML.
    Syntax,
    /// A character that YAML does not allow.
    Character,
    /// A key stands twice in one mapping.
    DuplicateKey,
    /// A key is a mapping or a list.
    KeyNotScalar,
    /// A tag that has no meaning here, or that its value does not fit.
    Tag,
    /// `<<` with something that can't be merged.
    Merge,
    /// An alias of an anchor that does not stand before it.
    UnknownAnchor,
    /// An anchor that holds an alias of itself.
    RecursiveAnchor,
    /// More than one document.
    SeveralDocuments,
    /// Limit: nested too deep.
    TooDeep,
    /// Limit: the text is too long.
    TooLarge,
    /// Limit: too many values, most likely by aliases of aliases.
    TooManyValues,
}

impl ErrorKind {
    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            ErrorKind::Syntax => "yaml-syntax",
            ErrorKind::Character => "yaml-character",
            ErrorKind::DuplicateKey => "yaml-duplicate-key",
            ErrorKind::KeyNotScalar => "yaml-key",
            ErrorKind::Tag => "yaml-tag",
            ErrorKind::Merge => "yaml-merge",
            ErrorKind::UnknownAnchor => "yaml-unknown-anchor",
            ErrorKind::RecursiveAnchor => "yaml-recursive-anchor",
            ErrorKind::SeveralDocuments => "yaml-several-documents",
            ErrorKind::TooDeep => "yaml-too-deep",
            ErrorKind::TooLarge => "yaml-too-large",
            ErrorKind::TooManyValues => "yaml-too-many-values",
        }
    }
}

/// The text can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of thing is wrong.
    pub kind: ErrorKind,
    /// Where.
    pub position: Position,
    /// What, in words.
    pub message: String,
    /// How to mend it, where that is known.
    pub hint: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, position: Position, message: impl Into<String>) -> Error {
        Error { kind, position, message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for Error {}

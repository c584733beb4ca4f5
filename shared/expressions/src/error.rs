//! What goes wrong in an expression, told to the person who wrote it.
//!
//! A message names variables, filters and the expression itself; it never quotes a value of the context, for that may be a secret.

use std::fmt;
use std::ops::Range;

use minijinja::ErrorKind as Engine;

/// A bound of evaluation that an expression ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// The text of the template: [`Limits::template_bytes`](crate::Limits::template_bytes).
    TemplateSize,
    /// How many variables one tag names within brackets.
    ExpressionSize,
    /// Work and data of one evaluation: [`Limits::fuel`](crate::Limits::fuel).
    Fuel,
    /// The rendered text, or one text on the way: [`Limits::output_bytes`](crate::Limits::output_bytes).
    OutputSize,
    /// Nesting of values, blocks, macros or parentheses: [`Limits::depth`](crate::Limits::depth).
    Depth,
    /// Steps or size of a regular expression.
    Regex,
}

/// The kind of an [`ExpressionError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The text isn't a template or expression.
    Syntax,
    /// A variable or attribute that isn't there was used.
    Undefined,
    /// A filter, test, function or method that doesn't exist was used.
    Unknown,
    /// No function or operator of the name takes these arguments.
    NoMatch,
    /// More than one function of the name takes these arguments.
    Ambiguous,
    /// An operation or filter can't be applied to the given values.
    Value,
    /// Jinja2 could do this, Squall doesn't.
    Unsupported,
    /// The datastore or its encryption key refused.
    Datastore,
    /// The evaluation would have taken too much.
    Limit(Limit),
}

impl ErrorKind {
    /// The stable name of this kind, for the wire and for matching.
    pub fn code(self) -> &'static str {
        match self {
            ErrorKind::Syntax => "expression.syntax",
            ErrorKind::Undefined => "expression.undefined",
            ErrorKind::Unknown => "expression.unknown",
            ErrorKind::NoMatch => "expression.no_match",
            ErrorKind::Ambiguous => "expression.ambiguous",
            ErrorKind::Value => "expression.value",
            ErrorKind::Unsupported => "expression.unsupported",
            ErrorKind::Datastore => "expression.datastore",
            ErrorKind::Limit(Limit::TemplateSize) => "expression.limit.template_size",
            ErrorKind::Limit(Limit::ExpressionSize) => "expression.limit.expression_size",
            ErrorKind::Limit(Limit::Fuel) => "expression.limit.fuel",
            ErrorKind::Limit(Limit::OutputSize) => "expression.limit.output_size",
            ErrorKind::Limit(Limit::Depth) => "expression.limit.depth",
            ErrorKind::Limit(Limit::Regex) => "expression.limit.regex",
        }
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What is wrong, without values of the context.
    pub message: String,
    /// The line in the template, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// How to fix it, where that is known.
    pub hint: Option<String>,
}

impl ExpressionError {
    /// An error of this kind without a place.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> ExpressionError {
        ExpressionError { kind, message: message.into(), line: None, column: None, hint: None }
    }

    /// The stable name of the error's kind.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Translates what the engine reported on a template.
    pub(crate) fn from_engine(error: &minijinja::Error, origin: Origin<'_>) -> ExpressionError {
        let error = innermost(error);
        let range = origin.range(error);
        let (line, column) = place(error, range.clone(), origin.template);
        if let Some(fault) = fault_of(error) {
            let Fault { kind, message, hint } = fault.clone();
            return ExpressionError { kind, message, line, column, hint };
        }
        let kind = kind_of(error);
        let hint = hint_for(kind, error.detail().unwrap_or_default());
        ExpressionError {
            kind,
            message: message_of(error, kind, range.and_then(|range| origin.template.get(range))),
            line,
            column,
            hint,
        }
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, " (line {line}, column {column})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ExpressionError {}

/// A template as its author wrote it, and where the text that was compiled has more.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) template: &'a str,
    /// Places in the template, and how many bytes the compiled text has there.
    pub(crate) added: &'a [(usize, usize)],
}

impl Origin<'_> {
    /// The part of the template that the error is about.
    fn range(&self, error: &minijinja::Error) -> Option<Range<usize>> {
        let range = error.range()?;
        Some(self.original(range.start)..self.original(range.end))
    }

    fn original(&self, compiled: usize) -> usize {
        let mut more = 0;
        for (at, length) in self.added {
            match compiled.checked_sub(more + at) {
                Some(within) if within >= *length => more += length,
                Some(within) if within > 0 => return *at,
                _ => break,
            }
        }
        compiled - more
    }
}

/// An error of our own filters and methods on its way through the engine.
#[derive(Clone, Debug)]
struct Fault {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// An engine error that [`ExpressionError::from_engine`] gives back as it is.
pub(crate) fn fault(kind: ErrorKind, message: impl Into<String>) -> minijinja::Error {
    raise(Fault { kind, message: message.into(), hint: None })
}

/// Like [`fault`], with advice.
pub(crate) fn fault_with_hint(kind: ErrorKind, message: impl Into<String>, hint: &str) -> minijinja::Error {
    raise(Fault { kind, message: message.into(), hint: Some(hint.to_owned()) })
}

/// A value that doesn't suit.
pub(crate) fn bad_value(message: impl Into<String>) -> minijinja::Error {
    fault(ErrorKind::Value, message)
}

/// A bound that was hit.
pub(crate) fn over(limit: Limit) -> minijinja::Error {
    fault(ErrorKind::Limit(limit), limit_message(limit))
}

pub(crate) fn limit_message(limit: Limit) -> &'static str {
    match limit {
        Limit::TemplateSize => "the expression is too long",
        Limit::ExpressionSize => "one expression names too many variables within brackets",
        Limit::Fuel => "the expression takes too many steps or too much data",
        Limit::OutputSize => "the expression makes too long a text",
        Limit::Depth => "the expression or its data is nested too deep",
        Limit::Regex => "the regular expression is too large or backtracks too much",
    }
}

fn raise(fault: Fault) -> minijinja::Error {
    minijinja::Error::new(Engine::InvalidOperation, fault.message.clone()).with_source(fault)
}

fn fault_of(error: &minijinja::Error) -> Option<&Fault> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// Blocks, includes and macros wrap the error of what they hold.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut found = error;
    while let Some(inner) = std::error::Error::source(found).and_then(|s| s.downcast_ref::<minijinja::Error>()) {
        found = inner;
    }
    found
}

fn place(error: &minijinja::Error, range: Option<Range<usize>>, template: &str) -> (Option<usize>, Option<usize>) {
    let Some(before) = range.and_then(|range| template.get(..range.start)) else {
        return (error.line(), None);
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (Some(line), Some(column))
}

fn kind_of(error: &minijinja::Error) -> ErrorKind {
    let detail = error.detail().unwrap_or_default();
    if detail.contains("recursion limit") {
        return ErrorKind::Limit(Limit::Depth);
    }
    if detail.ends_with("is too large") || detail.ends_with("has too many elements") {
        return ErrorKind::Limit(Limit::Fuel);
    }
    match error.kind() {
        Engine::SyntaxError | Engine::BadEscape | Engine::InvalidDelimiter => ErrorKind::Syntax,
        Engine::UndefinedError => ErrorKind::Undefined,
        Engine::UnknownFilter | Engine::UnknownTest | Engine::UnknownFunction | Engine::UnknownMethod => {
            ErrorKind::Unknown
        }
        Engine::OutOfFuel => ErrorKind::Limit(Limit::Fuel),
        Engine::TemplateNotFound | Engine::BadInclude => ErrorKind::Unsupported,
        _ => ErrorKind::Value,
    }
}

/// Details of the engine that are made of types and names only. Others may quote values.
const SAFE_DETAILS: [&str; 6] = [
    "tried to use",
    "value of type",
    "cannot unpack",
    "strings can only be",
    "sequences and iterables can only",
    "missing",
];

fn message_of(error: &minijinja::Error, kind: ErrorKind, source: Option<&str>) -> String {
    let detail = error.detail().unwrap_or_default();
    let source = source.map(shorten);
    let of = || source.as_ref().map(|s| format!(" in `{s}`")).unwrap_or_default();
    match kind {
        ErrorKind::Limit(limit) => limit_message(limit).to_owned(),
        ErrorKind::Syntax | ErrorKind::Unknown if !detail.is_empty() => detail.to_owned(),
        ErrorKind::Syntax => format!("{}{}", error.kind(), of()),
        ErrorKind::Undefined if !detail.is_empty() => detail.to_owned(),
        ErrorKind::Undefined => format!("a value is undefined{}", of()),
        ErrorKind::Unsupported => "templates can't include, import or extend others".to_owned(),
        _ if SAFE_DETAILS.iter().any(|safe| detail.starts_with(safe)) => format!("{detail}{}", of()),
        _ => format!("this can't be done with the given values{}", of()),
    }
}

fn shorten(source: &str) -> String {
    const LONGEST: usize = 80;
    let mut short: String = source.chars().take(LONGEST).collect();
    if short.len() < source.len() {
        short.push('…');
    }
    short
}

fn hint_for(kind: ErrorKind, detail: &str) -> Option<String> {
    let hint = match kind {
        ErrorKind::Value if detail.starts_with("tried to use % operator") => {
            "to fill in a text, write `'…' | format(…)` in place of `'…' % …`"
        }
        ErrorKind::Value if detail.starts_with("tried to use + operator") => {
            "use `~` to join texts, or turn one side with `| string` or `| int`"
        }
        ErrorKind::Undefined => "give it a value, or a fall-back with `| default(…)`",
        _ => return None,
    };
    Some(hint.to_owned())
}

//! Regular expressions as Python's `re` reads them (3.10), on engines that can't hang.
//!
//! A pattern is parsed by Python's grammar, so what Python refuses is refused here, and then written for an engine. Whether there is a match is
//! asked of the linear one ([`Matcher`]); only look-around, back-references and conditionals, which that one can't have, and questions of
//! where ([`Pattern`]) go to one that steps back, within a limit.

mod ast;
mod emit;
mod group;
mod parse;
mod replacement;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use fancy_regex::Captures;

use ast::Node;

pub(crate) use replacement::expand;

/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 16 * 1024;
/// The memory of one compiled pattern, in bytes.
pub const MAX_PROGRAM_BYTES: usize = 4 * 1024 * 1024;
/// How many steps back over the text are taken before giving up.
pub const MAX_BACKTRACKS: usize = 200_000;
/// Patterns that cost no more than this never pass [`MAX_PROGRAM_BYTES`]: see [`Node::cost`].
const COMPILES_SURELY: u64 = 8_000;
/// Required texts that are kept of one pattern.
const MAX_LITERALS: usize = 8;
/// How many compiled patterns are kept.
const CACHED: usize = 512;

/// Why a pattern gives no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// The text isn't a pattern.
    Syntax {
        /// The character at which reading stopped, from 0.
        position: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The text isn't a replacement.
    Replacement(String),
    /// The pattern is longer than [`MAX_PATTERN_BYTES`].
    TooLong,
    /// The compiled pattern is larger than [`MAX_PROGRAM_BYTES`], or what it asks for is not supported.
    Unsupported(String),
    /// More than [`MAX_BACKTRACKS`] steps on this text.
    TooManySteps,
}

impl PatternError {
    /// Is a bound passed, rather than anything wrong?
    pub const fn is_limit(&self) -> bool {
        !matches!(self, PatternError::Syntax { .. } | PatternError::Replacement(_))
    }
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PatternError::Syntax { position, message } => {
                write!(f, "the regular expression is wrong at position {position}: {message}")
            }
            PatternError::Replacement(message) => f.write_str(message),
            PatternError::TooLong => write!(f, "the regular expression is longer than {MAX_PATTERN_BYTES} bytes"),
            PatternError::Unsupported(what) => write!(
                f,
                "the regular expression can't be compiled within {MAX_PROGRAM_BYTES} bytes, or uses what is not supported: {what}"
            ),
            PatternError::TooManySteps => {
                write!(f, "the regular expression needs more than {MAX_BACKTRACKS} steps back on this value")
            }
        }
    }
}

impl std::error::Error for PatternError {}

/// How a pattern is applied, as the flags of Python's `re`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `re.IGNORECASE`.
    pub ignore_case: bool,
    /// `re.DOTALL`.
    pub dot_all: bool,
    /// `re.match`: from the beginning of the text.
    pub anchored: bool,
}

fn read(pattern: &str, flags: Flags) -> Result<parse::Parsed, PatternError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(PatternError::TooLong);
    }
    let mut parsed = parse::parse(pattern)?;
    parsed.flags.ignore_case |= flags.ignore_case;
    parsed.flags.dot_all |= flags.dot_all;
    Ok(parsed)
}

fn write(parsed: &parse::Parsed, flags: Flags, captures: bool, line_end: &'static str) -> String {
    let text = emit::emit(parsed, captures, line_end);
    if flags.anchored { format!("\\A(?:{text})") } else { text }
}

/// Says whether a pattern matches, in time linear in the text wherever the pattern allows it.
///
/// What is wrong with the pattern is told at once, but the engine of an ordinary one is built when it is first asked: rules have thousands
/// of patterns, and most events need none.
#[derive(Clone, Debug)]
pub struct Matcher {
    pattern: Box<str>,
    flags: Flags,
    literals: Box<[Box<str>]>,
    linear: bool,
    engine: OnceLock<Result<Engine, PatternError>>,
}

#[derive(Clone, Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(fancy_regex::Regex),
}

impl Matcher {
    /// Reads a pattern. Nothing is kept: whoever asks often keeps it.
    pub fn new(pattern: &str, flags: Flags) -> Result<Matcher, PatternError> {
        let parsed = read(pattern, flags)?;
        let linear = !parsed.node.needs_backtracking(parsed.flags, true);
        let literals =
            if parsed.flags.ignore_case || !linear { Box::default() } else { required_literals(&parsed.node) };
        let matcher = Matcher { pattern: pattern.into(), flags, literals, linear, engine: OnceLock::new() };
        if !linear || parsed.node.cost() > COMPILES_SURELY {
            matcher.engine().map_err(Clone::clone)?;
        }
        Ok(matcher)
    }

    /// Does it match somewhere in the text (at the start, where it is anchored)?
    pub fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        match self.engine() {
            Ok(Engine::Linear(regex)) => Ok(regex.is_match(text)),
            Ok(Engine::Backtracking(regex)) => regex.is_match(text).map_err(run_error),
            Err(error) => Err(error.clone()),
        }
    }

    /// Has it an answer for every text?
    pub const fn is_linear(&self) -> bool {
        self.linear
    }

    /// Texts that are part of every match, as far as they are known. Where one of them is not in the text, `is_match` is false and no error.
    pub fn required_literals(&self) -> &[Box<str>] {
        &self.literals
    }

    /// What it was made of.
    pub fn source(&self) -> (&str, Flags) {
        (&self.pattern, self.flags)
    }

    fn engine(&self) -> Result<&Engine, &PatternError> {
        self.engine.get_or_init(|| self.build()).as_ref()
    }

    fn build(&self) -> Result<Engine, PatternError> {
        let parsed = read(&self.pattern, self.flags)?;
        if !self.linear {
            return backtracking(&write(&parsed, self.flags, true, LOOKED_AT)).map(Engine::Backtracking);
        }
        let text = write(&parsed, self.flags, false, "(?:\\n?\\z)");
        let built = regex::RegexBuilder::new(&text).size_limit(MAX_PROGRAM_BYTES).build();
        built.map(Engine::Linear).map_err(|error| PatternError::Unsupported(last_line(&error.to_string())))
    }
}

/// A compiled pattern that also says where it matches, and what its groups hold.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Located>);

#[derive(Debug)]
struct Located {
    regex: fancy_regex::Regex,
    names: Vec<(String, usize)>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    pattern: String,
    flags: Flags,
    before_newline: bool,
}

static CACHE: LazyLock<Mutex<HashMap<Key, Pattern>>> = LazyLock::new(Mutex::default);

impl Pattern {
    /// Compiles a pattern for use on `text`; compiled ones are kept.
    pub fn new(pattern: &str, flags: Flags, text: &str) -> Result<Pattern, PatternError> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        // Python's `$` also matches before a line end that ends the text, which only matters for such texts and needs a look ahead.
        let key = Key { pattern: pattern.to_owned(), flags, before_newline: text.ends_with('\n') };
        if let Some(known) = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let compiled = Pattern::compile(&key)?;
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(key, compiled.clone());
        Ok(compiled)
    }

    fn compile(key: &Key) -> Result<Pattern, PatternError> {
        let parsed = read(&key.pattern, key.flags)?;
        let line_end = if key.before_newline { LOOKED_AT } else { "\\z" };
        let regex = backtracking(&write(&parsed, key.flags, true, line_end))?;
        Ok(Pattern(Arc::new(Located { regex, names: parsed.names })))
    }

    /// Whether the pattern matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        self.0.regex.is_match(text).map_err(run_error)
    }

    /// The number of the group of that name.
    pub(crate) fn group_named(&self, name: &str) -> Option<usize> {
        self.0.names.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
    }

    /// All matches as `re.findall` and `re.sub` find them: without overlap, empty ones also right after another.
    pub(crate) fn each<'t>(
        &self,
        text: &'t str,
        mut take: impl FnMut(&Captures<'t, str>) -> Result<(), PatternError>,
    ) -> Result<(), PatternError> {
        let mut from = 0;
        while let Some(captures) = self.0.regex.captures_from_pos(text, from).map_err(run_error)? {
            let Some(whole) = captures.get(0) else { break };
            take(&captures)?;
            from = whole.end();
            if whole.start() == whole.end() {
                match text.get(from..).and_then(|rest| rest.chars().next()) {
                    Some(skipped) => from += skipped.len_utf8(),
                    None => break,
                }
            }
        }
        Ok(())
    }
}

/// Python's `$`, where what follows must be left alone.
const LOOKED_AT: &str = "(?=\\n?\\z)";

fn backtracking(text: &str) -> Result<fancy_regex::Regex, PatternError> {
    let built = fancy_regex::RegexBuilder::new(text)
        .backtrack_limit(MAX_BACKTRACKS)
        .delegate_size_limit(MAX_PROGRAM_BYTES)
        .build();
    built.map_err(|error| PatternError::Unsupported(last_line(&error.to_string())))
}

fn run_error(_: fancy_regex::Error) -> PatternError {
    PatternError::TooManySteps
}

fn last_line(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim().to_owned()
}

/// The runs of plain characters that each match goes through.
fn required_literals(node: &Node) -> Box<[Box<str>]> {
    let mut runs = Runs::default();
    runs.visit(node);
    runs.end_run();
    runs.ended.into()
}

#[derive(Default)]
struct Runs {
    current: String,
    ended: Vec<Box<str>>,
}

impl Runs {
    fn visit(&mut self, node: &Node) {
        match node {
            Node::Char(char) => self.current.push(*char),
            Node::Concat(parts) => parts.iter().for_each(|part| self.visit(part)),
            Node::Group { inner, flags: None, .. } => self.visit(inner),
            // Positions between characters take nothing and part nothing.
            Node::Position(_) => {}
            Node::Repeat { inner, min, .. } if *min > 0 => {
                self.end_run();
                self.visit(inner);
                self.end_run();
            }
            _ => self.end_run(),
        }
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.current);
        if !run.is_empty() && self.ended.len() < MAX_LITERALS && !self.ended.iter().any(|known| **known == *run) {
            self.ended.push(run.into());
        }
    }
}

#[cfg(test)]
mod tests;

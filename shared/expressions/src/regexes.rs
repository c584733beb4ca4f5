//! Regular expressions in Python's syntax, run within bounds.

mod replacement;
mod translate;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fancy_regex::{Captures, Regex, RegexBuilder};

pub(crate) use replacement::expand;

/// Steps of matching that go back over the text.
const BACKTRACKS: usize = 200_000;
/// The memory of one compiled pattern, in bytes.
const COMPILED_BYTES: usize = 2 * 1024 * 1024;
/// The longest pattern, in bytes.
const PATTERN_BYTES: usize = 16 * 1024;
/// How many compiled patterns are kept.
const CACHED: usize = 512;

/// Why a pattern gives no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// The text isn't a pattern; what is wrong with it.
    Syntax(String),
    /// Too large, or too many steps on this text.
    Limit,
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PatternError::Syntax(message) => write!(f, "the text isn't a regular expression: {message}"),
            PatternError::Limit => f.write_str("the regular expression is too large or backtracks too much"),
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

/// A compiled pattern. Matching is linear in the text, except where the pattern looks around or refers back; there it is bounded.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Regex>);

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
        if pattern.len() > PATTERN_BYTES {
            return Err(PatternError::Limit);
        }
        // Python's `$` also matches before a line end that ends the text, which only matters for such texts and needs a look ahead.
        let key = Key { pattern: pattern.to_owned(), flags, before_newline: text.ends_with('\n') };
        if let Some(known) = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let compiled = compile(&key)?;
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(key, compiled.clone());
        Ok(compiled)
    }

    /// Whether the pattern matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        self.0.is_match(text).map_err(run_error)
    }

    /// All matches as `re.findall` and `re.sub` find them: without overlap, empty ones also right after another.
    pub(crate) fn each<'t>(
        &self,
        text: &'t str,
        mut take: impl FnMut(&Captures<'t, str>) -> Result<(), PatternError>,
    ) -> Result<(), PatternError> {
        let mut from = 0;
        while let Some(captures) = self.0.captures_from_pos(text, from).map_err(run_error)? {
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

fn compile(key: &Key) -> Result<Pattern, PatternError> {
    let translated = translate::translate(&key.pattern, key.before_newline)?;
    let source = if key.flags.anchored { format!(r"\A(?:{translated})") } else { translated };
    RegexBuilder::new(&source)
        .case_insensitive(key.flags.ignore_case)
        .dot_matches_new_line(key.flags.dot_all)
        .backtrack_limit(BACKTRACKS)
        .delegate_size_limit(COMPILED_BYTES)
        .build()
        .map(|regex| Pattern(Arc::new(regex)))
        .map_err(compile_error)
}

fn compile_error(error: fancy_regex::Error) -> PatternError {
    let message = error.to_string();
    if message.contains("size limit") || message.contains("building NFA") {
        return PatternError::Limit;
    }
    let last = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    PatternError::Syntax(last.trim_start_matches("error: ").trim().to_owned())
}

fn run_error(_: fancy_regex::Error) -> PatternError {
    PatternError::Limit
}

#[cfg(test)]
mod tests {
    use super::{Flags, Pattern, PatternError};

    fn is_match(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern, Flags::default(), text).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn python_patterns_match_as_in_python() {
        let cases = [
            (r"(?P<year>\d{4})-(?P=year)", "2020-2020", true),
            (r"(a)\1", "aa", true),
            (r"a\Z", "a\n", false),
            ("a$", "a\n", true),
            ("a$", "a\nb", false),
            ("(?m)a$", "a\nb", true),
            (r"\<b\>", "<b>", true),
            ("[[]x", "[x", true),
            ("[a&&b]", "&", true),
            ("a{x}", "a{x}", true),
            ("a{,2}b", "aab", true),
            (r"(?<=a)b", "ab", true),
            (r"(?#note)a", "a", true),
            (r"\é", "é", true),
            (r"\07", "\u{7}", true),
            ("[]a]", "]", true),
            ("[^]a]", "]", false),
            (r"\bfoo\b", "a foo b", true),
            ("(?i)ABC", "abc", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(is_match(pattern, text), expected, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn bad_patterns_are_refused_and_slow_ones_are_cut_off() {
        for pattern in ["(", "[a", "*", "(?P<n", r"(?<=a+)b\"] {
            assert!(matches!(Pattern::new(pattern, Flags::default(), ""), Err(PatternError::Syntax(_))), "{pattern}");
        }
        let text = "a".repeat(40) + "!";
        let slow = Pattern::new(r"^(a|aa)+\1$", Flags::default(), &text).unwrap();
        assert_eq!(slow.is_match(&text), Err(PatternError::Limit));
        assert_eq!(Pattern::new("(a{1000}){1000}", Flags::default(), "").err(), Some(PatternError::Limit));
        assert!(!is_match("^(a+)+$", &text));
    }
}

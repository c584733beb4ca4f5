//! Regular expressions as Python's `re` reads them (3.10), on engines that can't hang.
//!
//! A pattern is parsed by Python's grammar, so what Python refuses is refused here, and then written for the linear engine; only
//! look-around, back-references and conditionals, which that one can't have, go to a backtracking engine with a step limit.

mod ast;
mod emit;
mod group;
mod parse;

use ast::Node;

/// The longest pattern that is compiled, in bytes.
pub(crate) const MAX_PATTERN_BYTES: usize = 16 * 1024;
/// The largest compiled program, in bytes.
pub(crate) const MAX_PROGRAM_BYTES: usize = 4 * 1024 * 1024;
/// How many steps back the backtracking engine goes before it gives up.
pub(crate) const MAX_BACKTRACKS: usize = 200_000;

/// How the pattern is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `re.search`
    Search,
    /// `re.search` with `IGNORECASE`
    SearchIgnoreCase,
    /// `re.match` with `DOTALL`
    MatchDotAll,
}

/// What is wrong with a pattern, or why it could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegexError {
    #[error("the regular expression is wrong at position {position}: {message}")]
    Syntax { position: usize, message: String },
    #[error("the regular expression is longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    #[error(
        "the regular expression can't be compiled within {MAX_PROGRAM_BYTES} bytes, or uses what is not supported: {0}"
    )]
    Unsupported(String),
    #[error("the regular expression needs more than {MAX_BACKTRACKS} steps back on this value")]
    TooManySteps,
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct PythonRegex {
    engine: Engine,
    literal: Option<String>,
}

#[derive(Clone, Debug)]
enum Engine {
    Linear(::regex::Regex),
    Backtracking(fancy_regex::Regex),
}

impl PythonRegex {
    pub(crate) fn new(pattern: &str, mode: Mode) -> Result<PythonRegex, RegexError> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(RegexError::TooLong);
        }
        let mut parsed = parse::parse(pattern)?;
        parsed.flags.ignore_case |= mode == Mode::SearchIgnoreCase;
        parsed.flags.dot_all |= mode == Mode::MatchDotAll;
        let backtracking = parsed.node.needs_backtracking(parsed.flags, true);
        let literal = if parsed.flags.ignore_case || backtracking { None } else { longest_literal(&parsed.node) };
        let mut text = emit::emit(&parsed, backtracking);
        if mode == Mode::MatchDotAll {
            text = format!("\\A(?:{text})");
        }
        let engine = if backtracking { Engine::backtracking(&text)? } else { Engine::linear(&text)? };
        Ok(PythonRegex { engine, literal })
    }

    /// Is there a match (from the start, where the mode says so)?
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, RegexError> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) => regex.is_match(text).map_err(|_| RegexError::TooManySteps),
        }
    }

    /// The longest text that is part of every match, if one is known. Without it in the text, `is_match` is false and no error.
    pub(crate) fn required_literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }
}

impl Engine {
    fn linear(text: &str) -> Result<Engine, RegexError> {
        let built = ::regex::RegexBuilder::new(text).size_limit(MAX_PROGRAM_BYTES).build();
        built.map(Engine::Linear).map_err(|error| RegexError::Unsupported(last_line(&error.to_string())))
    }

    fn backtracking(text: &str) -> Result<Engine, RegexError> {
        let built = fancy_regex::RegexBuilder::new(text)
            .backtrack_limit(MAX_BACKTRACKS)
            .delegate_size_limit(MAX_PROGRAM_BYTES)
            .build();
        built.map(Engine::Backtracking).map_err(|error| RegexError::Unsupported(last_line(&error.to_string())))
    }
}

fn last_line(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim().to_owned()
}

/// The longest run of plain characters that each match goes through.
fn longest_literal(node: &Node) -> Option<String> {
    let mut runs = Runs::default();
    runs.visit(node);
    runs.finish()
}

#[derive(Default)]
struct Runs {
    current: String,
    longest: String,
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
        if self.current.len() > self.longest.len() {
            std::mem::swap(&mut self.current, &mut self.longest);
        }
        self.current.clear();
    }

    fn finish(mut self) -> Option<String> {
        self.end_run();
        Some(self.longest).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(pattern: &str, text: &str) -> Result<bool, RegexError> {
        PythonRegex::new(pattern, Mode::Search)?.is_match(text)
    }

    #[test]
    fn means_what_python_means() {
        let cases = [
            ("a$", "a\n", true),
            ("a$", "a\n\n", false),
            ("a\\Z", "a\n", false),
            ("a$\\n", "a\n", true),
            ("(?m)a$", "a\nb", true),
            ("[[]", "[", true),
            ("[a&&b]", "&", true),
            ("[]a]", "]", true),
            ("[^]a]", "]", false),
            ("a{b}", "a{b}", true),
            ("a{,2}b", "aab", true),
            ("x{}", "x{}", true),
            ("(a)\\1", "aa", true),
            ("(?P<q>['\"]).*(?P=q)", "'x'", true),
            ("(a)?(?(1)b|c)", "ab", true),
            ("^(a)?(?(1)b|c)$", "b", false),
            ("(?<=foo)bar", "foobar", true),
            ("(?<!foo)bar", "foobar", false),
            ("(?=.*b)a", "ab", true),
            ("a(?i)B", "Ab", true),
            ("a(?i:B)", "ab", true),
            ("a(?i:B)", "Ab", false),
            ("(?:a(?-i:B))(?i)", "AB", true),
            ("(?:a(?-i:B))(?i)", "Ab", false),
            ("(?x) a b # c\n c", "abc", true),
            ("\\w", "²", true),
            ("^\\w$", "\u{301}", false),
            ("\\s", "\u{1c}", true),
            ("\\x41\\u0042\\103", "ABC", true),
            ("a.c", "a\nc", false),
            ("(?s)a.c", "a\nc", true),
            ("(?a)\\w", "é", false),
            ("[\\w-]+", "a-b", true),
            ("[a\\]]", "]", true),
            ("(?#comment)a", "a", true),
            ("/-/", "/-/", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(search(pattern, text), Ok(expected), "{pattern} on {text:?}");
        }
    }

    #[test]
    fn refuses_what_python_refuses() {
        for pattern in [
            "(",
            ")",
            "[",
            "*",
            "a**",
            "a++",
            "^*",
            "\\",
            "\\y",
            "(?<=a+)b",
            "[z-a]",
            "a{3,2}",
            "(?P<a>x)(?P<a>y)",
            "\\1",
            "(?P=a)",
            "(?(2)a)",
            "[\\8]",
            "(?",
            "(?z)",
            "\\x4",
            "(?P<1>a)",
            "(?<a>b)",
            "(\\1)",
            "(?(1)a|b|c)",
            "(?L)a",
            "[\\d-z]",
            "(?i-i:a)",
        ] {
            assert!(PythonRegex::new(pattern, Mode::Search).is_err(), "{pattern}");
        }
    }

    #[test]
    fn gives_up_instead_of_hanging() {
        assert_eq!(search("^(a+)+\\1$", &"a".repeat(60).replace("aaaaa", "aaaab")), Ok(false));
        assert_eq!(search("^(?=(a+)+$)x", &format!("{}b", "a".repeat(60))), Ok(false));
        assert_eq!(search("^(a|a)*(?!b)c", &"a".repeat(60)), Err(RegexError::TooManySteps));
        assert!(PythonRegex::new("((a{100}){100}){100}", Mode::Search).is_err());
        assert!(PythonRegex::new(&"(".repeat(5000), Mode::Search).is_err());
    }

    #[test]
    fn knows_what_every_match_contains() {
        let literal = |pattern: &str| PythonRegex::new(pattern, Mode::Search).unwrap().literal;
        assert_eq!(literal("^disk.*full$").as_deref(), Some("disk"));
        assert_eq!(literal("a(bcd)+e").as_deref(), Some("bcd"));
        assert_eq!(literal("ab(?:cd)ef").as_deref(), Some("abcdef"));
        assert_eq!(literal("a|b"), None);
        assert_eq!(literal("(?i)abc"), None);
        assert_eq!(literal("x*"), None);
    }
}

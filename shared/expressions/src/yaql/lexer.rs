//! From text to tokens.

use std::iter::Peekable;
use std::str::CharIndices;

use super::fail::{Class, Fail, Res, fail};

/// A token and where it begins, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) at: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// `$name`, without the `$`.
    Variable(String),
    Int(i128),
    Float(f64),
    Str(String),
    /// A bare word.
    Word(String),
    /// `name(`, without the bracket.
    Function(String),
    True,
    False,
    Null,
    /// An operator or bracket.
    Symbol(&'static str),
}

/// Operators that are words.
const WORDS: [&str; 5] = ["mod", "in", "not", "and", "or"];

/// Operators and brackets, those first that begin with a shorter one.
const SYMBOLS: [&str; 24] = [
    "=>", "->", ">=", "<=", "!=", "=~", "!~", "?.", ".", "+", "-", "*", "/", "<", ">", "=", "[", "]", "{", "}", "(",
    ")", ",", "",
];

struct Lexer<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    tokens: Vec<Token>,
}

/// The tokens of an expression.
pub(super) fn tokens(text: &str) -> Res<Vec<Token>> {
    let mut lexer = Lexer { text, chars: text.char_indices().peekable(), tokens: Vec::new() };
    while let Some((at, c)) = lexer.chars.peek().copied() {
        lexer.token(at, c).map_err(|error| error.at(position(at)))?;
    }
    Ok(lexer.tokens)
}

/// A place as it is kept. Expressions are much shorter than 4 GiB.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn illegal<T>(c: char) -> Res<T> {
    fail(Class::Lexical, format!("`{c}` can't stand here"))
}

impl<'t> Lexer<'t> {
    fn rest(&self, at: usize) -> &'t str {
        self.text.get(at..).unwrap_or_default()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let start = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        while self.chars.next_if(|(_, c)| wanted(*c)).is_some() {}
        let end = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        self.text.get(start..end).unwrap_or_default()
    }

    fn push(&mut self, at: usize, kind: TokenKind) {
        self.tokens.push(Token { kind, at: position(at) });
    }

    fn token(&mut self, at: usize, c: char) -> Res<()> {
        match c {
            ' ' | '\t' | '\r' | '\n' => {
                self.chars.next();
            }
            '$' => {
                self.chars.next();
                let name = self.take_while(is_word).to_owned();
                self.push(at, TokenKind::Variable(name));
            }
            '0'..='9' => self.number(at, c)?,
            '\'' | '"' | '`' => self.string(at, c)?,
            c if is_word(c) && !c.is_numeric() => self.word(at, c)?,
            c => self.symbol(at, c)?,
        }
        Ok(())
    }

    /// Digits, perhaps with a fraction. What follows may not be part of a word: `1e20` and `1a` aren't numbers.
    fn number(&mut self, at: usize, c: char) -> Res<()> {
        let whole = self.take_while(|c| c.is_ascii_digit());
        let rest = self.rest(at + whole.len());
        let fraction = rest.strip_prefix('.').unwrap_or_default();
        let digits = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let ends_word = |rest: &str| !rest.starts_with(is_word);
        if digits > 0 && fraction.get(digits..).is_some_and(ends_word) {
            self.chars.next();
            self.take_while(|c| c.is_ascii_digit());
            let text = self.text.get(at..at + whole.len() + 1 + digits).unwrap_or_default();
            self.push(at, TokenKind::Float(text.parse().unwrap_or(f64::INFINITY)));
            return Ok(());
        }
        if !ends_word(rest) {
            return illegal(c);
        }
        let number = match whole.parse() {
            Ok(number) => TokenKind::Int(number),
            Err(_) => TokenKind::Float(whole.parse().unwrap_or(f64::INFINITY)),
        };
        self.push(at, number);
        Ok(())
    }

    fn word(&mut self, at: usize, c: char) -> Res<()> {
        let word = self.take_while(is_word);
        if self.chars.next_if(|(_, c)| *c == '(').is_some() {
            self.push(at, TokenKind::Function(word.to_owned()));
            return Ok(());
        }
        if word.starts_with("__") {
            return illegal(c);
        }
        let kind = match word {
            "true" => TokenKind::True,
            "false" => TokenKind::False,
            "null" => TokenKind::Null,
            _ => match WORDS.iter().find(|operator| **operator == word) {
                Some(operator) => TokenKind::Symbol(operator),
                None => TokenKind::Word(word.to_owned()),
            },
        };
        self.push(at, kind);
        Ok(())
    }

    fn symbol(&mut self, at: usize, c: char) -> Res<()> {
        let rest = self.rest(at);
        let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)).copied().unwrap_or_default();
        if symbol.is_empty() {
            return illegal(c);
        }
        for _ in symbol.chars() {
            self.chars.next();
        }
        self.push(at, TokenKind::Symbol(symbol));
        Ok(())
    }

    /// A text in `'…'` or `"…"` with escapes, or in backquotes, where only the backquote can be escaped.
    fn string(&mut self, at: usize, quote: char) -> Res<()> {
        self.chars.next();
        let start = at + 1;
        let end = loop {
            match self.chars.next() {
                Some((end, c)) if c == quote => break end,
                Some((_, '\\')) => match self.chars.next() {
                    Some((_, '\n')) | None => return illegal(quote),
                    Some(_) => {}
                },
                Some(_) => {}
                None => return illegal(quote),
            }
        };
        let inside = self.text.get(start..end).unwrap_or_default();
        let text = if quote == '`' { inside.replace("\\`", "`") } else { unescape(inside)? };
        self.push(at, TokenKind::Str(text));
        Ok(())
    }
}

/// The text with its escapes resolved. What isn't an escape stays as it is.
fn unescape(text: &str) -> Res<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = escape(after, &mut out)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// Resolves the escape that begins `after` a backslash, and gives what follows it.
fn escape<'t>(after: &'t str, out: &mut String) -> Res<&'t str> {
    let Some(c) = after.chars().next() else {
        out.push('\\');
        return Ok(after);
    };
    let rest = after.get(c.len_utf8()..).unwrap_or_default();
    let simple = match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '\'' | '"' => c,
        'x' => return coded(rest, 2, 16, c, out),
        'u' => return coded(rest, 4, 16, c, out),
        'U' => return coded(rest, 8, 16, c, out),
        '0'..='7' => {
            let digits = after.bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
            return coded(after, digits, 8, c, out);
        }
        'N' if rest.starts_with('{') => {
            return fail(
                Class::Unsupported,
                "characters can't be written by their name here; write `\\u` and the code",
            );
        }
        _ => {
            out.push('\\');
            return Ok(after);
        }
    };
    out.push(simple);
    Ok(rest)
}

/// A character by `length` digits. Too few characters make no escape; others than digits are an error.
fn coded<'t>(text: &'t str, length: usize, radix: u32, c: char, out: &mut String) -> Res<&'t str> {
    let end = text.char_indices().nth(length).map_or(text.len(), |(end, _)| end);
    let (digits, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if digits.chars().count() < length {
        out.extend(['\\', c]);
        return Ok(text);
    }
    let code = digits.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(digits, radix).ok()).flatten();
    match code.and_then(char::from_u32) {
        Some(c) => out.push(c),
        None => return fail(Class::Value, "an escape in a text is no character"),
    }
    Ok(rest)
}

/// What a token that can't stand where it does looks like, for the message.
impl TokenKind {
    pub(super) fn shown(&self) -> String {
        match self {
            TokenKind::Variable(name) => format!("${name}"),
            TokenKind::Int(number) => number.to_string(),
            TokenKind::Float(number) => number.to_string(),
            TokenKind::Str(text) => format!("'{text}'"),
            TokenKind::Word(word) => word.clone(),
            TokenKind::Function(name) => format!("{name}("),
            TokenKind::True => "true".to_owned(),
            TokenKind::False => "false".to_owned(),
            TokenKind::Null => "null".to_owned(),
            TokenKind::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// A failure of the parser at this token, or at the end.
pub(super) fn unexpected(token: Option<&Token>) -> Box<Fail> {
    let message = match token {
        Some(token) => format!("`{}` can't stand here", token.kind.shown()),
        None => "the expression ends too early".to_owned(),
    };
    Box::new(Fail { class: Class::Grammar, message, at: token.map(|token| token.at), hint: None })
}

//! Reads the text of a path. The grammar's precedences, loosest first: brackets after a path, `..`, `.`, `|`, `where`.

use super::{JsonPathError, Step};

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    /// Between backquotes.
    Operator(String),
    Number(i64),
    DoubleDot,
    Where,
    Symbol(char),
}

/// The tree of a path.
pub(super) fn parse(key: &str) -> Result<Step, JsonPathError> {
    let mut parser = Parser { tokens: tokens(key)?, at: 0, depth: 0 };
    let step = parser.path(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(step),
        Some(_) => Err(parser.unexpected()),
    }
}

fn tokens(key: &str) -> Result<Vec<(usize, Token)>, JsonPathError> {
    let mut tokens = Vec::new();
    let mut rest = key;
    while let Some(first) = rest.chars().next() {
        let position = key.len() - rest.len();
        let (token, after) = match first {
            ' ' | '\t' | '\n' => {
                rest = rest.trim_start_matches([' ', '\t', '\n']);
                continue;
            }
            '\'' | '"' | '`' => {
                quoted(rest, first).ok_or(JsonPathError::Syntax { position, found: "open quote".to_owned() })?
            }
            '_' | '@' | 'a'..='z' | 'A'..='Z' => name(rest),
            '-' | '0'..='9' => number(rest).ok_or_else(|| unexpected(position, first))?,
            '.' if rest.starts_with("..") => (Token::DoubleDot, rest.strip_prefix("..").unwrap_or_default()),
            '*' | '.' | '[' | ']' | '(' | ')' | '$' | ',' | ':' | '|' | '&' => {
                (Token::Symbol(first), rest.strip_prefix(first).unwrap_or_default())
            }
            other => return Err(unexpected(position, other)),
        };
        tokens.push((position, token));
        rest = after;
    }
    Ok(tokens)
}

fn unexpected(position: usize, char: char) -> JsonPathError {
    JsonPathError::Syntax { position, found: format!("{char:?}") }
}

fn split(rest: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    rest.split_at_checked(rest.find(|char| !wanted(char)).unwrap_or(rest.len())).unwrap_or((rest, ""))
}

fn name(rest: &str) -> (Token, &str) {
    let (name, after) = split(rest, |char| char.is_ascii_alphanumeric() || matches!(char, '_' | '@' | '-'));
    let token = match name {
        "where" => Token::Where,
        // A word of the language that has no place in its grammar.
        "parent" => Token::Symbol('^'),
        name => Token::Name(name.to_owned()),
    };
    (token, after)
}

fn number(rest: &str) -> Option<(Token, &str)> {
    let digits = rest.strip_prefix('-').unwrap_or(rest);
    let (digits, after) = split(digits, |char| char.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|number| *number < i64::from(i32::MAX))?;
    Some((Token::Number(if rest.starts_with('-') { -number } else { number }), after))
}

fn quoted(rest: &str, quote: char) -> Option<(Token, &str)> {
    let mut text = String::new();
    let mut chars = rest.strip_prefix(quote)?.chars();
    loop {
        match chars.next()? {
            '\\' => text.push(chars.next()?),
            end if end == quote => break,
            char => text.push(char),
        }
    }
    Some((if quote == '`' { Token::Operator(text) } else { Token::Name(text) }, chars.as_str()))
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn take(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: char) -> Result<(), JsonPathError> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> JsonPathError {
        match self.tokens.get(self.at) {
            Some((position, token)) => JsonPathError::Syntax { position: *position, found: shown(token) },
            None => JsonPathError::Syntax {
                position: self.tokens.last().map_or(0, |(at, _)| at + 1),
                found: "end".to_owned(),
            },
        }
    }

    /// A path whose operators bind at least as tightly as `least`. Brackets bind what stands before them as a whole.
    fn path(&mut self, least: u8) -> Result<Step, JsonPathError> {
        let mut left = self.primary()?;
        loop {
            let level = match self.peek() {
                Some(Token::Symbol('[')) if least == 0 => {
                    left = Step::Child(Box::new(left), Box::new(self.brackets()?));
                    continue;
                }
                Some(Token::DoubleDot) => 1,
                Some(Token::Symbol('.')) => 2,
                Some(Token::Symbol('|')) => 3,
                Some(Token::Where) => 4,
                Some(Token::Symbol('&')) => return Err(JsonPathError::Unsupported("\"&\"".to_owned())),
                _ => return Ok(left),
            };
            if level < least {
                return Ok(left);
            }
            self.at += 1;
            let (left_side, right) = (Box::new(left), Box::new(self.path(level + 1)?));
            left = match level {
                1 => Step::Descendants(left_side, right),
                2 => Step::Child(left_side, right),
                3 => Step::Union(left_side, right),
                _ => Step::Where(left_side, right),
            };
        }
    }

    fn primary(&mut self) -> Result<Step, JsonPathError> {
        match self.peek().cloned() {
            Some(Token::Symbol('$')) => self.found(Step::Root),
            Some(Token::Symbol('*')) => self.found(Step::Fields(vec!["*".to_owned()])),
            Some(Token::Operator(name)) if name == "this" => self.found(Step::This),
            Some(Token::Operator(name)) if name == "parent" => self.found(Step::Parent),
            Some(Token::Operator(name)) => Err(JsonPathError::Unsupported(format!("`{name}`"))),
            Some(Token::Name(_)) => self.names(),
            Some(Token::Symbol('[')) => self.brackets(),
            Some(Token::Symbol('(')) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(JsonPathError::TooDeep);
                }
                self.at += 1;
                let inner = self.path(0)?;
                self.expect(')')?;
                self.depth -= 1;
                Ok(inner)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn found(&mut self, step: Step) -> Result<Step, JsonPathError> {
        self.at += 1;
        Ok(step)
    }

    fn names(&mut self) -> Result<Step, JsonPathError> {
        let mut names = Vec::new();
        loop {
            let Some(Token::Name(name)) = self.peek().cloned() else { return Err(self.unexpected()) };
            self.at += 1;
            names.push(name);
            if !self.take(',') {
                return Ok(Step::Fields(names));
            }
        }
    }

    fn brackets(&mut self) -> Result<Step, JsonPathError> {
        self.expect('[')?;
        let step = match self.peek() {
            Some(Token::Name(_)) => self.names()?,
            Some(Token::Symbol('*')) => {
                self.at += 1;
                Step::Slice(None, None)
            }
            _ => {
                let first = self.maybe_number();
                match (first, self.take(':')) {
                    (start, true) => Step::Slice(start, self.maybe_number()),
                    (Some(index), false) => Step::Index(index),
                    (None, false) => return Err(self.unexpected()),
                }
            }
        };
        self.expect(']')?;
        Ok(step)
    }

    fn maybe_number(&mut self) -> Option<i64> {
        let number = match self.peek()? {
            Token::Number(number) => *number,
            _ => return None,
        };
        self.at += 1;
        Some(number)
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("{name:?}"),
        Token::Operator(name) => format!("`{name}`"),
        Token::Number(number) => number.to_string(),
        Token::DoubleDot => "\"..\"".to_owned(),
        Token::Where => "\"where\", a word of the language: quote it".to_owned(),
        Token::Symbol('^') => "\"parent\", a word of the language: quote it".to_owned(),
        Token::Symbol(char) => format!("{char:?}"),
    }
}

//! `ast.literal_eval`: texts, numbers, tuples, lists, dicts, booleans and `None`.

use serde_json::{Map, Number, Value};

use crate::python::float_text;

/// How deep brackets may be nested.
const DEEPEST: usize = 100;

/// Why a text isn't a Python literal that JSON has a value for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LiteralError {
    /// Not Python, or an expression that computes something.
    Malformed,
    /// Sets, bytes, complex numbers, infinities.
    NotJson,
    /// Nested too deep.
    TooDeep,
}

/// The value of a Python literal, tuples as lists.
pub(crate) fn literal_eval(text: &str) -> Result<Value, LiteralError> {
    let mut parser = Parser { rest: text.trim_start_matches([' ', '\t']), open: 0 };
    let value = parser.expression_list()?;
    parser.skip_space();
    match parser.rest.trim_start().is_empty() {
        true => Ok(value),
        false => Err(LiteralError::Malformed),
    }
}

struct Parser<'a> {
    rest: &'a str,
    /// How many brackets are open: within them, line ends are space.
    open: usize,
}

type Parsed = Result<Value, LiteralError>;

impl<'a> Parser<'a> {
    fn skip_space(&mut self) {
        loop {
            let open = self.open > 0;
            self.rest =
                self.rest.trim_start_matches(|c| matches!(c, ' ' | '\t' | '\u{c}') || open && matches!(c, '\n' | '\r'));
            match (self.rest.strip_prefix('#'), self.rest.strip_prefix("\\\n")) {
                (Some(comment), _) => self.rest = comment.trim_start_matches(|c| c != '\n'),
                (_, Some(continued)) => self.rest = continued,
                _ => return,
            }
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest.chars().next()
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.rest = self.rest.strip_prefix(expected).unwrap_or_default();
        }
        found
    }

    /// A value, or several with commas, which are a tuple.
    fn expression_list(&mut self) -> Parsed {
        let first = self.value()?;
        if self.peek() != Some(',') {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat(',') {
            match self.peek() {
                None | Some('\n' | '\r') => break,
                _ => items.push(self.value()?),
            }
        }
        Ok(Value::Array(items))
    }

    fn value(&mut self) -> Parsed {
        match self.peek().ok_or(LiteralError::Malformed)? {
            '[' => self.bracketed('[', Parser::list),
            '(' => self.bracketed('(', Parser::tuple),
            '{' => self.bracketed('{', Parser::dict),
            '+' | '-' => self.signed(),
            c if c.is_ascii_digit() || c == '.' => self.number(),
            _ => self.word_or_text(),
        }
    }

    fn bracketed(&mut self, open: char, inside: fn(&mut Self) -> Parsed) -> Parsed {
        if self.open == DEEPEST {
            return Err(LiteralError::TooDeep);
        }
        self.eat(open);
        self.open += 1;
        let value = inside(self)?;
        self.open -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Parsed {
        let mut items = Vec::new();
        while !self.eat(']') {
            items.push(self.value()?);
            if !self.eat(',') && self.peek() != Some(']') {
                return Err(LiteralError::Malformed);
            }
        }
        Ok(Value::Array(items))
    }

    fn tuple(&mut self) -> Parsed {
        let mut items = Vec::new();
        let mut commas = 0;
        while !self.eat(')') {
            items.push(self.value()?);
            if self.eat(',') {
                commas += 1;
            } else if self.peek() != Some(')') {
                return Err(LiteralError::Malformed);
            }
        }
        match (items.pop(), commas) {
            (Some(only), 0) => Ok(only),
            (last, _) => Ok(Value::Array(items.into_iter().chain(last).collect())),
        }
    }

    fn dict(&mut self) -> Parsed {
        let mut entries = Map::new();
        while !self.eat('}') {
            let key = self.value()?;
            if !self.eat(':') {
                return Err(if matches!(self.peek(), Some(',' | '}')) {
                    LiteralError::NotJson
                } else {
                    LiteralError::Malformed
                });
            }
            let value = self.value()?;
            entries.insert(key_text(key)?, value);
            if !self.eat(',') && self.peek() != Some('}') {
                return Err(LiteralError::Malformed);
            }
        }
        Ok(Value::Object(entries))
    }

    fn signed(&mut self) -> Parsed {
        let mut negative = false;
        let mut signs = 0;
        while let Some(sign @ ('+' | '-')) = self.peek() {
            self.eat(sign);
            negative ^= sign == '-';
            signs += 1;
            if signs > DEEPEST {
                return Err(LiteralError::TooDeep);
            }
        }
        let number = self.number()?;
        if !negative {
            return Ok(number);
        }
        match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Ok(Value::from(-value)),
            (_, Some(value)) => Ok(Value::from(-value)),
            _ => Err(LiteralError::Malformed),
        }
    }

    fn number(&mut self) -> Parsed {
        let end = number_end(self.rest);
        let (token, rest) = self.rest.split_at_checked(end).ok_or(LiteralError::Malformed)?;
        self.rest = rest;
        if token.ends_with(['j', 'J']) {
            return Err(LiteralError::NotJson);
        }
        number_value(token).ok_or(LiteralError::Malformed)
    }

    fn word_or_text(&mut self) -> Parsed {
        let letters = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(letters).ok_or(LiteralError::Malformed)?;
        if rest.starts_with(['\'', '"']) && is_text_prefix(word) {
            return self.texts();
        }
        self.rest = rest;
        match word {
            "True" => Ok(Value::Bool(true)),
            "False" => Ok(Value::Bool(false)),
            "None" => Ok(Value::Null),
            _ => Err(LiteralError::Malformed),
        }
    }

    /// One text, or several beside one another, which are one.
    fn texts(&mut self) -> Parsed {
        let mut all = String::new();
        loop {
            self.skip_space();
            let quote_at = self.rest.find(['\'', '"']).unwrap_or(self.rest.len());
            match self.rest.split_at_checked(quote_at) {
                Some((prefix, rest)) if is_text_prefix(prefix) && !rest.is_empty() => {
                    if prefix.contains(['b', 'B']) {
                        return Err(LiteralError::NotJson);
                    }
                    self.rest = rest;
                    self.quoted(prefix.contains(['r', 'R']), &mut all)?;
                }
                _ => return Ok(Value::String(all)),
            }
        }
    }

    fn quoted(&mut self, raw: bool, out: &mut String) -> Result<(), LiteralError> {
        let quote = self.rest.chars().next().ok_or(LiteralError::Malformed)?;
        let triple: String = [quote; 3].iter().collect();
        let (end, long) = if self.rest.starts_with(&triple) { (triple, true) } else { (quote.to_string(), false) };
        self.rest = self.rest.strip_prefix(end.as_str()).unwrap_or_default();
        loop {
            if let Some(rest) = self.rest.strip_prefix(end.as_str()) {
                self.rest = rest;
                return Ok(());
            }
            let mut chars = self.rest.chars();
            match chars.next().ok_or(LiteralError::Malformed)? {
                '\n' | '\r' if !long => return Err(LiteralError::Malformed),
                '\\' if raw => {
                    out.push('\\');
                    out.extend(chars.next());
                    self.rest = chars.as_str();
                }
                '\\' => {
                    self.rest = chars.as_str();
                    self.escape(out)?;
                }
                c => {
                    out.push(c);
                    self.rest = chars.as_str();
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), LiteralError> {
        let mut chars = self.rest.chars();
        let c = chars.next().ok_or(LiteralError::Malformed)?;
        let simple = match c {
            '\\' | '\'' | '"' => Some(c),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            _ => None,
        };
        if let Some(simple) = simple {
            out.push(simple);
            self.rest = chars.as_str();
            return Ok(());
        }
        let (radix, fewest, most) = match c {
            '\n' => return self.skip(1),
            'x' => (16, 2, 2),
            'u' => (16, 4, 4),
            'U' => (16, 8, 8),
            '0'..='7' => (8, 1, 3),
            'N' => return Err(LiteralError::NotJson),
            _ => {
                out.push('\\');
                return Ok(());
            }
        };
        self.skip(usize::from(radix == 16))?;
        let code: String = self.rest.chars().take(most).take_while(|c| c.is_digit(radix)).collect();
        if code.len() < fewest {
            return Err(LiteralError::Malformed);
        }
        let point = u32::from_str_radix(&code, radix).ok().and_then(char::from_u32).ok_or(LiteralError::NotJson)?;
        out.push(point);
        self.skip(code.len())
    }

    fn skip(&mut self, bytes: usize) -> Result<(), LiteralError> {
        self.rest = self.rest.get(bytes..).ok_or(LiteralError::Malformed)?;
        Ok(())
    }
}

fn is_text_prefix(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "" | "r" | "u" | "b" | "br" | "rb")
}

/// The text that JSON has for a key of a Python dict.
fn key_text(key: Value) -> Result<String, LiteralError> {
    match key {
        Value::String(text) => Ok(text),
        Value::Null => Ok("null".to_owned()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) if number.is_f64() => Ok(float_text(number.as_f64().unwrap_or_default())),
        Value::Number(number) => Ok(number.to_string()),
        Value::Array(_) => Err(LiteralError::NotJson),
        Value::Object(_) => Err(LiteralError::Malformed),
    }
}

/// Where the token that starts with a digit or a dot ends.
fn number_end(text: &str) -> usize {
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        let sign_of_exponent =
            matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !text.starts_with("0x") && !text.starts_with("0X");
        if !(c.is_alphanumeric() || matches!(c, '.' | '_') || sign_of_exponent) {
            return at;
        }
        before = c;
    }
    text.len()
}

fn number_value(token: &str) -> Option<Value> {
    let lower = token.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return u64::from_str_radix(&underscores(digits.strip_prefix('_').unwrap_or(digits))?, radix)
                .ok()
                .map(Value::from);
        }
    }
    let plain = underscores(&lower)?;
    if plain.bytes().all(|b| b.is_ascii_digit()) {
        if plain.len() > 1 && plain.starts_with('0') && plain.bytes().any(|b| b != b'0') {
            return None;
        }
        return plain.parse::<u64>().map(Value::from).ok().or_else(|| big(&plain));
    }
    let mantissa = plain.split('e').next().unwrap_or_default();
    let shaped =
        mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.') && mantissa.bytes().any(|b| b.is_ascii_digit());
    shaped.then(|| big(&plain))?
}

fn big(plain: &str) -> Option<Value> {
    Number::from_f64(plain.parse().ok()?).map(Value::Number)
}

/// The digits without `_`, which may only stand between two of them.
fn underscores(digits: &str) -> Option<String> {
    let proper = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    (proper && !digits.is_empty()).then(|| digits.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LiteralError, literal_eval};

    #[test]
    fn literals_are_read() {
        let cases = [
            ("{'a': None, 1: True}", json!({"a": null, "1": true})),
            ("(1, 2)", json!([1, 2])),
            ("(1,)", json!([1])),
            ("(1)", json!(1)),
            ("()", json!([])),
            ("1, 2", json!([1, 2])),
            ("[1, 2,]", json!([1, 2])),
            ("'a' \"b\"", json!("ab")),
            ("'\\u00e9\\n\\x41\\101\\q'", json!("é\nAA\\q")),
            ("r'\\n'", json!("\\n")),
            ("'''a\nb'''", json!("a\nb")),
            ("-0x1F", json!(-31)),
            ("1_000", json!(1000)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("[\n1, # one\n2]", json!([1, 2])),
            ("  'x'\n", json!("x")),
            ("--1", json!(1)),
        ];
        for (text, value) in cases {
            assert_eq!(literal_eval(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in [
            "",
            "abc",
            "[1, 2",
            "5abc",
            "1 == 1",
            "a()",
            "'a",
            "01",
            "1 2",
            "{1: 2",
            "[,]",
            "é",
            "{[]: 1, {}: 2}",
            "\u{661}",
        ] {
            assert!(literal_eval(text).is_err(), "{text}");
        }
        assert_eq!(literal_eval("{1, 2}"), Err(LiteralError::NotJson));
        assert_eq!(literal_eval("b'x'"), Err(LiteralError::NotJson));
        assert_eq!(literal_eval("2j"), Err(LiteralError::NotJson));
        assert_eq!(literal_eval(&"[".repeat(100_000)), Err(LiteralError::TooDeep));
        assert_eq!(literal_eval(&"-".repeat(100_000)), Err(LiteralError::TooDeep));
    }
}

//! The tokens of a template's tags, as the engine's lexer cuts them.

/// A token within a tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) text: &'t str,
    /// The byte after it.
    pub(super) end: usize,
    /// A name, number or text.
    pub(super) is_operand: bool,
    /// A name or keyword.
    pub(super) is_word: bool,
}

pub(super) struct Scanner<'t> {
    rest: &'t str,
    at: usize,
    /// How the current tag ends.
    end: &'static str,
    open: usize,
    marker: &'static str,
}

const OPERATORS: [&str; 7] = ["**", "//", "==", "!=", "<=", ">=", "~"];

impl<'t> Scanner<'t> {
    pub(super) fn new(template: &'t str) -> Scanner<'t> {
        Scanner { rest: template, at: 0, end: "", open: 0, marker: "" }
    }

    fn skip(&mut self, bytes: usize) -> &'t str {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.at += skipped.len();
        skipped
    }

    /// Goes into the next tag; whether it is a `{% … %}`.
    pub(super) fn next_tag(&mut self) -> Option<bool> {
        loop {
            let start = self.rest.find('{')?;
            self.skip(start);
            if self.rest.starts_with("{#") {
                let end = self.rest.find("#}").map_or(self.rest.len(), |end| end + 2);
                self.skip(end);
            } else if let Some(length) = raw_block(self.rest) {
                self.skip(length);
            } else if self.rest.starts_with("{{") || self.rest.starts_with("{%") {
                let is_block = self.rest.starts_with("{%");
                self.skip(2);
                if self.rest.starts_with(['-', '+']) {
                    self.skip(1);
                }
                self.end = if is_block { "%}" } else { "}}" };
                self.open = 0;
                self.marker = "";
                return Some(is_block);
            } else {
                self.skip(1);
            }
        }
    }

    /// The next token of the tag, until its end.
    pub(super) fn next_token(&mut self) -> Option<Token<'t>> {
        let space = self.rest.len() - self.rest.trim_start().len();
        self.skip(space);
        if self.open == 0 {
            for marker in ["", "-", "+"] {
                if self.rest.strip_prefix(marker).is_some_and(|rest| rest.starts_with(self.end)) {
                    self.skip(marker.len() + self.end.len());
                    self.marker = marker;
                    return None;
                }
            }
        }
        let first = self.rest.chars().next()?;
        let (length, is_operand) = match first {
            '\'' | '"' => (text_length(self.rest, first), true),
            '0'..='9' => (number_length(self.rest), true),
            c if is_word(c) => (self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len()), true),
            _ => {
                (OPERATORS.iter().find(|op| self.rest.starts_with(**op)).map_or(first.len_utf8(), |op| op.len()), false)
            }
        };
        match first {
            '(' | '[' | '{' => self.open += 1,
            ')' | ']' | '}' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        let text = self.skip(length);
        Some(Token { text, end: self.at, is_operand, is_word: is_word(first) && !first.is_ascii_digit() })
    }

    /// The byte after the tag that was read last, and its marker for white space.
    pub(super) fn end_of_tag(&self) -> (usize, &'static str) {
        (self.at, self.marker)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn text_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn number_length(text: &str) -> usize {
    let mut before = '\0';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next_is_digit = chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        let goes_on = match c {
            '.' => next_is_digit,
            '+' | '-' => {
                matches!(before, 'e' | 'E') && next_is_digit && !text.starts_with("0x") && !text.starts_with("0X")
            }
            c => is_word(c),
        };
        if !goes_on {
            return at;
        }
        before = c;
    }
    text.len()
}

/// The length of a raw block with its tags, at whose beginning the text is.
fn raw_block(text: &str) -> Option<usize> {
    let mut rest = basic_tag(text, "raw")?;
    loop {
        rest = rest.get(rest.find("{%")?..)?;
        if let Some(after) = basic_tag(rest, "endraw") {
            return Some(text.len() - after.len());
        }
        rest = rest.get(2..)?;
    }
}

/// What follows a `{% name %}`.
fn basic_tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let inside = text.strip_prefix("{%")?;
    let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside).trim_start();
    let after = inside.strip_prefix(name)?.trim_start();
    after.strip_prefix(['-', '+']).unwrap_or(after).strip_prefix("%}")
}

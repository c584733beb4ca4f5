//! From the syntax of Python's `re` to that of the engine.

use std::iter::Peekable;
use std::str::Chars;

use super::PatternError;

pub(super) fn translate(pattern: &str, before_newline: bool) -> Result<String, PatternError> {
    let mut translator =
        Translator { rest: pattern.chars().peekable(), out: String::new(), multi_line: false, before_newline };
    translator.run()?;
    Ok(translator.out)
}

struct Translator<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    multi_line: bool,
    before_newline: bool,
}

fn syntax(message: &str) -> PatternError {
    PatternError::Syntax(message.to_owned())
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.repetition(),
                '$' if self.multi_line || !self.before_newline => self.out.push('$'),
                '$' => self.out.push_str(r"(?=\n?\z)"),
                c => self.out.push(c),
            }
        }
        Ok(())
    }

    fn escape(&mut self, in_class: bool) -> Result<(), PatternError> {
        let c = self.rest.next().ok_or_else(|| syntax("it ends with a backslash"))?;
        match c {
            'Z' if !in_class => self.out.push_str(r"\z"),
            'b' if in_class => self.out.push_str(r"\x08"),
            '0' => self.octal(c, 2),
            '1'..='7' if in_class => self.octal(c, 2),
            '1'..='3' if self.is_octal_triple() => self.octal(c, 2),
            c if c.is_ascii_alphanumeric() => self.out.extend(['\\', c]),
            '<' | '>' => self.out.push(c),
            c if c.is_ascii_punctuation() => self.out.extend(['\\', c]),
            // In verbose mode a space must stay escaped.
            ' ' => self.out.push_str(r"\x20"),
            c => self.out.push(c),
        }
        Ok(())
    }

    /// Whether two more octal digits make a character code of what would be a reference to a group.
    fn is_octal_triple(&self) -> bool {
        let mut ahead = self.rest.clone();
        let mut octal = || ahead.next().is_some_and(|c| c.is_digit(8));
        octal() && octal()
    }

    fn octal(&mut self, first: char, more: usize) {
        let mut code = first.to_digit(8).unwrap_or_default();
        for _ in 0..more {
            let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(8)) else { break };
            code = code * 8 + digit;
            self.rest.next();
        }
        self.out.push_str(&format!("\\x{{{code:x}}}"));
    }

    /// A class. What would be special in the engine's classes, but isn't in Python's, is escaped.
    fn class(&mut self) -> Result<(), PatternError> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.rest.next().ok_or_else(|| syntax("a `[` is never closed"))?;
            match c {
                ']' if !first => break,
                ']' | '[' | '&' | '~' => self.out.extend(['\\', c]),
                '\\' => self.escape(true)?,
                c => self.out.push(c),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn group(&mut self) -> Result<(), PatternError> {
        let ahead: String = self.rest.clone().take_while(|c| !matches!(c, ')' | ':')).take(12).collect();
        if ahead.starts_with("?#") {
            return match self.rest.find(|c| *c == ')') {
                Some(_) => Ok(()),
                None => Err(syntax("a comment is never closed")),
            };
        }
        let flags = ahead.strip_prefix('?').unwrap_or_default();
        let is_flags =
            !flags.is_empty() && flags.chars().all(|c| matches!(c, 'a' | 'i' | 'L' | 'm' | 's' | 'u' | 'x' | '-'));
        self.out.push('(');
        if is_flags {
            self.multi_line |= flags.split('-').next().is_some_and(|on| on.contains('m'));
            self.rest.by_ref().take(ahead.chars().count()).for_each(drop);
            self.out.push('?');
            self.out.extend(flags.chars().filter(|c| !matches!(c, 'a' | 'L' | 'u')));
            if self.out.ends_with('?') && self.rest.peek() == Some(&')') {
                self.out.push(':');
            }
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{,2}` and `{2,3}` repeat; any other `{` is one.
    fn repetition(&mut self) {
        let inside: String = self.rest.clone().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        let closed = self.rest.clone().nth(inside.len()) == Some('}');
        let bounds: Vec<&str> = inside.split(',').collect();
        let repeats = closed && bounds.len() <= 2 && !inside.is_empty();
        match (repeats, inside.starts_with(',')) {
            (false, _) => self.out.push_str(r"\{"),
            (true, true) => self.out.push_str("{0"),
            (true, false) => self.out.push('{'),
        }
    }
}

//! Python's grammar of regular expressions.

use super::{
    PatternError,
    ast::{Category, ClassItem, Flags, Node, Position},
};

/// How deep groups may nest.
const MAX_DEPTH: usize = 100;
/// The largest number in a quantifier.
const MAX_REPEAT: u32 = 65_535;

/// A pattern that Python accepts.
pub(super) struct Parsed {
    pub(super) node: Node,
    /// Named groups by number.
    pub(super) names: Vec<(String, usize)>,
    pub(super) flags: Flags,
}

/// Parses a pattern. Where it turns itself verbose, it is read again from the start, as Python does.
pub(super) fn parse(pattern: &str) -> Result<Parsed, PatternError> {
    let first = Parser::new(pattern, false).run()?;
    if first.flags.verbose { Parser::new(pattern, true).run() } else { Ok(first) }
}

pub(super) type Parse<T> = Result<T, PatternError>;

pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    depth: usize,
    pub(super) global: Flags,
    /// By number; `None` while the group is open. The whole match is group 0.
    pub(super) groups: Vec<Option<(u64, Option<u64>)>>,
    pub(super) names: Vec<(String, usize)>,
    /// Groups that conditionals ask for, which may come later.
    pub(super) asked: Vec<usize>,
}

impl Parser {
    fn new(pattern: &str, verbose: bool) -> Parser {
        Parser {
            chars: pattern.chars().collect(),
            at: 0,
            depth: 0,
            global: Flags { verbose, ..Flags::default() },
            groups: vec![None],
            names: Vec::new(),
            asked: Vec::new(),
        }
    }

    fn run(mut self) -> Parse<Parsed> {
        let verbose = self.global.verbose;
        let node = self.alternatives(verbose)?;
        if self.peek().is_some() {
            return self.fail("unbalanced parenthesis");
        }
        if self.asked.iter().any(|group| *group >= self.groups.len()) {
            return self.fail("a conditional asks for a group that there isn't");
        }
        Ok(Parsed { node, flags: self.global, names: self.names })
    }

    pub(super) fn fail<T>(&self, message: &str) -> Parse<T> {
        Err(PatternError::Syntax { position: self.at, message: message.to_owned() })
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_while(&mut self, most: usize, accepted: impl Fn(char) -> bool) -> String {
        let taken: String = self.chars.iter().skip(self.at).take(most).take_while(|char| accepted(**char)).collect();
        self.at += taken.chars().count();
        taken
    }

    pub(super) fn alternatives(&mut self, verbose: bool) -> Parse<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("groups are nested too deeply");
        }
        let mut branches = vec![self.sequence(verbose)?];
        while self.take('|') {
            branches.push(self.sequence(verbose)?);
        }
        self.depth -= 1;
        Ok(match branches.pop() {
            Some(only) if branches.is_empty() => only,
            last => Node::Alternate(branches.into_iter().chain(last).collect()),
        })
    }

    pub(super) fn sequence(&mut self, verbose: bool) -> Parse<Node> {
        let mut items: Vec<Node> = Vec::new();
        while let Some(char) = self.peek().filter(|char| !matches!(char, '|' | ')')) {
            self.at += 1;
            match char {
                _ if verbose && matches!(char, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') => {}
                '#' if verbose => {
                    self.take_while(usize::MAX, |char| char != '\n');
                }
                '\\' => items.push(self.escape()?),
                '[' => items.push(self.class()?),
                '*' | '+' | '?' | '{' => self.quantifier(char, &mut items)?,
                '.' => items.push(Node::Any),
                '^' => items.push(Node::Position(Position::LineStart)),
                '$' => items.push(Node::Position(Position::LineEnd)),
                '(' => items.extend(self.group(verbose)?),
                literal => items.push(Node::Char(literal)),
            }
        }
        Ok(Node::Concat(items))
    }

    fn quantifier(&mut self, char: char, items: &mut Vec<Node>) -> Parse<()> {
        let (min, max) = match char {
            '*' => (0, None),
            '+' => (1, None),
            '?' => (0, Some(1)),
            _ => match self.braces()? {
                Some(range) => range,
                None => {
                    items.push(Node::Char('{'));
                    return Ok(());
                }
            },
        };
        let lazy = self.take('?');
        match items.pop() {
            None | Some(Node::Position(_)) => self.fail("nothing to repeat"),
            Some(Node::Repeat { .. }) => self.fail("multiple repeat"),
            Some(inner) => {
                items.push(Node::Repeat { inner: Box::new(inner), min, max, lazy });
                Ok(())
            }
        }
    }

    /// What is in braces, if it is a quantifier; else they are plain characters.
    fn braces(&mut self) -> Parse<Option<(u32, Option<u32>)>> {
        let start = self.at;
        if self.peek() == Some('}') {
            return Ok(None);
        }
        let low = self.take_while(usize::MAX, |char| char.is_ascii_digit());
        let high = if self.take(',') { self.take_while(usize::MAX, |char| char.is_ascii_digit()) } else { low.clone() };
        if !self.take('}') {
            self.at = start;
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MAX_REPEAT);
        let (min, max) = match (number(&low), number(&high)) {
            (Some(min), Some(max)) if max < min => return self.fail("the least number is more than the greatest"),
            (Some(min), Some(max)) => (min, Some(max)),
            (Some(min), None) if high.is_empty() => (min, None),
            (None, Some(max)) if low.is_empty() => (0, Some(max)),
            (None, None) if low.is_empty() && high.is_empty() => (0, None),
            _ => return self.fail("the number of repetitions is too large"),
        };
        Ok(Some((min, max)))
    }

    fn escape(&mut self) -> Parse<Node> {
        let Some(char) = self.next() else { return self.fail("bad escape at the end") };
        let category =
            |category, negated| Node::Class { negated: false, items: vec![ClassItem::Category(category, negated)] };
        Ok(match char {
            'A' => Node::Position(Position::TextStart),
            'Z' => Node::Position(Position::TextEnd),
            'b' => Node::Position(Position::WordBoundary),
            'B' => Node::Position(Position::NoWordBoundary),
            'd' | 'D' => category(Category::Digit, char == 'D'),
            's' | 'S' => category(Category::Space, char == 'S'),
            'w' | 'W' => category(Category::Word, char == 'W'),
            '0' => {
                let digits = self.take_while(2, |char| char.is_digit(8));
                Node::Char(self.code_point(&format!("0{digits}"), 8)?)
            }
            '1'..='9' => self.group_or_octal(char)?,
            other => Node::Char(self.plain_escape(other)?),
        })
    }

    fn group_or_octal(&mut self, first: char) -> Parse<Node> {
        let mut digits = first.to_string();
        if let Some(second) = self.peek().filter(char::is_ascii_digit) {
            self.at += 1;
            digits.push(second);
            let third = self.peek().filter(|third| first.is_digit(8) && second.is_digit(8) && third.is_digit(8));
            if let Some(third) = third {
                self.at += 1;
                digits.push(third);
                return match self.code_point(&digits, 8)? {
                    char if u32::from(char) > 0o377 => self.fail("octal escape out of range"),
                    char => Ok(Node::Char(char)),
                };
            }
        }
        self.back_reference(digits.parse().unwrap_or(usize::MAX))
    }

    pub(super) fn back_reference(&self, group: usize) -> Parse<Node> {
        match self.groups.get(group) {
            Some(Some(_)) => Ok(Node::BackReference(group)),
            Some(None) => self.fail("cannot refer to an open group"),
            None => self.fail("reference to a group that there isn't"),
        }
    }

    /// Escapes that mean one character, in a class or outside.
    fn plain_escape(&mut self, char: char) -> Parse<char> {
        Ok(match char {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.hex(2)?,
            'u' => self.hex(4)?,
            'U' => self.hex(8)?,
            letter if letter.is_ascii_alphanumeric() => return self.fail(&format!("bad escape \\{letter}")),
            other => other,
        })
    }

    fn hex(&mut self, digits: usize) -> Parse<char> {
        let text = self.take_while(digits, |char| char.is_ascii_hexdigit());
        if text.len() == digits { self.code_point(&text, 16) } else { self.fail("incomplete escape") }
    }

    fn code_point(&self, digits: &str, radix: u32) -> Parse<char> {
        match u32::from_str_radix(digits, radix).ok().and_then(char::from_u32) {
            Some(char) => Ok(char),
            None => self.fail("the escape is no character"),
        }
    }

    fn class(&mut self) -> Parse<Node> {
        let negated = self.take('^');
        let mut items = Vec::new();
        loop {
            let item = match self.next() {
                None => return self.fail("unterminated character set"),
                Some(']') if !items.is_empty() => break,
                Some('\\') => self.class_escape()?,
                Some(char) => ClassItem::Char(char),
            };
            if !self.take('-') {
                items.push(item);
                continue;
            }
            let end = match self.next() {
                None => return self.fail("unterminated character set"),
                Some(']') => {
                    items.extend([item, ClassItem::Char('-')]);
                    break;
                }
                Some('\\') => self.class_escape()?,
                Some(char) => ClassItem::Char(char),
            };
            match (item, end) {
                (ClassItem::Char(from), ClassItem::Char(to)) if from <= to => items.push(ClassItem::Range(from, to)),
                _ => return self.fail("bad character range"),
            }
        }
        Ok(Node::Class { negated, items })
    }

    fn class_escape(&mut self) -> Parse<ClassItem> {
        let Some(char) = self.next() else { return self.fail("bad escape at the end") };
        Ok(match char {
            'd' | 'D' => ClassItem::Category(Category::Digit, char == 'D'),
            's' | 'S' => ClassItem::Category(Category::Space, char == 'S'),
            'w' | 'W' => ClassItem::Category(Category::Word, char == 'W'),
            'b' => ClassItem::Char('\x08'),
            '0'..='7' => {
                let digits = self.take_while(2, |char| char.is_digit(8));
                match self.code_point(&format!("{char}{digits}"), 8)? {
                    char if u32::from(char) > 0o377 => return self.fail("octal escape out of range"),
                    char => ClassItem::Char(char),
                }
            }
            other => ClassItem::Char(self.plain_escape(other)?),
        })
    }
}

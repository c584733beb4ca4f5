//! Python's grammar of regular expressions.

use super::{
    RegexError,
    ast::{Category, ClassItem, FlagChange, Flags, Node, Position},
};

/// How deep groups may nest.
const MAX_DEPTH: usize = 100;
/// The largest number in a quantifier.
const MAX_REPEAT: u32 = 65_535;

/// A pattern that Python accepts.
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) flags: Flags,
}

/// Parses a pattern. Where it turns itself verbose, it is read again from the start, as Python does.
pub(super) fn parse(pattern: &str) -> Result<Parsed, RegexError> {
    let first = Parser::new(pattern, false).run()?;
    if first.flags.verbose { Parser::new(pattern, true).run() } else { Ok(first) }
}

type Parse<T> = Result<T, RegexError>;

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    global: Flags,
    /// By number; `None` while the group is open. The whole match is group 0.
    groups: Vec<Option<(u64, Option<u64>)>>,
    names: Vec<(String, usize)>,
    /// Groups that conditionals ask for, which may come later.
    asked: Vec<usize>,
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
        Ok(Parsed { node, flags: self.global })
    }

    fn fail<T>(&self, message: &str) -> Parse<T> {
        Err(RegexError::Syntax { position: self.at, message: message.to_owned() })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn take_while(&mut self, most: usize, accepted: impl Fn(char) -> bool) -> String {
        let taken: String = self.chars.iter().skip(self.at).take(most).take_while(|char| accepted(**char)).collect();
        self.at += taken.chars().count();
        taken
    }

    fn alternatives(&mut self, verbose: bool) -> Parse<Node> {
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

    fn sequence(&mut self, verbose: bool) -> Parse<Node> {
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
        let category = |category, negated| Node::Class { negated: false, items: vec![ClassItem::Category(category, negated)] };
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

    fn back_reference(&self, group: usize) -> Parse<Node> {
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

    /// After `(`. Comments and flags for the whole pattern leave nothing.
    fn group(&mut self, verbose: bool) -> Parse<Option<Node>> {
        if !self.take('?') {
            return self.capturing(None, verbose).map(Some);
        }
        match self.next() {
            Some('P') => self.named(verbose).map(Some),
            Some(':') => self.plain_group(None, verbose).map(Some),
            Some('#') => {
                self.take_while(usize::MAX, |char| char != ')');
                if self.take(')') { Ok(None) } else { self.fail("missing ), unterminated comment") }
            }
            Some('=') => self.look(true, false, verbose).map(Some),
            Some('!') => self.look(true, true, verbose).map(Some),
            Some('<') => match self.next() {
                Some('=') => self.look(false, false, verbose).map(Some),
                Some('!') => self.look(false, true, verbose).map(Some),
                _ => self.fail("unknown extension ?<; a named group is written (?P<name>…)"),
            },
            Some('(') => self.conditional(verbose).map(Some),
            Some(flag) if flag == '-' || "aiLmsux".contains(flag) => {
                self.at -= 1;
                self.flags(verbose)
            }
            Some(other) => self.fail(&format!("unknown extension ?{other}")),
            None => self.fail("unexpected end of pattern"),
        }
    }

    fn close(&mut self, inner: Node) -> Parse<Box<Node>> {
        if self.take(')') { Ok(Box::new(inner)) } else { self.fail("missing ), unterminated subpattern") }
    }

    fn capturing(&mut self, name: Option<String>, verbose: bool) -> Parse<Node> {
        let number = self.groups.len();
        self.groups.push(None);
        self.names.extend(name.map(|name| (name, number)));
        let inner = self.alternatives(verbose)?;
        let inner = self.close(inner)?;
        let widths: Vec<_> = self.groups.iter().map(|width| width.unwrap_or((0, None))).collect();
        let width = inner.width(&widths);
        self.groups.iter_mut().skip(number).take(1).for_each(|group| *group = Some(width));
        Ok(Node::Group { capturing: true, flags: None, inner })
    }

    fn plain_group(&mut self, flags: Option<FlagChange>, verbose: bool) -> Parse<Node> {
        let inner = self.alternatives(verbose)?;
        Ok(Node::Group { capturing: false, flags, inner: self.close(inner)? })
    }

    fn named(&mut self, verbose: bool) -> Parse<Node> {
        if self.take('<') {
            let name = self.name('>')?;
            if self.names.iter().any(|(known, _)| *known == name) {
                return self.fail(&format!("the group name {name} is taken"));
            }
            return self.capturing(Some(name), verbose);
        }
        if self.take('=') {
            let name = self.name(')')?;
            return match self.numbered(&name) {
                Some(group) => self.back_reference(group),
                None => self.fail(&format!("there is no group {name}")),
            };
        }
        self.fail("unknown extension ?P")
    }

    fn numbered(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
    }

    fn name(&mut self, end: char) -> Parse<String> {
        let name = self.take_while(usize::MAX, |char| char != end);
        let starts_well = name.chars().next().is_some_and(|first| first == '_' || first.is_alphabetic());
        if !self.take(end) || !starts_well || !name.chars().all(|char| char == '_' || char.is_alphanumeric()) {
            return self.fail("bad group name");
        }
        Ok(name)
    }

    fn look(&mut self, ahead: bool, negated: bool, verbose: bool) -> Parse<Node> {
        let inner = self.alternatives(verbose)?;
        let inner = self.close(inner)?;
        let widths: Vec<_> = self.groups.iter().map(|width| width.unwrap_or((0, None))).collect();
        let (least, most) = inner.width(&widths);
        if !ahead && most != Some(least) {
            return self.fail("look-behind requires a pattern of fixed width");
        }
        Ok(Node::Look { ahead, negated, inner })
    }

    fn conditional(&mut self, verbose: bool) -> Parse<Node> {
        let name = self.take_while(usize::MAX, |char| char != ')');
        if !self.take(')') {
            return self.fail("missing ), unterminated name");
        }
        let group = match (name.parse::<usize>().ok(), self.numbered(&name)) {
            (Some(number), _) if number > 0 && number <= self.chars.len() => number,
            (_, Some(number)) => number,
            _ => return self.fail(&format!("there is no group {name}")),
        };
        self.asked.push(group);
        let yes = Box::new(self.sequence(verbose)?);
        let no = if self.take('|') { Some(Box::new(self.sequence(verbose)?)) } else { None };
        if self.peek() == Some('|') {
            return self.fail("a conditional has two branches at most");
        }
        if self.take(')') {
            Ok(Node::Conditional { group, yes, no })
        } else {
            self.fail("missing ), unterminated subpattern")
        }
    }

    /// `(?i)` for the whole pattern, wherever it stands, or `(?i-s:…)` for one group.
    fn flags(&mut self, verbose: bool) -> Parse<Option<Node>> {
        let added = self.take_while(usize::MAX, |char| char.is_ascii_alphabetic());
        let removed = if self.take('-') { Some(self.take_while(usize::MAX, |char| char.is_ascii_alphabetic())) } else { None };
        let mut change = FlagChange::default();
        let removed_flags = || removed.iter().flat_map(|text| text.chars());
        let known = added.chars().all(|flag| set(if flag == 'u' { &mut change.off } else { &mut change.on }, flag));
        let removable = removed_flags().all(|flag| "imsx".contains(flag) && set(&mut change.off, flag));
        let twice = removed_flags().any(|flag| added.contains(flag)) || (added.contains('a') && added.contains('u'));
        if !known || !removable || twice || removed.as_deref() == Some("") {
            return self.fail("bad inline flags");
        }
        match self.next() {
            Some(')') if removed.is_none() => {
                self.global = change.apply(self.global);
                Ok(None)
            }
            Some(':') => {
                let verbose = (verbose || change.on.verbose) && !change.off.verbose;
                self.plain_group(Some(change), verbose).map(Some)
            }
            _ => self.fail("bad inline flags"),
        }
    }
}

/// Sets a flag; false where there is no such flag for texts. `u` is the absence of `a`.
const fn set(flags: &mut Flags, flag: char) -> bool {
    match flag {
        'i' => flags.ignore_case = true,
        'm' => flags.multi_line = true,
        's' => flags.dot_all = true,
        'x' => flags.verbose = true,
        'a' | 'u' => flags.ascii = true,
        _ => return false,
    }
    true
}

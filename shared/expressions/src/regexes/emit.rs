//! Writes the tree in the syntax of the engines. Flags other than "ignore case" are resolved into explicit forms.

use std::fmt::Write as _;

use super::{
    ast::{Category, ClassItem, Flags, Node, Position},
    parse::Parsed,
};

/// The text for the backtracking engine (which has `captures`), or for the linear one. `line_end` is what `$` is there.
pub(super) fn emit(parsed: &Parsed, captures: bool, line_end: &'static str) -> String {
    let mut writer = Writer { text: String::new(), captures, line_end };
    if parsed.flags.ignore_case {
        writer.text.push_str("(?i)");
    }
    writer.node(&parsed.node, parsed.flags);
    writer.text
}

struct Writer {
    text: String,
    captures: bool,
    line_end: &'static str,
}

impl Writer {
    fn node(&mut self, node: &Node, flags: Flags) {
        match node {
            Node::Char(char) => self.char(*char),
            Node::Any => self.text.push_str(if flags.dot_all { "(?s:.)" } else { "[^\\n]" }),
            Node::Class { negated, items } => self.class(*negated, items, flags),
            Node::Position(position) => self.position(*position, flags),
            Node::Concat(parts) => parts.iter().for_each(|part| self.node(part, flags)),
            Node::Alternate(_) => self.wrapped("(?:", node, flags),
            Node::Group { capturing, flags: change, inner } => {
                let open = if *capturing && self.captures { "(" } else { "(?:" };
                self.text.push_str(open);
                let inner_flags = change.unwrap_or_default().apply(flags);
                self.text.push_str(match (flags.ignore_case, inner_flags.ignore_case) {
                    (false, true) => "(?i)",
                    (true, false) => "(?-i)",
                    _ => "",
                });
                self.branches(inner, inner_flags);
                self.text.push(')');
            }
            Node::Look { ahead, negated, inner } => {
                let open = match (ahead, negated) {
                    (true, false) => "(?=",
                    (true, true) => "(?!",
                    (false, false) => "(?<=",
                    (false, true) => "(?<!",
                };
                self.wrapped(open, inner, flags);
            }
            Node::BackReference(group) => {
                let _ = write!(self.text, "(?:\\{group})");
            }
            Node::Conditional { group, yes, no } => self.conditional(*group, yes, no.as_deref(), flags),
            Node::Repeat { inner, min, max, lazy } => self.repeat(inner, (*min, *max), *lazy, flags),
        }
    }

    fn wrapped(&mut self, open: &str, inner: &Node, flags: Flags) {
        self.text.push_str(open);
        self.branches(inner, flags);
        self.text.push(')');
    }

    /// Inside of brackets, where alternatives need none of their own.
    fn branches(&mut self, node: &Node, flags: Flags) {
        let Node::Alternate(branches) = node else { return self.node(node, flags) };
        for (at, branch) in branches.iter().enumerate() {
            if at > 0 {
                self.text.push('|');
            }
            self.node(branch, flags);
        }
    }

    fn conditional(&mut self, group: usize, yes: &Node, no: Option<&Node>, flags: Flags) {
        let _ = write!(self.text, "(?({group})");
        self.wrapped("(?:", yes, flags);
        self.text.push('|');
        if let Some(no) = no {
            self.wrapped("(?:", no, flags);
        }
        self.text.push(')');
    }

    fn repeat(&mut self, inner: &Node, (min, max): (u32, Option<u32>), lazy: bool, flags: Flags) {
        self.wrapped("(?:", inner, flags);
        match (min, max) {
            (0, None) => self.text.push('*'),
            (1, None) => self.text.push('+'),
            (0, Some(1)) => self.text.push('?'),
            (min, None) => {
                let _ = write!(self.text, "{{{min},}}");
            }
            (min, Some(max)) => {
                let _ = write!(self.text, "{{{min},{max}}}");
            }
        }
        if lazy {
            self.text.push('?');
        }
    }

    fn position(&mut self, position: Position, flags: Flags) {
        self.text.push_str(match position {
            Position::LineStart if flags.multi_line => "(?m:^)",
            Position::LineEnd if flags.multi_line => "(?m:$)",
            Position::LineEnd => self.line_end,
            Position::LineStart | Position::TextStart => "\\A",
            Position::TextEnd => "\\z",
            Position::WordBoundary => "\\b",
            Position::NoWordBoundary => "\\B",
        });
    }

    fn class(&mut self, negated: bool, items: &[ClassItem], flags: Flags) {
        self.text.push_str(if negated { "[^" } else { "[" });
        for item in items {
            match item {
                ClassItem::Char(char) => self.char(*char),
                ClassItem::Range(from, to) => {
                    self.char(*from);
                    self.text.push('-');
                    self.char(*to);
                }
                ClassItem::Category(category, negated) => self.category(*category, *negated, flags.ascii),
            }
        }
        self.text.push(']');
    }

    /// Python's categories: its word characters are letters, numbers of all kinds and the underscore.
    fn category(&mut self, category: Category, negated: bool, ascii: bool) {
        let members = match (category, ascii) {
            (Category::Digit, false) => "\\p{Nd}",
            (Category::Digit, true) => "0-9",
            (Category::Space, false) => "\\s\\x1c-\\x1f",
            (Category::Space, true) => " \\t\\n\\r\\x0b\\x0c",
            (Category::Word, false) => "\\p{L}\\p{N}_",
            (Category::Word, true) => "0-9A-Za-z_",
        };
        self.text.push_str(if negated { "[^" } else { "[" });
        self.text.push_str(members);
        self.text.push(']');
    }

    fn char(&mut self, char: char) {
        if char.is_ascii_alphanumeric() || !char.is_ascii() {
            self.text.push(char);
        } else {
            let _ = write!(self.text, "\\x{{{:X}}}", u32::from(char));
        }
    }
}

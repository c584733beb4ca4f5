//! A regular expression as a tree.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
    pub(super) verbose: bool,
    pub(super) ascii: bool,
}

/// What `(?i-s:…)` says for its group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FlagChange {
    pub(super) on: Flags,
    pub(super) off: Flags,
}

impl FlagChange {
    pub(super) const fn apply(self, outer: Flags) -> Flags {
        Flags {
            ignore_case: (outer.ignore_case || self.on.ignore_case) && !self.off.ignore_case,
            multi_line: (outer.multi_line || self.on.multi_line) && !self.off.multi_line,
            dot_all: (outer.dot_all || self.on.dot_all) && !self.off.dot_all,
            verbose: (outer.verbose || self.on.verbose) && !self.off.verbose,
            ascii: (outer.ascii || self.on.ascii) && !self.off.ascii,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Digit,
    Space,
    Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassItem {
    Char(char),
    Range(char, char),
    Category(Category, bool),
}

impl ClassItem {
    /// The categories of Unicode have hundreds of ranges.
    const fn cost(&self) -> u64 {
        match self {
            ClassItem::Char(_) => 2,
            ClassItem::Range(..) => 20,
            ClassItem::Category(..) => 800,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordBoundary,
    NoWordBoundary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Char(char),
    Any,
    Class { negated: bool, items: Vec<ClassItem> },
    Position(Position),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Group { capturing: bool, flags: Option<FlagChange>, inner: Box<Node> },
    Look { ahead: bool, negated: bool, inner: Box<Node> },
    BackReference(usize),
    Conditional { group: usize, yes: Box<Node>, no: Option<Box<Node>> },
    Repeat { inner: Box<Node>, min: u32, max: Option<u32>, lazy: bool },
}

impl Node {
    /// Is there anything that the linear engine lacks? `$` may also stand before the last line break: where nothing follows (`tail`),
    /// that break can be taken instead of looked at.
    pub(super) fn needs_backtracking(&self, flags: Flags, tail: bool) -> bool {
        match self {
            Node::Look { .. } | Node::BackReference(_) | Node::Conditional { .. } => true,
            Node::Position(Position::LineEnd) => !flags.multi_line && !tail,
            Node::Char(_) | Node::Any | Node::Class { .. } | Node::Position(_) => false,
            Node::Concat(parts) => {
                let last = parts.len().saturating_sub(1);
                parts.iter().enumerate().any(|(at, part)| part.needs_backtracking(flags, tail && at == last))
            }
            Node::Alternate(branches) => branches.iter().any(|branch| branch.needs_backtracking(flags, tail)),
            Node::Group { inner, flags: change, .. } => {
                inner.needs_backtracking(change.unwrap_or_default().apply(flags), tail)
            }
            Node::Repeat { inner, .. } => inner.needs_backtracking(flags, false),
        }
    }

    /// How large the compiled pattern is at most, in units of some hundred bytes.
    pub(super) fn cost(&self) -> u64 {
        match self {
            Node::Char(_) => 2,
            Node::Any | Node::Position(_) | Node::BackReference(_) => 10,
            Node::Class { items, .. } => items.iter().map(ClassItem::cost).sum::<u64>() + 10,
            Node::Concat(parts) | Node::Alternate(parts) => parts.iter().map(Node::cost).sum::<u64>() + 1,
            Node::Group { inner, .. } | Node::Look { inner, .. } => inner.cost() + 2,
            Node::Conditional { yes, no, .. } => yes.cost() + no.as_ref().map_or(0, |no| no.cost()) + 2,
            Node::Repeat { inner, min, max, .. } => {
                let times = u64::from(max.unwrap_or(*min)).max(1) + 1;
                inner.cost().saturating_mul(times).saturating_add(1)
            }
        }
    }

    /// The least and the greatest number of characters that it takes; `None` for any number. `groups` has the widths of the groups so far.
    pub(super) fn width(&self, groups: &[(u64, Option<u64>)]) -> (u64, Option<u64>) {
        match self {
            Node::Char(_) | Node::Any | Node::Class { .. } => (1, Some(1)),
            Node::Position(_) | Node::Look { .. } => (0, Some(0)),
            Node::BackReference(group) => groups.get(*group).copied().unwrap_or((0, None)),
            Node::Group { inner, .. } => inner.width(groups),
            Node::Concat(parts) => parts.iter().map(|part| part.width(groups)).fold((0, Some(0)), add),
            Node::Alternate(branches) => {
                branches.iter().map(|branch| branch.width(groups)).reduce(either).unwrap_or((0, Some(0)))
            }
            Node::Conditional { yes, no, .. } => {
                either(yes.width(groups), no.as_ref().map_or((0, Some(0)), |no| no.width(groups)))
            }
            Node::Repeat { inner, min, max, .. } => {
                let (least, most) = inner.width(groups);
                let most = match (most, max) {
                    (Some(0), _) => Some(0),
                    (Some(most), Some(max)) => Some(most.saturating_mul(u64::from(*max))),
                    _ => None,
                };
                (least.saturating_mul(u64::from(*min)), most)
            }
        }
    }
}

fn add(a: (u64, Option<u64>), b: (u64, Option<u64>)) -> (u64, Option<u64>) {
    (a.0.saturating_add(b.0), a.1.zip(b.1).map(|(a, b)| a.saturating_add(b)))
}

fn either(a: (u64, Option<u64>), b: (u64, Option<u64>)) -> (u64, Option<u64>) {
    (a.0.min(b.0), a.1.zip(b.1).map(|(a, b)| a.max(b)))
}

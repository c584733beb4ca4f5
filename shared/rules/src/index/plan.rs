//! What rules come to once they are compiled: numbers and texts, without any structure that only speeds up looking. This is what a
//! prepared index holds.

use expressions::{python::Numeric, regexes::Flags};
use serde::{Deserialize, Serialize};

/// Everything about the rules of one trigger that matching asks for, but the rules themselves.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The paths that rules ask for; a path's place is its slot.
    pub(super) paths: Vec<Box<[Box<str>]>>,
    /// What values are compared with; the number of a symbol is its place.
    pub(super) symbols: Vec<(u16, Symbol)>,
    /// Texts that values start or end with, or are.
    pub(super) texts: Vec<Text>,
    /// Texts that values contain.
    pub(super) literals: Vec<Literal>,
    /// What numbers are compared with, each once for a slot.
    pub(super) numbers: Vec<(u16, Constant)>,
    pub(super) patterns: Vec<PatternSource>,
    /// The symbols of `inside`.
    pub(super) choices: Vec<Vec<u32>>,
    pub(super) ops: Vec<Op>,
    /// One for each rule.
    pub(super) programs: Vec<Program>,
    /// By what rules are found.
    pub(super) entries: Vec<(u32, Probe)>,
    /// Rules that must also be tried where the value is no text, or no number, since they may fail then.
    pub(super) guards: Vec<(u32, Guard)>,
    /// Rules that are always tried.
    pub(super) always: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Symbol {
    Null,
    Number(NumberKey),
    Text(Box<str>),
}

/// Equal numbers have equal keys: 1, 1.0 and true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum NumberKey {
    Int(i128),
    Float(u64),
}

impl NumberKey {
    pub(super) fn of(number: Numeric) -> NumberKey {
        number.as_int().map_or_else(|| NumberKey::Float(number.as_f64().to_bits()), NumberKey::Int)
    }
}

/// Texts are told apart by what they are for, so that each stands in one table at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Text {
    pub(super) slot: u16,
    pub(super) test: Test,
    pub(super) text: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Literal {
    pub(super) slot: u16,
    /// It is contained in the value in lower case.
    pub(super) lower: bool,
    pub(super) text: Box<str>,
    /// Where its rarest bytes are.
    pub(super) offset: u16,
}

/// What a number is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Constant {
    Int(i128),
    Float(f64),
}

impl Constant {
    pub(super) const fn number(self) -> Numeric {
        match self {
            Constant::Int(int) => Numeric::Int(int),
            Constant::Float(float) => Numeric::Float(float),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PatternSource {
    pub(super) slot: u16,
    pub(super) pattern: Box<str>,
    pub(super) ignore_case: bool,
    pub(super) dot_all: bool,
    pub(super) anchored: bool,
    /// Where any of these literals is missing there is no match.
    pub(super) literals: Vec<u32>,
}

impl PatternSource {
    pub(super) const fn flags(&self) -> Flags {
        Flags { ignore_case: self.ignore_case, dot_all: self.dot_all, anchored: self.anchored }
    }
}

/// One criterion: a question about the value of a slot, which has no answer for values of the wrong kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Op {
    pub(super) test: Test,
    pub(super) slot: u16,
    /// The number of the symbol, text, literal, constant, pattern or choice.
    pub(super) operand: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Test {
    /// Of a symbol.
    Equal,
    NotEqual,
    Inside,
    NotInside,
    /// Of a constant.
    Less,
    Greater,
    /// Of a text.
    TextLess,
    TextGreater,
    Starts,
    Ends,
    LowerEqual,
    LowerStarts,
    LowerEnds,
    /// Of a literal.
    Contains,
    ContainsNot,
    /// Of a pattern.
    Matches,
    Never,
}

impl Test {
    /// The only kind of value on which it has an answer.
    pub(super) const fn needs(self) -> Option<Kind> {
        match self {
            Test::Equal | Test::NotEqual | Test::Inside | Test::NotInside | Test::Never => None,
            Test::Less | Test::Greater => Some(Kind::Number),
            _ => Some(Kind::Text),
        }
    }
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kind {
    Text,
    Number,
}

/// The value of the slot is not of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Guard {
    pub(super) slot: u16,
    pub(super) kind: Kind,
}

/// The first criteria of a rule, up to one that is too complicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Program {
    pub(super) start: u32,
    pub(super) ops: u16,
    /// There are no other criteria.
    pub(super) whole: bool,
    /// There are no criteria at all.
    pub(super) empty: bool,
}

/// What is asked of a value to find rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Probe {
    /// It is equal to the symbol.
    Symbol(u32),
    /// It starts with the text.
    Starts(u32),
    /// In lower case it starts with the text, or is the text.
    LowerStarts(u32),
    LowerWhole(u32),
    /// It contains the literal.
    Literal(u32),
}

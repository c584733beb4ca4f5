//! Expressions as they are evaluated.

use super::overload::Overload;

/// A part of an expression, and where it begins.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: u32,
    /// How deep it is nested.
    pub(crate) depth: u32,
    pub(crate) kind: NodeKind,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Box<str>),
    /// A bare word: a text, and the name of a field or argument where one is wanted.
    Word(Box<str>),
    /// `$name`; `$` is `1`.
    Variable(Box<str>),
    Call(Call),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<[Node; 2]>),
    /// `left.right` and, where null gives null, `left?.right`.
    Dot {
        sides: Box<[Node; 2]>,
        elvis: bool,
    },
    Index(Call),
    List(Vec<Arg>),
    Map(Vec<Arg>),
    /// What stands in parentheses: a value, never a name or a method.
    Wrap(Box<Node>),
}

/// A call by name.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Box<str>,
    pub(crate) args: Vec<Arg>,
    /// The library's overloads of that name.
    pub(crate) overloads: &'static [Overload],
}

/// One argument.
#[derive(Debug)]
pub(crate) enum Arg {
    Value(Node),
    /// `f(,x)`: the default.
    Skipped,
    /// `name => value`.
    Rule(Box<[Node; 2]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Plus,
    Minus,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Matches,
    NotMatches,
    Times,
    Divide,
    Modulo,
    Plus,
    Minus,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    NotEqual,
    Equal,
    In,
    And,
    Or,
    Send,
}

impl Unary {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Unary::Plus => "+",
            Unary::Minus => "-",
            Unary::Not => "not",
        }
    }
}

impl Binary {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Binary::Matches => "=~",
            Binary::NotMatches => "!~",
            Binary::Times => "*",
            Binary::Divide => "/",
            Binary::Modulo => "mod",
            Binary::Plus => "+",
            Binary::Minus => "-",
            Binary::Greater => ">",
            Binary::Less => "<",
            Binary::GreaterEqual => ">=",
            Binary::LessEqual => "<=",
            Binary::NotEqual => "!=",
            Binary::Equal => "=",
            Binary::In => "in",
            Binary::And => "and",
            Binary::Or => "or",
            Binary::Send => "->",
        }
    }
}

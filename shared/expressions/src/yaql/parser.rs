//! From tokens to an expression, by binding powers.

use super::ast::{Arg, Binary, Call, Node, NodeKind, Unary};
use super::fail::{Res, over};
use super::functions;
use super::lexer::{self, Token, TokenKind, unexpected};
use crate::error::Limit;

/// How tight an operator binds; more is tighter.
mod power {
    pub(super) const SEND: u8 = 1;
    pub(super) const NOT: u8 = 8;
    pub(super) const SIGN: u8 = 18;
    pub(super) const INDEX: u8 = 20;
    pub(super) const DOT: u8 = 22;
}

/// The operator and the power of its left side. That of the right side is one more, but for `->`, which goes to the right.
fn binary(symbol: &str) -> Option<(Binary, u8)> {
    Some(match symbol {
        "->" => (Binary::Send, power::SEND),
        "or" => (Binary::Or, 4),
        "and" => (Binary::And, 6),
        ">" => (Binary::Greater, 10),
        "<" => (Binary::Less, 10),
        ">=" => (Binary::GreaterEqual, 10),
        "<=" => (Binary::LessEqual, 10),
        "!=" => (Binary::NotEqual, 10),
        "=" => (Binary::Equal, 10),
        "in" => (Binary::In, 10),
        "+" => (Binary::Plus, 12),
        "-" => (Binary::Minus, 12),
        "*" => (Binary::Times, 14),
        "/" => (Binary::Divide, 14),
        "mod" => (Binary::Modulo, 14),
        "=~" => (Binary::Matches, 16),
        "!~" => (Binary::NotMatches, 16),
        _ => return None,
    })
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    /// How deep the expression may be nested.
    most: u32,
    level: u32,
}

/// The expression that the text is.
pub(super) fn parse(text: &str, most_depth: usize) -> Res<Node> {
    let tokens = lexer::tokens(text)?;
    let most = u32::try_from(most_depth).unwrap_or(u32::MAX);
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), most, level: 0 };
    let node = parser.expression(0)?;
    match parser.tokens.peek() {
        None => Ok(node),
        token => Err(unexpected(token)),
    }
}

impl Parser {
    fn node(&self, at: u32, below: u32, kind: NodeKind) -> Res<Node> {
        let depth = below + 1;
        if depth > self.most { over(Limit::Depth) } else { Ok(Node { at, depth, kind }) }
    }

    fn next(&mut self) -> Res<Token> {
        self.tokens.next().ok_or_else(|| unexpected(None))
    }

    fn symbol(&mut self) -> Option<&'static str> {
        match self.tokens.peek()?.kind {
            TokenKind::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    fn eat(&mut self, symbol: &str) -> bool {
        self.tokens.next_if(|token| matches!(token.kind, TokenKind::Symbol(found) if found == symbol)).is_some()
    }

    fn expect(&mut self, symbol: &str) -> Res<()> {
        if self.eat(symbol) { Ok(()) } else { Err(unexpected(self.tokens.peek())) }
    }

    fn expression(&mut self, least: u8) -> Res<Node> {
        self.level += 1;
        if self.level > self.most {
            return over(Limit::Depth);
        }
        let mut left = self.operand()?;
        while let Some(symbol) = self.symbol() {
            left = match symbol {
                "." | "?." if power::DOT >= least => self.dot(left, symbol)?,
                "[" if power::INDEX >= least => self.index(left)?,
                _ => match binary(symbol) {
                    Some((operator, power)) if power >= least => self.binary(left, operator, power)?,
                    _ => break,
                },
            };
        }
        self.level -= 1;
        Ok(left)
    }

    fn binary(&mut self, left: Node, operator: Binary, power: u8) -> Res<Node> {
        let at = self.next()?.at;
        let right = self.expression(if operator == Binary::Send { power } else { power + 1 })?;
        let below = left.depth.max(right.depth);
        self.node(at, below, NodeKind::Binary(operator, Box::new([left, right])))
    }

    fn dot(&mut self, left: Node, symbol: &str) -> Res<Node> {
        self.next()?;
        let right = self.expression(power::DOT + 1)?;
        let (at, below) = (right.at, left.depth.max(right.depth));
        self.node(at, below, NodeKind::Dot { sides: Box::new([left, right]), elvis: symbol == "?." })
    }

    fn index(&mut self, left: Node) -> Res<Node> {
        let at = self.next()?.at;
        let mut args = self.arguments("]")?;
        args.insert(0, Arg::Value(left));
        self.call(at, "#indexer", args, NodeKind::Index)
    }

    fn call(&self, at: u32, name: &str, args: Vec<Arg>, kind: fn(Call) -> NodeKind) -> Res<Node> {
        let below = deepest(&args);
        self.node(at, below, kind(Call { name: name.into(), args, overloads: functions::named(name) }))
    }

    fn operand(&mut self) -> Res<Node> {
        let token = self.next()?;
        let at = token.at;
        let leaf = match token.kind {
            TokenKind::Null => NodeKind::Null,
            TokenKind::True => NodeKind::Bool(true),
            TokenKind::False => NodeKind::Bool(false),
            TokenKind::Int(number) => NodeKind::Int(number),
            TokenKind::Float(number) => NodeKind::Float(number),
            TokenKind::Str(text) => NodeKind::Str(text.into()),
            TokenKind::Word(word) => NodeKind::Word(word.into()),
            TokenKind::Variable(name) if name.is_empty() => NodeKind::Variable("1".into()),
            TokenKind::Variable(name) => NodeKind::Variable(name.into()),
            TokenKind::Function(name) => {
                let args = self.arguments(")")?;
                return self.call(at, &name, args, NodeKind::Call);
            }
            TokenKind::Symbol(symbol) => return self.bracket_or_sign(symbol, token),
        };
        self.node(at, 0, leaf)
    }

    fn bracket_or_sign(&mut self, symbol: &str, token: Token) -> Res<Node> {
        let at = token.at;
        match symbol {
            "(" => {
                let inside = self.expression(0)?;
                self.expect(")")?;
                let below = inside.depth;
                self.node(at, below, NodeKind::Wrap(Box::new(inside)))
            }
            "[" => {
                let args = self.arguments("]")?;
                self.node(at, deepest(&args), NodeKind::List(args))
            }
            "{" => {
                let args = self.arguments("}")?;
                self.node(at, deepest(&args), NodeKind::Map(args))
            }
            "+" => self.unary(at, Unary::Plus, power::SIGN),
            "-" => self.unary(at, Unary::Minus, power::SIGN),
            "not" => self.unary(at, Unary::Not, power::NOT),
            _ => Err(unexpected(Some(&token))),
        }
    }

    fn unary(&mut self, at: u32, operator: Unary, power: u8) -> Res<Node> {
        let operand = self.expression(power)?;
        let below = operand.depth;
        self.node(at, below, NodeKind::Unary(operator, Box::new(operand)))
    }

    /// Arguments up to the bracket: values, some of which may be skipped, and then named ones. The last one can't be skipped.
    fn arguments(&mut self, end: &'static str) -> Res<Vec<Arg>> {
        let mut args = Vec::new();
        if self.eat(end) {
            return Ok(args);
        }
        let mut named = false;
        loop {
            if !named && self.eat(",") {
                args.push(Arg::Skipped);
                continue;
            }
            let value = self.expression(0)?;
            if self.eat("=>") {
                self.check_first_name(&args, named)?;
                named = true;
                let target = self.expression(0)?;
                args.push(Arg::Rule(Box::new([value, target])));
            } else if named {
                return Err(unexpected(self.tokens.peek()));
            } else {
                args.push(Arg::Value(value));
            }
            if self.eat(end) {
                return Ok(args);
            }
            self.expect(",")?;
        }
    }

    /// Before the first named argument at most one may be skipped, and only after a value.
    fn check_first_name(&mut self, args: &[Arg], named: bool) -> Res<()> {
        let skipped = args.iter().rev().take_while(|arg| matches!(arg, Arg::Skipped)).count();
        let right = named || skipped == 0 || (skipped == 1 && args.len() > 1);
        if right { Ok(()) } else { Err(unexpected(self.tokens.peek())) }
    }
}

fn deepest(args: &[Arg]) -> u32 {
    let depth = |arg: &Arg| match arg {
        Arg::Value(node) => node.depth,
        Arg::Skipped => 0,
        Arg::Rule(sides) => sides.iter().map(|side| side.depth).max().unwrap_or_default(),
    };
    args.iter().map(depth).max().unwrap_or_default()
}

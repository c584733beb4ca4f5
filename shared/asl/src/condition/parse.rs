//! Reads conditions as far as exclusion needs it: `and`, `or`, `not`, comparisons with literals, how the task ended. Anything else is a
//! subject by its text.

use serde_json::Value;

use super::facts::{Literal, Statuses, Test};

/// Words of functions that need not give the same twice.
const FICKLE: [&str; 4] = ["random", "now", "uuid", "st2kv"];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Status(Statuses),
    Fact(String, Test),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

impl Expression {
    pub(super) const ALWAYS: Expression = Expression::Status(Statuses::ANY);

    pub(super) fn opaque(text: String) -> Expression {
        Expression::Fact(text, Test::True)
    }
}

/// Reads a `when`.
pub(super) fn read(when: &Value, place: usize) -> Expression {
    let never = || Expression::Status(Statuses::ANY.others());
    let text = match when {
        Value::String(text) => text.trim(),
        Value::Null | Value::Bool(false) => return never(),
        other => return Expression::opaque(other.to_string()),
    };
    if text.is_empty() {
        return never();
    }
    if !["<%", "{{", "{%"].iter().any(|opening| text.contains(opening)) {
        return Expression::ALWAYS;
    }
    if FICKLE.iter().any(|word| text.contains(word)) {
        return Expression::opaque(format!("{place}: {text}"));
    }
    let whole = |opening: &str, closing: &str| {
        let inside = text.strip_prefix(opening)?.strip_suffix(closing)?;
        (!inside.contains(opening) && !inside.contains(closing)).then_some(inside)
    };
    let (language, inside) = match (whole("<%", "%>"), whole("{{", "}}")) {
        (Some(inside), _) => ("yaql", inside),
        (_, Some(inside)) => ("jinja", inside),
        _ => return Expression::opaque(text.to_owned()),
    };
    tokens(inside)
        .and_then(|tokens| disjunction(&tokens, language))
        .unwrap_or_else(|| Expression::opaque(text.to_owned()))
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Number(f64),
    Text(String),
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 34] = [
    "==", "!=", "<=", ">=", "=>", "->", "=~", "!~", "?.", "//", "**", "=", "<", ">", "(", ")", "[", "]", "{", "}", ".",
    ",", "+", "-", "*", "/", "%", "|", "~", ":", "$", "?", "@", "!",
];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, behind) = if first == '\'' || first == '"' {
            let inside = rest.strip_prefix(first)?;
            let (quoted, behind) = inside.split_once(first)?;
            // What is escaped is left to the engines.
            if quoted.contains('\\') {
                return None;
            }
            (Token::Text(quoted.to_owned()), behind)
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            let (number, behind) = rest.split_at_checked(end)?;
            (Token::Number(number.parse().ok()?), behind)
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (word, behind) = rest.split_at_checked(end)?;
            (Token::Word(word.to_owned()), behind)
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
            (Token::Sign(sign), rest.strip_prefix(sign)?)
        };
        tokens.push(token);
        rest = behind.trim_start();
    }
    Some(tokens)
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(own) if own == word)
}

/// The parts between a word that stands outside of all brackets.
fn parts<'t>(tokens: &'t [Token], word: &str) -> Option<Vec<&'t [Token]>> {
    let mut depth = 0_i32;
    let outside: Vec<bool> = tokens
        .iter()
        .map(|token| {
            match token {
                Token::Sign("(" | "[" | "{") => depth += 1,
                Token::Sign(")" | "]" | "}") => depth -= 1,
                _ => {}
            }
            depth == 0
        })
        .collect();
    if depth != 0 {
        return None;
    }
    let (mut parts, mut begin) = (Vec::new(), 0);
    for (at, token) in tokens.iter().enumerate() {
        if is_word(token, word) && outside.get(at) == Some(&true) {
            parts.push(tokens.get(begin..at)?);
            begin = at + 1;
        }
    }
    parts.push(tokens.get(begin..)?);
    Some(parts)
}

fn disjunction(tokens: &[Token], language: &str) -> Option<Expression> {
    // What binds less than `or` makes the whole something else.
    let parts = parts(tokens, "or")?;
    let read = parts.into_iter().map(|part| conjunction(part, language)).collect::<Option<Vec<_>>>()?;
    read.into_iter().reduce(|left, right| Expression::Or(Box::new(left), Box::new(right)))
}

fn conjunction(tokens: &[Token], language: &str) -> Option<Expression> {
    let parts = parts(tokens, "and")?;
    let read = parts.into_iter().map(|part| negation(part, language)).collect::<Option<Vec<_>>>()?;
    read.into_iter().reduce(|left, right| Expression::And(Box::new(left), Box::new(right)))
}

fn negation(tokens: &[Token], language: &str) -> Option<Expression> {
    match tokens.split_first()? {
        (first, rest) if is_word(first, "not") => Some(Expression::Not(Box::new(negation(rest, language)?))),
        _ => comparison(tokens, language),
    }
}

/// Signs and words outside of brackets that compare.
fn compares(token: &Token) -> bool {
    match token {
        Token::Sign(sign) => matches!(*sign, "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~"),
        Token::Word(word) => matches!(word.as_str(), "in" | "is" | "not"),
        _ => false,
    }
}

fn comparison(tokens: &[Token], language: &str) -> Option<Expression> {
    if let Some(inside) = in_brackets(tokens) {
        return disjunction(inside, language);
    }
    let mut depth = 0;
    let mut operators = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign("(" | "[" | "{") => depth += 1,
            Token::Sign(")" | "]" | "}") => depth -= 1,
            Token::Sign("=>" | "->" | ",") if depth == 0 => return None,
            Token::Word(word) if depth == 0 && matches!(word.as_str(), "if" | "else") => return None,
            token if depth == 0 && compares(token) => operators.push(at),
            _ => {}
        }
    }
    match operators.as_slice() {
        [] => Some(operand(tokens, language)),
        [at] => {
            let (left, right) = (tokens.get(..*at)?, tokens.get(at + 1..)?);
            compared(left, tokens.get(*at)?, right, language)
        }
        // Which of several binds first is left to the engines.
        _ => Some(Expression::opaque(subject(tokens, language))),
    }
}

/// What is within the brackets around all of it.
fn in_brackets(tokens: &[Token]) -> Option<&[Token]> {
    let [Token::Sign("("), inside @ .., Token::Sign(")")] = tokens else { return None };
    let mut depth = 0;
    for token in inside {
        match token {
            Token::Sign("(") => depth += 1,
            Token::Sign(")") => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    Some(inside)
}

fn operand(tokens: &[Token], language: &str) -> Expression {
    let constant = |holds| if holds { Expression::ALWAYS } else { Expression::Status(Statuses::ANY.others()) };
    match tokens {
        [Token::Word(word), Token::Sign("("), Token::Sign(")")] if word == "succeeded" => {
            Expression::Status(Statuses::SUCCEEDED)
        }
        [Token::Word(word), Token::Sign("("), Token::Sign(")")] if word == "failed" => {
            Expression::Status(Statuses::FAILED)
        }
        [Token::Word(word), Token::Sign("("), Token::Sign(")")] if word == "completed" => Expression::ALWAYS,
        [Token::Word(word)] if matches!(word.as_str(), "true" | "True") => constant(true),
        [Token::Word(word)] if matches!(word.as_str(), "false" | "False") => constant(false),
        _ => Expression::opaque(subject(tokens, language)),
    }
}

fn compared(left: &[Token], operator: &Token, right: &[Token], language: &str) -> Option<Expression> {
    let sign = match operator {
        Token::Sign(sign) => *sign,
        _ => "",
    };
    let (tested, literal, sign) = match (literal(left), literal(right)) {
        (None, Some(literal)) => (left, literal, sign),
        (Some(literal), None) => (right, literal, flipped(sign)),
        _ => return Some(unlike(left, sign, operator, right, language)),
    };
    let test = match (sign, &literal) {
        ("=" | "==", _) => Test::Equals(literal),
        ("!=", _) => Test::Differs(literal),
        ("<", Literal::Number(border)) => Test::Below(*border, false),
        ("<=", Literal::Number(border)) => Test::Below(*border, true),
        (">", Literal::Number(border)) => Test::Above(*border, false),
        (">=", Literal::Number(border)) => Test::Above(*border, true),
        _ => return Some(unlike(left, sign, operator, right, language)),
    };
    // `succeeded() = true` is `succeeded()`.
    let tested_alone = operand(tested, language);
    match (&tested_alone, &test) {
        (Expression::Status(_), Test::Equals(Literal::Number(number))) if *number == 1.0 => Some(tested_alone),
        (Expression::Status(_), Test::Equals(Literal::Number(number))) if *number == 0.0 => {
            Some(Expression::Not(Box::new(tested_alone)))
        }
        (Expression::Status(_), _) => Some(unlike(left, sign, operator, right, language)),
        _ => Some(Expression::Fact(subject(tested, language), test)),
    }
}

/// A comparison with no literal, by its text; `a != b` is the opposite of `a = b`.
fn unlike(left: &[Token], sign: &str, operator: &Token, right: &[Token], language: &str) -> Expression {
    let sides = |sign: &str| format!("{} {sign} {}", subject(left, language), subject(right, language));
    match sign {
        "=" | "==" => Expression::opaque(sides("=")),
        "!=" => Expression::Not(Box::new(Expression::opaque(sides("=")))),
        _ => Expression::opaque(sides(&written(operator))),
    }
}

fn flipped(sign: &str) -> &'static str {
    match sign {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        "!=" => "!=",
        "=" | "==" => "=",
        _ => "",
    }
}

fn literal(tokens: &[Token]) -> Option<Literal> {
    Some(match tokens {
        [Token::Number(number)] => Literal::Number(*number),
        [Token::Sign("-"), Token::Number(number)] => Literal::Number(-number),
        [Token::Text(text)] => Literal::Text(text.clone()),
        [Token::Word(word)] => match word.as_str() {
            "true" | "True" => Literal::Number(1.0),
            "false" | "False" => Literal::Number(0.0),
            "null" | "none" | "None" => Literal::Null,
            _ => return None,
        },
        _ => return None,
    })
}

fn written(token: &Token) -> String {
    match token {
        Token::Word(word) => word.clone(),
        Token::Number(number) => number.to_string(),
        Token::Text(text) => format!("{text:?}"),
        Token::Sign(sign) => (*sign).to_owned(),
    }
}

/// The text of an operand, written in one way: `ctx().x`, `ctx(x)` and `ctx('x')` are the same.
fn subject(tokens: &[Token], language: &str) -> String {
    let (name, rest) = match tokens {
        [Token::Word(ctx), Token::Sign("("), Token::Sign(")"), Token::Sign("."), Token::Word(name), rest @ ..]
            if ctx == "ctx" && !matches!(rest.first(), Some(Token::Sign("("))) =>
        {
            (Some(name), rest)
        }
        [Token::Word(ctx), Token::Sign("("), Token::Text(name), Token::Sign(")"), rest @ ..] if ctx == "ctx" => {
            (Some(name), rest)
        }
        [Token::Word(ctx), Token::Sign("("), Token::Word(name), Token::Sign(")"), rest @ ..]
            if ctx == "ctx" && language == "yaql" =>
        {
            (Some(name), rest)
        }
        _ => (None, tokens),
    };
    let own = name.map(|name| format!("ctx({name})"));
    let parts: Vec<String> = own.into_iter().chain(rest.iter().map(written)).collect();
    format!("{language}: {}", parts.join(" "))
}

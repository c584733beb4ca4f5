//! What the engine doesn't bound by itself.
//!
//! Fuel pays for strings and flat lists, but a list that holds another one twice costs nothing more, and so does a list that is repeated
//! without being made. A few dozen steps of that give values that no memory holds once they are printed, compared or dropped. So a
//! template is compiled with checks added to it: after each tag that binds names, that their values are small and flat enough, and around
//! each `*`, that no list is repeated. What one expression can then make of its variables is bounded by how many it names.

mod names;
mod scan;

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State};
use serde_json::Value as Json;

use crate::error::{ErrorKind, ExpressionError, Limit, fault_with_hint, limit_message, over};
use crate::json::Node;
use crate::limits::Limits;
use scan::{Scanner, Token};

/// The check on a bound name. Jinja2 has no such names, and neither does anybody's content.
const BOUNDED: &str = "__bounded";
/// The check on what is multiplied.
const FACTOR: &str = "__factor";

/// How many variables one tag may name within brackets.
const MOST_NAMES: usize = 128;

/// A template with checks in it.
pub(super) struct Guarded {
    pub(super) text: String,
    /// Where something was added to the original, and how many bytes.
    pub(super) added: Vec<(usize, usize)>,
}

/// Adds the checks. Most templates need none.
pub(super) fn guard(template: &str) -> Result<Guarded, ExpressionError> {
    let mut guarding = Guarding { added: Vec::new(), levels: Vec::new() };
    let mut scanner = Scanner::new(template);
    while let Some(is_block) = scanner.next_tag() {
        guarding.tag(template, &mut scanner, is_block)?;
    }
    Ok(guarding.apply(template))
}

/// An expression between two brackets, or of a whole tag.
#[derive(Default)]
struct Level {
    /// Where the operand ends that was read last.
    operand_end: usize,
    /// Whether it is the right side of a `*`.
    is_factor: bool,
    /// Whether an operator was read last.
    wants_operand: bool,
}

impl Level {
    fn new() -> Level {
        Level { wants_operand: true, ..Level::default() }
    }
}

struct Guarding {
    added: Vec<(usize, String)>,
    levels: Vec<Level>,
}

impl Guarding {
    fn tag(&mut self, template: &str, scanner: &mut Scanner<'_>, is_block: bool) -> Result<(), ExpressionError> {
        self.levels = vec![Level::new()];
        let mut tokens = Vec::new();
        let mut names = 0;
        let mut before = None;
        while let Some(token) = scanner.next_token() {
            let is_attribute = matches!(before, Some(Token { text: "." | "|", .. }));
            if token.is_word && !is_attribute && self.levels.len() > 1 {
                names += 1;
            }
            self.token(&token, is_attribute);
            if is_block {
                tokens.push((token, self.levels.len()));
            }
            before = Some(token);
        }
        self.end_of_factor();
        if names > MOST_NAMES {
            return Err(ExpressionError::new(
                ErrorKind::Limit(Limit::ExpressionSize),
                limit_message(Limit::ExpressionSize),
            ));
        }
        let (at, marker) = scanner.end_of_tag();
        for name in names::bound(&tokens) {
            self.added.push((at, format!("{{% if {name}|{BOUNDED} %}}{{% endif {marker}%}}")));
        }
        debug_assert!(template.is_char_boundary(at));
        Ok(())
    }

    fn token(&mut self, token: &Token<'_>, is_attribute: bool) {
        let wants_operand = self.levels.last().is_some_and(|level| level.wants_operand);
        match token.text {
            "(" | "[" | "{" => self.levels.push(Level::new()),
            ")" | "]" | "}" => {
                self.end_of_factor();
                if self.levels.len() > 1 {
                    self.levels.pop();
                }
                self.operand(token);
            }
            "." | "|" => {}
            "+" | "-" | "*" | "**" if wants_operand => {}
            "not" if wants_operand && !is_attribute => {}
            "*" => {
                self.end_of_factor();
                self.check_factor();
                self.operator(true);
            }
            "and" | "or" | "in" | "if" | "else" | "is" | "not" | "recursive" if !is_attribute => {
                self.end_of_factor();
                self.operator(false);
            }
            _ if token.is_operand => self.operand(token),
            _ => {
                self.end_of_factor();
                self.operator(false);
            }
        }
    }

    fn operand(&mut self, token: &Token<'_>) {
        if let Some(level) = self.levels.last_mut() {
            level.operand_end = token.end;
            level.wants_operand = false;
        }
    }

    fn operator(&mut self, is_factor: bool) {
        if let Some(level) = self.levels.last_mut() {
            level.is_factor = is_factor;
            level.wants_operand = true;
        }
    }

    fn end_of_factor(&mut self) {
        if self.levels.last().is_some_and(|level| level.is_factor && !level.wants_operand) {
            self.check_factor();
            self.operator(false);
        }
    }

    fn check_factor(&mut self) {
        let Some(level) = self.levels.last() else { return };
        let check = (level.operand_end, format!("|{FACTOR}"));
        if self.added.last() != Some(&check) {
            self.added.push(check);
        }
    }

    fn apply(self, template: &str) -> Guarded {
        let mut added = self.added;
        added.sort_by_key(|(at, _)| *at);
        let mut text =
            String::with_capacity(template.len() + added.iter().map(|(_, check)| check.len()).sum::<usize>());
        let mut copied = 0;
        for (at, check) in &added {
            text.push_str(template.get(copied..*at).unwrap_or_default());
            text.push_str(check);
            copied = *at;
        }
        text.push_str(template.get(copied..).unwrap_or_default());
        Guarded { text, added: added.into_iter().map(|(at, check)| (at, check.len())).collect() }
    }
}

/// Registers the checks.
pub(super) fn install(env: &mut Environment<'static>, limits: Limits) {
    env.add_filter(BOUNDED, move |state: &State, args: Rest<ValueOrKwargs>| -> Result<bool, Error> {
        let mut weighing = Weighing { left: limits.bound_values, depth: limits.depth };
        for value in args.into_values() {
            weighing.weigh(&value, 0)?;
        }
        let seen = limits.bound_values - weighing.left;
        state.consume_fuel(u64::try_from(seen / 16).unwrap_or(u64::MAX))?;
        Ok(false)
    });
    env.add_filter(FACTOR, |args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let value = args.into_values().into_iter().next().unwrap_or_default();
        if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
            return Err(fault_with_hint(
                ErrorKind::Unsupported,
                "a list can't be repeated with `*`",
                "write its items, or use `range`",
            ));
        }
        Ok(value)
    });
}

/// Counts a value with everything in it, as often as it is in it.
struct Weighing {
    left: usize,
    depth: usize,
}

impl Weighing {
    fn take(&mut self, level: usize) -> Result<(), Error> {
        if level > self.depth {
            return Err(over(Limit::Depth));
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| over(Limit::Fuel))?;
        Ok(())
    }

    fn weigh(&mut self, value: &Value, level: usize) -> Result<(), Error> {
        if let Some(node) = value.downcast_object_ref::<Node>() {
            return self.weigh_json(node.json());
        }
        self.take(level)?;
        match value.kind() {
            ValueKind::Map => {
                for key in value.try_iter()?.checked() {
                    self.weigh(&value.get_item(&key?)?, level + 1)?;
                }
                Ok(())
            }
            ValueKind::Seq | ValueKind::Iterable => {
                for item in value.try_iter()?.checked() {
                    self.weigh(&item?, level + 1)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Parts of the context may be deep: they stay what they are.
    fn weigh_json(&mut self, json: &Json) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or_else(|| over(Limit::Fuel))?;
        match json {
            Json::Array(items) => items.iter().try_for_each(|item| self.weigh_json(item)),
            Json::Object(entries) => entries.values().try_for_each(|item| self.weigh_json(item)),
            _ => Ok(()),
        }
    }
}

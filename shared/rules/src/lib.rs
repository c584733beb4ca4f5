//! Criteria, operators, index, match, explain.
//!
//! A [`CompiledRule`] says to an [`Event`] whether it matches ([`evaluate`]) and why ([`explain`]); a [`RuleSet`] finds the rules of one
//! trigger that an event matches without trying each. Everything is pure: the payload, the time and the datastore are given. The meaning of
//! operators, keys and patterns is StackStorm's, and so Python's.

mod compiled;
mod criterion;
mod date;
mod event;
mod explain;
mod index;
mod operator;
mod pattern;
mod replay;
mod search;
#[cfg(test)]
mod tests;
mod tree;
mod validate;
mod wildcard;

pub use compiled::{CompiledRule, Verdict, evaluate, failure_reason};
pub use event::{Event, NoKeyValues};
pub use explain::{CriterionExplanation, CriterionVerdict, Explanation, MAX_SHOWN_BYTES, explain};
pub use index::{Match, PreparedError, RuleSet};
pub use operator::Operator;
pub use replay::{Change, Difference, Example, Recorded, Replay, Report, RuleReport};
pub use validate::{CriteriaProblem, validate};

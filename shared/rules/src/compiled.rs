//! A rule made ready, and its verdict on an event.

use expressions::{Scope, python};
use model::{Id, Ref, Rule};
use std::sync::Arc;

use crate::{
    criterion::{Criterion, Failures},
    event::Event,
    pattern::Subject,
};

/// A rule whose keys and patterns are compiled. What can't be compiled does not keep the rest from working: such a criterion fails when
/// the evaluation comes to it.
#[derive(Debug)]
pub struct CompiledRule {
    rule: Arc<Rule>,
    criteria: Vec<Criterion>,
}

/// What a rule says to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every criterion holds.
    Match {
        /// A criterion inside of a `search` could not be evaluated, and the search holds all the same.
        failure: Option<String>,
    },
    /// A criterion does not hold.
    NoMatch {
        /// The key of the first that doesn't.
        criterion: Arc<str>,
    },
    /// A criterion could not be evaluated, so the rule does not match.
    Failed {
        /// Why, for the rule's author.
        reason: String,
    },
}

impl Verdict {
    /// Does the rule want its action?
    pub const fn is_match(&self) -> bool {
        matches!(self, Verdict::Match { .. })
    }

    /// What could not be evaluated, which StackStorm records as a failed enforcement.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Verdict::Match { failure } => failure.as_deref(),
            Verdict::NoMatch { .. } => None,
            Verdict::Failed { reason } => Some(reason),
        }
    }
}

impl CompiledRule {
    /// Compiles a rule.
    pub fn new(rule: Arc<Rule>) -> CompiledRule {
        let criteria = rule.criteria.iter().map(|(key, criterion)| Criterion::compile(key, criterion, 0)).collect();
        CompiledRule { rule, criteria }
    }

    /// The rule itself.
    pub const fn rule(&self) -> &Arc<Rule> {
        &self.rule
    }

    /// The keys of the datastore that its criteria name, so that they can be at hand before it is evaluated. Sorted, each once.
    pub fn datastore_keys(&self) -> Vec<(Scope, String)> {
        let mut keys = Vec::new();
        self.criteria.iter().for_each(|criterion| criterion.datastore_keys(&mut keys));
        keys.sort();
        keys.dedup();
        keys
    }

    pub(crate) fn criteria(&self) -> &[Criterion] {
        &self.criteria
    }
}

/// Evaluates the criteria of a rule in their order, up to the first that does not hold. Whether the rule is enabled is not asked.
pub fn evaluate(rule: &CompiledRule, event: &Event) -> Verdict {
    let no_match = |criterion: &Criterion| Verdict::NoMatch { criterion: Arc::clone(&criterion.key) };
    if let Some(first) = rule.criteria.first().filter(|_| !python::is_truthy(event.payload())) {
        return no_match(first);
    }
    let subject = Subject::payload(event);
    let mut failures = Failures::of(rule.rule.reference.as_str());
    let fails = rule.criteria.iter().find(|criterion| !criterion.holds(&subject, &mut failures));
    match (fails, failures.into_first()) {
        (None, failure) => Verdict::Match { failure },
        (Some(_), Some(reason)) => Verdict::Failed { reason },
        (Some(criterion), None) => no_match(criterion),
    }
}

/// The text that the record of a failed enforcement has.
pub fn failure_reason(rule: &Ref, trigger_instance: Id, reason: &str) -> String {
    format!("Failed to match rule \"{rule}\" against trigger instance \"{trigger_instance}\": {reason}")
}

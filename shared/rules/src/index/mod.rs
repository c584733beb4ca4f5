//! The rules of one trigger, found without trying each.
//!
//! For every rule one criterion is chosen by which the rule is found: the value or the beginning that it asks for, or a text that must be
//! contained. An event looks its own values up and gets the few rules that can matter; those are evaluated in full. A rule is left out only
//! where evaluating it would come to "no match" for certain: the chosen criterion is false without failing, and those before it can't
//! fail either. [`RuleSet::matches_one_by_one`] is the specification.

mod access;
mod choice;
mod table;

use model::{Ref, Rule, RuleKind};
use serde_json::Value;
use std::sync::Arc;

use crate::{
    compiled::{CompiledRule, Verdict, evaluate},
    event::Event,
};
use table::Tables;

/// A rule that matched, or that could not be evaluated.
#[derive(Clone, Debug)]
pub struct Match {
    /// The rule.
    pub rule: Arc<CompiledRule>,
    /// A match or a failure.
    pub verdict: Verdict,
}

/// The enabled rules of one trigger. Immutable; a change makes a new set, which shares every compiled rule with the old one.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Standard rules, then backstops.
    rules: Vec<Arc<CompiledRule>>,
    backstops_from: usize,
    tables: Tables,
}

impl RuleSet {
    /// Compiles rules and indexes them. Disabled ones are left out.
    pub fn build(rules: impl IntoIterator<Item = Arc<Rule>>) -> RuleSet {
        RuleSet::from_compiled(rules.into_iter().map(|rule| Arc::new(CompiledRule::new(rule))))
    }

    /// Indexes rules that are compiled already.
    pub fn from_compiled(rules: impl IntoIterator<Item = Arc<CompiledRule>>) -> RuleSet {
        RuleSet::from_sample(rules, &[])
    }

    /// The same, where some typical payloads are known: they tell which criteria are rarely fulfilled, and so are best to find rules by.
    pub fn from_sample(rules: impl IntoIterator<Item = Arc<CompiledRule>>, payloads: &[Value]) -> RuleSet {
        let mut rules: Vec<_> = rules.into_iter().filter(|rule| rule.rule().enabled).collect();
        rules.sort_by_key(|rule| rule.rule().kind == RuleKind::Backstop);
        let backstops_from = rules.iter().take_while(|rule| rule.rule().kind == RuleKind::Standard).count();
        let tables = choice::choose(&rules, payloads);
        RuleSet { rules, backstops_from, tables }
    }

    /// The set with this rule added, or put in the place of the one with its ref.
    #[must_use]
    pub fn with(&self, rule: Arc<Rule>) -> RuleSet {
        let others = self.rules_but(&rule.reference);
        RuleSet::from_compiled(others.chain([Arc::new(CompiledRule::new(Arc::clone(&rule)))]))
    }

    /// The set without the rule of that ref.
    #[must_use]
    pub fn without(&self, reference: &Ref) -> RuleSet {
        RuleSet::from_compiled(self.rules_but(reference))
    }

    fn rules_but(&self, reference: &Ref) -> impl Iterator<Item = Arc<CompiledRule>> {
        self.rules.iter().filter(move |rule| rule.rule().reference != *reference).map(Arc::clone)
    }

    /// Its rules, standard ones first.
    pub fn rules(&self) -> &[Arc<CompiledRule>] {
        &self.rules
    }

    /// The rules that match the event or fail on it, standard ones first. Backstops are tried only where no standard rule matches.
    pub fn matches(&self, event: &Event) -> Vec<Match> {
        let mut candidates = Vec::new();
        self.tables.candidates(event.payload(), &mut candidates);
        candidates.sort_unstable();
        candidates.dedup();
        let candidates = candidates.into_iter().filter_map(|id| usize::try_from(id).ok());
        self.verdicts(candidates, event)
    }

    /// What [`matches`](RuleSet::matches) must come to: each rule is evaluated.
    pub fn matches_one_by_one(&self, event: &Event) -> Vec<Match> {
        self.verdicts(0..self.rules.len(), event)
    }

    fn verdicts(&self, candidates: impl Iterator<Item = usize>, event: &Event) -> Vec<Match> {
        let mut matches = Vec::new();
        let mut matched = false;
        for id in candidates {
            if matched && id >= self.backstops_from {
                break;
            }
            let Some(rule) = self.rules.get(id) else { continue };
            let verdict = evaluate(rule, event);
            matched |= verdict.is_match() && id < self.backstops_from;
            if !matches!(verdict, Verdict::NoMatch { .. }) {
                matches.push(Match { rule: Arc::clone(rule), verdict });
            }
        }
        matches
    }
}

#[cfg(test)]
mod tests;

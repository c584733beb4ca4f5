//! The rules of one trigger, found without trying each.
//!
//! For every rule one criterion is chosen by which the rule is found: the value or the beginning that it asks for, or a text that must be
//! contained. An event looks its own values up and gets the few rules that can matter; of those the criteria are put to the values as short
//! programs of numbers, and only what these can't tell (templates, paths with wildcards, failures) is evaluated as written. A rule is left out
//! only where evaluating it would come to "no match" for certain. [`RuleSet::matches_one_by_one`] is the specification.

mod choice;
mod compile;
mod facts;
mod lists;
mod literals;
mod plan;
mod postings;
mod prepared;
mod scan;
mod slot;
mod tables;
#[cfg(test)]
mod tests;
mod tier;
mod trie;

use expressions::KeyValues;
use model::{Ref, Rule, RuleKind, Timestamp};
use serde_json::Value;
use std::{cell::OnceCell, iter, sync::Arc};

use crate::{
    compiled::{CompiledRule, Verdict, evaluate},
    event::Event,
};
pub use prepared::PreparedError;
use slot::Slots;
use tier::Tier;
use trie::Trie;

/// A rule that matched, or that could not be evaluated.
#[derive(Clone, Debug)]
pub struct Match<'a> {
    /// The rule.
    pub rule: &'a Arc<CompiledRule>,
    /// A match or a failure.
    pub verdict: Verdict,
}

/// The enabled rules of one trigger. Immutable; a change makes a new set, which shares all that did not change with the old one.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    base: Arc<Tier>,
    /// Rules of the base that were changed or removed since it was built, in order.
    gone: Arc<[u32]>,
    /// Rules that were changed or added since.
    delta: Arc<Tier>,
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
        let enabled = rules.into_iter().filter(|rule| rule.rule().enabled).collect();
        RuleSet { base: Arc::new(Tier::build(enabled, payloads)), ..RuleSet::default() }
    }

    /// The set with this rule added, or put in the place of the one with its ref. Only the rules that changed since the set was built are
    /// indexed again: see [`changed`](RuleSet::changed).
    #[must_use]
    pub fn with(&self, rule: Arc<Rule>) -> RuleSet {
        let enabled = rule.enabled;
        let set = self.without(&rule.reference);
        if !enabled {
            return set;
        }
        let added = Arc::new(CompiledRule::new(rule));
        let delta = delta_rules(&set.delta).chain(iter::once(added)).collect();
        RuleSet { delta: Arc::new(Tier::build(delta, &[])), ..set }
    }

    /// The set without the rule of that ref.
    #[must_use]
    pub fn without(&self, reference: &Ref) -> RuleSet {
        let mut set = self.clone();
        if let Some(id) = self.base.position(reference)
            && let Err(at) = self.gone.binary_search(&id)
        {
            let mut gone = self.gone.to_vec();
            gone.insert(at, id);
            set.gone = gone.into();
        }
        if self.delta.position(reference).is_some() {
            let others = delta_rules(&self.delta).filter(|rule| rule.rule().reference != *reference).collect();
            set.delta = Arc::new(Tier::build(others, &[]));
        }
        set
    }

    /// How many rules were changed since the set was built as a whole. Every one of them makes the next change and each match a little
    /// dearer, so some hundred are a reason to build it anew.
    pub fn changed(&self) -> usize {
        self.gone.len() + self.delta.len()
    }

    /// How many rules it has.
    pub fn len(&self) -> usize {
        self.base.len() - self.gone.len() + self.delta.len()
    }

    /// Has it none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its rules, standard ones first.
    pub fn rules(&self) -> Vec<Arc<CompiledRule>> {
        let kept = (0_u32..).take(self.base.len()).filter(|id| self.gone.binary_search(id).is_err());
        let base = kept.filter_map(|id| self.base.rule(id).cloned());
        let mut rules: Vec<_> = base.chain(delta_rules(&self.delta)).collect();
        rules.sort_by_key(|rule| rule.rule().kind == RuleKind::Backstop);
        rules
    }

    /// The rules that match the event or fail on it, standard ones first. Backstops are tried only where no standard rule matches.
    pub fn matches(&self, event: &Event) -> Vec<Match<'_>> {
        self.matches_of(&Source::Event(event)).unwrap_or_default()
    }

    /// The same for a payload as JSON, of which no document is built unless a rule needs one. The error says that it is no JSON.
    pub fn matches_json(
        &self,
        payload: &[u8],
        now: Timestamp,
        key_values: &Arc<dyn KeyValues>,
    ) -> Result<Vec<Match<'_>>, serde_json::Error> {
        self.matches_of(&Source::Json { payload, now, key_values: Arc::clone(key_values), event: OnceCell::new() })
    }

    fn matches_of(&self, source: &Source<'_>) -> Result<Vec<Match<'_>>, serde_json::Error> {
        let mut matches = Vec::new();
        let mut turns = [(self.base.turn(source)?, &*self.gone), (self.delta.turn(source)?, &[][..])];
        for (turn, gone) in &mut turns {
            turn.iter_mut().try_for_each(|turn| turn.standard(gone, source, &mut matches))?;
        }
        if !matches.iter().any(|found| found.verdict.is_match()) {
            for (turn, _) in &mut turns {
                turn.iter_mut().try_for_each(|turn| turn.backstops(source, &mut matches))?;
            }
        }
        turns.into_iter().filter_map(|(turn, _)| turn).for_each(tier::Turn::end);
        Ok(matches)
    }

    /// What [`matches`](RuleSet::matches) must come to, in any order: each rule is evaluated.
    pub fn matches_one_by_one(&self, event: &Event) -> Vec<(Ref, Verdict)> {
        let rules = self.rules();
        let (standard, backstops): (Vec<_>, Vec<_>) =
            rules.iter().partition(|rule| rule.rule().kind == RuleKind::Standard);
        let tried = |rules: Vec<&Arc<CompiledRule>>| -> Vec<(Ref, Verdict)> {
            let verdicts = rules.into_iter().map(|rule| (rule.rule().reference.clone(), evaluate(rule, event)));
            verdicts.filter(|(_, verdict)| !matches!(verdict, Verdict::NoMatch { .. })).collect()
        };
        let mut matches = tried(standard);
        if !matches.iter().any(|(_, verdict)| verdict.is_match()) {
            matches.extend(tried(backstops));
        }
        matches
    }
}

fn delta_rules(delta: &Tier) -> impl Iterator<Item = Arc<CompiledRule>> {
    (0_u32..).take(delta.len()).filter_map(|id| delta.rule(id).cloned())
}

/// Where the values of an event come from.
enum Source<'a> {
    Event(&'a Event),
    Json {
        payload: &'a [u8],
        now: Timestamp,
        key_values: Arc<dyn KeyValues>,
        /// Once a rule needs all of it.
        event: OnceCell<Event>,
    },
}

impl<'a> Source<'a> {
    fn event(&self) -> Result<&Event, serde_json::Error> {
        match self {
            Source::Event(event) => Ok(event),
            Source::Json { payload, now, key_values, event } => {
                if let Some(event) = event.get() {
                    return Ok(event);
                }
                let value: Value = serde_json::from_slice(payload)?;
                Ok(event.get_or_init(|| Event::new(value, *now, Arc::clone(key_values))))
            }
        }
    }

    fn slots(&self, trie: &Trie, visited: &mut Vec<bool>) -> Result<Slots<'a>, serde_json::Error> {
        match self {
            Source::Event(event) => Ok(Slots::of(trie, event.payload())),
            Source::Json { payload, .. } => match scan::scan(trie, payload, visited) {
                Some(slots) => Ok(slots),
                None => Ok(Slots::of(trie, self.event()?.payload()).into_owned()),
            },
        }
    }
}

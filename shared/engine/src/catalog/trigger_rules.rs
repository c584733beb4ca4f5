//! The rules that listen to one trigger, compiled.

use model::{Ref, Rule, Trigger};
use rules::{CompiledRule, Event, RuleSet, Verdict};
use std::{collections::HashMap, sync::Arc};

/// Changes that are worked into an index one by one.
const MOST_CHANGES: usize = 128;

/// The enabled rules of one trigger.
#[derive(Debug)]
pub struct TriggerRules {
    /// The trigger.
    pub trigger: Trigger,
    rules: Vec<Arc<Rule>>,
    set: RuleSet,
}

/// A rule that wants its action, or one that could not be evaluated and why.
pub(crate) struct Hit {
    pub(crate) rule: Arc<Rule>,
    pub(crate) failure: Option<String>,
}

impl TriggerRules {
    pub(super) fn new(trigger: Trigger, rules: Vec<Arc<Rule>>) -> TriggerRules {
        let set = RuleSet::build(rules.iter().map(Arc::clone));
        TriggerRules { trigger, rules, set }
    }

    /// The same with these rules instead; those that are the very same are not compiled again. Few changes are worked in, many are a reason
    /// to index all anew.
    pub(super) fn with(&self, rules: Vec<Arc<Rule>>) -> TriggerRules {
        let old: HashMap<&Ref, &Arc<Rule>> = self.rules.iter().map(|rule| (&rule.reference, rule)).collect();
        let new: HashMap<&Ref, &Arc<Rule>> = rules.iter().map(|rule| (&rule.reference, rule)).collect();
        let gone: Vec<&Ref> = old.keys().filter(|name| !new.contains_key(*name)).copied().collect();
        let changed: Vec<_> = rules.iter().filter(|rule| old.get(&rule.reference) != Some(rule)).collect();
        let set = if self.set.changed() + gone.len() + changed.len() <= MOST_CHANGES {
            let set = gone.into_iter().fold(self.set.clone(), |set, name| set.without(name));
            changed.into_iter().fold(set, |set, rule| set.with(Arc::clone(rule)))
        } else {
            let known: HashMap<Ref, Arc<CompiledRule>> =
                self.set.rules().into_iter().map(|rule| (rule.rule().reference.clone(), rule)).collect();
            RuleSet::from_compiled(rules.iter().map(|rule| match known.get(&rule.reference) {
                Some(compiled) if compiled.rule() == rule => Arc::clone(compiled),
                _ => Arc::new(CompiledRule::new(Arc::clone(rule))),
            }))
        };
        TriggerRules { trigger: self.trigger.clone(), rules, set }
    }

    /// Are these the very rules that it was compiled from?
    pub(super) fn are(&self, rules: &[Arc<Rule>]) -> bool {
        self.rules == rules
    }

    /// The rules, standard ones first.
    pub fn rules(&self) -> Vec<Arc<CompiledRule>> {
        self.set.rules()
    }

    /// The rules that match, and those that could not be evaluated.
    pub(crate) fn hits(&self, event: &Event) -> Vec<Hit> {
        let hit = |found: rules::Match<'_>| match found.verdict {
            Verdict::Match { .. } => Some(Hit { rule: Arc::clone(found.rule.rule()), failure: None }),
            Verdict::Failed { reason } => Some(Hit { rule: Arc::clone(found.rule.rule()), failure: Some(reason) }),
            Verdict::NoMatch { .. } => None,
        };
        self.set.matches(event).into_iter().filter_map(hit).collect()
    }
}

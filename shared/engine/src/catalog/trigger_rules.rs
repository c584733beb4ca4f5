//! The rules that listen to one trigger, compiled.

use model::{Rule, Trigger};
use rules::{CompiledRule, Event, RuleSet, Verdict};
use std::sync::Arc;

/// The enabled rules of one trigger.
#[derive(Debug)]
pub struct TriggerRules {
    /// The trigger.
    pub trigger: Trigger,
    set: RuleSet,
}

/// A rule that wants its action, or one that could not be evaluated and why.
pub(crate) struct Hit {
    pub(crate) rule: Arc<Rule>,
    pub(crate) failure: Option<String>,
}

impl TriggerRules {
    pub(super) fn new(trigger: Trigger, rules: Vec<Arc<Rule>>) -> TriggerRules {
        TriggerRules { trigger, set: RuleSet::build(rules) }
    }

    /// The same with these rules instead; those that are the very same are not compiled again.
    pub(super) fn with(&self, rules: &[Arc<Rule>]) -> TriggerRules {
        let known = |rule: &Arc<Rule>| self.set.rules().iter().find(|compiled| compiled.rule() == rule).cloned();
        let compiled =
            rules.iter().map(|rule| known(rule).unwrap_or_else(|| Arc::new(CompiledRule::new(Arc::clone(rule)))));
        TriggerRules { trigger: self.trigger.clone(), set: RuleSet::from_compiled(compiled) }
    }

    /// Are these the very rules that it was compiled from?
    pub(super) fn are(&self, rules: &[Arc<Rule>]) -> bool {
        self.set.rules().len() == rules.len()
            && self.set.rules().iter().zip(rules).all(|(compiled, rule)| compiled.rule() == rule)
    }

    /// The rules.
    pub fn rules(&self) -> &[Arc<CompiledRule>] {
        self.set.rules()
    }

    /// The rules that match, and those that could not be evaluated.
    pub(crate) fn hits(&self, event: &Event) -> Vec<Hit> {
        let hit = |found: rules::Match| match found.verdict {
            Verdict::Match { .. } => Some(Hit { rule: Arc::clone(found.rule.rule()), failure: None }),
            Verdict::Failed { reason } => Some(Hit { rule: Arc::clone(found.rule.rule()), failure: Some(reason) }),
            Verdict::NoMatch { .. } => None,
        };
        self.set.matches(event).into_iter().filter_map(hit).collect()
    }
}

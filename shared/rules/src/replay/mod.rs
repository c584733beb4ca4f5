//! Time travel: two sets of rules over the same events, and what the second would do otherwise. Nothing is requested, written or counted,
//! so a rule's throttle is left aside.

mod inputs;
mod report;
#[cfg(test)]
mod tests;

use expressions::{Jinja, KeyValues};
use model::{Ref, Rule, RuleKind, Timestamp, Trigger};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    compiled::{CompiledRule, Verdict, evaluate},
    event::{Event, NoKeyValues},
    index::RuleSet,
};
pub use report::{Change, Difference, Example, Report, RuleReport};

/// An event as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The trigger instance's id.
    pub id: &'a str,
    /// The ref of its trigger.
    pub trigger: &'a str,
    /// When it happened; this counts as now.
    pub at: Timestamp,
    /// What it carries, as JSON.
    pub payload: &'a [u8],
}

/// The comparison at work: event by event, with nothing kept of one but a few examples.
pub struct Replay {
    old: Side,
    new: Side,
    pairs: Vec<Pair>,
    places: HashMap<Ref, usize>,
    events: u64,
    unheard: u64,
    most_examples: usize,
    jinja: Jinja,
    keys: Arc<dyn KeyValues>,
}

/// One set of rules, the enabled ones indexed by the ref of their trigger.
struct Side {
    sets: HashMap<String, RuleSet>,
}

/// A rule as it was and as it is to be.
struct Pair {
    old: Option<Arc<CompiledRule>>,
    new: Option<Arc<CompiledRule>>,
    /// What it asks its actions for is written otherwise.
    asks_otherwise: bool,
    report: RuleReport,
}

/// What one side says of an event: the places of its rules.
#[derive(Default)]
struct Said {
    /// Does any listen to the trigger?
    heard: bool,
    /// Those that match, in order.
    fired: Vec<usize>,
    /// Those that can't be evaluated.
    failed: Vec<usize>,
}

impl Side {
    fn new(rules: &[Arc<CompiledRule>]) -> Side {
        let mut by_trigger: HashMap<String, Vec<Arc<CompiledRule>>> = HashMap::new();
        for rule in rules.iter().filter(|rule| rule.rule().enabled) {
            by_trigger.entry(trigger_of(rule.rule())).or_default().push(Arc::clone(rule));
        }
        Side { sets: by_trigger.into_iter().map(|(name, rules)| (name, RuleSet::from_compiled(rules))).collect() }
    }
}

impl Replay {
    /// Compares what `old` did with what `new` would do, and keeps at most so many examples of each difference. There is no datastore: its
    /// keys are empty for both.
    pub fn new(old: Vec<Rule>, new: Vec<Rule>, most_examples: usize) -> Replay {
        let compile = |rules: Vec<Rule>| -> Vec<Arc<CompiledRule>> {
            rules.into_iter().map(|rule| Arc::new(CompiledRule::new(Arc::new(rule)))).collect()
        };
        let (old, new) = (compile(old), compile(new));
        let mut both: BTreeMap<Ref, (Option<_>, Option<_>)> = BTreeMap::new();
        for rule in &old {
            both.entry(rule.rule().reference.clone()).or_default().0 = Some(Arc::clone(rule));
        }
        for rule in &new {
            both.entry(rule.rule().reference.clone()).or_default().1 = Some(Arc::clone(rule));
        }
        let pairs: Vec<Pair> = both.into_iter().map(|(reference, (old, new))| Pair::new(reference, old, new)).collect();
        Replay {
            old: Side::new(&old),
            new: Side::new(&new),
            places: pairs.iter().enumerate().map(|(at, pair)| (pair.report.rule.clone(), at)).collect(),
            pairs,
            events: 0,
            unheard: 0,
            most_examples,
            jinja: Jinja::default(),
            keys: Arc::new(NoKeyValues),
        }
    }

    /// Takes the next event. The error says that its payload is no JSON; then it does not count.
    pub fn event(&mut self, event: &Recorded<'_>) -> Result<(), serde_json::Error> {
        let (old, new) = (self.said(&self.old, event)?, self.said(&self.new, event)?);
        self.events += 1;
        self.unheard += u64::from(!old.heard && !new.heard);
        for at in old.failed {
            self.pairs.get_mut(at).into_iter().for_each(|pair| pair.report.failed_before += 1);
        }
        for at in new.failed {
            self.pairs.get_mut(at).into_iter().for_each(|pair| pair.report.failed_after += 1);
        }
        let mut whole = Whole { event, keys: &self.keys, parsed: None };
        for at in &old.fired {
            let Some(pair) = self.pairs.get_mut(*at) else { continue };
            pair.report.fired_before += 1;
            if new.fired.binary_search(at).is_err() {
                pair.no_longer(&mut whole, self.most_examples)?;
            }
        }
        for at in &new.fired {
            let Some(pair) = self.pairs.get_mut(*at) else { continue };
            pair.report.fires_after += 1;
            match old.fired.binary_search(at) {
                Ok(_) => pair.again(&mut whole, &self.jinja, self.most_examples)?,
                Err(_) => pair.newly(&mut whole, self.most_examples)?,
            }
        }
        Ok(())
    }

    /// What came out, rule by rule in the order of their refs.
    pub fn finish(self) -> Report {
        let rules = self.pairs.into_iter().map(|pair| pair.report).collect();
        Report { events: self.events, unheard: self.unheard, rules }
    }

    fn said(&self, side: &Side, event: &Recorded<'_>) -> Result<Said, serde_json::Error> {
        let mut said = Said::default();
        let Some(set) = side.sets.get(event.trigger) else { return Ok(said) };
        said.heard = true;
        for found in set.matches_json(event.payload, event.at, &self.keys)? {
            let Some(at) = self.places.get(&found.rule.rule().reference) else { continue };
            match found.verdict {
                Verdict::Match { .. } => said.fired.push(*at),
                Verdict::Failed { .. } => said.failed.push(*at),
                Verdict::NoMatch { .. } => {}
            }
        }
        said.fired.sort_unstable();
        Ok(said)
    }
}

/// An event whose payload is read once a rule has to be looked at closely.
struct Whole<'a> {
    event: &'a Recorded<'a>,
    keys: &'a Arc<dyn KeyValues>,
    parsed: Option<Event>,
}

impl Whole<'_> {
    fn event(&mut self) -> Result<&Event, serde_json::Error> {
        let parsed = match self.parsed.take() {
            Some(parsed) => parsed,
            None => {
                let payload: Value = serde_json::from_slice(self.event.payload)?;
                Event::new(payload, self.event.at, Arc::clone(self.keys))
            }
        };
        Ok(self.parsed.insert(parsed))
    }

    fn example(&self) -> Example {
        Example { trigger_instance: self.event.id.to_owned(), occurrence_time: self.event.at, ..Example::default() }
    }
}

impl Pair {
    fn new(rule: Ref, old: Option<Arc<CompiledRule>>, new: Option<Arc<CompiledRule>>) -> Pair {
        let both = old.as_ref().zip(new.as_ref()).map(|(old, new)| (old.rule(), new.rule()));
        let change = match (&old, &new, both) {
            (_, _, Some((old, new))) if does_the_same(old, new) => Change::Unchanged,
            (_, None, _) => Change::Removed,
            (None, _, _) => Change::Added,
            _ => Change::Changed,
        };
        let reads = |rule: &Option<Arc<CompiledRule>>| {
            rule.as_ref().is_some_and(|rule| !rule.datastore_keys().is_empty() || inputs::read_datastore(rule.rule()))
        };
        let reads_datastore = reads(&old) || reads(&new);
        let asks_otherwise = both.is_some_and(|(old, new)| !inputs::are_written_alike(old, new));
        Pair { old, new, asks_otherwise, report: RuleReport::new(rule, change, reads_datastore) }
    }

    fn no_longer(&mut self, whole: &mut Whole<'_>, most: usize) -> Result<(), serde_json::Error> {
        if self.report.no_longer_fires.count_one(most) {
            let why = why_not(self.new.as_deref(), whole, "removed")?;
            self.report.no_longer_fires.examples.push(Example { why: Some(why), ..whole.example() });
        }
        Ok(())
    }

    fn newly(&mut self, whole: &mut Whole<'_>, most: usize) -> Result<(), serde_json::Error> {
        if self.report.newly_fires.count_one(most) {
            let why = why_not(self.old.as_deref(), whole, "added")?;
            self.report.newly_fires.examples.push(Example { why: Some(why), ..whole.example() });
        }
        Ok(())
    }

    /// It fired and fires: with the same inputs?
    fn again(&mut self, whole: &mut Whole<'_>, jinja: &Jinja, most: usize) -> Result<(), serde_json::Error> {
        let (Some(old), Some(new), true) = (&self.old, &self.new, self.asks_otherwise) else { return Ok(()) };
        let differing = inputs::compare(old.rule(), new.rule(), whole.event()?, jinja);
        let Some((before, after)) = differing else { return Ok(()) };
        if self.report.other_inputs.count_one(most) {
            let example = Example { before: Some(before), after: Some(after), ..whole.example() };
            self.report.other_inputs.examples.push(example);
        }
        Ok(())
    }
}

/// Why this rule does not fire on an event on which the other side's does.
fn why_not(
    rule: Option<&CompiledRule>,
    whole: &mut Whole<'_>,
    where_there_is_none: &str,
) -> Result<String, serde_json::Error> {
    let Some(rule) = rule else { return Ok(format!("the rule is {where_there_is_none}")) };
    if !rule.rule().enabled {
        return Ok("the rule is disabled".to_owned());
    }
    if trigger_of(rule.rule()) != whole.event.trigger {
        return Ok(format!("the rule listens to {}", trigger_of(rule.rule())));
    }
    Ok(match evaluate(rule, whole.event()?) {
        Verdict::NoMatch { criterion } => format!("{criterion} does not hold"),
        Verdict::Failed { reason } => reason,
        Verdict::Match { .. } if rule.rule().kind == RuleKind::Backstop => {
            "the rule is a backstop, and another one matches".to_owned()
        }
        Verdict::Match { .. } => "it matches".to_owned(),
    })
}

fn trigger_of(rule: &Rule) -> String {
    let trigger = Trigger::new(rule.trigger.kind.clone(), rule.trigger.parameters.clone());
    trigger.reference().map_or_else(|_| trigger.kind.to_string(), |reference| reference.to_string())
}

/// Descriptions, tags and where it was written aside.
fn does_the_same(old: &Rule, new: &Rule) -> bool {
    let what = |rule: &Rule| (rule.enabled, rule.kind, trigger_of(rule));
    // Criteria are tried in their order.
    let criteria = old.criteria.iter().eq(new.criteria.iter());
    what(old) == what(new) && criteria && old.throttle == new.throttle && inputs::are_written_alike(old, new)
}

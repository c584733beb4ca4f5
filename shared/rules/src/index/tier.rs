//! Rules with the tables by which they are found: what a set of rules is made of.

use bytes::Bytes;
use expressions::regexes::Matcher;
use model::{Ref, RuleKind};
use serde_json::Value;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{
    Match, Source, choice,
    facts::Facts,
    plan::{Kind, Op, Plan, Test},
    slot::{Slot, Slots},
    tables::{Looked, Tables},
};
use crate::{
    compiled::{CompiledRule, Verdict, evaluate},
    operator::lower,
};

/// Rules, standard ones first.
#[derive(Debug, Default)]
pub(super) struct Tier {
    rules: Rules,
    backstops_from: u32,
    plan: Plan,
    tables: Tables,
    /// By pattern, once it was needed.
    matchers: Vec<OnceLock<Option<Matcher>>>,
    /// What an event needs while it is matched, to be used again.
    #[expect(clippy::vec_box, reason = "each event moves one out and in")]
    idle: Mutex<Vec<Box<Scratch>>>,
}

/// The rules themselves.
#[derive(Debug)]
pub(super) enum Rules {
    Compiled(Vec<Arc<CompiledRule>>),
    /// As JSON, each read when it is first needed.
    Written(Written),
}

#[derive(Debug)]
pub(super) struct Written {
    pub(super) bytes: Bytes,
    /// Where each rule ends.
    pub(super) ends: Vec<u32>,
    /// The refs, one after the other, and where each ends.
    pub(super) refs: String,
    pub(super) ref_ends: Vec<u32>,
    pub(super) compiled: Vec<OnceLock<Option<Arc<CompiledRule>>>>,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::Compiled(Vec::new())
    }
}

#[derive(Debug, Default)]
struct Scratch {
    epoch: u32,
    looked: Looked,
    /// For each pattern, the last event that was asked, twice, plus one where it matched.
    patterns: Vec<u64>,
    visited: Vec<bool>,
}

/// What the first criteria of a rule come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    /// It takes the whole rule and the whole payload.
    Unknown,
}

impl Tier {
    /// Indexes rules; `payloads` are typical ones.
    pub(super) fn build(mut rules: Vec<Arc<CompiledRule>>, payloads: &[Value]) -> Tier {
        rules.sort_by_key(|rule| rule.rule().kind == RuleKind::Backstop);
        let standard = rules.iter().take_while(|rule| rule.rule().kind == RuleKind::Standard).count();
        let plan = choice::plan(&rules, payloads);
        Tier::new(Rules::Compiled(rules), super::compile::as_u32(standard), plan)
    }

    pub(super) fn new(rules: Rules, backstops_from: u32, plan: Plan) -> Tier {
        Tier {
            rules,
            backstops_from,
            tables: Tables::build(&plan, true),
            matchers: plan.patterns.iter().map(|_| OnceLock::new()).collect(),
            idle: Mutex::default(),
            plan,
        }
    }

    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) const fn backstops_from(&self) -> u32 {
        self.backstops_from
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn rule(&self, id: u32) -> Option<&Arc<CompiledRule>> {
        self.rules.get(id as usize)
    }

    /// The number of the rule of that ref.
    pub(super) fn position(&self, reference: &Ref) -> Option<u32> {
        self.rules.position(reference).and_then(|at| u32::try_from(at).ok())
    }

    /// Finds whom an event may concern. `None` where there is nothing in the tier.
    pub(super) fn turn<'a, 'e>(&'a self, source: &Source<'e>) -> Result<Option<Turn<'a, 'e>>, serde_json::Error> {
        if self.len() == 0 {
            return Ok(None);
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch = idle.unwrap_or_else(|| self.scratch());
        scratch.epoch += 1;
        if scratch.epoch >= u32::MAX / 2 {
            scratch = self.scratch();
            scratch.epoch = 1;
        }
        let slots = source.slots(&self.tables.trie, &mut scratch.visited)?;
        let looked = &mut scratch.looked;
        looked.candidates.extend(&self.plan.always);
        self.tables.look_up(&slots, looked);
        self.tables.collect(looked);
        Ok(Some(Turn { tier: self, scratch, slots, backstops: Vec::new() }))
    }

    fn scratch(&self) -> Box<Scratch> {
        let looked = Looked::new(&self.tables, self.len());
        Box::new(Scratch { epoch: 0, looked, patterns: vec![0; self.plan.patterns.len()], visited: Vec::new() })
    }

    fn matcher(&self, pattern: u32) -> Option<&Matcher> {
        let matcher = self.matchers.get(pattern as usize)?.get_or_init(|| {
            let source = self.plan.patterns.get(pattern as usize)?;
            Matcher::new(&source.pattern, source.flags()).ok()
        });
        matcher.as_ref()
    }
}

impl Rules {
    fn len(&self) -> usize {
        match self {
            Rules::Compiled(rules) => rules.len(),
            Rules::Written(written) => written.compiled.len(),
        }
    }

    fn get(&self, at: usize) -> Option<&Arc<CompiledRule>> {
        match self {
            Rules::Compiled(rules) => rules.get(at),
            Rules::Written(written) => written.compiled.get(at)?.get_or_init(|| written.read(at)).as_ref(),
        }
    }

    fn position(&self, reference: &Ref) -> Option<usize> {
        match self {
            Rules::Compiled(rules) => rules.iter().position(|rule| rule.rule().reference == *reference),
            Rules::Written(written) => written.position(reference.as_str()),
        }
    }
}

impl Written {
    fn read(&self, at: usize) -> Option<Arc<CompiledRule>> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        let json = self.bytes.get(start as usize..*self.ends.get(at)? as usize)?;
        serde_json::from_slice(json).ok().map(|rule| Arc::new(CompiledRule::new(Arc::new(rule))))
    }

    fn position(&self, reference: &str) -> Option<usize> {
        let mut start = 0;
        self.ref_ends.iter().position(|end| {
            let found = self.refs.get(start..*end as usize) == Some(reference);
            start = *end as usize;
            found
        })
    }
}

/// One event in one tier.
pub(super) struct Turn<'a, 'e> {
    tier: &'a Tier,
    scratch: Box<Scratch>,
    slots: Slots<'e>,
    /// Each with whether it matches for sure.
    backstops: Vec<(u32, bool)>,
}

impl<'a, 'e> Turn<'a, 'e> {
    /// The standard rules that match or fail, but for those that are gone. Backstops are put aside.
    pub(super) fn standard(
        &mut self,
        gone: &[u32],
        source: &Source<'e>,
        matches: &mut Vec<Match<'a>>,
    ) -> Result<(), serde_json::Error> {
        let mut candidates = std::mem::take(&mut self.scratch.looked.candidates);
        let mut failed = Ok(());
        candidates.drain(|id, sure| {
            if !gone.is_empty() && gone.binary_search(&id).is_ok() {
                return;
            }
            if id >= self.tier.backstops_from {
                self.backstops.push((id, sure));
            } else if failed.is_ok() {
                failed = self.verdict(id, sure, source, matches);
            }
        });
        self.scratch.looked.candidates = candidates;
        failed
    }

    pub(super) fn backstops(
        &mut self,
        source: &Source<'e>,
        matches: &mut Vec<Match<'a>>,
    ) -> Result<(), serde_json::Error> {
        std::mem::take(&mut self.backstops)
            .into_iter()
            .try_for_each(|(id, sure)| self.verdict(id, sure, source, matches))
    }

    /// Makes what was needed free for the next event.
    pub(super) fn end(self) {
        self.tier.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.scratch);
    }

    fn verdict(
        &mut self,
        id: u32,
        sure: bool,
        source: &Source<'e>,
        matches: &mut Vec<Match<'a>>,
    ) -> Result<(), serde_json::Error> {
        let answer = if sure { Answer::Yes } else { self.run(id) };
        if answer == Answer::No {
            return Ok(());
        }
        let Some(rule) = self.tier.rule(id) else { return Ok(()) };
        if answer == Answer::Yes {
            matches.push(Match { rule, verdict: Verdict::Match { failure: None } });
            return Ok(());
        }
        let verdict = evaluate(rule, source.event()?);
        if !matches!(verdict, Verdict::NoMatch { .. }) {
            matches.push(Match { rule, verdict });
        }
        Ok(())
    }

    fn run(&mut self, id: u32) -> Answer {
        let tier = self.tier;
        let Some(program) = tier.plan.programs.get(id as usize) else { return Answer::No };
        if !self.slots.filled && !program.empty {
            return Answer::No;
        }
        let start = program.start as usize;
        for op in tier.plan.ops.get(start..start + usize::from(program.ops)).unwrap_or_default() {
            match self.holds(*op) {
                Answer::Yes => {}
                other => return other,
            }
        }
        if program.whole { Answer::Yes } else { Answer::Unknown }
    }

    fn holds(&mut self, op: Op) -> Answer {
        let tier = self.tier;
        let slot = self.slots.get(op.slot);
        let right = match op.test.needs() {
            None => true,
            Some(Kind::Text) => matches!(slot, Slot::Text(_)),
            Some(Kind::Number) => matches!(slot, Slot::Number(_)),
        };
        if !right {
            return Answer::Unknown;
        }
        let holds = match tier.tables.facts.need(op) {
            Some(need) => Some(self.scratch.looked.marks.meet(need)),
            None => match op.test {
                Test::Inside => Some(self.is_inside(op)),
                Test::NotInside => Some(!self.is_inside(op)),
                Test::Matches => self.matches(op),
                Test::Never => Some(false),
                _ => text_holds(slot, op, &tier.plan),
            },
        };
        match holds {
            Some(true) => Answer::Yes,
            Some(false) => Answer::No,
            None => Answer::Unknown,
        }
    }

    fn is_inside(&self, op: Op) -> bool {
        let choices = self.tier.plan.choices.get(op.operand as usize);
        choices.is_some_and(|choices| choices.iter().any(|symbol| self.has(Facts::symbol(*symbol))))
    }

    fn has(&self, fact: u32) -> bool {
        self.scratch.looked.marks.has(fact)
    }

    /// Asked once for each event and pattern.
    fn matches(&mut self, op: Op) -> Option<bool> {
        let (tier, number) = (self.tier, op.operand as usize);
        let source = tier.plan.patterns.get(number)?;
        if source.literals.iter().any(|literal| !self.has(tier.tables.facts.literal(*literal))) {
            return Some(false);
        }
        let known = *self.scratch.patterns.get(number)?;
        if known >> 1 == u64::from(self.scratch.epoch) {
            return Some(known & 1 == 1);
        }
        let Slot::Text(text) = self.slots.get(op.slot) else { return None };
        let found = tier.matcher(op.operand)?.is_match(text).ok()?;
        let memo = u64::from(self.scratch.epoch) << 1 | u64::from(found);
        self.scratch.patterns.get_mut(number).into_iter().for_each(|place| *place = memo);
        Some(found)
    }
}

/// What no table answers.
fn text_holds(slot: &Slot<'_>, op: Op, plan: &Plan) -> Option<bool> {
    let Slot::Text(text) = slot else { return None };
    let pattern: &str = &plan.texts.get(op.operand as usize)?.text;
    Some(match op.test {
        Test::Ends => text.ends_with(pattern),
        Test::TextLess => **text < *pattern,
        Test::TextGreater => **text > *pattern,
        Test::LowerEnds => lower(text).ends_with(pattern),
        _ => return None,
    })
}

//! Which of its ways each rule is found by: the one that the fewest events will take.

use rustc_hash::FxHashMap;
use serde_json::Value;
use std::sync::Arc;

use super::{
    compile::{Compiler, Way},
    literals::rarest,
    plan::{Literal, Plan, Probe, Symbol},
    slot::Slots,
    tables::{Looked, Tables},
};
use crate::compiled::CompiledRule;

/// The more rules ask a path for different values, the more it tells them apart. A few rules prove little.
const DOUBT: f64 = 4.0;
/// The share of events whose value is of another kind than a criterion needs, where nothing is known.
const ODD: f64 = 0.02;

/// The plan for these rules, which have their places in the list as numbers.
pub(super) fn plan(rules: &[Arc<CompiledRule>], payloads: &[Value]) -> Plan {
    let mut compiler = Compiler::default();
    let ways: Vec<Vec<Way>> = rules.iter().map(|rule| compiler.add(rule)).collect();
    let mut plan = compiler.plan;
    place_literals(&mut plan.literals);
    let usual = Usual::count(&plan, &ways, payloads);
    let (mut entries, mut guards, mut always) = (Vec::new(), Vec::new(), Vec::new());
    for (rule, ways) in (0_u32..).zip(&ways) {
        let rarest = ways.iter().map(|way| (usual.share(way), way)).min_by(|a, b| a.0.total_cmp(&b.0));
        match rarest {
            Some((_, way)) => {
                entries.extend(way.probes.iter().map(|probe| (rule, *probe)));
                guards.extend(way.guards.iter().map(|guard| (rule, *guard)));
            }
            None => always.push(rule),
        }
    }
    (plan.entries, plan.guards, plan.always) = (entries, guards, always);
    plan
}

fn place_literals(literals: &mut [Literal]) {
    let mut by_table: FxHashMap<(u16, bool), Vec<usize>> = FxHashMap::default();
    for (at, literal) in literals.iter().enumerate() {
        by_table.entry((literal.slot, literal.lower)).or_default().push(at);
    }
    for places in by_table.into_values() {
        let texts: Vec<&str> = places.iter().filter_map(|at| literals.get(*at)).map(|literal| &*literal.text).collect();
        let offsets = rarest(&texts);
        for (at, offset) in places.into_iter().zip(offsets) {
            literals.get_mut(at).into_iter().for_each(|literal| literal.offset = offset);
        }
    }
}

/// How usual it is that an event takes a way.
struct Usual<'a> {
    plan: &'a Plan,
    by_way: FxHashMap<&'a Way, Counts>,
    /// By slot and kind of question.
    by_slot: FxHashMap<(u16, Question), f64>,
    payloads: f64,
}

#[derive(Default)]
struct Counts {
    rules: f64,
    payloads: f64,
}

/// Questions of one kind compare with one another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    Equal,
    Beginning,
    Anywhere,
}

impl<'a> Usual<'a> {
    fn count(plan: &'a Plan, ways: &'a [Vec<Way>], payloads: &[Value]) -> Usual<'a> {
        let mut usual = Usual {
            plan,
            by_way: FxHashMap::default(),
            by_slot: FxHashMap::default(),
            payloads: as_f64(payloads.len()),
        };
        for way in ways.iter().flatten() {
            usual.by_way.entry(way).or_default().rules += 1.0;
            if let Some(question) = usual.question(way) {
                *usual.by_slot.entry(question).or_default() += 1.0;
            }
        }
        if !payloads.is_empty() {
            usual.try_out(payloads);
        }
        usual
    }

    /// Puts the payloads to tables of all the ways.
    fn try_out(&mut self, payloads: &[Value]) {
        let mut trial = self.plan.clone();
        let mut counts: Vec<_> = self.by_way.iter_mut().collect();
        for (number, (way, _)) in (0_u32..).zip(&counts) {
            trial.entries.extend(way.probes.iter().map(|probe| (number, *probe)));
            trial.guards.extend(way.guards.iter().map(|guard| (number, *guard)));
        }
        let tables = Tables::build(&trial, false);
        let mut looked = Looked::new(&tables, counts.len());
        for payload in payloads {
            tables.look_up(&Slots::of(&tables.trie, payload), &mut looked);
            tables.collect(&mut looked);
            looked.candidates.drain(|number, _| {
                counts.get_mut(number as usize).into_iter().for_each(|(_, counts)| counts.payloads += 1.0);
            });
        }
    }

    /// The share of events that take this way, as far as is known: what rules ask for is taken for one more payload.
    fn share(&self, way: &Way) -> f64 {
        let (rules, seen) = self.by_way.get(way).map_or((0.0, 0.0), |counts| (counts.rules, counts.payloads));
        let slot = self.question(way).and_then(|question| self.by_slot.get(&question)).copied().unwrap_or_default();
        let guessed = rules / (slot + DOUBT) + self.at_least(way) + ODD * as_f64(way.guards.len());
        (seen + guessed.min(1.0)) / (self.payloads + 1.0)
    }

    /// Some questions are answered with yes often, whatever they ask for.
    fn at_least(&self, way: &Way) -> f64 {
        let of = |probe: &Probe| match probe {
            Probe::Symbol(symbol) => match self.plan.symbols.get(*symbol as usize) {
                Some((_, Symbol::Null)) => 0.3,
                _ => 0.0,
            },
            Probe::LowerWhole(_) => 0.0,
            Probe::Starts(text) | Probe::LowerStarts(text) => 0.1 / as_f64(self.text_length(*text)),
            Probe::Literal(literal) => {
                let length = self.plan.literals.get(*literal as usize).map_or(1, |literal| literal.text.len());
                0.3 / as_f64(length)
            }
        };
        way.probes.iter().map(of).sum()
    }

    fn text_length(&self, text: u32) -> usize {
        self.plan.texts.get(text as usize).map_or(1, |text| text.text.len().max(1))
    }

    fn question(&self, way: &Way) -> Option<(u16, Question)> {
        let text_slot = |text: &u32| self.plan.texts.get(*text as usize).map(|text| text.slot);
        match way.probes.first()? {
            Probe::Symbol(symbol) => self.plan.symbols.get(*symbol as usize).map(|(slot, _)| (*slot, Question::Equal)),
            Probe::LowerWhole(text) => text_slot(text).map(|slot| (slot, Question::Equal)),
            Probe::Starts(text) | Probe::LowerStarts(text) => text_slot(text).map(|slot| (slot, Question::Beginning)),
            Probe::Literal(literal) => {
                self.plan.literals.get(*literal as usize).map(|literal| (literal.slot, Question::Anywhere))
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
const fn as_f64(count: usize) -> f64 {
    count as f64
}

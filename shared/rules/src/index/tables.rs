//! The tables in which an event looks up its values, built from a plan in little time.

use rustc_hash::FxHashMap;
use std::borrow::Cow;

use super::{
    lists::{Candidates, Lists},
    literals::{Literals, Sought},
    plan::{Guard, Kind, NumberKey, Op, Plan, Probe, Symbol, Test},
    slot::{Slot, Slots},
    trie::Trie,
};
use crate::operator::lower;

/// No symbol: the value is equal to nothing that any rule names.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) trie: Trie,
    slots: Vec<SlotTable>,
    /// Who is found by each symbol, text and literal.
    by_symbol: Lists<Posting>,
    by_text: Lists<Posting>,
    by_literal: Lists<Posting>,
}

/// Who is found, and another of its criteria: where that does not hold, the rule need not be looked at. It lies beside the number because
/// what an event finds is long lists, most of it in vain.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Posting {
    pub(super) rule: u32,
    pub(super) gate: Option<Op>,
}

/// What a value of the event is, or has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hit {
    Symbol(u32),
    Text(u32),
    Literal(u32),
}

#[derive(Debug, Default)]
struct SlotTable {
    texts: FxHashMap<Box<str>, u32>,
    numbers: FxHashMap<NumberKey, u32>,
    null: Option<u32>,
    beginnings: Beginnings,
    literals: Literals,
    lower: Option<Box<LowerTable>>,
    /// Who must be tried where the value is no text, or no number.
    no_text: Vec<u32>,
    no_number: Vec<u32>,
}

#[derive(Debug, Default)]
struct LowerTable {
    wholes: FxHashMap<Box<str>, u32>,
    beginnings: Beginnings,
    literals: Literals,
}

/// Texts that values start with, by length in bytes.
#[derive(Debug, Default)]
struct Beginnings(Vec<(usize, FxHashMap<Box<str>, u32>)>);

/// What one event came to in these tables.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The symbol of each slot.
    pub(super) symbols: Vec<u32>,
    /// For each literal, the last event that had it.
    pub(super) literals: Vec<u32>,
    pub(super) hits: Vec<Hit>,
    pub(super) candidates: Candidates,
}

impl Tables {
    /// Where the entries are those of rules, what is found in vain is left out soon.
    pub(super) fn build(plan: &Plan, of_rules: bool) -> Tables {
        let mut tables = Tables {
            trie: Trie::new(plan.paths.clone()),
            slots: plan.paths.iter().map(|_| SlotTable::default()).collect(),
            ..Tables::default()
        };
        for (number, (slot, symbol)) in (0_u32..).zip(&plan.symbols) {
            let Some(table) = tables.slots.get_mut(usize::from(*slot)) else { continue };
            match symbol {
                Symbol::Null => table.null = Some(number),
                Symbol::Number(key) => drop(table.numbers.insert(*key, number)),
                Symbol::Text(text) => drop(table.texts.insert(text.clone(), number)),
            }
        }
        tables.add_literals(plan);
        tables.add_entries(plan, of_rules);
        for (rule, guard) in &plan.guards {
            let Some(table) = tables.slots.get_mut(usize::from(guard.slot)) else { continue };
            match guard.kind {
                Kind::Text => table.no_text.push(*rule),
                Kind::Number => table.no_number.push(*rule),
            }
        }
        tables
    }

    fn add_literals(&mut self, plan: &Plan) {
        let mut by_table: FxHashMap<(u16, bool), Vec<Sought<'_>>> = FxHashMap::default();
        for (id, literal) in (0_u32..).zip(&plan.literals) {
            let sought = Sought { text: &literal.text, offset: literal.offset, id };
            by_table.entry((literal.slot, literal.lower)).or_default().push(sought);
        }
        for ((slot, is_lower), sought) in by_table {
            let Some(table) = self.slots.get_mut(usize::from(slot)) else { continue };
            let literals = Literals::build(sought.into_iter());
            if is_lower { table.lower().literals = literals } else { table.literals = literals }
        }
    }

    fn add_entries(&mut self, plan: &Plan, of_rules: bool) {
        let (mut symbols, mut texts, mut literals) = (Vec::new(), Vec::new(), Vec::new());
        let gates = if of_rules { Gates::of(plan) } else { Gates::default() };
        for (rule, probe) in &plan.entries {
            let posting = Posting { rule: *rule, gate: gates.choose(plan, *rule, *probe) };
            match probe {
                Probe::Symbol(symbol) => symbols.push((*symbol, posting)),
                Probe::Literal(literal) => literals.push((*literal, posting)),
                Probe::Starts(text) | Probe::LowerStarts(text) | Probe::LowerWhole(text) => {
                    texts.push((*text, posting));
                    self.add_text(plan, *probe, *text);
                }
            }
        }
        self.slots.iter_mut().for_each(SlotTable::sort);
        self.by_symbol = Lists::build(plan.symbols.len(), &symbols);
        self.by_text = Lists::build(plan.texts.len(), &texts);
        self.by_literal = Lists::build(plan.literals.len(), &literals);
    }

    fn add_text(&mut self, plan: &Plan, probe: Probe, number: u32) {
        let Some((slot, text)) = plan.texts.get(number as usize) else { return };
        let Some(table) = self.slots.get_mut(usize::from(*slot)) else { return };
        match probe {
            Probe::Starts(_) => table.beginnings.add(text, number),
            Probe::LowerStarts(_) => table.lower().beginnings.add(text, number),
            _ => drop(table.lower().wholes.insert(text.clone(), number)),
        }
    }

    /// Looks all values up: who is tried in any case is a candidate at once, the rest stands in the lists of the hits.
    pub(super) fn look_up(&self, slots: &Slots<'_>, epoch: u32, looked: &mut Looked) {
        looked.symbols.clear();
        looked.hits.clear();
        for (table, slot) in self.slots.iter().zip(slots.iter()) {
            let symbol = match slot {
                Slot::Text(text) => {
                    table.look_up(text, epoch, looked);
                    table.texts.get(&**text).copied()
                }
                Slot::Number(_) if table.numbers.is_empty() => None,
                Slot::Number(number) => table.numbers.get(&NumberKey::of(*number)).copied(),
                Slot::Null => table.null,
                Slot::Composite => None,
            };
            if !matches!(slot, Slot::Text(_)) {
                looked.candidates.extend(&table.no_text);
            }
            if !matches!(slot, Slot::Number(_)) {
                looked.candidates.extend(&table.no_number);
            }
            looked.hits.extend(symbol.map(Hit::Symbol));
            looked.symbols.push(symbol.unwrap_or(NONE));
        }
    }

    pub(super) fn postings(&self, hit: Hit) -> &[Posting] {
        match hit {
            Hit::Symbol(symbol) => self.by_symbol.get(symbol),
            Hit::Text(text) => self.by_text.get(text),
            Hit::Literal(literal) => self.by_literal.get(literal),
        }
    }
}

/// The guards of each rule.
#[derive(Default)]
struct Gates(FxHashMap<u32, Vec<Guard>>);

impl Gates {
    fn of(plan: &Plan) -> Gates {
        let mut gates = Gates(FxHashMap::default());
        plan.guards.iter().for_each(|(rule, guard)| gates.0.entry(*rule).or_default().push(*guard));
        gates
    }

    /// The criterion that holds most rarely of those that decide by themselves: no earlier one fails, unless a guard finds the rule then.
    fn choose(&self, plan: &Plan, rule: u32, probe: Probe) -> Option<Op> {
        let program = plan.programs.get(rule as usize)?;
        let guards = self.0.get(&rule).map(Vec::as_slice).unwrap_or_default();
        let start = program.start as usize;
        let ops = plan.ops.get(start..start + usize::from(program.ops))?;
        let sure = |op: &&Op| op.test.needs().is_none_or(|kind| guards.contains(&Guard { slot: op.slot, kind }));
        let deciding = ops.iter().take_while(sure).count() + 1;
        let others = ops.iter().take(deciding).filter(|op| !is_asked(**op, probe));
        others.filter_map(|op| Some((rarity(op.test)?, op))).min_by_key(|(rarity, _)| *rarity).map(|(_, op)| *op)
    }
}

/// Is this what the rule was found by?
fn is_asked(op: Op, probe: Probe) -> bool {
    match (op.test, probe) {
        (Test::Equal, Probe::Symbol(number))
        | (Test::Starts, Probe::Starts(number))
        | (Test::Contains, Probe::Literal(number)) => op.operand == number,
        _ => false,
    }
}

/// In which order criteria are preferred to be asked soon; `None` for those that cost more than they save.
const fn rarity(test: Test) -> Option<u8> {
    match test {
        Test::Never => Some(0),
        Test::Contains => Some(1),
        Test::Equal => Some(2),
        Test::Starts => Some(3),
        Test::Exists | Test::Missing => Some(4),
        Test::Less | Test::Greater => Some(5),
        Test::NotEqual => Some(6),
        _ => None,
    }
}

impl SlotTable {
    fn lower(&mut self) -> &mut LowerTable {
        self.lower.get_or_insert_default()
    }

    fn look_up(&self, text: &str, epoch: u32, looked: &mut Looked) {
        let Looked { literals, hits, .. } = looked;
        self.beginnings.find(text, |number| hits.push(Hit::Text(number)));
        let mut contained = |literal: u32| {
            let last = literals.get_mut(literal as usize).map(|last| std::mem::replace(last, epoch));
            if last.is_some_and(|last| last != epoch) {
                hits.push(Hit::Literal(literal));
            }
        };
        self.literals.find(text, &mut contained);
        if let Some(lowers) = &self.lower {
            let text = lower(text);
            lowers.literals.find(&text, &mut contained);
            lowers.beginnings.find(&text, |number| hits.push(Hit::Text(number)));
            hits.extend(lowers.wholes.get(&*text).copied().map(Hit::Text));
        }
    }

    fn sort(&mut self) {
        self.beginnings.sort();
        self.lower.iter_mut().for_each(|lower| lower.beginnings.sort());
    }
}

impl Beginnings {
    fn add(&mut self, text: &str, number: u32) {
        let at = self.0.iter().position(|(length, _)| *length == text.len());
        match at.and_then(|at| self.0.get_mut(at)) {
            Some((_, texts)) => drop(texts.insert(text.into(), number)),
            None => self.0.push((text.len(), [(text.into(), number)].into_iter().collect())),
        }
    }

    fn sort(&mut self) {
        self.0.sort_unstable_by_key(|(length, _)| *length);
    }

    fn find(&self, text: &str, mut found: impl FnMut(u32)) {
        for (length, texts) in &self.0 {
            if text.len() < *length {
                break;
            }
            if let Some(number) = text.get(..*length).and_then(|beginning| texts.get(beginning)) {
                found(*number);
            }
        }
    }
}

/// A text in lower case, made once where several ask.
pub(super) fn lowered<'s>(slot: &'s Slot<'_>) -> Option<Cow<'s, str>> {
    match slot {
        Slot::Text(text) => Some(lower(text)),
        _ => None,
    }
}

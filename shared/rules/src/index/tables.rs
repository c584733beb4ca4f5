//! The tables in which an event looks up its values, built from a plan in little time.

use rustc_hash::FxHashMap;
use std::borrow::Cow;

use super::{
    lists::{Candidates, Lists},
    literals::{Literals, Sought},
    plan::{Kind, NumberKey, Plan, Probe, Symbol},
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
    by_symbol: Lists,
    by_text: Lists,
    by_literal: Lists,
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
    pub(super) candidates: Candidates,
}

impl Tables {
    pub(super) fn build(plan: &Plan) -> Tables {
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
        tables.add_entries(plan);
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

    fn add_entries(&mut self, plan: &Plan) {
        let (mut symbols, mut texts, mut literals) = (Vec::new(), Vec::new(), Vec::new());
        for (rule, probe) in &plan.entries {
            match probe {
                Probe::Symbol(symbol) => symbols.push((*symbol, *rule)),
                Probe::Literal(literal) => literals.push((*literal, *rule)),
                Probe::Starts(text) | Probe::LowerStarts(text) | Probe::LowerWhole(text) => {
                    texts.push((*text, *rule));
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

    /// Looks all values up, and collects whom they find.
    pub(super) fn look_up(&self, slots: &Slots<'_>, epoch: u32, looked: &mut Looked) {
        looked.symbols.clear();
        for (table, slot) in self.slots.iter().zip(slots.iter()) {
            let symbol = match slot {
                Slot::Text(text) => {
                    self.text(table, text, epoch, looked);
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
            if let Some(symbol) = symbol {
                looked.candidates.extend(self.by_symbol.get(symbol));
            }
            looked.symbols.push(symbol.unwrap_or(NONE));
        }
    }

    fn text(&self, table: &SlotTable, text: &str, epoch: u32, looked: &mut Looked) {
        let Looked { literals, candidates, .. } = looked;
        table.beginnings.find(text, |number| candidates.extend(self.by_text.get(number)));
        let mut contained = |literal: u32| {
            literals.get_mut(literal as usize).into_iter().for_each(|last| *last = epoch);
            candidates.extend(self.by_literal.get(literal));
        };
        table.literals.find(text, &mut contained);
        if let Some(lowers) = &table.lower {
            let text = lower(text);
            lowers.literals.find(&text, &mut contained);
            lowers.beginnings.find(&text, |number| candidates.extend(self.by_text.get(number)));
            if let Some(number) = lowers.wholes.get(&*text) {
                candidates.extend(self.by_text.get(*number));
            }
        }
    }
}

impl SlotTable {
    fn lower(&mut self) -> &mut LowerTable {
        self.lower.get_or_insert_default()
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

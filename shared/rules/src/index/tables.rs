//! The tables in which an event looks up its values, built from a plan in little time.

use rustc_hash::FxHashMap;

use super::{
    facts::{Facts, Marks, Thresholds},
    lists::{Candidates, Lists},
    literals::{Literals, Sought},
    plan::{Kind, NumberKey, Op, Plan, Probe, Symbol, Test},
    postings::{ALWAYS, Poster, Posting},
    slot::{Slot, Slots},
    trie::Trie,
};
use crate::operator::lower;

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) trie: Trie,
    pub(super) facts: Facts,
    slots: Vec<SlotTable>,
    /// Who is found by each fact.
    postings: Lists<Posting>,
}

/// What the values of one slot are looked for in; everything stands there with its fact.
#[derive(Debug, Default)]
struct SlotTable {
    texts: FxHashMap<Box<str>, u32>,
    numbers: FxHashMap<NumberKey, u32>,
    null: Option<u32>,
    beginnings: Beginnings,
    literals: Literals,
    thresholds: Thresholds,
    lower: Option<Box<LowerTable>>,
    no_text: Odd,
    no_number: Odd,
}

#[derive(Debug, Default)]
struct LowerTable {
    wholes: FxHashMap<Box<str>, u32>,
    beginnings: Beginnings,
    literals: Literals,
}

/// What follows where the value is not of a kind.
#[derive(Debug, Default)]
struct Odd {
    /// The doubt about rules that need it.
    doubt: u32,
    /// Who must be tried, whatever else is so.
    rules: Vec<u32>,
}

/// Texts that values start with, by length in bytes.
#[derive(Debug, Default)]
struct Beginnings(Vec<(usize, FxHashMap<Box<str>, u32>)>);

/// What one event came to in these tables.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) marks: Marks,
    /// The facts by which rules may be found.
    hits: Vec<u32>,
    /// The doubts that there are.
    odd: u32,
    pub(super) candidates: Candidates,
}

impl Looked {
    pub(super) fn new(tables: &Tables, rules: usize) -> Looked {
        Looked { marks: tables.facts.marks(), hits: Vec::new(), odd: 0, candidates: Candidates::below(rules) }
    }

    fn hit(&mut self, fact: u32) {
        if self.marks.set(fact) {
            self.hits.push(fact);
        }
    }
}

impl Tables {
    /// Where the entries are those of rules, what is found in vain is left out soon.
    pub(super) fn build(plan: &Plan, of_rules: bool) -> Tables {
        let (facts, thresholds) = Facts::of(plan);
        let slots = thresholds.into_iter().map(|thresholds| SlotTable { thresholds, ..SlotTable::default() });
        let mut tables =
            Tables { trie: Trie::new(plan.paths.clone()), slots: slots.collect(), facts, ..Tables::default() };
        for (fact, (slot, symbol)) in (Facts::symbol(0)..).zip(&plan.symbols) {
            let Some(table) = tables.slots.get_mut(usize::from(*slot)) else { continue };
            match symbol {
                Symbol::Null => table.null = Some(fact),
                Symbol::Number(key) => drop(table.numbers.insert(*key, fact)),
                Symbol::Text(text) => drop(table.texts.insert(text.clone(), fact)),
            }
        }
        tables.add_texts(plan);
        tables.add_literals(plan);
        tables.add_doubts(plan);
        tables.add_entries(plan, of_rules);
        tables
    }

    fn add_texts(&mut self, plan: &Plan) {
        for (fact, text) in (self.facts.text(0)..).zip(&plan.texts) {
            let Some(table) = self.slots.get_mut(usize::from(text.slot)) else { continue };
            match text.test {
                Test::Starts => table.beginnings.add(&text.text, fact),
                Test::LowerStarts => table.lower().beginnings.add(&text.text, fact),
                Test::LowerEqual => drop(table.lower().wholes.insert(text.text.clone(), fact)),
                _ => {}
            }
        }
        self.slots.iter_mut().for_each(SlotTable::sort);
    }

    fn add_literals(&mut self, plan: &Plan) {
        let mut by_table: FxHashMap<(u16, bool), Vec<Sought<'_>>> = FxHashMap::default();
        for (fact, literal) in (self.facts.literal(0)..).zip(&plan.literals) {
            let sought = Sought { text: &literal.text, offset: literal.offset, id: fact };
            by_table.entry((literal.slot, literal.lower)).or_default().push(sought);
        }
        for ((slot, is_lower), sought) in by_table {
            let Some(table) = self.slots.get_mut(usize::from(slot)) else { continue };
            let literals = Literals::build(sought.into_iter());
            if is_lower { table.lower().literals = literals } else { table.literals = literals }
        }
    }

    /// Each slot has a doubt of its own for each kind, as far as there are bits.
    fn add_doubts(&mut self, plan: &Plan) {
        let mut doubts = (0..ALWAYS.trailing_zeros()).cycle().map(|bit| 1 << bit);
        for op in &plan.ops {
            let Some(kind) = op.test.needs() else { continue };
            let odd = self.slots.get_mut(usize::from(op.slot)).map(|table| table.odd(kind));
            if let Some(odd) = odd.filter(|odd| odd.doubt == 0) {
                odd.doubt = doubts.next().unwrap_or(ALWAYS);
            }
        }
        for (rule, guard) in &plan.guards {
            let Some(table) = self.slots.get_mut(usize::from(guard.slot)) else { continue };
            table.odd(guard.kind).rules.push(*rule);
        }
    }

    fn add_entries(&mut self, plan: &Plan, of_rules: bool) {
        let doubt = |op: Op| match (self.slots.get(usize::from(op.slot)), op.test.needs()) {
            (Some(table), Some(Kind::Text)) => table.no_text.doubt,
            (Some(table), Some(Kind::Number)) => table.no_number.doubt,
            _ => 0,
        };
        let mut poster = Poster { plan, facts: &self.facts, doubt: &doubt, needs: Vec::new() };
        let mut postings = Vec::with_capacity(plan.entries.len());
        for (rule, probe) in &plan.entries {
            let fact = match probe {
                Probe::Symbol(symbol) => Facts::symbol(*symbol),
                Probe::Starts(text) | Probe::LowerStarts(text) | Probe::LowerWhole(text) => self.facts.text(*text),
                Probe::Literal(literal) => self.facts.literal(*literal),
            };
            let posting = if of_rules { poster.posting(*rule, *probe) } else { Posting::without_needs(*rule) };
            postings.push((fact, posting));
        }
        let lists = self.facts.literal(super::compile::as_u32(plan.literals.len()));
        self.postings = Lists::build(lists as usize, &postings);
    }

    /// Looks all values up: who is tried in any case is a candidate at once, the rest stands in the lists of the hits.
    pub(super) fn look_up(&self, slots: &Slots<'_>, looked: &mut Looked) {
        looked.marks.next();
        looked.hits.clear();
        looked.odd = ALWAYS;
        if !slots.filled {
            // Nothing is found by what an empty payload lacks.
            return;
        }
        for (table, slot) in self.slots.iter().zip(slots.iter()) {
            let symbol = match slot {
                Slot::Text(text) => {
                    table.look_up(text, looked);
                    table.texts.get(&**text).copied()
                }
                Slot::Number(number) => {
                    table.thresholds.compare(*number, &mut looked.marks);
                    let key = (!table.numbers.is_empty()).then(|| NumberKey::of(*number));
                    key.and_then(|key| table.numbers.get(&key)).copied()
                }
                Slot::Null => table.null,
                Slot::Composite => None,
            };
            symbol.into_iter().for_each(|fact| looked.hit(fact));
            if !matches!(slot, Slot::Text(_)) {
                table.no_text.tell(looked);
            }
            if !matches!(slot, Slot::Number(_)) {
                table.no_number.tell(looked);
            }
        }
    }

    /// Whoever was found, unless another criterion says no.
    pub(super) fn collect(&self, looked: &mut Looked) {
        let Looked { marks, hits, odd, candidates } = looked;
        for fact in hits {
            for posting in self.postings.get(*fact) {
                let (wanted, sure) = posting.verdict(marks, *odd);
                candidates.add(posting.rule, wanted, sure);
            }
        }
    }
}

impl Odd {
    fn tell(&self, looked: &mut Looked) {
        looked.odd |= self.doubt;
        looked.candidates.extend(&self.rules);
    }
}

impl SlotTable {
    fn lower(&mut self) -> &mut LowerTable {
        self.lower.get_or_insert_default()
    }

    const fn odd(&mut self, kind: Kind) -> &mut Odd {
        match kind {
            Kind::Text => &mut self.no_text,
            Kind::Number => &mut self.no_number,
        }
    }

    fn look_up(&self, text: &str, looked: &mut Looked) {
        self.beginnings.find(text, |fact| looked.hit(fact));
        self.literals.find(text, |fact| looked.hit(fact));
        if let Some(lowers) = &self.lower {
            let text = lower(text);
            lowers.literals.find(&text, |fact| looked.hit(fact));
            lowers.beginnings.find(&text, |fact| looked.hit(fact));
            lowers.wholes.get(&*text).into_iter().for_each(|fact| looked.hit(*fact));
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

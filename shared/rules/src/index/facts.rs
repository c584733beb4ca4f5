//! What is so of an event, as one mark for each thing that rules ask. Most criteria of a rule are then a mark to look at, and what several
//! rules ask is found out once.

use expressions::python::Numeric;
use std::{cmp::Ordering, ops::Range};

use super::plan::{Op, Plan, Test};

/// The numbers of the facts. The first is of none, and never so.
#[derive(Debug, Default)]
pub(super) struct Facts {
    texts: u32,
    literals: u32,
    end: u32,
    /// By number: that a value is less than it, and that it is greater.
    numbers: Vec<(u32, u32)>,
}

/// The numbers that the value of one slot is compared with, in order.
#[derive(Debug, Default)]
pub(super) struct Thresholds {
    /// The fact "less than the first". All that the value is less than stand next to all that it is greater than.
    first: usize,
    /// Rounding keeps the order, but for equals.
    rounded: Vec<f64>,
    exact: Vec<Numeric>,
}

/// A fact, twice, plus one where it must not be so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need(u32);

/// The facts of one event.
#[derive(Debug, Default)]
pub(super) struct Marks {
    event: u8,
    /// For each fact, the last event that it was so of.
    last: Vec<u8>,
}

impl Facts {
    /// Also the thresholds of each slot.
    pub(super) fn of(plan: &Plan) -> (Facts, Vec<Thresholds>) {
        let count = super::compile::as_u32;
        let texts = 1 + count(plan.symbols.len());
        let literals = texts + count(plan.texts.len());
        let mut end = literals + count(plan.literals.len());
        let mut by_slot: Vec<Vec<(usize, Numeric)>> = vec![Vec::new(); plan.paths.len()];
        for (at, (slot, constant)) in plan.numbers.iter().enumerate() {
            by_slot.get_mut(usize::from(*slot)).into_iter().for_each(|numbers| numbers.push((at, constant.number())));
        }
        let mut numbers = vec![(0, 0); plan.numbers.len()];
        let mut thresholds = Vec::with_capacity(by_slot.len());
        for mut slot in by_slot {
            slot.sort_by(|(_, a), (_, b)| a.compare(*b).unwrap_or(Ordering::Equal));
            let length = count(slot.len());
            for (rank, (at, _)) in (end..).zip(&slot) {
                numbers.get_mut(*at).into_iter().for_each(|facts| *facts = (rank, rank + length));
            }
            let exact: Vec<_> = slot.into_iter().map(|(_, number)| number).collect();
            let rounded = exact.iter().map(|number| number.as_f64()).collect();
            thresholds.push(Thresholds { first: end as usize, rounded, exact });
            end += 2 * length;
        }
        (Facts { texts, literals, end, numbers }, thresholds)
    }

    pub(super) fn marks(&self) -> Marks {
        Marks { event: 0, last: vec![0; self.end as usize] }
    }

    pub(super) const fn symbol(symbol: u32) -> u32 {
        1 + symbol
    }

    pub(super) const fn text(&self, text: u32) -> u32 {
        self.texts + text
    }

    pub(super) const fn literal(&self, literal: u32) -> u32 {
        self.literals + literal
    }

    /// What answers the question, if a fact does. It means nothing where the value is of the wrong kind.
    pub(super) fn need(&self, op: Op) -> Option<Need> {
        let number = |at: u32| self.numbers.get(at as usize);
        Some(match op.test {
            Test::Equal => Need::set(Facts::symbol(op.operand)),
            Test::NotEqual => Need::unset(Facts::symbol(op.operand)),
            Test::Starts | Test::LowerStarts | Test::LowerEqual => Need::set(self.text(op.operand)),
            Test::Contains => Need::set(self.literal(op.operand)),
            Test::ContainsNot => Need::unset(self.literal(op.operand)),
            Test::Less => Need::set(number(op.operand)?.0),
            Test::Greater => Need::set(number(op.operand)?.1),
            _ => return None,
        })
    }
}

impl Thresholds {
    /// Marks what the value is less than, and what it is greater than.
    pub(super) fn compare(&self, value: Numeric, marks: &mut Marks) {
        if self.exact.is_empty() {
            return;
        }
        let rounded = value.as_f64();
        let order = |at: usize| self.exact.get(at).and_then(|number| number.compare(value));
        let mut less = self.rounded.partition_point(|number| *number < rounded);
        while order(less).is_some_and(Ordering::is_lt) {
            less += 1;
        }
        let equal = usize::from(order(less).is_some_and(Ordering::is_eq));
        marks.set_range(self.first + less + equal..self.first + self.exact.len() + less);
    }
}

impl Need {
    /// What is always so.
    pub(super) const NOTHING: Need = Need::unset(0);

    pub(super) const fn set(fact: u32) -> Need {
        Need(fact << 1)
    }

    const fn unset(fact: u32) -> Need {
        Need(fact << 1 | 1)
    }
}

impl Marks {
    /// Forgets everything, which is done only once in many events.
    pub(super) fn next(&mut self) {
        self.event = self.event.checked_add(1).unwrap_or_else(|| {
            self.last.fill(0);
            1
        });
    }

    /// Tells whether it was not so before.
    pub(super) fn set(&mut self, fact: u32) -> bool {
        let event = self.event;
        self.last.get_mut(fact as usize).is_some_and(|last| std::mem::replace(last, event) != event)
    }

    fn set_range(&mut self, facts: Range<usize>) {
        self.last.get_mut(facts).into_iter().for_each(|last| last.fill(self.event));
    }

    pub(super) fn has(&self, fact: u32) -> bool {
        self.last.get(fact as usize).is_some_and(|last| *last == self.event)
    }

    pub(super) fn meet(&self, need: Need) -> bool {
        self.has(need.0 >> 1) ^ (need.0 & 1 == 1)
    }
}

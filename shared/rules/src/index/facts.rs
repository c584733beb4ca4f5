//! What is true of an event, as one bit for each thing that rules ask. Most criteria of a rule are then a bit to look at, and what several
//! rules ask is found out once.

use expressions::python::Numeric;

use super::plan::{Op, Plan, Test};

/// Where the bit of each question is. The first bit is of none, and never set.
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
    /// The bit of "less than the first". The bits of all that the value is less than are next to those of all that it is greater than.
    first: u32,
    /// Rounding keeps the order, but for equals.
    rounded: Vec<f64>,
    exact: Vec<Numeric>,
}

/// A bit, and what it must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need(u32);

/// The bits of one event.
#[derive(Debug, Default)]
pub(super) struct Bits(Vec<u64>);

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
            slot.sort_by(|(_, a), (_, b)| a.compare(*b).unwrap_or(std::cmp::Ordering::Equal));
            let length = count(slot.len());
            for (rank, (at, _)) in (end..).zip(&slot) {
                numbers.get_mut(*at).into_iter().for_each(|bits| *bits = (rank, rank + length));
            }
            let exact: Vec<_> = slot.into_iter().map(|(_, number)| number).collect();
            let rounded = exact.iter().map(|number| number.as_f64()).collect();
            thresholds.push(Thresholds { first: end, rounded, exact });
            end += 2 * length;
        }
        (Facts { texts, literals, end, numbers }, thresholds)
    }

    pub(super) fn bits(&self) -> Bits {
        Bits(vec![0; self.end as usize / 64 + 1])
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

    /// The bit that answers the question, if one does. It means nothing where the value is of the wrong kind.
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
    pub(super) fn compare(&self, value: Numeric, bits: &mut Bits) {
        let Some(last) = self.exact.len().checked_sub(1) else { return };
        let rounded = value.as_f64();
        let order = |at: usize| self.exact.get(at).and_then(|number| number.compare(value));
        let mut less = self.rounded.partition_point(|number| *number < rounded);
        while less <= last && order(less).is_some_and(std::cmp::Ordering::is_lt) {
            less += 1;
        }
        let equal = order(less).is_some_and(std::cmp::Ordering::is_eq);
        let count = super::compile::as_u32;
        bits.set_range(self.first + count(less + usize::from(equal)), self.first + count(self.exact.len() + less));
    }
}

impl Need {
    /// What is always so.
    pub(super) const NOTHING: Need = Need::unset(0);

    pub(super) const fn set(bit: u32) -> Need {
        Need(bit << 1)
    }

    const fn unset(bit: u32) -> Need {
        Need(bit << 1 | 1)
    }
}

impl Bits {
    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Tells whether it was not set before.
    pub(super) fn set(&mut self, bit: u32) -> bool {
        let Some(word) = self.0.get_mut(bit as usize / 64) else { return false };
        let before = *word;
        *word |= 1 << (bit % 64);
        *word != before
    }

    fn set_range(&mut self, from: u32, to: u32) {
        let (first, last) = (from as usize / 64, to as usize / 64);
        let (start, end) = (u64::MAX << (from % 64), !(u64::MAX << (to % 64)));
        if first == last {
            self.0.get_mut(first).into_iter().for_each(|word| *word |= start & end);
            return;
        }
        self.0.get_mut(first).into_iter().for_each(|word| *word |= start);
        self.0.get_mut(first + 1..last).into_iter().for_each(|words| words.fill(u64::MAX));
        self.0.get_mut(last).into_iter().for_each(|word| *word |= end);
    }

    pub(super) fn has(&self, bit: u32) -> bool {
        self.0.get(bit as usize / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    pub(super) fn meet(&self, need: Need) -> bool {
        self.has(need.0 >> 1) != (need.0 & 1 == 1)
    }
}

//! Who is found by a value, with what must also be so: what an event finds is long lists, most of it in vain, so all that is needed to
//! leave a rule out lies beside its number.

use super::{
    facts::{Facts, Marks, Need},
    plan::{Op, Plan, Probe, Test},
};

/// As many needs as nearly all rules have.
const NEEDS: usize = 3;
/// The doubt that there is about a rule whatever the event.
pub(super) const ALWAYS: u32 = 1 << 31;

/// A rule that is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) rule: u32,
    needs: [Need; NEEDS],
    /// The kinds of values that its criteria have no answer on, and [`ALWAYS`] where the needs are not all of its criteria.
    doubts: u32,
}

impl Default for Posting {
    fn default() -> Posting {
        Posting::without_needs(0)
    }
}

/// Makes the postings of a plan's rules.
pub(super) struct Poster<'a> {
    pub(super) plan: &'a Plan,
    pub(super) facts: &'a Facts,
    /// The doubt where the value of the criterion's slot is of the wrong kind.
    pub(super) doubt: &'a dyn Fn(Op) -> u32,
    pub(super) needs: Vec<(u8, Need)>,
}

impl Poster<'_> {
    pub(super) fn posting(&mut self, rule: u32, probe: Probe) -> Posting {
        let Some(program) = self.plan.programs.get(rule as usize) else { return Posting::without_needs(rule) };
        let start = program.start as usize;
        let ops = self.plan.ops.get(start..start + usize::from(program.ops)).unwrap_or_default();
        let mut doubts = if program.whole { 0 } else { ALWAYS };
        self.needs.clear();
        for op in ops {
            doubts |= (self.doubt)(*op);
            if is_asked(*op, probe) {
                continue;
            }
            if let Some(need) = self.facts.need(*op) {
                self.needs.push((rarity(op.test), need));
                continue;
            }
            doubts |= ALWAYS;
            if op.test == Test::Matches {
                let pattern = self.plan.patterns.get(op.operand as usize);
                let literals = pattern.iter().flat_map(|pattern| &pattern.literals);
                self.needs.extend(literals.map(|literal| (rarity(op.test), Need::set(self.facts.literal(*literal)))));
            }
        }
        if self.needs.len() > NEEDS {
            doubts |= ALWAYS;
        }
        self.needs.sort_by_key(|(rarity, _)| *rarity);
        let mut needs = [Need::NOTHING; NEEDS];
        needs.iter_mut().zip(&self.needs).for_each(|(place, (_, need))| *place = *need);
        Posting { rule, needs, doubts }
    }
}

impl Posting {
    pub(super) const fn without_needs(rule: u32) -> Posting {
        Posting { rule, needs: [Need::NOTHING; NEEDS], doubts: ALWAYS }
    }

    /// Whether the rule must be tried, for evaluating it may come to more than "no match"; and whether it then matches for sure.
    pub(super) fn verdict(&self, marks: &Marks, odd: u32) -> (bool, bool) {
        let met = self.needs.iter().fold(true, |met, need| met & marks.meet(*need));
        let doubts = self.doubts & odd;
        // A value of the wrong kind makes a rule fail, unless an earlier criterion does not hold.
        (met | (doubts & !ALWAYS != 0), doubts == 0)
    }
}

/// Is this what the rule was found by?
fn is_asked(op: Op, probe: Probe) -> bool {
    match (op.test, probe) {
        (Test::Equal, Probe::Symbol(number))
        | (Test::Starts, Probe::Starts(number))
        | (Test::LowerStarts, Probe::LowerStarts(number))
        | (Test::LowerEqual, Probe::LowerWhole(number))
        | (Test::Contains, Probe::Literal(number)) => op.operand == number,
        _ => false,
    }
}

/// Which criteria are looked at first where there are too many: those that hold most rarely.
const fn rarity(test: Test) -> u8 {
    match test {
        Test::Contains | Test::Matches => 0,
        Test::Equal | Test::Starts | Test::LowerStarts | Test::LowerEqual => 1,
        Test::Less | Test::Greater => 2,
        _ => 3,
    }
}

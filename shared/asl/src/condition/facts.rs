//! What must hold at once for an alternative of a condition.

use std::collections::BTreeMap;

/// How a completed task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statuses(u8);

impl Statuses {
    pub(super) const SUCCEEDED: Statuses = Statuses(1);
    pub(super) const FAILED: Statuses = Statuses(2);
    pub(super) const ANY: Statuses = Statuses(7);

    pub(super) const fn others(self) -> Statuses {
        Statuses(7 & !self.0)
    }
}

/// A value that is written into a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    /// Truth values are numbers, as in Python.
    Number(f64),
    Text(String),
}

impl Literal {
    fn is_true(&self) -> bool {
        match self {
            Literal::Null => false,
            Literal::Number(number) => *number != 0.0,
            Literal::Text(text) => !text.is_empty(),
        }
    }
}

/// A test of one subject.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    True,
    False,
    Equals(Literal),
    Differs(Literal),
    /// Below, and whether the border counts.
    Below(f64, bool),
    Above(f64, bool),
}

impl Test {
    pub(super) fn opposite(&self) -> Test {
        match self {
            Test::True => Test::False,
            Test::False => Test::True,
            Test::Equals(literal) => Test::Differs(literal.clone()),
            Test::Differs(literal) => Test::Equals(literal.clone()),
            Test::Below(border, counts) => Test::Above(*border, !counts),
            Test::Above(border, counts) => Test::Below(*border, !counts),
        }
    }

    fn contradicts(&self, other: &Test) -> bool {
        one_way(self, other) || one_way(other, self)
    }
}

fn one_way(one: &Test, other: &Test) -> bool {
    match (one, other) {
        (Test::True, Test::False) => true,
        (Test::True, Test::Equals(literal)) => !literal.is_true(),
        (Test::False, Test::Equals(literal)) => literal.is_true(),
        (Test::Equals(one), Test::Equals(other)) => one != other,
        (Test::Equals(one), Test::Differs(other)) => one == other,
        (Test::Equals(Literal::Number(number)), Test::Below(border, counts)) => {
            number > border || (number == border && !counts)
        }
        (Test::Equals(Literal::Number(number)), Test::Above(border, counts)) => {
            number < border || (number == border && !counts)
        }
        (Test::Below(high, to), Test::Above(low, from)) => high < low || (high == low && !(*to && *from)),
        _ => false,
    }
}

/// What must hold at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Conjunction {
    statuses: Statuses,
    facts: BTreeMap<String, Vec<Test>>,
}

impl Conjunction {
    pub(super) fn of_status(statuses: Statuses) -> Conjunction {
        Conjunction { statuses, facts: BTreeMap::new() }
    }

    pub(super) fn of_fact(subject: &str, test: Test) -> Conjunction {
        Conjunction { statuses: Statuses::ANY, facts: BTreeMap::from([(subject.to_owned(), vec![test])]) }
    }

    pub(super) fn and(&self, other: &Conjunction) -> Conjunction {
        let mut both = self.clone();
        both.statuses = Statuses(both.statuses.0 & other.statuses.0);
        for (subject, tests) in &other.facts {
            let own = both.facts.entry(subject.clone()).or_default();
            own.extend(
                tests.iter().filter(|test| !self.facts.get(subject).is_some_and(|own| own.contains(test))).cloned(),
            );
            own.sort_by_cached_key(|test| format!("{test:?}"));
        }
        both
    }

    pub(super) fn is_possible(&self) -> bool {
        let sound = |tests: &Vec<Test>| {
            tests.iter().enumerate().all(|(at, test)| !tests.iter().skip(at + 1).any(|other| test.contradicts(other)))
        };
        self.statuses.0 != 0 && self.facts.values().all(sound)
    }

    pub(super) fn is_of_status(&self) -> bool {
        self.facts.is_empty()
    }

    pub(super) fn allows(&self, status: Statuses) -> bool {
        self.statuses.0 & status.0 == status.0
    }
}

//! Which conditions of transitions exclude one another. What can't be proved isn't assumed.

mod facts;
mod parse;

use orquesta::Template;
use serde_json::Value;

use facts::{Conjunction, Statuses};
use parse::Expression;

/// More alternatives than this aren't looked at one by one.
const MOST_ALTERNATIVES: usize = 64;

/// When a transition fires: one of these alternatives holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    alternatives: Vec<Conjunction>,
}

impl Condition {
    /// Of a `when`; `place` tells transitions apart whose conditions need not give the same twice.
    pub(crate) fn of(when: Option<&Template>, place: usize) -> Condition {
        let expression = when.map_or(Expression::ALWAYS, |when| parse::read(when.written(), place));
        let alternatives = expression.alternatives(true).unwrap_or_else(|| {
            let text = when.map(Template::written).map(Value::to_string).unwrap_or_default();
            Expression::opaque(text).alternatives(true).unwrap_or_default()
        });
        let mut alternatives: Vec<Conjunction> = alternatives.into_iter().filter(Conjunction::is_possible).collect();
        alternatives.sort_by_cached_key(|alternative| format!("{alternative:?}"));
        alternatives.dedup();
        Condition { alternatives }
    }

    /// It never holds.
    pub(crate) fn is_dead(&self) -> bool {
        self.alternatives.is_empty()
    }

    /// It asks for nothing but how the task ended.
    pub(crate) fn is_of_status(&self) -> bool {
        self.alternatives.iter().all(Conjunction::is_of_status)
    }

    /// It holds whenever the task succeeds.
    pub(crate) fn holds_on_success(&self) -> bool {
        self.holds_on(Statuses::SUCCEEDED)
    }

    /// It holds whenever the task fails.
    pub(crate) fn holds_on_failure(&self) -> bool {
        self.holds_on(Statuses::FAILED)
    }

    fn holds_on(&self, status: Statuses) -> bool {
        self.alternatives.iter().any(|alternative| alternative.is_of_status() && alternative.allows(status))
    }

    /// The two never hold at once.
    pub(crate) fn excludes(&self, other: &Condition) -> bool {
        self.alternatives.iter().all(|own| other.alternatives.iter().all(|other| !own.and(other).is_possible()))
    }
}

impl Expression {
    /// The alternatives of it, or of its opposite; none where there are too many.
    fn alternatives(&self, wanted: bool) -> Option<Vec<Conjunction>> {
        match self {
            Expression::Status(statuses) => {
                Some(vec![Conjunction::of_status(if wanted { *statuses } else { statuses.others() })])
            }
            Expression::Fact(subject, test) => {
                Some(vec![Conjunction::of_fact(subject, if wanted { test.clone() } else { test.opposite() })])
            }
            Expression::Not(inner) => inner.alternatives(!wanted),
            Expression::And(left, right) | Expression::Or(left, right) => {
                let (left, right) = (left.alternatives(wanted)?, right.alternatives(wanted)?);
                let all = if matches!(self, Expression::And(..)) == wanted {
                    if left.len() * right.len() > MOST_ALTERNATIVES {
                        return None;
                    }
                    left.iter().flat_map(|left| right.iter().map(|right| left.and(right))).collect()
                } else {
                    left.into_iter().chain(right).collect::<Vec<_>>()
                };
                (all.len() <= MOST_ALTERNATIVES).then_some(all)
            }
        }
    }
}

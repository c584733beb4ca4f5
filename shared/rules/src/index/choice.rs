//! Which of its ways each rule is found by: the one that the fewest events will take.

use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

use super::{
    access::{self, Access, Found, Part, Probe},
    table::Tables,
};
use crate::compiled::CompiledRule;

/// The more rules ask a path for different values, the more it tells them apart. A few rules prove little.
const DOUBT: f64 = 4.0;

/// Builds the tables for these rules, which have their places in the list as ids.
pub(super) fn choose(rules: &[Arc<CompiledRule>], payloads: &[Value]) -> Tables {
    let ways: Vec<Found> = rules.iter().map(|rule| access::of_rule(rule)).collect();
    let usual = Usual::count(&ways, payloads);
    let mut always = Vec::new();
    let mut chosen = Vec::new();
    for (id, ways) in (0_u32..).zip(&ways) {
        let Found::By(ways) = ways else { continue };
        let rarest = ways.iter().map(|way| (usual.share(way), way)).min_by(|a, b| a.0.total_cmp(&b.0));
        match rarest {
            Some((_, way)) => chosen.push((id, way.clone())),
            None => always.push(id),
        }
    }
    Tables::build(always, chosen)
}

/// How usual it is that an event takes a way.
struct Usual<'a> {
    by_way: HashMap<&'a Access, Counts>,
    /// By path and kind of question.
    by_path: HashMap<(&'a [Box<str>], Kind), f64>,
    payloads: f64,
}

#[derive(Default)]
struct Counts {
    rules: f64,
    payloads: f64,
}

/// Questions of one kind compare with one another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Equal,
    Beginning,
    Anywhere,
}

impl<'a> Usual<'a> {
    fn count(ways: &'a [Found], payloads: &[Value]) -> Usual<'a> {
        let mut usual = Usual { by_way: HashMap::new(), by_path: HashMap::new(), payloads: as_f64(payloads.len()) };
        for way in ways.iter().flat_map(|found| if let Found::By(ways) = found { ways.as_slice() } else { &[] }) {
            usual.by_way.entry(way).or_default().rules += 1.0;
            *usual.by_path.entry((&way.names, kind(way))).or_default() += 1.0;
        }
        if !payloads.is_empty() {
            usual.try_out(payloads);
        }
        usual
    }

    /// Puts the payloads to tables of all the ways.
    fn try_out(&mut self, payloads: &[Value]) {
        let mut counts: Vec<_> = self.by_way.iter_mut().map(|(way, counts)| (*way, counts)).collect();
        let tables = Tables::build(Vec::new(), (0_u32..).zip(counts.iter().map(|(way, _)| (*way).clone())));
        let mut found = Vec::new();
        for payload in payloads {
            found.clear();
            tables.candidates(payload, &mut found);
            found.sort_unstable();
            found.dedup();
            for id in &found {
                let counts = usize::try_from(*id).ok().and_then(|id| counts.get_mut(id));
                counts.into_iter().for_each(|(_, counts)| counts.payloads += 1.0);
            }
        }
    }

    /// The share of events that take this way, as far as is known: what rules ask for is taken for one more payload.
    fn share(&self, way: &Access) -> f64 {
        let (rules, seen) = self.by_way.get(way).map_or((0.0, 0.0), |counts| (counts.rules, counts.payloads));
        let path = self.by_path.get(&(&*way.names, kind(way))).copied().unwrap_or_default();
        (seen + (rules / (path + DOUBT) + at_least(way)).min(1.0)) / (self.payloads + 1.0)
    }
}

/// Some questions are answered with yes often, whatever they ask for.
fn at_least(way: &Access) -> f64 {
    let of = |probe: &Probe| match probe {
        Probe::Null => 0.3,
        Probe::Number(_) | Probe::Text(_) | Probe::Part { part: Part::Whole, .. } => 0.0,
        Probe::Part { part: Part::Beginning, text, .. } => 0.1 / as_f64(text.len()),
        Probe::Part { part: Part::Anywhere, text, .. } => 0.3 / as_f64(text.len()),
    };
    way.probes.iter().map(of).sum()
}

fn kind(way: &Access) -> Kind {
    match way.probes.first() {
        Some(Probe::Part { part: Part::Beginning, .. }) => Kind::Beginning,
        Some(Probe::Part { part: Part::Anywhere, .. }) => Kind::Anywhere,
        _ => Kind::Equal,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
const fn as_f64(count: usize) -> f64 {
    count as f64
}

//! Policies on actions: who may start, who waits for his turn, what is tried again.
//!
//! A limit counts at a *gate*: one record per policy and values that count together. Whoever starts writes himself into it in the commit
//! that claims him; whoever has to wait gets a row in the gate's queue and costs nothing until the gate lets him in; whoever ends leaves a
//! row in the gate's inbox, in the commit of his end.

mod admission;
mod gate;
mod retry;

use model::{Id, Limit, Policy, PolicyKind, Ref, RetryOn};
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::Arc};

pub(crate) use admission::Admission;

/// A policy that is enabled, read once per content revision.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Active {
    pub(crate) reference: Ref,
    pub(crate) kind: PolicyKind,
}

/// The enabled policies by action. Limits of few come before those of all, and rates last: whoever waits holds as little as can be. The
/// order is the same for all, so nobody waits for somebody who waits for him.
pub(crate) fn active<'a>(policies: impl Iterator<Item = &'a Arc<Policy>>) -> HashMap<Ref, Vec<Active>> {
    let mut by_action: HashMap<Ref, Vec<Active>> = HashMap::new();
    for policy in policies.filter(|policy| policy.enabled) {
        // What can't be read is refused when it is registered.
        if let Ok(kind) = policy.kind() {
            let active = Active { reference: policy.reference.clone(), kind };
            by_action.entry(policy.resource_ref.clone()).or_default().push(active);
        }
    }
    by_action.values_mut().for_each(|all| all.sort_by_key(|active| (active.rank(), active.reference.clone())));
    by_action
}

impl Active {
    fn rank(&self) -> u8 {
        match &self.kind {
            PolicyKind::Limit(Limit { kind: model::LimitKind::Rate { .. }, .. }) => 2,
            PolicyKind::Limit(limit) => u8::from(limit.attributes.is_empty()),
            PolicyKind::Retry(retry) => match retry.on {
                RetryOn::Failure => 3,
                RetryOn::Timeout => 4,
                RetryOn::Abandoned => 5,
            },
        }
    }
}

/// Where a limit counts an execution with these parameters.
fn gate_of(policy: &Ref, limit: &Limit, parameters: [&Map<String, Value>; 2]) -> Id {
    let value = |name: &String| parameters.iter().find_map(|some| some.get(name)).unwrap_or(&Value::Null).to_string();
    let values: Vec<String> = limit.attributes.iter().map(value).collect();
    let mut parts = vec!["gate", policy.as_str()];
    parts.extend(values.iter().map(String::as_str));
    Id::named(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{LimitKind, WhenFull};
    use serde_json::json;

    #[test]
    fn values_that_are_alike_count_together() {
        let limit = Limit {
            kind: LimitKind::Concurrency { threshold: 1 },
            attributes: vec!["host".into(), "port".into()],
            when_full: WhenFull::Delay,
        };
        let of = |policy: &str, action: Value, runner: Value| {
            let maps = [action, runner].map(|map| map.as_object().cloned().unwrap());
            gate_of(&policy.parse().unwrap(), &limit, [&maps[0], &maps[1]])
        };
        let one = of("p.a", json!({"host": "x", "port": 1, "other": 5}), json!({}));
        assert_eq!(one, of("p.a", json!({"host": "x"}), json!({"port": 1})));
        for other in [
            of("p.a", json!({"host": "x", "port": "1"}), json!({})),
            of("p.a", json!({"host": "x"}), json!({})),
            of("p.b", json!({"host": "x", "port": 1}), json!({})),
        ] {
            assert_ne!(one, other);
        }
    }
}

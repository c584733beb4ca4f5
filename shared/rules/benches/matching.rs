//! Events per second against many rules, from the event's bytes to its matches. What is timed is first compared with trying each rule.

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use expressions::KeyValues;
use model::{Ref, Rule, Timestamp};
use rules::{Event, NoKeyValues, RuleSet};
use serde_json::{Value, json};
use std::{hint::black_box, sync::Arc};

const EVENTS: usize = 2_000;
const CHECKED: usize = 200;

/// A small generator of numbers that gives the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        let count = u64::try_from(words.len()).unwrap_or(1);
        usize::try_from(self.below(count)).ok().and_then(|at| words.get(at)).copied().unwrap_or_default()
    }
}

const SERVICES: [&str; 12] =
    ["api", "web", "db", "cache", "queue", "mail", "auth", "search", "batch", "proxy", "dns", "ldap"];
const PROBLEMS: [&str; 10] = [
    "disk full",
    "cpu load",
    "out of memory",
    "timeout",
    "refused",
    "certificate",
    "replica lag",
    "restart",
    "unreachable",
    "quota",
];
const SEVERITIES: [&str; 4] = ["info", "warning", "error", "critical"];

fn payload(dice: &mut Dice) -> Value {
    let (service, number) = (dice.word(&SERVICES), dice.below(2_000));
    json!({
        "id": dice.below(1 << 40), "source": "monitor", "severity": dice.word(&SEVERITIES), "value": dice.below(100),
        "host": {"name": format!("{service}-{number}.eu.example.com"), "service": service, "rack": dice.below(300)},
        "check": format!("{service}.check-{}", dice.below(5_000)),
        "summary": format!("{} on volume {}: {} after {} s", dice.word(&PROBLEMS), dice.below(5_000), dice.word(&PROBLEMS), number),
        "labels": {"team": format!("team-{}", dice.below(400)), "env": "prod", "region": dice.word(&["eu", "us", "ap"])},
    })
}

/// 55 % start with a selective equality, 15 % with a prefix, 15 % with a contained text, 15 % with a regular expression.
fn rule(dice: &mut Dice, number: usize) -> Arc<Rule> {
    let service = dice.word(&SERVICES);
    let (key, first) = match (dice.below(100), dice.below(2)) {
        (..55, 0) => {
            ("trigger.check", json!({"type": "equals", "pattern": format!("{service}.check-{}", dice.below(5_000))}))
        }
        (..55, _) => ("trigger.labels.team", json!({"type": "eq", "pattern": format!("team-{}", dice.below(400))})),
        (55..70, _) => {
            ("trigger.host.name", json!({"type": "startswith", "pattern": format!("{service}-{}.", dice.below(2_000))}))
        }
        (70..85, _) => {
            ("trigger.summary", json!({"type": "contains", "pattern": format!("volume {}:", dice.below(5_000))}))
        }
        _ => (
            "trigger.summary",
            json!({"type": "regex", "pattern": format!("volume {}:.*{}", dice.below(5_000), dice.word(&PROBLEMS))}),
        ),
    };
    let criteria = json!({
        key: first,
        "trigger.severity": {"type": "nequals", "pattern": dice.word(&SEVERITIES)},
        "trigger.value": {"type": "gt", "pattern": dice.below(60)},
    });
    let rule = json!({
        "ref": format!("bench.rule{number}"), "enabled": true, "criteria": criteria,
        "trigger": {"type": "core.alert"}, "action": {"ref": "core.noop"},
    });
    Arc::new(serde_json::from_value(rule).unwrap_or_else(|error| unreachable!("{error}")))
}

fn keys() -> Arc<dyn KeyValues> {
    Arc::new(NoKeyValues)
}

fn event(bytes: &[u8]) -> Event {
    let payload: Value = serde_json::from_slice(bytes).unwrap_or_default();
    Event::new(payload, Timestamp::default(), Arc::new(NoKeyValues))
}

fn refs(matches: &[rules::Match<'_>]) -> Vec<Ref> {
    matches.iter().map(|found| found.rule.rule().reference.clone()).collect()
}

fn check(rules: &RuleSet, events: &[Vec<u8>]) {
    let mut found = 0;
    let keys = keys();
    for bytes in events.iter().take(CHECKED) {
        let plain: Vec<_> = rules.matches_one_by_one(&event(bytes)).into_iter().map(|(rule, _)| rule).collect();
        let fast = rules.matches_json(bytes, Timestamp::default(), &keys).map(|found| refs(&found));
        assert_eq!(fast.unwrap_or_default(), plain);
        found += plain.len();
    }
    assert!(found > 0, "nothing matches, so nothing is shown");
}

fn matching(criterion: &mut Criterion) {
    let mut dice = Dice(7);
    let events: Vec<Vec<u8>> = (0..EVENTS).map(|_| payload(&mut dice).to_string().into_bytes()).collect();
    for count in [1_000, 10_000] {
        let rules: Vec<_> = (0..count).map(|number| rule(&mut dice, number)).collect();
        let rules = RuleSet::build(rules);
        check(&rules, &events);
        let mut group = criterion.benchmark_group(format!("matching/{count}"));
        group.sample_size(10).throughput(Throughput::Elements(1));
        let mut turn = events.iter().cycle();
        let keys = keys();
        group.bench_function("from_bytes", |bencher| {
            bencher.iter(|| turn.next().map(|bytes| rules.matches_json(black_box(bytes), Timestamp::default(), &keys)));
        });
        let parsed: Vec<Event> = events.iter().map(|bytes| event(bytes)).collect();
        let mut turn = parsed.iter().cycle();
        group.bench_function("parsed", |bencher| {
            bencher.iter(|| turn.next().map(|event| rules.matches(black_box(event))))
        });
        let compiled = rules.rules();
        group.throughput(Throughput::Elements(u64::try_from(count).unwrap_or(1)));
        group.bench_function("index_compiled", |bencher| {
            bencher.iter(|| RuleSet::from_compiled(compiled.iter().map(Arc::clone)));
        });
        let prepared = Bytes::from(rules.to_prepared().unwrap_or_default());
        group.bench_function("from_prepared", |bencher| {
            bencher.iter(|| RuleSet::from_prepared(prepared.clone()));
        });
        let changed = rule(&mut dice, 0);
        group.throughput(Throughput::Elements(1));
        group.bench_function("change_one", |bencher| bencher.iter(|| rules.with(Arc::clone(&changed))));
        group.finish();
    }
}

criterion_group!(benches, matching);
criterion_main!(benches);

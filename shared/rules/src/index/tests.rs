use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::NoKeyValues;

fn rule(name: &str, kind: RuleKind, criteria: &Value) -> Arc<Rule> {
    let rule = json!({
        "ref": format!("p.{name}"), "enabled": true, "kind": kind, "criteria": criteria,
        "trigger": {"type": "core.alert"}, "action": {"ref": "core.noop"},
    });
    Arc::new(serde_json::from_value(rule).unwrap())
}

fn event(payload: Value) -> Event {
    Event::new(payload, "2026-01-15T12:00:00Z".parse().unwrap(), Arc::new(NoKeyValues))
}

fn told(matches: &[Match]) -> Vec<(String, Verdict)> {
    matches.iter().map(|found| (found.rule.rule().reference.to_string(), found.verdict.clone())).collect()
}

fn names(matches: &[Match]) -> Vec<&str> {
    matches.iter().map(|found| found.rule.rule().reference.name()).collect()
}

#[test]
fn backstops_are_for_events_that_no_standard_rule_matches() {
    let rules = RuleSet::build([
        rule("backstop", RuleKind::Backstop, &json!({})),
        rule("a", RuleKind::Standard, &json!({"trigger.k": {"type": "equals", "pattern": "a"}})),
        rule("fails", RuleKind::Standard, &json!({"trigger.n": {"type": "gt", "pattern": 1}})),
    ]);
    assert_eq!(names(&rules.matches(&event(json!({"k": "a", "n": 0})))), ["a"]);
    assert_eq!(names(&rules.matches(&event(json!({"k": "b", "n": 0})))), ["backstop"]);
    let failing = rules.matches(&event(json!({"k": "b"})));
    assert_eq!(names(&failing), ["fails", "backstop"]);
    assert!(failing[0].verdict.failure().unwrap().contains("can't be compared"), "{failing:?}");
}

#[test]
fn one_bad_rule_hurts_no_other() {
    let rules = RuleSet::build([
        rule("bad_key", RuleKind::Standard, &json!({"trigger.where": {"type": "exists", "pattern": 1}})),
        rule("bad_regex", RuleKind::Standard, &json!({"trigger.k": {"type": "regex", "pattern": "("}})),
        rule("bad_operator", RuleKind::Standard, &json!({"trigger.k": {"type": "like", "pattern": "a"}})),
        rule("bad_template", RuleKind::Standard, &json!({"trigger.k": {"type": "equals", "pattern": "{{ trigger."}})),
        rule("good", RuleKind::Standard, &json!({"trigger.k": {"type": "equals", "pattern": "{{ trigger.k }}"}})),
    ]);
    let matches = rules.matches(&event(json!({"k": "a"})));
    assert_eq!(names(&matches), ["bad_key", "bad_regex", "bad_operator", "bad_template", "good"]);
    assert!(matches.iter().all(|found| found.verdict.is_match() == (found.rule.rule().reference.name() == "good")));
}

#[test]
fn a_change_shares_the_other_rules() {
    let of = |value: &str| json!({"trigger.k": {"type": "equals", "pattern": value}});
    let rules = RuleSet::build([rule("a", RuleKind::Standard, &of("1")), rule("b", RuleKind::Standard, &of("1"))]);
    let changed = rules.with(rule("b", RuleKind::Standard, &of("2")));
    assert!(Arc::ptr_eq(&rules.rules()[0], &changed.rules()[0]));
    assert_eq!(names(&changed.matches(&event(json!({"k": "1"})))), ["a"]);
    assert_eq!(names(&changed.matches(&event(json!({"k": "2"})))), ["b"]);
    let fewer = changed.without(&"p.a".parse().unwrap());
    assert!(fewer.matches(&event(json!({"k": "1"}))).is_empty());
}

#[test]
fn selective_criteria_keep_rules_from_being_tried() {
    let rules: Vec<_> = (0..500)
        .map(|at| {
            let criteria = match at % 4 {
                0 => json!({"trigger.host": {"type": "eq", "pattern": format!("web-{at}")}, "trigger.n": {"type": "gt", "pattern": 1}}),
                1 => json!({"trigger.host": {"type": "startswith", "pattern": format!("db-{at}-")}}),
                2 => json!({"trigger.text": {"type": "icontains", "pattern": format!("Disk {at}!")}}),
                _ => json!({"trigger.up": {"type": "exists", "pattern": 1}, "trigger.text": {"type": "regex", "pattern": format!("^error {at}: .*")}}),
            };
            rule(&format!("r{at}"), RuleKind::Standard, &criteria)
        })
        .collect();
    let rules = RuleSet::build(rules);
    let payload = json!({"host": "web-8", "text": "on DISK 6! and DISK 7!", "n": 2, "up": true});
    let mut candidates = Vec::new();
    rules.tables.candidates(&payload, &mut candidates);
    assert!(candidates.len() <= 2, "{candidates:?}");
    assert_eq!(names(&rules.matches(&event(payload))), ["r6", "r8"]);
}

/// Few words, so that rules and events meet often.
fn word() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(false)),
        prop_oneof![Just(json!(0)), Just(json!(1)), Just(json!(1.0)), Just(json!(2.5)), Just(json!(-1))],
        "[abA]{0,3}".prop_map(Value::from),
        prop_oneof![Just("1"), Just("ab\n"), Just("straße"), Just("2026-01-15"), Just("Ab"), Just("ba")]
            .prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    word().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[abc]", inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn pattern() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => value(),
        1 => prop_oneof![
            Just("a.*b"), Just("^ab?"), Just("("), Just("b+$"), Just("(?i)ab"), Just("[ab]{2}"), Just("a*"), Just("?b"), Just("(?=a)ab"),
            Just("{{ trigger.a }}"), Just("{{ trigger.a.b }}"), Just("{{ trigger.b | upper }}"), Just("{{ 1 }}"), Just("{{ nope }}"),
        ].prop_map(Value::from),
    ]
}

fn key() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => prop_oneof![Just("trigger.a"), Just("trigger.b"), Just("trigger.c"), Just("trigger.a.b"), Just("trigger")],
        1 => prop_oneof![Just("trigger.a[0]"), Just("trigger..b"), Just("system.x"), Just("trigger.where"), Just("a"), Just("trigger.b[*]")],
    ]
}

fn criterion() -> impl Strategy<Value = Value> {
    let names: Vec<&'static str> = crate::Operator::names().chain(["EQUALS", "unknown"]).collect();
    let plain =
        (prop::sample::select(names), pattern()).prop_map(|(name, pattern)| json!({"type": name, "pattern": pattern}));
    let child = (prop::sample::select(vec!["equals", "gt", "startswith", "exists"]), word());
    let search =
        (prop::sample::select(vec!["any", "all", "any2any", "all2any", "none"]), prop::collection::vec(child, 0..3))
            .prop_map(|(condition, children)| {
                let children: Map<_, _> = children
                    .into_iter()
                    .enumerate()
                    .map(|(at, (name, pattern))| (format!("item.a#{at}"), json!({"type": name, "pattern": pattern})))
                    .collect();
                json!({"type": "search", "condition": condition, "pattern": children})
            });
    prop_oneof![8 => plain, 1 => search, 1 => Just(json!({"pattern": 1}))]
}

fn criteria() -> impl Strategy<Value = Value> {
    prop::collection::vec((key(), criterion()), 0..4).prop_map(|criteria| {
        let tagged = criteria.into_iter().enumerate().map(|(at, (key, criterion))| (format!("{key}#{at}"), criterion));
        Value::Object(tagged.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_index_finds_what_trying_each_rule_finds(
        criteria in prop::collection::vec((criteria(), any::<bool>()), 1..12),
        payloads in prop::collection::vec(value(), 1..8),
    ) {
        let rules: Vec<_> = criteria
            .iter()
            .enumerate()
            .map(|(at, (criteria, standard))| {
                rule(&format!("r{at}"), if *standard { RuleKind::Standard } else { RuleKind::Backstop }, criteria)
            })
            .collect();
        let rules = RuleSet::build(rules);
        let learned = RuleSet::from_sample(rules.rules().iter().map(Arc::clone), &payloads);
        for payload in payloads {
            let event = event(payload);
            let expected = told(&rules.matches_one_by_one(&event));
            prop_assert_eq!(&told(&rules.matches(&event)), &expected);
            prop_assert_eq!(&told(&learned.matches(&event)), &expected);
        }
    }
}

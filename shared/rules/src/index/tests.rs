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

/// In the order of the refs.
fn told(matches: &[Match<'_>]) -> Vec<(Ref, Verdict)> {
    in_order(matches.iter().map(|found| (found.rule.rule().reference.clone(), found.verdict.clone())).collect())
}

fn in_order(mut matches: Vec<(Ref, Verdict)>) -> Vec<(Ref, Verdict)> {
    matches.sort_by(|a, b| a.0.cmp(&b.0));
    matches
}

fn keys() -> Arc<dyn KeyValues> {
    Arc::new(NoKeyValues)
}

fn names<'a>(matches: &[Match<'a>]) -> Vec<&'a str> {
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
    assert_eq!((rules.changed(), changed.changed()), (0, 2));
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
    let tables = tables::Tables::build(rules.base.plan(), true);
    let mut looked = tables::Looked::new(&tables, rules.base.len());
    tables.look_up(&Slots::of(&tables.trie, &payload), &mut looked);
    tables.collect(&mut looked);
    let mut candidates = Vec::new();
    looked.candidates.drain(|id, _| candidates.push(id));
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

fn group() -> impl Strategy<Value = Value> {
    tagged(prop::collection::vec((key(), criterion()), 0..4))
}

fn tagged<K: std::fmt::Display + std::fmt::Debug>(
    criteria: impl Strategy<Value = Vec<(K, Value)>>,
) -> impl Strategy<Value = Value> {
    criteria.prop_map(|criteria| {
        let tagged = criteria.into_iter().enumerate().map(|(at, (key, criterion))| (format!("{key}#{at}"), criterion));
        Value::Object(tagged.collect())
    })
}

fn criteria() -> impl Strategy<Value = Value> {
    let groups = prop::collection::vec(group(), 0..3);
    let tree =
        (prop::sample::select(vec!["any", "all"]), groups).prop_map(|(join, groups)| (join, Value::from(groups)));
    let not = group().prop_map(|group| ("not", group));
    let one = prop_oneof![6 => (key(), criterion()), 1 => tree, 1 => not];
    tagged(prop::collection::vec(one, 0..4))
}

fn kind(standard: bool) -> RuleKind {
    if standard { RuleKind::Standard } else { RuleKind::Backstop }
}

/// All ways to ask a set come to the same as trying each rule.
fn agree(rules: &RuleSet, payload: &Value) -> Result<(), TestCaseError> {
    let event = event(payload.clone());
    let expected = in_order(rules.matches_one_by_one(&event));
    prop_assert_eq!(&told(&rules.matches(&event)), &expected);
    let json = serde_json::to_vec(payload).unwrap();
    prop_assert_eq!(&told(&rules.matches_json(&json, event.now(), &keys()).unwrap()), &expected);
    let pretty = serde_json::to_vec_pretty(payload).unwrap();
    prop_assert_eq!(&told(&rules.matches_json(&pretty, event.now(), &keys()).unwrap()), &expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_index_finds_what_trying_each_rule_finds(
        criteria in prop::collection::vec((criteria(), any::<bool>()), 1..12),
        changes in prop::collection::vec((0..14_usize, prop::option::of((criteria(), any::<bool>()))), 0..4),
        payloads in prop::collection::vec(value(), 1..8),
    ) {
        let rules: Vec<_> = criteria
            .iter()
            .enumerate()
            .map(|(at, (criteria, standard))| rule(&format!("r{at}"), kind(*standard), criteria))
            .collect();
        let rules = RuleSet::build(rules);
        let learned = RuleSet::from_sample(rules.rules(), &payloads);
        let read = RuleSet::from_prepared(learned.to_prepared().unwrap()).unwrap();
        let changed = changes.iter().fold(read.clone(), |rules, (at, change)| match change {
            Some((criteria, standard)) => rules.with(rule(&format!("r{at}"), kind(*standard), criteria)),
            None => rules.without(&format!("p.r{at}").parse().unwrap()),
        });
        let built = RuleSet::from_compiled(changed.rules());
        for payload in &payloads {
            agree(&rules, payload)?;
            agree(&learned, payload)?;
            agree(&read, payload)?;
            agree(&changed, payload)?;
            let event = event(payload.clone());
            prop_assert_eq!(told(&changed.matches(&event)), told(&built.matches(&event)));
        }
    }

    #[test]
    fn the_scan_takes_no_more_than_a_reader_and_finds_the_same(payload in value(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let paths = [&[][..], &["a"], &["b"], &["a", "b"], &["c"]].map(|path| path.iter().map(|name| Box::from(*name)).collect());
        let trie = Trie::new(paths.to_vec());
        let mut bytes = serde_json::to_vec(&payload).unwrap();
        let at = cut.index(bytes.len());
        for change in 0..3 {
            match change {
                1 => bytes[at] = byte,
                2 => bytes.truncate(at),
                _ => {}
            }
            let Some(slots) = scan::scan(&trie, &bytes, &mut Vec::new()) else { continue };
            let read: Value = serde_json::from_slice(&bytes).unwrap();
            let expected = Slots::of(&trie, &read);
            prop_assert_eq!(format!("{slots:?}"), format!("{expected:?}"));
        }
    }

    #[test]
    fn literals_are_found_where_they_are_contained(
        texts in prop::collection::vec("[ab é]{1,12}", 1..40), text in "[ab é]{0,40}",
    ) {
        let sought: Vec<&str> = texts.iter().map(String::as_str).collect();
        let offsets = literals::rarest(&sought);
        let all = (0_u32..).zip(sought.iter().zip(offsets)).map(|(id, (text, offset))| literals::Sought { text, offset, id });
        let mut found = Vec::new();
        literals::Literals::build(all).find(&text, |id| found.push(id as usize));
        found.sort_unstable();
        found.dedup();
        let expected: Vec<usize> = (0..texts.len()).filter(|at| text.contains(&texts[*at])).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn events_do_not_see_what_was_so_of_earlier_ones() {
    let less = json!({"trigger.n": {"type": "lt", "pattern": 1}, "trigger.k": {"type": "neq", "pattern": "a"}});
    let more = json!({"trigger.n": {"type": "gt", "pattern": 0}, "trigger.k": {"type": "contains", "pattern": "a"}});
    let rules = RuleSet::build([rule("less", RuleKind::Standard, &less), rule("more", RuleKind::Standard, &more)]);
    let payloads = [json!({"k": "a", "n": 0}), json!({"k": "b", "n": 2}), json!({"k": "ba", "n": 1}), json!({})];
    // More events than marks tell apart.
    for at in 0..600 {
        agree(&rules, &payloads[at / 7 % payloads.len()]).unwrap();
    }
    agree(&rules, &payloads[1]).unwrap();
    for _ in 0..255 {
        agree(&rules, &json!({})).unwrap();
    }
    agree(&rules, &payloads[0]).unwrap();
}

#[test]
fn what_is_no_prepared_index_is_refused() {
    let rules =
        RuleSet::build([rule("a", RuleKind::Standard, &json!({"trigger.k": {"type": "equals", "pattern": "1"}}))]);
    let bytes = rules.to_prepared().unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(RuleSet::from_prepared(damaged).is_err(), "byte {at}");
        assert!(RuleSet::from_prepared(bytes[..at].to_vec()).is_err(), "{at} bytes");
    }
    assert_eq!(RuleSet::from_prepared(b"{}".to_vec()).unwrap_err(), PreparedError::NoIndex);
}

#[test]
fn payloads_that_are_no_json_are_told() {
    let rules =
        RuleSet::build([rule("a", RuleKind::Standard, &json!({"trigger.k": {"type": "equals", "pattern": "1"}}))]);
    let matches =
        |json: &str| rules.matches_json(json.as_bytes(), Timestamp::default(), &keys()).map(|found| found.len());
    for bad in [
        "",
        "{",
        "{\"k\": 1,}",
        "{\"k\" 1}",
        "{\"k\": 01}",
        "{\"k\": \"\\x\"}",
        "{\"k\": 1e999}",
        "{} {}",
        "{\"k\": tru}",
    ] {
        assert!(matches(bad).is_err(), "{bad}");
    }
    // Of a name that comes twice the last one counts.
    assert_eq!(matches("{\"k\": \"0\", \"k\": \"1\"}").unwrap(), 1);
    assert_eq!(matches("{\"k\": \"\\u0031\"}").unwrap(), 1);
    assert_eq!(matches(" {\"\\u006b\" : \"1\" , \"x\": [1, {\"y\": null}]} ").unwrap(), 1);
    assert_eq!(matches("[1]").unwrap(), 0);
}

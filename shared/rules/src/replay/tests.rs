use serde_json::json;

use super::*;

fn rule(name: &str, changes: Value) -> Rule {
    let mut rule = json!({
        "ref": format!("p.{name}"), "enabled": true, "trigger": {"type": "core.alert"},
        "criteria": {"trigger.level": {"type": "gt", "pattern": 5}},
        "action": {"ref": "core.echo", "parameters": {"host": "{{ trigger.host }}", "kind": "alert", "password": "{{ trigger.host }}"}},
    });
    rule.as_object_mut().unwrap().extend(changes.as_object().cloned().unwrap());
    serde_json::from_value(rule).unwrap()
}

fn over(level: u8) -> Value {
    json!({"criteria": {"trigger.level": {"type": "gt", "pattern": level}}})
}

/// Ten events, whose level is their number.
fn replay(old: Vec<Rule>, new: Vec<Rule>) -> Report {
    let mut replay = Replay::new(old, new, 2);
    for n in 0..10 {
        let payload = json!({"level": n, "host": format!("web-{n}")}).to_string();
        let id = format!("e{n}");
        let trigger = if n == 9 { "core.other" } else { "core.alert" };
        let event = Recorded { id: &id, trigger, at: Timestamp::from_millis(n), payload: payload.as_bytes() };
        replay.event(&event).unwrap();
    }
    replay.finish()
}

fn only(report: &Report) -> &RuleReport {
    assert_eq!(report.rules.len(), 1);
    &report.rules[0]
}

#[test]
fn the_same_rules_do_the_same() {
    let described = rule("a", json!({"description": "other words", "tags": [{"name": "x"}]}));
    let report = replay(vec![rule("a", json!({}))], vec![described]);
    assert_eq!((report.events, report.unheard), (10, 1));
    let rule = only(&report);
    assert_eq!((rule.change, rule.fired_before, rule.fires_after, rule.differs()), (Change::Unchanged, 3, 3, false));
}

#[test]
fn what_newly_fires_and_no_longer_does_is_told_with_the_reason() {
    let report = replay(vec![rule("a", json!({}))], vec![rule("a", over(7))]);
    let changed = only(&report);
    assert_eq!((changed.change, changed.fired_before, changed.fires_after), (Change::Changed, 3, 1));
    assert_eq!((changed.no_longer_fires.count, changed.newly_fires.count), (2, 0));
    let example = &changed.no_longer_fires.examples[0];
    assert_eq!((example.trigger_instance.as_str(), example.occurrence_time), ("e6", Timestamp::from_millis(6)));
    assert_eq!(example.why.as_deref(), Some("trigger.level does not hold"));
    let report = replay(vec![rule("a", over(7))], vec![rule("a", over(1))]);
    assert_eq!((only(&report).newly_fires.count, only(&report).newly_fires.examples.len()), (6, 2));
}

#[test]
fn rules_come_go_and_listen_elsewhere() {
    let other = json!({"trigger": {"type": "core.other"}});
    let off = json!({"enabled": false});
    let old = vec![rule("gone", json!({})), rule("moved", json!({})), rule("off", json!({}))];
    let new = vec![rule("moved", other), rule("new", json!({})), rule("off", off)];
    let report = replay(old, new);
    let why = |at: usize| {
        let found = &report.rules[at];
        let differences = [&found.no_longer_fires, &found.newly_fires];
        let told = differences
            .map(|found| (found.count, found.examples.first().and_then(|one| one.why.clone()).unwrap_or_default()));
        (found.rule.name().to_owned(), found.change, told)
    };
    let none = || (0, String::new());
    assert_eq!(why(0), ("gone".into(), Change::Removed, [(3, "the rule is removed".into()), none()]));
    let moved = [(3, "the rule listens to core.other".into()), (1, "the rule listens to core.alert".into())];
    assert_eq!(why(1), ("moved".into(), Change::Changed, moved));
    assert_eq!(why(2), ("new".into(), Change::Added, [none(), (3, "the rule is added".into())]));
    assert_eq!(why(3), ("off".into(), Change::Changed, [(3, "the rule is disabled".into()), none()]));
}

#[test]
fn a_backstop_steps_back_where_another_rule_comes() {
    let backstop = || rule("backstop", json!({"kind": "backstop", "criteria": {}}));
    let report = replay(vec![backstop()], vec![backstop(), rule("a", json!({}))]);
    let stood_back = report.rules.iter().find(|found| found.rule.name() == "backstop").unwrap();
    assert_eq!((stood_back.change, stood_back.no_longer_fires.count), (Change::Unchanged, 3));
    let why = stood_back.no_longer_fires.examples[0].why.as_deref();
    assert_eq!(why, Some("the rule is a backstop, and another one matches"));
}

#[test]
fn inputs_are_compared_as_rendered_and_shown_so_far_as_they_differ() {
    let asks = |parameters: Value| json!({"action": {"ref": "core.echo", "parameters": parameters}});
    let same =
        asks(json!({"host": "web-{{ trigger.level }}", "kind": "{{ 'alert' }}", "password": "{{ trigger.host }}"}));
    let report = replay(vec![rule("a", json!({}))], vec![rule("a", same)]);
    assert_eq!((only(&report).change, only(&report).differs()), (Change::Changed, false));
    let other = asks(
        json!({"host": "{{ trigger.host | upper }}", "kind": "{{ trigger.nope }}", "password": "{{ trigger.level }}", "n": 1}),
    );
    let report = replay(vec![rule("a", json!({}))], vec![rule("a", other)]);
    let found = &only(&report).other_inputs;
    assert_eq!((found.count, found.examples.len()), (3, 2));
    let (before, after) = (found.examples[0].before.as_ref().unwrap(), found.examples[0].after.as_ref().unwrap());
    let masked = model::MASK;
    assert_eq!(
        before,
        &json!([{"action": "core.echo", "parameters": {"host": "web-6", "kind": "alert", "password": masked}}])
    );
    assert_eq!((&after[0]["parameters"]["host"], &after[0]["parameters"]["n"]), (&json!("WEB-6"), &json!(1)));
    assert!(after[0]["parameters"]["kind"]["error"].as_str().unwrap().contains("nope"), "{after}");
    let another = json!({"action": {"ref": "core.noop"}, "further_actions": [{"ref": "core.echo"}]});
    let report = replay(vec![rule("a", json!({}))], vec![rule("a", another)]);
    let after = only(&report).other_inputs.examples[0].after.clone().unwrap();
    let noop = json!({"action": "core.noop", "parameters": {}});
    assert_eq!(after, json!([noop, {"action": "core.echo", "parameters": {}}]));
}

#[test]
fn what_cannot_be_evaluated_is_counted_and_does_not_fire() {
    let fails = json!({"criteria": {"trigger.host": {"type": "gt", "pattern": 5}}});
    let report = replay(vec![rule("a", json!({}))], vec![rule("a", fails)]);
    let found = only(&report);
    assert_eq!((found.failed_before, found.failed_after, found.fires_after), (0, 9, 0));
    let why = found.no_longer_fires.examples[0].why.as_deref().unwrap();
    assert!(why.contains("can't be compared"), "{why}");
}

#[test]
fn a_payload_that_is_no_json_does_not_count() {
    let mut replay = Replay::new(vec![rule("a", json!({}))], Vec::new(), 1);
    let event = Recorded { id: "e", trigger: "core.alert", at: Timestamp::from_millis(0), payload: b"{" };
    assert!(replay.event(&event).is_err());
    assert_eq!(replay.finish().events, 0);
}

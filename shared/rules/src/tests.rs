//! Rules as a whole: what is only seen from outside of one module.

use expressions::{KeyValues, Scope};
use model::{Id, Rule, Severity};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::{CompiledRule, CriterionVerdict, Event, Verdict, evaluate, explain, failure_reason, validate};

struct Stored;

impl KeyValues for Stored {
    fn get(&self, scope: Scope, name: &str) -> Option<String> {
        match (scope, name) {
            (Scope::System, "limit") => Some("90".to_owned()),
            (Scope::System, "list") => Some("[1, 2, 7]".to_owned()),
            _ => None,
        }
    }

    fn decrypt(&self, _ciphertext: &str) -> Result<String, String> {
        Err("not allowed".to_owned())
    }
}

fn compiled(criteria: &Value) -> CompiledRule {
    let rule: Rule = serde_json::from_value(json!({
        "ref": "p.r", "enabled": true, "criteria": criteria, "trigger": {"type": "core.alert"}, "action": {"ref": "core.noop"},
    }))
    .unwrap();
    CompiledRule::new(Arc::new(rule))
}

fn event(payload: Value) -> Event {
    Event::new(payload, "2026-01-15T12:00:00Z".parse().unwrap(), Arc::new(Stored))
}

fn verdict(criteria: &Value, payload: Value) -> Verdict {
    evaluate(&compiled(criteria), &event(payload))
}

fn matches(criteria: &Value, payload: Value) -> bool {
    verdict(criteria, payload).is_match()
}

#[test]
fn patterns_keep_their_type() {
    let equals = |pattern: &str| json!({"trigger.v": {"type": "equals", "pattern": pattern}});
    assert!(matches(&equals("{{ trigger.w }}"), json!({"v": [1], "w": [1]})));
    assert!(matches(&equals("{{ trigger.w }}"), json!({"v": 3, "w": 3})));
    assert!(!matches(&equals("{{ trigger.w }}"), json!({"v": 3, "w": "3"})));
    assert!(matches(&equals("n{{ trigger.w }}"), json!({"v": "n3", "w": 3})));
    assert!(matches(&equals("a\n"), json!({"v": "a"})));
    let reason = verdict(&equals("{{ trigger.nope }}"), json!({"v": 3}));
    assert!(
        reason
            .failure()
            .unwrap()
            .starts_with("Failed to render pattern value \"{{ trigger.nope }}\" for key \"trigger.v\": ")
    );
}

#[test]
fn the_datastore_can_be_used_in_patterns_and_keys() {
    assert!(matches(
        &json!({"trigger.v": {"type": "equals", "pattern": "{{ st2kv.system.limit }}"}}),
        json!({"v": "90"})
    ));
    assert!(matches(
        &json!({"trigger.v": {"type": "inside", "pattern": "{{ st2kv.system.list | from_json_string }}"}}),
        json!({"v": 7})
    ));
    assert!(matches(&json!({"system.limit": {"type": "equals", "pattern": "90"}}), json!({"v": 7})));
    let rule = compiled(&json!({
        "trigger.a": {"type": "equals", "pattern": "{{ st2kv.system.limit }}"},
        "system.x.y": {"type": "exists", "pattern": 1},
        "trigger.l": {"type": "search", "condition": "any", "pattern": {"item.a": {"type": "lt", "pattern": "{{ st2kv.user.mine }}"}}},
    }));
    let keys = [(Scope::System, "limit"), (Scope::System, "x.y"), (Scope::User, "mine")]
        .map(|(scope, key)| (scope, key.to_owned()));
    assert_eq!(rule.datastore_keys(), keys);
}

#[test]
fn evaluation_stops_at_the_first_criterion_that_does_not_hold() {
    let criteria =
        json!({"trigger.a": {"type": "equals", "pattern": 1}, "trigger.where": {"type": "exists", "pattern": 1}});
    assert_eq!(verdict(&criteria, json!({"a": 2})), Verdict::NoMatch { criterion: "trigger.a".into() });
    let Verdict::Failed { reason } = verdict(&criteria, json!({"a": 1})) else { panic!("it must fail") };
    assert!(reason.starts_with("Failed transforming criteria key trigger.where: "), "{reason}");
    let whole = failure_reason(&"p.r".parse().unwrap(), Id::named(&["x"]), &reason);
    assert!(whole.starts_with("Failed to match rule \"p.r\" against trigger instance \""), "{whole}");
}

#[test]
fn events_without_payload_match_rules_without_criteria_only() {
    let exists = json!({"trigger": {"type": "nexists", "pattern": 1}});
    for payload in [json!({}), json!(null), json!([]), json!("")] {
        assert!(!matches(&exists, payload.clone()));
        assert!(matches(&json!({}), payload));
    }
}

#[test]
fn search_puts_every_item_to_every_criterion() {
    let search = |condition: &str, children: Value| json!({"trigger.l": {"type": "search", "condition": condition, "pattern": children}});
    let both = json!({"item.a": {"type": "equals", "pattern": 1}, "item.b": {"type": "gt", "pattern": 5}});
    let list = json!({"l": [{"a": 1, "b": 1}, {"a": 1, "b": 9}]});
    for (condition, expected) in [("any", true), ("all", false), ("any2any", true), ("all2any", true)] {
        assert_eq!(matches(&search(condition, both.clone()), list.clone()), expected, "{condition}");
        assert_eq!(
            matches(&search(condition, both.clone()), json!({"l": []})),
            condition.starts_with("all"),
            "{condition}"
        );
    }
    assert!(matches(&search("any", both.clone()), json!({"l": {"a": 1, "b": 6}})));
    assert!(verdict(&search("some", both.clone()), list.clone()).failure().is_some());
    assert!(verdict(&search("any", json!(1)), list).failure().is_some());
    let partly = verdict(&search("any", both), json!({"l": [{"a": 1, "b": 9}, {"a": 1}]}));
    assert!(partly.is_match() && partly.failure().is_some(), "{partly:?}");
    let nested = search(
        "any",
        json!({"item.m": {"type": "search", "condition": "all", "pattern": {"item": {"type": "gt", "pattern": 1}}}}),
    );
    assert!(matches(&nested, json!({"l": [{"m": [1, 2]}, {"m": [2, 3]}]})));
    let outside = search("any", json!({"trigger.x": {"type": "exists", "pattern": 1}}));
    assert!(!matches(&outside, json!({"x": 1, "l": [1]})));
    let templated = search("any", json!({"item.a": {"type": "equals", "pattern": "{{ item.b }}"}}));
    assert!(matches(&templated, json!({"l": [{"a": 1, "b": 2}, {"a": 3, "b": 3}]})));
}

#[test]
fn explains_every_criterion_and_masks_secrets() {
    let rule = compiled(&json!({
        "trigger.host": {"type": "startswith", "pattern": "web"},
        "trigger.missing": {"type": "equals", "pattern": 1},
        "trigger.n": {"type": "contains", "pattern": "x"},
        "trigger.auth.token": {"type": "equals", "pattern": "canary"},
        "trigger": {"type": "exists", "pattern": true},
        "trigger.long": {"type": "search", "condition": "any", "pattern": {"item.password": {"type": "equals", "pattern": "canary"}}},
        "trigger.host#2": {"type": "equals", "pattern": "{{ st2kv.system.limit }}"},
    }));
    let payload =
        json!({"host": "web-1", "n": 5, "auth": {"token": "canary"}, "long": "é".repeat(2000), "password": "canary"});
    let told = explain(&rule, &event(payload));
    let verdicts: Vec<_> = told.criteria.iter().map(|criterion| criterion.verdict).collect();
    use CriterionVerdict::{DoesNotHold, Failed, Holds};
    assert_eq!(verdicts, [Holds, DoesNotHold, Failed, Holds, Holds, DoesNotHold, DoesNotHold]);
    assert!(!told.matched && told.enabled && told.failure.is_none());
    assert_eq!(told.criteria[0].value_found, json!("web-1"));
    assert!(told.criteria[1].reason.as_ref().unwrap().contains("nothing was found"));
    assert!(told.criteria[2].reason.as_ref().unwrap().contains("it is a number"));
    assert_eq!(told.criteria[6].pattern, json!("{{ st2kv.system.limit }}"));
    let text = serde_json::to_string(&told).unwrap();
    assert!(!text.contains("canary") && !text.contains("90"), "{text}");
    assert!(told.criteria[5].value_found.as_str().unwrap().len() < crate::MAX_SHOWN_BYTES + 8);
}

#[test]
fn validation_refuses_what_stackstorm_refuses_and_warns_of_the_rest() {
    let cases = [
        (json!({"trigger.a": {"type": "equals", "pattern": 1}}), None),
        (json!({"trigger.a": {"pattern": 1}}), Some((Severity::Error, "\"type\" is missing"))),
        (json!({"trigger.a": 1}), Some((Severity::Error, "a criterion is an object"))),
        (json!({"trigger.a": {"type": "Equals", "pattern": 1}}), Some((Severity::Error, "write it as \"equals\""))),
        (json!({"trigger.a": {"type": "like", "pattern": 1}}), Some((Severity::Error, "there is no operator"))),
        (json!({"trigger.a": {"type": "exists"}}), Some((Severity::Error, "\"pattern\" is missing"))),
        (
            json!({"trigger.where": {"type": "exists", "pattern": 1}}),
            Some((Severity::Warning, "a word of the language")),
        ),
        (json!({"trigger.a": {"type": "regex", "pattern": "("}}), Some((Severity::Warning, "position 1"))),
        (json!({"trigger.a": {"type": "eq", "pattern": "{{ x"}}), Some((Severity::Warning, "always fails"))),
        (
            json!({"body.a": {"type": "exists", "pattern": 1}}),
            Some((Severity::Warning, "must start with \"trigger.\"")),
        ),
        (json!({"trigger.a": {"type": "search", "pattern": {}}}), Some((Severity::Warning, "\"condition\" must be"))),
        (
            json!({"trigger.a": {"type": "search", "condition": "any", "pattern": {"item.b": {"type": "like", "pattern": 1}}}}),
            Some((Severity::Warning, "there is no operator")),
        ),
    ];
    for (criteria, expected) in cases {
        let problems = validate(criteria.as_object().unwrap());
        match (problems.as_slice(), expected) {
            ([], None) => {}
            ([problem], Some((severity, message))) => {
                assert!(problem.severity == severity && problem.message.contains(message), "{criteria}: {problem:?}");
            }
            _ => panic!("{criteria}: {problems:?}"),
        }
    }
}

#[test]
fn trees_join_criteria_and_never_take_a_failure_for_a_no() {
    let eq = |key: &str, value: i64| json!({key: {"type": "equals", "pattern": value}});
    let gt = |key: &str| json!({key: {"type": "gt", "pattern": 5}});
    let payload = json!({"a": 1, "b": 2, "l": [{"n": 1}, {"n": 2}]});
    let cases = [
        (json!({"any": [eq("trigger.a", 9), eq("trigger.b", 2)]}), Some(true)),
        (json!({"any": [eq("trigger.a", 9), eq("trigger.b", 9)]}), Some(false)),
        (json!({"any": [gt("trigger.none"), eq("trigger.b", 2)]}), Some(true)),
        (json!({"any": [gt("trigger.none"), eq("trigger.b", 9)]}), None),
        (json!({"any": []}), Some(false)),
        (json!({"all": []}), Some(true)),
        (json!({"all": [eq("trigger.a", 1), eq("trigger.b", 2)]}), Some(true)),
        (json!({"all": [eq("trigger.a", 9), gt("trigger.none")]}), Some(false)),
        (json!({"all": [gt("trigger.none"), eq("trigger.a", 9)]}), None),
        (json!({"not": eq("trigger.a", 9)}), Some(true)),
        (json!({"not": eq("trigger.a", 1)}), Some(false)),
        (json!({"not": gt("trigger.none")}), None),
        (json!({"not": {}}), Some(false)),
        (json!({"not": {"type": "exists", "pattern": 1}}), Some(false)),
        (json!({"any#1": [eq("trigger.a", 1)], "any#2": [eq("trigger.b", 1)]}), Some(false)),
        (json!({"not": {"any": [eq("trigger.a", 9), {"all": [eq("trigger.b", 9)]}]}}), Some(true)),
        (
            json!({"trigger.l": {"type": "search", "condition": "any", "pattern": {"any": [eq("item.n", 2), eq("item.n", 7)]}}}),
            Some(true),
        ),
    ];
    for (criteria, expected) in cases {
        let verdict = verdict(&criteria, payload.clone());
        let told = if verdict.failure().is_some() { None } else { Some(verdict.is_match()) };
        assert_eq!(told, expected, "{criteria}: {verdict:?}");
    }
    let rule = compiled(&json!({"any": [eq("trigger.a", 9), {"not": eq("trigger.secret", 1)}]}));
    let told = explain(&rule, &event(payload));
    assert_eq!((told.criteria[0].operator.as_str(), told.criteria[0].groups.len(), told.matched), ("any", 2, true));
    assert_eq!(told.criteria[0].groups[1][0].groups[0][0].verdict, CriterionVerdict::DoesNotHold);
    let deep = (0..40).fold(eq("trigger.a", 1), |inner, _| json!({"not": inner}));
    assert!(verdict(&deep, json!({"a": 1})).failure().unwrap().contains("nested"));
    let nested = json!({"any": [{"not": {"trigger.a": {"type": "like", "pattern": 1}}}]});
    assert_eq!(validate(nested.as_object().unwrap())[0].key, "any > not > trigger.a");
}

use super::*;
use insta::assert_snapshot;
use serde_json::json;

fn at(ms: f64) -> String {
    format!("2026-03-02T09:14:05.{:06.0}Z", 120_000.0 + ms * 1_000.0)
}

fn trail() -> Trail {
    let holds = json!({"key": "trigger.body.status", "operator": "equals", "pattern": "firing", "value_found": "firing", "verdict": "holds"});
    let differs = json!({
        "key": "trigger.body.alerts[0].labels.instance", "operator": "matchwildcard", "pattern": "staging-*",
        "value_found": "shop-7:9100", "verdict": "does_not_hold", "reason": "it does not match the wildcard",
    });
    let fails = json!({
        "key": "trigger.body.n", "operator": "gt", "pattern": 3, "value_found": null, "verdict": "failed",
        "reason": "a text can't be compared with a number",
    });
    let searched = json!({
        "key": "trigger.body.alerts", "operator": "search", "verdict": "holds", "value_found": [],
        "pattern": {"item.status": {"type": "equals", "pattern": "firing"}, "item.n": {"type": "gt", "pattern": 1}},
    });
    Trail::of(
        json!({"id": "e1", "trigger": "core.a1b2", "occurrence_time": at(0.0), "status": "processed"}),
        vec![
            json!({
                "rule": "demo.critical_alert", "enabled": true, "matched": true, "criteria": [holds, searched],
                "enforcement": {"id": "f1", "status": "succeeded", "enforced_at": at(0.8)},
                "execution": {
                    "id": "x1", "status": "succeeded", "action": {"ref": "demo.remediate"}, "start_timestamp": at(0.8),
                    "end_timestamp": at(14.2), "log": [
                        {"status": "requested", "timestamp": at(0.8)}, {"status": "running", "timestamp": at(1.3)},
                        {"status": "succeeded", "timestamp": at(14.2)},
                    ],
                },
                "output": [
                    {"stream": "stderr", "timestamp": at(9.0), "data": "checking\nload 0.3\n"},
                    {"stream": "stdout", "timestamp": at(13.1), "data": "{\"host\": \"shop-7\"}\n"},
                ],
            }),
            json!({"rule": "demo.staging_alert", "enabled": true, "matched": false, "criteria": [holds, differs]}),
            json!({
                "rule": "demo.broken", "enabled": true, "matched": false, "failure": "a text can't be compared", "criteria": [fails],
                "enforcement": {"id": "f2", "status": "failed", "enforced_at": at(0.8), "failure_reason": "Failed to match rule"},
            }),
            json!({"rule": "demo.off", "enabled": false, "matched": true, "criteria": []}),
            json!({"rule": "demo.other_alert", "enabled": true, "matched": true, "criteria": [], "note": "a rule without criteria"}),
        ],
    )
}

#[test]
fn an_event_is_told_with_its_times() {
    assert_snapshot!(timeline(Look::default(), &trail()), @r#"
     +0.0 ms  ● trigger instance e1 processed
              │ core.a1b2, 2026-03-02 09:14:05.120Z
              │
     +0.8 ms  ├ ✔ demo.critical_alert matched
              │     ✔ trigger.body.status equals "firing"
              │     ✔ trigger.body.alerts search item.status equals "firing", item.n gt 1
     +0.8 ms  │   enforcement f1 succeeded
     +0.8 ms  │   execution x1 demo.remediate
     +0.8 ms  │     requested
     +1.3 ms  │     running
     +9.0 ms  │       ┃ checking
              │       ┃ load 0.3
    +13.1 ms  │       ┃ {"host": "shop-7"}
    +14.2 ms  │     succeeded
              │
              ├ ✘ demo.staging_alert did not match
              │     ✔ trigger.body.status equals "firing"
              │     ✘ trigger.body.alerts[0].labels.instance matchwildcard "staging-*"  found "shop-7:9100": it does not match the wildcard
              │
     +0.8 ms  ├ ! demo.broken could not be evaluated: a text can't be compared
              │     ! trigger.body.n gt 3  a text can't be compared with a number
     +0.8 ms  │   enforcement f2 failed
              │     Failed to match rule
              │
              ├ ○ demo.off is disabled
              │
              └ ○ demo.other_alert stood back: it is a backstop, and another rule matched
    "#);
}

#[test]
fn the_groups_of_trees_are_shown() {
    let test = |key: &str, verdict: &str| json!({"key": key, "operator": "equals", "pattern": 1, "value_found": 1, "verdict": verdict});
    let not = json!({
        "key": "not", "operator": "not", "pattern": null, "value_found": null, "verdict": "does_not_hold", "reason": "the group holds",
        "groups": [[test("trigger.c", "holds")]],
    });
    let any = json!({
        "key": "any", "operator": "any", "pattern": null, "value_found": null, "verdict": "does_not_hold", "reason": "no group holds",
        "groups": [[test("trigger.a", "does_not_hold"), test("trigger.b", "holds")], [not]],
    });
    assert_snapshot!(criterion(Look::default(), &any, 80).join("\n"), @"
    ✘ any  no group holds
      1 ✘ trigger.a equals 1
        ✔ trigger.b equals 1
      2 ✘ not  the group holds
          1 ✔ trigger.c equals 1
    ");
    assert!(criterion(Look::default(), &any, 20).iter().all(|line| line.chars().count() <= 22));
}

#[test]
fn on_a_narrow_terminal_lines_are_cut() {
    let look = Look { width: Some(60), ..Look::default() };
    let timeline = timeline(look, &trail());
    assert!(timeline.lines().all(|line| line.chars().count() <= 60), "{timeline}");
}

#[test]
fn nobody_may_listen() {
    let instance = json!({"id": "e1", "trigger": "core.a1b2", "occurrence_time": at(0.0), "status": "processed"});
    assert_snapshot!(timeline(Look::default(), &Trail::of(instance, Vec::new())), @"
    +0.0 ms  ● trigger instance e1 processed
             │ core.a1b2, 2026-03-02 09:14:05.120Z
             │
             └ no rule listens to it
    ");
}

//! `squall rule replay`.

use super::harness::{Host, directory, squall_in};
use insta::assert_snapshot;
use serde_json::{Value, json};

const OLD: &str = "\
name: critical
pack: demo
enabled: true
trigger: {type: core.alert}
criteria:
  trigger.level: {type: gt, pattern: 5}
action: {ref: demo.remediate, parameters: {host: '{{ trigger.host }}', token: '{{ trigger.host }}'}}
";

fn new() -> String {
    OLD.replace("pattern: 5", "pattern: 3").replace("host: '{{ trigger.host }}'", "host: '{{ trigger.host | upper }}'")
}

/// Six events, whose levels are 2 to 7.
fn events() -> Vec<Value> {
    let event = |level: u64| {
        json!({
            "id": format!("e{level}"), "trigger": "core.alert", "status": "processed",
            "occurrence_time": format!("2026-03-02T09:14:0{level}Z"), "payload": {"level": level, "host": format!("web-{level}")},
        })
    };
    (2..8).map(event).collect()
}

fn as_lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

#[tokio::test]
async fn rules_of_files_are_compared_over_a_file_of_events() {
    let files = directory(&[
        ("old/critical.yaml", OLD),
        ("new/critical.yaml", &new()),
        ("events.jsonl", &as_lines(&events())),
        ("broken.jsonl", "{\"trigger\": \"core.alert\", \"payload\": {}}\n{\"payload\": 1}\n"),
    ]);
    let at = |name: &str| files.path().join(name).display().to_string();
    let replay = async |events: &str, new: &str, more: &[&str]| {
        let (events, old, new) = (at(events), at("old"), at(new));
        let arguments = ["rule", "replay", "--events", &events, "--old-rules", &old, "--rules", &new];
        let done = squall_in(&[], &[&arguments, more].concat()).await;
        done.text().replace(&at(""), "")
    };
    let shown = replay("events.jsonl", "new", &[]).await;
    assert_snapshot!(shown, @r#"
    6 events

    ~ demo.critical fired 2, would fire 4
        newly fires on 2 events
          e4 2026-03-02T09:14:04.000000Z  trigger.level does not hold
          e5 2026-03-02T09:14:05.000000Z  trigger.level does not hold
        has other inputs on 2 events
          e6 2026-03-02T09:14:06.000000Z
            demo.remediate
              host: "web-6" → "WEB-6"
          e7 2026-03-02T09:14:07.000000Z
            demo.remediate
              host: "web-7" → "WEB-7"

    1 rule differs, 0 rules do the same
    exit 1
    "#);
    assert_eq!(replay("events.jsonl", "new", &[]).await, shown);
    assert_snapshot!(replay("events.jsonl", "old", &[]).await, @"
    6 events

    nothing differs, 1 rule does the same
    exit 0
    ");
    assert_snapshot!(replay("events.jsonl", "new", &["--trigger", "core.other"]).await, @"
    0 events

    ~ demo.critical fired 0, would fire 0
        the same on these events

    nothing differs, 1 rule does the same
    exit 0
    ");
    assert_snapshot!(replay("broken.jsonl", "new", &[]).await, @r#"
    ! error: broken.jsonl:2:14: this is no event: missing field `trigger`
    ! hint: a line is {"id": …, "trigger": REF, "occurrence_time": …, "payload": {…}}
    exit 2
    "#);
}

#[tokio::test]
async fn a_pack_takes_the_place_of_the_hosts_and_events_are_read_page_by_page() {
    let host = Host::start().await;
    let rule = |name: &str, pack: &str| {
        json!({
            "ref": format!("{pack}.{name}"), "pack": pack, "name": name, "enabled": true, "type": {"ref": "standard", "parameters": {}},
            "trigger": {"type": "core.alert", "parameters": {}, "ref": "core.alert"}, "criteria": {},
            "action": {"ref": "demo.remediate", "parameters": {}}, "tags": [],
        })
    };
    host.on("GET /rules", 200, json!([rule("gone", "demo"), rule("other", "ops")]));
    let (first, last) = (json!(events()[..4]), json!(events()[4..]));
    host.on_with("GET /triggerinstances", 200, &[("X-Next-Cursor", "c1")], first).on(
        "GET /triggerinstances",
        200,
        last,
    );
    let files = directory(&[
        ("demo/pack.yaml", "ref: demo\nname: demo\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.com\n"),
        ("demo/rules/critical.yaml", &new()),
    ]);
    let pack = files.path().join("demo").display().to_string();
    let arguments = ["--since", "2026-03-01T00:00:00Z", "--until", "2026-03-03T00:00:00Z", "--rules", &pack, "--json"];
    let done = host.squall(&[&["rule", "replay"], &arguments[..]].concat()).await;
    assert_eq!(done.code, 1, "{}", done.error);
    let report: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(report["events"], 6);
    let told = |at: usize| {
        let rule = &report["rules"][at];
        (rule["rule"].clone(), rule["change"].clone(), rule["fired_before"].clone(), rule["fires_after"].clone())
    };
    assert_eq!(told(0), (json!("demo.critical"), json!("added"), json!(0), json!(4)));
    assert_eq!(told(1), (json!("demo.gone"), json!("removed"), json!(6), json!(0)));
    assert_eq!(told(2), (json!("ops.other"), json!("unchanged"), json!(6), json!(6)));
    let asked = "GET /triggerinstances?timestamp_gt=2026-03-01T00%3A00%3A00.000000Z&timestamp_lt=2026-03-03T00%3A00%3A00.000000Z&sort_asc=true&limit=100";
    let lines = host.lines();
    assert_eq!(
        lines,
        ["GET /rules?show_secrets=true&limit=100".to_owned(), asked.to_owned(), format!("{asked}&cursor=c1")]
    );
}

//! `squall rule`.

use super::harness::{Host, directory, squall_in};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn rule() -> Value {
    json!({
        "id": "696f5a3c1d2e3f4a5b6c7d8e", "ref": "demo.critical_alert", "pack": "demo", "name": "critical_alert",
        "description": "A critical alert", "enabled": true, "type": {"ref": "standard", "parameters": {}},
        "trigger": {"type": "core.st2.webhook", "parameters": {"url": "alertmanager"}, "ref": "core.696f"},
        "criteria": {"trigger.body.status": {"type": "equals", "pattern": "firing"}},
        "action": {"ref": "demo.remediate", "parameters": {"host": "{{ trigger.body.host }}"}}, "tags": [],
    })
}

#[tokio::test]
async fn rules_are_shown() {
    let host = Host::start().await;
    host.on("GET /rules", 200, json!([rule()])).on("GET /rules/demo.critical_alert", 200, rule());
    assert_snapshot!(host.squall(&["rule", "list", "--enabled", "-c", "demo.remediate"]).await.text(), @"
    REF                  ENABLED  TRIGGER           ACTION          DESCRIPTION
    demo.critical_alert  true     core.st2.webhook  demo.remediate  A critical alert
    exit 0
    ");
    assert_eq!(host.lines(), ["GET /rules?action=demo.remediate&enabled=true&limit=100"]);
    assert_snapshot!(host.squall(&["rule", "get", "demo.critical_alert"]).await.text(), @"
    ref:                demo.critical_alert
    id:                 696f5a3c1d2e3f4a5b6c7d8e
    description:        A critical alert
    enabled:            true
    type:               standard
    trigger:            core.st2.webhook
    trigger parameters:
      url: alertmanager
    criteria:
      trigger.body.status:
        type: equals
        pattern: firing
    action:             demo.remediate
    action parameters:
      host: {{ trigger.body.host }}
    exit 0
    ");
}

#[tokio::test]
async fn a_slip_in_the_ref_is_recognised() {
    let host = Host::start().await;
    host.on("GET /rules", 200, json!([rule()]));
    assert_snapshot!(host.squall(&["rule", "get", "demo.critical_alrt"]).await.text(), @"
    ! error: nothing is at /rules/demo.critical_alrt
    ! hint: did you mean demo.critical_alert?
    exit 1
    ");
}

#[tokio::test]
async fn a_rule_is_created_from_a_file() {
    let host = Host::start().await;
    host.on("POST /rules", 201, rule());
    let files =
        directory(&[("rule.yaml", "name: critical_alert\nenabled: yes\n"), ("wrong.yaml", "name: a\nname: b\n")]);
    let at = |name: &str| files.path().join(name).display().to_string();
    assert_eq!(host.squall(&["rule", "create", &at("rule.yaml")]).await.code, 0);
    assert_eq!(host.sent(), json!({"name": "critical_alert", "enabled": true}));
    let wrong = host.squall(&["rule", "create", &at("wrong.yaml")]).await;
    assert_snapshot!(wrong.text().replace(&at(""), ""), @r#"
    ! error: wrong.yaml:2:1: the key "name" stands here and in line 1 already
    ! hint: StackStorm silently takes the last of them: remove the others
    exit 2
    "#);
}

#[tokio::test]
async fn enabling_sends_the_rule_back_by_its_id_and_without_masks() {
    let host = Host::start().await;
    host.on("GET /rules/demo.critical_alert", 200, rule());
    host.on("PUT /rules/696f5a3c1d2e3f4a5b6c7d8e", 200, rule());
    assert_snapshot!(host.squall(&["rule", "disable", "demo.critical_alert"]).await.text(), @"
    demo.critical_alert is disabled
    exit 0
    ");
    assert_eq!(host.lines()[0], "GET /rules/demo.critical_alert?show_secrets=true");
    let mut wanted = rule();
    wanted["enabled"] = json!(false);
    assert_eq!(host.sent(), wanted);
}

const RULE: &str = "\
name: critical
pack: demo
enabled: true
trigger: {type: core.st2.webhook, parameters: {url: alerts}}
criteria:
  trigger.body.severity: {type: equals, pattern: critical}
action: {ref: demo.remediate, parameters: {host: '{{ trigger.body.host }}', count: 3}}
";

async fn tried(event: &str) -> String {
    let files = directory(&[("rule.yaml", RULE), ("event.json", event)]);
    let at = |name: &str| files.path().join(name).display().to_string();
    let arguments = ["rule", "test", "--rule", &at("rule.yaml"), "--trigger-instance", &at("event.json")];
    squall_in(&[], &arguments).await.text().replace(&at(""), "")
}

#[tokio::test]
async fn a_rule_is_tried_without_a_host() {
    assert_snapshot!(tried(r#"{"payload": {"body": {"severity": "critical", "host": "db-1"}}}"#).await, @r#"
    demo.critical matches
      ✔ trigger.body.severity equals "critical"

    demo.remediate would be requested
    parameters:
      host: db-1
      count: 3
    exit 0
    "#);
    assert_snapshot!(tried(r#"{"payload": {"body": {"severity": "warning", "host": "db-1"}}}"#).await, @r#"
    demo.critical does not match
      ✘ trigger.body.severity equals "critical"  found "warning": the value is not equal to the pattern
    exit 1
    "#);
    assert_snapshot!(tried(r#"{"payload": {"body": {"severity": "critical"}}}"#).await, @r#"
    demo.critical matches
      ✔ trigger.body.severity equals "critical"
      ✘ demo.remediate can't be requested: parameter "host": `trigger.body.host` is undefined (line 1, column 4); give it a value, or a fall-back with `| default(…)`
    exit 1
    "#);
    assert_snapshot!(tried(r#"{"trigger": "demo.deployed", "payload": {"service": "shop"}}"#).await, @r#"
    demo.critical does not match
      ✘ it listens to core.st2.webhook, and the event is one of demo.deployed
      ✘ trigger.body.severity equals "critical"  the value is not equal to the pattern: nothing was found at this key
    exit 1
    "#);
    assert_snapshot!(tried(r#"{"body": {}}"#).await, @r#"
    ! error: event.json has no payload
    ! hint: such as {"trigger": "core.st2.webhook", "payload": {"body": {}}}
    exit 2
    "#);
}

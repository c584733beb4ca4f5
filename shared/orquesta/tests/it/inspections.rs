//! What is found wrong, and where.

use expressions::orquesta::Expressions;
use orquesta::inspect;
use serde_json::{Value, json};

const CASES: &str = include_str!("../data/inspections.yaml");

#[test]
fn inspections_find_what_the_cases_say() {
    let cases = yaml::read(CASES).unwrap().to_json();
    let expressions = Expressions::default();
    let mut wrong = Vec::new();
    for case in cases.as_array().unwrap() {
        let root = yaml::read(case["workflow"].as_str().unwrap()).unwrap();
        let inspection = inspect(&root, &["st2"], &expressions);
        let told: Vec<Value> = inspection.issues.iter().map(|issue| json!(issue.to_string())).collect();
        if json!(told) != case["issues"] {
            wrong.push(format!("{}: {}", case["name"], serde_json::to_string_pretty(&told).unwrap()));
        }
        assert_eq!(inspection.is_sound(), told.is_empty());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const FAILS: &str = "\
version: 1.0
vars:
  - hosts: [a]
tasks:
  one:
    action: core.noop
    next:
      - do: two
      - when: <% succeeded() %>
        publish:
          - fine: 1
          - free: <% ctx().hosts.none.gb %>
        do: two
  two:
    action: core.noop
";

#[test]
fn a_message_of_the_log_is_about_a_place_in_the_text() {
    let workflow = std::sync::Arc::new(orquesta::Workflow::read(FAILS).unwrap());
    let conductor = orquesta::Conductor::new(workflow, Expressions::default(), std::sync::Arc::new(orquesta::Nothing));
    let root = yaml::read(FAILS).unwrap();
    let mut entry = orquesta::LogEntry::new(orquesta::LogType::Error, "Execution failed. See result for details.");
    let mut line = |task: Option<&str>, transition: Option<&str>, expression: Option<&str>| {
        (entry.task_id, entry.task_transition_id) = (task.map(Into::into), transition.map(Into::into));
        if let Some(expression) = expression {
            entry.message =
                format!("YaqlEvaluationException: Unable to evaluate expression '{expression}'. no such key");
        }
        orquesta::locate(&root, conductor.graph(), &entry).map(|place| place.line)
    };
    assert_eq!(line(None, None, None), None);
    assert_eq!(line(Some("two"), None, None), Some(14));
    assert_eq!(line(Some("one"), Some("two__t1"), None), Some(9));
    assert_eq!(line(Some("one"), Some("two__t1"), Some("<% ctx().hosts.none.gb %>")), Some(12));
    assert_eq!(line(None, None, Some("<% ctx().nothing %>")), None);
}

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use super::*;
use crate::{RuleKind, Severity};

const PACK: &str = "ref: demo\nname: Demo\ndescription: d\nauthor: a\nversion: 1.0.0\n";

fn source(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec(), executable: false }
}

fn pack(files: &[(&str, &str)]) -> PackFiles {
    let given = files.iter().map(|(path, text)| source(path, text));
    PackFiles::new(given.chain([source("pack.yaml", PACK)]).collect())
}

#[test]
fn says_as_recorded() {
    let cases = yaml::read(include_str!("cases.yaml")).unwrap().to_json();
    let mut wrong = Vec::new();
    for case in cases.as_array().unwrap() {
        let files = case["files"].as_object().unwrap();
        let mut sources: Vec<SourceFile> =
            files.iter().filter_map(|(path, text)| Some(source(path, text.as_str()?))).collect();
        if !files.contains_key("pack.yaml") {
            sources.push(source("pack.yaml", PACK));
        }
        let said = match load_pack(&PackFiles::new(sources)) {
            Ok((_, warnings)) => warnings,
            Err(diagnostics) => diagnostics,
        };
        let said: Vec<Value> = said.iter().map(|diagnostic| diagnostic.to_string().into()).collect();
        if Value::Array(said.clone()) != case["says"] {
            wrong.push(json!({"case": case["case"], "says": said}));
        }
    }
    assert!(wrong.is_empty(), "{}", yaml::to_string(&wrong.into()));
}

fn directory(root: &Path) -> PackFiles {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(entry.path()).unwrap();
                files.push(SourceFile { path: path.to_str().unwrap().to_owned(), bytes, executable: false });
            }
        }
    }
    PackFiles::new(files)
}

#[test]
fn the_core_pack_is_without_fault() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/core");
    let (content, warnings) = load_pack(&directory(&root)).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((content.actions.len(), content.trigger_types.len()), (12, 15));
    let echo = content.actions.iter().find(|action| action.reference.name() == "echo").unwrap();
    let command = echo.parameters["cmd"].default.as_ref().unwrap().as_str().unwrap();
    assert!(!command.contains("{{"), "what a caller says must not become a part of the command line: {command}");
    for kind in &content.trigger_types {
        // What an event of AWS has beside what is known of it is AWS's matter.
        let payload_schema = Some(&kind.payload_schema).filter(|_| kind.reference.name() != "aws.event");
        let schemas = payload_schema.into_iter().chain([&kind.parameters_schema]);
        for schema in schemas.filter(|schema| !schema.is_empty()) {
            assert_eq!(schema["additionalProperties"], json!(false), "{}", kind.reference);
        }
    }
}

#[test]
fn content_is_what_the_files_say() {
    let files = pack(&[
        (
            "actions/a.yaml",
            "name: a\nrunner_type: orchestra\nentry_point: ./workflows/a.yaml\nparameters:\n  n: {type: integer, default: 010}\n",
        ),
        ("actions/workflows/a.yaml", "version: 1.0\n"),
        (
            "rules/r.yml",
            "name: r\nenabled: on\ntype: {ref: backstop}\ntrigger: {type: demo.t}\naction: {ref: demo.a, parameters: {n: '{{ trigger.n }}'}}\n",
        ),
        (
            "sensors/s.yaml",
            "class_name: S\nentry_point: s.py\npoll_interval: 10\ntrigger_types:\n- {name: t, payload_schema: {type: object}}\n",
        ),
        ("sensors/s.py", ""),
        ("aliases/a.yaml", "name: a\naction_ref: demo.a\nformats: [run]\n"),
        (
            "policies/p.yaml",
            "name: p\nresource_ref: demo.a\npolicy_type: action.concurrency\nparameters: {threshold: 3}\n",
        ),
        ("config.schema.yaml", "token: {type: string, secret: true}\n"),
    ]);
    let (content, warnings) = load_pack(&files).unwrap();
    assert_eq!(warnings, []);
    let [action] = content.actions.as_slice() else { panic!("{content:?}") };
    assert_eq!((action.reference.as_str(), action.runner_type.as_str()), ("demo.a", "orquesta"));
    assert_eq!(action.parameters["n"].default, Some(8.into()));
    let [rule] = content.rules.as_slice() else { panic!("{content:?}") };
    assert!(rule.enabled && rule.kind == RuleKind::Backstop && rule.metadata_file == "rules/r.yml");
    assert_eq!(content.sensors[0].trigger_types, [content.trigger_types[0].reference.clone()]);
    assert_eq!((content.sensors[0].poll_interval, content.policies.len(), content.aliases.len()), (Some(10), 1, 1));
    assert_eq!(content.config_schema.as_ref().unwrap()["token"]["secret"], true);
    let stored = serde_json::to_string(&content).unwrap();
    assert_eq!(serde_json::from_str::<PackContent>(&stored).unwrap(), content);
}

#[test]
fn the_digest_is_of_paths_contents_and_modes_in_any_order() {
    let digest = |files: Vec<SourceFile>| load_pack(&PackFiles::new(files)).unwrap().0.digest();
    let (first, second) = (source("pack.yaml", PACK), source("lib/a", "x"));
    let base = digest(vec![first.clone(), second.clone()]);
    assert_eq!(base, digest(vec![second.clone(), first.clone()]));
    assert_ne!(base, digest(vec![first.clone(), source("lib/b", "x")]));
    assert_ne!(base, digest(vec![first.clone(), source("lib/a", "y")]));
    assert_ne!(base, digest(vec![first, SourceFile { executable: true, ..second }]));
}

#[test]
fn packs_have_a_limit() {
    let code = |files: Vec<SourceFile>| load_pack(&PackFiles::new(files)).unwrap_err()[0].code;
    assert_eq!(code((0..=MAX_PACK_FILES).map(|n| source(&n.to_string(), "")).collect()), "too-many-files");
    let bytes = vec![0; usize::try_from(MAX_PACK_BYTES).unwrap() + 1];
    assert_eq!(code(vec![SourceFile { path: "big".into(), bytes, executable: false }]), "pack-too-large");
    let latin = SourceFile { path: "actions/a.yaml".into(), bytes: b"name: a\nx: \xe9\n".to_vec(), executable: false };
    let diagnostics = load_pack(&PackFiles::new(vec![source("pack.yaml", PACK), latin])).unwrap_err();
    assert_eq!((diagnostics[0].code, diagnostics[0].line), ("encoding", 2));
}

#[test]
fn bodies_of_the_api_pass_the_same_checks() {
    let rule = json!({
        "id": "0", "uid": "x", "ref": "ignored.ref", "name": "r", "trigger": {"type": "core.st2.webhook", "parameters": {"url": "x"}},
        "criteria": {"trigger.body.a": {"type": "eq", "pattern": 1}}, "action": {"ref": "core.noop"}, "context": {"user": "x"},
    });
    let read = parse_rule(&rule).unwrap();
    assert_eq!((read.reference.as_str(), read.enabled, read.metadata_file.as_str()), ("default.r", false, ""));
    let mut wrong = rule;
    wrong["criteria"]["trigger.body.a"]["type"] = "equal".into();
    wrong["enable"] = true.into();
    wrong["action"] = json!({});
    let problems: Vec<String> = parse_rule(&wrong).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "there is no key \"enable\" here; did you mean \"enabled\"?",
            "action: the key \"ref\" is missing",
            "criteria.trigger.body.a.type: \"equal\" is not an operator; did you mean \"equals\"?",
        ]
    );
    assert!(parse_rule(&json!([])).is_err());
    let action =
        json!({"name": "a", "pack": "p", "runner_type": "python-script", "parameters": {"x": {"type": "string"}}});
    assert_eq!(parse_action(&action).unwrap().reference.as_str(), "p.a");
    let kind = json!({"name": "t", "pack": "p", "payload_schema": {"type": "object"}});
    assert_eq!(parse_trigger_type(&kind).unwrap().reference.as_str(), "p.t");
    assert_eq!(parse_trigger_type(&json!({"pack": "p"})).unwrap_err()[0].to_string(), "the key \"name\" is missing");
}

#[test]
fn every_operator_is_accepted_by_its_name() {
    for operator in crate::OPERATOR_NAMES {
        let criteria = format!("{{type: {operator}, condition: any, pattern: {{}}}}");
        let text = format!(
            "name: r\nenabled: true\ntrigger: {{type: a.b}}\naction: {{ref: a.b}}\ncriteria:\n  trigger.x: {criteria}\n"
        );
        assert_eq!(load_pack(&pack(&[("rules/r.yaml", &text)])).unwrap().1, [], "{operator}");
    }
    assert_eq!(Severity::Error.to_string(), "error");
}

fn rule_body(extra: serde_json::Value) -> serde_json::Value {
    let mut body = json!({"name": "r", "trigger": {"type": "a.b"}, "criteria": {}});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

#[test]
fn rules_may_have_several_actions_and_a_throttle() {
    let (first, second) = (json!({"ref": "a.one", "parameters": {"x": 1}}), json!({"ref": "a.two"}));
    let throttle = json!({"count": 5, "window": "10m", "group_by": ["trigger.host"], "action": "merge"});
    let rule = parse_rule(&rule_body(json!({"actions": [first, second], "throttle": throttle}))).unwrap();
    let names: Vec<_> = rule.actions().map(|action| action.reference.as_str()).collect();
    assert_eq!(names, ["a.one", "a.two"]);
    let throttle = rule.throttle.clone().unwrap();
    assert_eq!((throttle.count, throttle.window, throttle.action), (5, 600, crate::ThrottleAction::Merge));
    let stored = serde_json::to_value(&rule).unwrap();
    assert_eq!(serde_json::from_value::<crate::Rule>(stored).unwrap(), rule);
    let both = rule_body(json!({"action": first, "actions": [first, second], "throttle": {"count": 1, "window": 1}}));
    assert_eq!(parse_rule(&both).unwrap().further_actions.len(), 1);
    let plain = serde_json::to_value(parse_rule(&rule_body(json!({"action": second}))).unwrap()).unwrap();
    assert!(plain.get("further_actions").is_none() && plain.get("throttle").is_none());
    let wrong = [
        (json!({"action": second, "actions": [first]}), "action: is not the first of \"actions\"; leave it out"),
        (json!({"actions": []}), "actions: must be a list of 1 to 10 actions"),
        (
            json!({"action": second, "throttle": {"count": 0, "window": 1}}),
            "throttle.count: must be a number of events, from 1 on",
        ),
        (json!({"action": second, "throttle": {"count": 1}}), "throttle: the key \"window\" is missing"),
        (
            json!({"action": second, "throttle": {"count": 1, "window": "31d"}}),
            "throttle.window: must be a time of 1 second to 30 days",
        ),
        (
            json!({"action": second, "throttle": {"count": 1, "window": 1, "action": "wait"}}),
            "throttle.action: must be drop, delay or merge",
        ),
        (
            json!({"action": second, "throttle": {"count": 1, "window": 1, "by": 1}}),
            "throttle: there is no key \"by\" here",
        ),
    ];
    for (extra, message) in wrong {
        let problems: Vec<String> =
            parse_rule(&rule_body(extra.clone())).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(problems.len() == 1 && problems[0].starts_with(message), "{extra}: {problems:?}");
    }
}

#[test]
fn trees_of_criteria_are_checked_where_they_stand() {
    let text = "name: r\nenabled: true\ntrigger: {type: a.b}\naction: {ref: a.b}\ncriteria:\n  any:\n    - trigger.x: {type: equals, pattern: 1}\n    - not:\n        trigger.y: {type: equal, pattern: 1}\n        body.z: {type: exists, pattern: false}\n";
    let found = load_pack(&pack(&[("rules/r.yaml", text)])).unwrap_err();
    let told: Vec<_> = found.iter().map(|found| (found.code, found.line, found.is_error())).collect();
    assert_eq!(told, [("unknown-operator", 9, true), ("criteria-key", 10, false), ("exists-pattern", 10, false)]);
    let criterion = rule_body(json!({"action": {"ref": "a.b"}, "criteria": {"not": {"type": "exists"}}}));
    assert!(parse_rule(&criterion).unwrap_err()[0].to_string().contains("\"pattern\" is missing"));
    let deep = (0..20).fold(json!({"trigger.x": {"type": "equals", "pattern": 1}}), |inner, _| json!({"not": inner}));
    let deep = rule_body(json!({"action": {"ref": "a.b"}, "criteria": deep}));
    assert!(parse_rule(&deep).unwrap_err()[0].to_string().contains("nested more than 16 deep"));
}

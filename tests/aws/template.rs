//! What must hold of the template, whatever is added to it.

use granit_parser::{Event, Parser, Tag};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, collections::BTreeMap, fs};

use crate::stack::root;

/// Actions for which AWS knows no resources.
const WITHOUT_RESOURCE: [&str; 4] =
    ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "events:ListRules", "states:ListStateMachines"];
/// Kinds of resources that have no tags, or belong to one that has.
const WITHOUT_TAGS: [&str; 9] = [
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Rule",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    // Globals has theirs.
    "AWS::Serverless::Function",
    "AWS::Scheduler::Schedule",
];

/// YAML with CloudFormation's short forms: `!Ref x` is `{"!Ref": "x"}`.
struct Template {
    resources: BTreeMap<String, Value>,
    whole: Value,
}

impl Template {
    fn read() -> Template {
        let text = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
        let mut events: Vec<Event<'_>> = Vec::new();
        let mut parser = Parser::new_from_str(&text);
        while let Some(event) = parser.next_event() {
            events.push(event.unwrap().0);
        }
        events.retain(|event| !matches!(event, Event::Comment(..)));
        let mut rest = events.into_iter();
        let whole = loop {
            match rest.next().expect("a document") {
                Event::StreamStart | Event::DocumentStart(..) => {}
                event => break value(event, &mut rest),
            }
        };
        let resources = whole["Resources"].as_object().unwrap().clone().into_iter().collect();
        Template { resources, whole }
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let of_kind = self.resources.iter().filter(move |(_, resource)| resource["Type"] == kind);
        of_kind.map(|(name, resource)| (name.as_str(), &resource["Properties"]))
    }

    /// Every statement that allows something, with where it stands. The key's own policy names the key by `*`.
    fn allowed(&self) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for (name, resource) in self.resources.iter().filter(|(_, resource)| resource["Type"] != "AWS::KMS::Key") {
            statements(resource, &mut |statement| found.push((name.clone(), statement.clone())));
        }
        found
    }
}

fn value<'a>(event: Event<'a>, rest: &mut std::vec::IntoIter<Event<'a>>) -> Value {
    match event {
        Event::Scalar(text, style, _, tag) => {
            let plain = matches!(style, granit_parser::ScalarStyle::Plain) && tag.is_none();
            let parsed = plain.then(|| serde_json::from_str(&text).ok()).flatten();
            tagged(tag, parsed.unwrap_or_else(|| Value::String(text.into_owned())))
        }
        Event::SequenceStart(_, _, tag) => {
            let mut items = Vec::new();
            loop {
                match rest.next().unwrap() {
                    Event::SequenceEnd => break tagged(tag, Value::Array(items)),
                    event => items.push(value(event, rest)),
                }
            }
        }
        Event::MappingStart(_, _, tag) => {
            let mut fields = Map::new();
            loop {
                match rest.next().unwrap() {
                    Event::MappingEnd => break tagged(tag, Value::Object(fields)),
                    Event::Scalar(name, ..) => {
                        let event = rest.next().unwrap();
                        fields.insert(name.into_owned(), value(event, rest));
                    }
                    event => panic!("a key is no text: {event:?}"),
                }
            }
        }
        event => panic!("no value: {event:?}"),
    }
}

fn tagged(tag: Option<Cow<'_, Tag>>, value: Value) -> Value {
    match tag.filter(|tag| tag.parts() != ("", "!")) {
        Some(tag) => json!({format!("!{}", tag.suffix()): value}),
        None => value,
    }
}

fn statements(value: &Value, found: &mut dyn FnMut(&Value)) {
    match value {
        Value::Object(fields) => {
            if fields.get("Effect") == Some(&json!("Allow")) {
                found(value);
            }
            fields.values().for_each(|value| statements(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| statements(value, found)),
        _ => {}
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The resource that `!Ref X`, `!GetAtt X.Arn` and the like mean.
fn target(value: &Value) -> &str {
    let named = value.get("!Ref").or_else(|| value.get("!GetAtt")).and_then(Value::as_str).unwrap_or_default();
    named.split('.').next().unwrap_or_default()
}

#[test]
fn no_policy_allows_more_than_can_be_named() {
    let template = Template::read();
    let allowed = template.allowed();
    assert!(allowed.len() > 20);
    for (name, statement) in &allowed {
        let actions = texts(&statement["Action"]);
        assert!(!actions.is_empty() && actions.iter().all(|action| !action.contains('*')), "{name}: {statement}");
        if texts(&statement["Resource"]).contains(&"*") {
            let nameless = actions.iter().all(|action| WITHOUT_RESOURCE.contains(action));
            assert!(nameless, "{name} allows {actions:?} on everything");
        }
    }
}

#[test]
fn every_function_has_a_role_and_a_log_of_its_own() {
    let template = Template::read();
    let mut roles = Vec::new();
    for (name, function) in template.of_kind("AWS::Serverless::Function") {
        roles.push(target(&function["Role"]).to_owned());
        let logs = &template.resources[&format!("{name}Logs")]["Properties"];
        assert!(logs["RetentionInDays"].is_object(), "{name} keeps its logs for ever");
        let (own, log) =
            (function["FunctionName"]["!Sub"].as_str().unwrap(), logs["LogGroupName"]["!Sub"].as_str().unwrap());
        assert_eq!(log, format!("/aws/lambda/{own}"));
    }
    let count = roles.len();
    roles.sort();
    roles.dedup();
    assert_eq!((roles.len(), count), (6, 6));
    assert!(template.resources["ActionRunner"]["Properties"]["ReservedConcurrentExecutions"].is_object());
}

#[test]
fn every_asynchronous_edge_ends_in_dead_letters() {
    let template = Template::read();
    let mut consumed = BTreeMap::new();
    for (name, function) in template.of_kind("AWS::Serverless::Function") {
        for (_, source) in function["Events"].as_object().into_iter().flatten() {
            let properties = &source["Properties"];
            match source["Type"].as_str().unwrap() {
                "SQS" => {
                    assert_eq!(texts(&properties["FunctionResponseTypes"]), ["ReportBatchItemFailures"], "{name}");
                    consumed.insert(target(&properties["Queue"]).to_owned(), function["Timeout"].clone());
                }
                "ScheduleV2" => assert!(properties["DeadLetterConfig"].is_object(), "{name}"),
                other => panic!("{name}: say here where the events of a {other} end that can't be handled"),
            }
        }
    }
    for (name, rule) in template.of_kind("AWS::Events::Rule") {
        assert!(
            rule["Targets"].as_array().unwrap().iter().all(|target| target["DeadLetterConfig"].is_object()),
            "{name}"
        );
    }
    for (name, queue) in template.of_kind("AWS::SQS::Queue").filter(|(name, _)| !name.ends_with("DeadLetters")) {
        assert!(target(&queue["RedrivePolicy"]["deadLetterTargetArn"]).ends_with("DeadLetters"), "{name}");
        let receives = queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap();
        assert!((3..=5).contains(&receives), "{name}");
        assert_eq!(
            json!(receives.to_string()),
            template.whole["Globals"]["Function"]["Environment"]["Variables"]["SQUALL_MAX_RECEIVES"]
        );
        let timeout = consumed.get(name).unwrap_or_else(|| panic!("nobody takes from {name}"));
        match (timeout.as_u64(), queue["VisibilityTimeout"].as_u64()) {
            (Some(timeout), Some(visibility)) => {
                assert!(visibility >= 6 * timeout, "{name}: {visibility} for {timeout}")
            }
            _ => assert_eq!(name, "ActionsQueue", "its time is a parameter"),
        }
    }
    for (seconds, queue) in template.whole["Mappings"]["ActionQueue"].as_object().unwrap() {
        assert!(queue["Visibility"].as_u64().unwrap() >= 6 * seconds.parse::<u64>().unwrap());
    }
}

#[test]
fn every_alarm_has_a_section_in_the_runbooks_and_every_section_an_alarm() {
    let template = Template::read();
    let runbooks = fs::read_to_string(root().join("docs/runbooks.md")).unwrap();
    let mut sections: Vec<_> =
        runbooks.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect();
    let mut alarms = Vec::new();
    for (name, alarm) in template.of_kind("AWS::CloudWatch::Alarm") {
        let description = alarm["AlarmDescription"].as_str().unwrap();
        let section =
            description.rsplit_once("docs/runbooks.md#").unwrap_or_else(|| panic!("{name} names no runbook")).1;
        alarms.push(section.to_owned());
    }
    sections.sort();
    alarms.sort();
    assert_eq!(sections, alarms);
}

#[test]
fn the_table_has_the_indexes_that_the_store_asks() {
    let template = Template::read();
    let table = &template.resources["Table"]["Properties"];
    let of = |index: &Value| {
        let name = |at: usize| index["KeySchema"][at]["AttributeName"].as_str().unwrap().to_owned();
        (index["IndexName"].as_str().unwrap().to_owned(), name(0), name(1))
    };
    let mut made: Vec<_> = table["GlobalSecondaryIndexes"].as_array().unwrap().iter().map(of).collect();
    let wanted = aws::INDEXES.map(|index| (index.name.to_owned(), index.partition.to_owned(), index.sort.to_owned()));
    let mut wanted = wanted.to_vec();
    made.sort();
    wanted.sort();
    assert_eq!(made, wanted);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "ttl", "Enabled": true}));
}

#[test]
fn everything_is_tagged() {
    let template = Template::read();
    assert!(template.whole["Globals"]["Function"]["Tags"].is_object());
    for (name, resource) in &template.resources {
        let kind = resource["Type"].as_str().unwrap();
        let is_tagged = !resource["Properties"]["Tags"].is_null();
        assert!(is_tagged || WITHOUT_TAGS.contains(&kind), "{name} ({kind}) has no tags");
    }
}

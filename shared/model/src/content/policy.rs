//! `policies/*.yaml`.

use serde_json::{Map, Value, json};
use yaml::Node;

use super::{
    Origin,
    finding::{Finding, Findings},
    form::Form,
};
use crate::{Policy, SchemaValidator};

const KEYS: [&str; 11] = [
    "name",
    "pack",
    "description",
    "enabled",
    "resource_ref",
    "policy_type",
    "parameters",
    "metadata_file",
    "ref",
    "uid",
    "id",
];
const TYPES: [&str; 3] = ["action.concurrency", "action.concurrency.attr", "action.retry"];

pub(super) fn read(node: &Node, origin: Origin<'_>, findings: &mut Findings) -> Option<Policy> {
    let mut form = Form::open(node, "", findings)?;
    form.close(&KEYS);
    let identity = form.identity("name", origin);
    let resource_ref = form.reference("resource_ref");
    let policy_type = policy_type(&mut form);
    let parameters = form.map("parameters");
    if let Some(policy_type) = policy_type {
        check_parameters(&mut form, policy_type, &parameters);
    }
    let enabled = form.flag("enabled", true);
    let description = form.text("description").unwrap_or_default().to_owned();
    let (reference, metadata_file) = identity?;
    Some(Policy {
        reference,
        enabled,
        resource_ref: resource_ref?,
        policy_type: policy_type?.to_owned(),
        parameters,
        description,
        metadata_file,
    })
}

fn policy_type<'a>(form: &mut Form<'a, '_>) -> Option<&'a str> {
    let name = form.required_text("policy_type")?;
    if TYPES.contains(&name) {
        return Some(name);
    }
    let finding = Finding::error(
        "unknown-policy-type",
        form.position("policy_type"),
        format!("there is no policy type \"{name}\""),
    );
    let finding = finding.at("policy_type").hint(format!("there are {}", TYPES.join(", ")));
    form.findings.push(finding);
    None
}

fn check_parameters(form: &mut Form<'_, '_>, policy_type: &str, parameters: &Map<String, Value>) {
    let threshold = json!({"type": "integer", "required": true, "minimum": 0});
    let action = json!({"type": "string", "enum": ["delay", "cancel"], "default": "delay"});
    let properties = match policy_type {
        "action.retry" => json!({
            "retry_on": {"type": "string", "enum": ["failure", "timeout"], "required": true},
            "max_retry_count": {"type": "integer", "minimum": 1, "maximum": 5, "default": 2},
            "delay": {"type": "number", "minimum": 0, "maximum": 120},
        }),
        "action.concurrency.attr" => json!({
            "threshold": threshold, "action": action,
            "attributes": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "required": true, "minItems": 1},
        }),
        _ => json!({"threshold": threshold, "action": action}),
    };
    let schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), properties),
        ("additionalProperties".to_owned(), json!(false)),
    ]);
    let validated =
        SchemaValidator::new(&schema).map(|validator| validator.validate(&Value::Object(parameters.clone())));
    for problem in validated.into_iter().filter_map(Result::err).flatten() {
        form.error("bad-policy-parameters", "parameters", problem, None);
    }
}

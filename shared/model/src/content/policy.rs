//! `policies/*.yaml`.

use serde_json::{Map, Value};
use yaml::Node;

use super::{
    Origin,
    finding::{Finding, Findings},
    form::Form,
};
use crate::{
    Policy,
    policy::{self, policy_types},
};

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
    let names = policy_types().map(|known| known.reference);
    if names.contains(&name) {
        return Some(name);
    }
    let finding = Finding::error(
        "unknown-policy-type",
        form.position("policy_type"),
        format!("there is no policy type \"{name}\""),
    );
    let finding = finding.at("policy_type").hint(format!("there are {}", names.join(", ")));
    form.findings.push(finding);
    None
}

/// Reports what is wrong with the parameters, each at its own place.
fn check_parameters(form: &mut Form<'_, '_>, policy_type: &str, parameters: &Map<String, Value>) {
    let Err(problems) = policy::check_parameters(policy_type, parameters) else { return };
    for problem in problems {
        let named = parameters.keys().find(|name| {
            let rest = problem.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.starts_with([':', '['])) || problem.contains(&format!("no \"{name}\""))
        });
        let place = named.and_then(|name| form.value("parameters")?.entry(name)).map(|entry| entry.position);
        let position = place.unwrap_or_else(|| form.position("parameters"));
        form.findings.push(Finding::error("bad-policy-parameters", position, problem).at("parameters"));
    }
}

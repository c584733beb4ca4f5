//! `rules/*.yaml`.

use serde_json::{Map, Value};
use yaml::Node;

use super::{
    Origin,
    finding::{Finding, Findings},
    form::Form,
};
use crate::{Criteria, OPERATOR_NAMES, Rule, RuleAction, RuleKind, RuleTrigger};
const SEARCH: &str = "search";
const CONDITIONS: [&str; 4] = ["any", "all", "any2any", "all2any"];
const KEYS: [&str; 14] = [
    "name",
    "pack",
    "description",
    "enabled",
    "type",
    "trigger",
    "criteria",
    "action",
    "context",
    "tags",
    "metadata_file",
    "ref",
    "uid",
    "id",
];

pub(super) fn read(node: &Node, origin: Origin<'_>, findings: &mut Findings) -> Option<Rule> {
    let mut form = Form::open(node, "", findings)?;
    form.close(&KEYS);
    let identity = form.identity("name", origin);
    if !form.has("enabled") && matches!(origin, Origin::File { .. }) {
        let hint = "add \"enabled: true\", or \"enabled: false\" to leave it off";
        form.warn("not-enabled", "enabled", "is not given, so the rule is off, as in StackStorm", Some(hint));
    }
    let kind = kind(&mut form);
    let trigger = trigger(&mut form);
    let action = action(&mut form);
    let criteria = form.map("criteria");
    if let Some(mut inner) = form.inner("criteria") {
        check_criteria(&mut inner);
    }
    let (description, enabled) = (form.text("description"), form.flag("enabled", false));
    let tags = form.tags();
    let (reference, metadata_file) = identity?;
    Some(Rule {
        reference,
        description: description.unwrap_or_default().to_owned(),
        enabled,
        kind: kind?,
        trigger: trigger?,
        criteria: Criteria::from_iter(criteria),
        action: action?,
        tags,
        context: Map::new(),
        metadata_file,
    })
}

fn kind(form: &mut Form<'_, '_>) -> Option<RuleKind> {
    if !form.has("type") {
        return Some(RuleKind::default());
    }
    let mut form = form.inner("type")?;
    form.close_leniently(&["ref", "parameters"]);
    let name = form.required_text("ref")?;
    let kind = [RuleKind::Standard, RuleKind::Backstop].into_iter().find(|kind| kind.name() == name);
    if kind.is_none() {
        let message = format!("\"{name}\" is not a rule type; there are standard and backstop");
        form.error("unknown-rule-type", "ref", message, None);
    }
    kind
}

fn trigger(form: &mut Form<'_, '_>) -> Option<RuleTrigger> {
    form.require("trigger")?;
    let mut form = form.inner("trigger")?;
    form.close_leniently(&["type", "parameters", "description", "ref", "name", "pack"]);
    let kind = form.reference("type");
    let parameters = form.map("parameters");
    Some(RuleTrigger { kind: kind?, parameters })
}

fn action(form: &mut Form<'_, '_>) -> Option<RuleAction> {
    form.require("action")?;
    let mut form = form.inner("action")?;
    form.close_leniently(&["ref", "parameters", "description"]);
    let reference = form.reference("ref");
    let parameters = form.map("parameters");
    Some(RuleAction { reference: reference?, parameters })
}

fn check_criteria(form: &mut Form<'_, '_>) {
    for entry in form.entries() {
        if entry.key != "trigger" && !entry.key.starts_with("trigger.") && !entry.key.starts_with("system.") {
            let hint = "a key begins with \"trigger.\", such as trigger.body.status";
            form.warn("criteria-key", &entry.key, "looks at nothing, so it never holds", Some(hint));
        }
        if let Some(mut inner) = form.inner(&entry.key) {
            check_criterion(&mut inner, Finding::error);
        } else if entry.value.is_null() {
            form.error("missing-key", &entry.key, "must have the keys \"type\" and \"pattern\"", None);
        }
    }
}

/// StackStorm checks what stands within `search` only when the rule is tried, so there it is worth a warning here.
fn check_criterion(form: &mut Form<'_, '_>, finding: fn(&'static str, yaml::Position, String) -> Finding) {
    form.close_leniently(&["type", "pattern", "condition"]);
    if !form.has("pattern") {
        let message = "the key \"pattern\" is missing".to_owned();
        let hint = "every operator needs a pattern that is not null, exists and nexists too: write \"pattern: true\"";
        form.findings.push(finding("missing-key", form.node.position, message).at(&form.path_of("pattern")).hint(hint));
    }
    let Some(name) = form.value("type") else {
        let message = "the key \"type\" is missing".to_owned();
        let hint = "it names the operator, such as equals";
        form.findings.push(finding("missing-key", form.node.position, message).at(&form.path_of("type")).hint(hint));
        return;
    };
    let operator = name.as_text().unwrap_or_default();
    if !OPERATOR_NAMES.contains(&operator) {
        let message = format!("{} is not an operator", name.to_json());
        let lower = operator.to_lowercase();
        let finding = finding("unknown-operator", name.position, message).at(&form.path_of("type"));
        form.findings.push(finding.suggest(&lower, OPERATOR_NAMES));
    }
    if operator == SEARCH {
        check_search(form);
    }
    warn_of_text_for_number(form, operator);
}

fn check_search(form: &mut Form<'_, '_>) {
    let condition = form.value("condition").map(Node::to_json);
    match &condition {
        Some(Value::String(name)) if CONDITIONS.contains(&name.as_str()) => {}
        _ => {
            let message = "must be one of any, all, any2any, all2any; without that the rule fails when it is tried";
            form.warn("search-condition", "condition", message, None);
        }
    }
    let Some(mut patterns) = form.inner("pattern") else { return };
    for entry in patterns.entries() {
        if entry.key != "item" && !entry.key.starts_with("item.") {
            let hint = "a key within search begins with \"item.\"";
            patterns.warn("criteria-key", &entry.key, "looks at nothing, so it never holds", Some(hint));
        }
        if let Some(mut inner) = patterns.inner(&entry.key) {
            check_criterion(&mut inner, Finding::warning);
        }
    }
}

fn warn_of_text_for_number(form: &mut Form<'_, '_>, operator: &str) {
    let compares = matches!(operator, "lessthan" | "lt" | "greaterthan" | "gt");
    let pattern = form.value("pattern").and_then(Node::as_text).unwrap_or_default();
    if compares && pattern.parse::<f64>().is_ok() {
        let message = "is a text, and comparing a number with a text fails";
        form.warn(
            "text-for-number",
            "pattern",
            message,
            Some("remove the quotes, unless the payload has a text there"),
        );
    }
}

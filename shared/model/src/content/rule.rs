//! `rules/*.yaml`.

use serde_json::{Map, Value};
use yaml::Node;

use super::{
    Origin,
    finding::{Finding, Findings},
    form::Form,
};
use crate::{
    Criteria, MAX_RULE_ACTIONS, MAX_THROTTLE_WINDOW, OPERATOR_NAMES, Rule, RuleAction, RuleKind, RuleTrigger, Throttle,
    ThrottleAction, rule::MAX_CRITERIA_DEPTH,
};

const SEARCH: &str = "search";
const CONDITIONS: [&str; 4] = ["any", "all", "any2any", "all2any"];
const KEYS: [&str; 16] = [
    "name",
    "pack",
    "description",
    "enabled",
    "type",
    "trigger",
    "criteria",
    "action",
    "actions",
    "throttle",
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
    let actions = actions(&mut form);
    let throttle = throttle(&mut form);
    let criteria = form.map("criteria");
    if let Some(mut inner) = form.inner("criteria") {
        check_criteria(&mut inner, Root::Payload, 0);
    }
    let (description, enabled) = (form.text("description"), form.flag("enabled", false));
    let tags = form.tags();
    let (reference, metadata_file) = identity?;
    let (action, further_actions) = actions?;
    Some(Rule {
        reference,
        description: description.unwrap_or_default().to_owned(),
        enabled,
        kind: kind?,
        trigger: trigger?,
        criteria: Criteria::from_iter(criteria),
        action,
        further_actions,
        throttle: throttle?,
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

/// `action`, or `actions`; or both, where the first of the one is the other.
fn actions(form: &mut Form<'_, '_>) -> Option<(RuleAction, Vec<RuleAction>)> {
    if !form.has("actions") {
        form.require("action")?;
        let mut form = form.inner("action")?;
        return Some((action(&mut form)?, Vec::new()));
    }
    let nodes = form.list("actions");
    if nodes.is_empty() || nodes.len() > MAX_RULE_ACTIONS {
        form.error("rule-actions", "actions", format!("must be a list of 1 to {MAX_RULE_ACTIONS} actions"), None);
        return None;
    }
    let read = |(at, node)| {
        let path = form.path_of(&format!("actions[{at}]"));
        action(&mut Form::open(node, &path, form.findings)?)
    };
    let read: Vec<Option<RuleAction>> = nodes.iter().enumerate().map(read).collect();
    let mut actions = read.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
    let first = actions.next()?;
    if form.has("action") {
        let alone = action(&mut form.inner("action")?)?;
        if alone != first {
            form.error("rule-actions", "action", "is not the first of \"actions\"", Some("leave it out"));
            return None;
        }
    }
    Some((first, actions.collect()))
}

fn action(form: &mut Form<'_, '_>) -> Option<RuleAction> {
    form.close_leniently(&["ref", "parameters", "description"]);
    let reference = form.reference("ref");
    let parameters = form.map("parameters");
    Some(RuleAction { reference: reference?, parameters })
}

/// `None` where it is wrong.
fn throttle(form: &mut Form<'_, '_>) -> Option<Option<Throttle>> {
    if !form.has("throttle") {
        return Some(None);
    }
    let mut form = form.inner("throttle")?;
    form.close(&["count", "window", "group_by", "action"]);
    let count = form.require("count").map(Node::to_json);
    let count =
        count.map(|count| count.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0));
    if count == Some(None) {
        form.error("throttle", "count", "must be a number of events, from 1 on", None);
    }
    let window = form.require("window").map(|node| seconds(&node.to_json()));
    if window == Some(None) {
        let hint = "seconds, or a number with s, m, h or d, such as 10m";
        form.error("throttle", "window", "must be a time of 1 second to 30 days", Some(hint));
    }
    let group_by =
        form.list("group_by").iter().map(|node| node.as_text().map(str::to_owned)).collect::<Option<Vec<_>>>();
    if group_by.is_none() {
        form.error("throttle", "group_by", "must be a list of keys, such as trigger.body.host", None);
    }
    let action = match form.value("action").map(Node::to_json) {
        None => Some(ThrottleAction::default()),
        Some(name) => serde_json::from_value(name).ok(),
    };
    if action.is_none() {
        form.error("throttle", "action", "must be drop, delay or merge", None);
    }
    Some(Some(Throttle { count: count??, window: window??, group_by: group_by?, action: action? }))
}

fn seconds(window: &Value) -> Option<u64> {
    let seconds = match window {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => {
            let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
            let unit = match text.strip_prefix(digits)? {
                "" | "s" => 1,
                "m" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return None,
            };
            digits.parse::<u64>().ok()?.checked_mul(unit)?
        }
        _ => return None,
    };
    (1..=MAX_THROTTLE_WINDOW).contains(&seconds).then_some(seconds)
}

/// What keys start from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Payload,
    /// An item, within `search`.
    Item,
}

impl Root {
    const fn name(self) -> &'static str {
        match self {
            Root::Payload => "trigger",
            Root::Item => "item",
        }
    }

    /// StackStorm checks what stands within `search` only when the rule is tried, so there it is worth a warning here.
    const fn finding(self) -> fn(&'static str, yaml::Position, String) -> Finding {
        match self {
            Root::Payload => Finding::error,
            Root::Item => Finding::warning,
        }
    }
}

fn check_criteria(form: &mut Form<'_, '_>, root: Root, depth: usize) {
    for entry in form.entries() {
        let name = entry.key.split('#').next().unwrap_or_default();
        if crate::rule::is_criteria_tree(name, &entry.value.to_json()) {
            check_tree(form, &entry.key, root, depth);
            continue;
        }
        let begins =
            |name: &str| entry.key == name || entry.key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let datastore = root == Root::Payload && entry.key.starts_with("system.");
        if !begins(root.name()) && !datastore {
            let hint = match root {
                Root::Payload => "a key begins with \"trigger.\", such as trigger.body.status",
                Root::Item => "a key within search begins with \"item.\"",
            };
            form.warn("criteria-key", &entry.key, "looks at nothing, so it never holds", Some(hint));
        }
        if let Some(mut inner) = form.inner(&entry.key) {
            check_criterion(&mut inner, root);
        } else if entry.value.is_null() {
            form.error("missing-key", &entry.key, "must have the keys \"type\" and \"pattern\"", None);
        }
    }
}

fn check_tree(form: &mut Form<'_, '_>, key: &str, root: Root, depth: usize) {
    if depth >= MAX_CRITERIA_DEPTH {
        form.error("criteria-depth", key, format!("is nested more than {MAX_CRITERIA_DEPTH} deep"), None);
        return;
    }
    let Some(node) = form.value(key) else { return };
    let path = form.path_of(key);
    match &node.content {
        yaml::Content::List(groups) => {
            for (at, group) in groups.iter().enumerate() {
                if let Some(mut group) = Form::open(group, &format!("{path}[{at}]"), form.findings) {
                    check_criteria(&mut group, root, depth + 1);
                }
            }
        }
        _ => {
            if let Some(mut group) = form.inner(key) {
                check_criteria(&mut group, root, depth + 1);
            }
        }
    }
}

fn check_criterion(form: &mut Form<'_, '_>, root: Root) {
    let finding = root.finding();
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
    if operator == "exists" && form.value("pattern").is_some_and(|pattern| pattern.to_json() == Value::Bool(false)) {
        form.warn(
            "exists-pattern",
            "pattern",
            "is not looked at: the value must exist",
            Some("write nexists for that"),
        );
    }
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
    check_criteria(&mut patterns, Root::Item, 0);
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

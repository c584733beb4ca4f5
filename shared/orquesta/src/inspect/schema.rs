//! The schema of workflows, and the part of JSON Schema that it takes.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use yaml::{Content, Node, Position};

use super::python::{print, quote};
use super::{Category, Issue};

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("workflow.schema.json")).unwrap_or_default());

/// The patterns of the schema.
static PATTERNS: LazyLock<HashMap<String, Regex>> = LazyLock::new(|| {
    let mut patterns = HashMap::new();
    compile(&SCHEMA, &mut patterns);
    patterns
});

fn compile(schema: &Value, patterns: &mut HashMap<String, Regex>) {
    // Python takes braces that count nothing as they are.
    let mut add = |pattern: &str| {
        let escaped = pattern.replace("{{", r"\{\{").replace("}}", r"\}\}");
        patterns.extend(Regex::new(&escaped).ok().map(|compiled| (pattern.to_owned(), compiled)));
    };
    for (keyword, rule) in schema.as_object().into_iter().flatten() {
        match (keyword.as_str(), rule) {
            ("pattern", Value::String(pattern)) => add(pattern),
            ("patternProperties", Value::Object(properties)) => properties.keys().for_each(|pattern| add(pattern)),
            _ => {}
        }
    }
    schema.as_object().into_iter().flatten().for_each(|(_, inner)| compile(inner, patterns));
}

pub(super) fn check(root: &Node) -> Vec<Issue> {
    let mut issues = Vec::new();
    validate(root, &SCHEMA, &Place::default(), &mut issues);
    issues
}

/// Where in the workflow and in the schema.
#[derive(Clone, Default)]
struct Place {
    spec: String,
    schema: String,
}

impl Place {
    fn key(&self, key: &str, schema: &str) -> Place {
        Place { spec: dotted(&self.spec, key), schema: dotted(&self.schema, schema) }
    }

    fn item(&self, index: usize) -> Place {
        Place { spec: format!("{}[{index}]", self.spec), schema: dotted(&self.schema, "items") }
    }

    fn issue(&self, keyword: &str, message: String) -> Issue {
        Issue {
            category: Category::Syntax,
            message,
            spec_path: self.spec.clone(),
            schema_path: dotted(&self.schema, keyword),
            expression: None,
            position: Position::default(),
        }
    }
}

fn dotted(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn validate(node: &Node, schema: &Value, place: &Place, issues: &mut Vec<Issue>) {
    for (keyword, rule) in schema.as_object().into_iter().flatten() {
        match keyword.as_str() {
            "$ref" => {
                let named = rule.as_str().and_then(|name| SCHEMA.get("definitions")?.get(name));
                validate(node, named.unwrap_or(&Value::Null), place, issues);
            }
            "properties" | "patternProperties" => properties(node, keyword, rule, place, issues),
            "items" => {
                for (index, item) in node.as_list().unwrap_or_default().iter().enumerate() {
                    validate(item, rule, &place.item(index), issues);
                }
            }
            "required" => {
                let names = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
                let missing = names.filter(|name| node.as_map().is_some() && node.get(name).is_none());
                issues.extend(
                    missing.map(|name| place.issue(keyword, format!("{} is a required property", quote(name)))),
                );
            }
            "additionalProperties" => {
                issues.extend(
                    additional(node, schema)
                        .map(|(message, position)| Issue { position, ..place.issue(keyword, message) }),
                );
            }
            _ => issues.extend(violation(node, keyword, rule).map(|message| place.issue(keyword, message))),
        }
    }
}

fn is_valid(node: &Node, schema: &Value) -> bool {
    let mut issues = Vec::new();
    validate(node, schema, &Place::default(), &mut issues);
    issues.is_empty()
}

fn properties(node: &Node, keyword: &str, rule: &Value, place: &Place, issues: &mut Vec<Issue>) {
    for (name, schema) in rule.as_object().into_iter().flatten() {
        let is_meant = |key: &str| if keyword == "properties" { key == name } else { matches(name, key) };
        for entry in node.as_map().unwrap_or_default().iter().filter(|entry| is_meant(&entry.key)) {
            validate(&entry.value, schema, &place.key(&entry.key, &format!("{keyword}.{name}")), issues);
        }
    }
}

/// What stands there that may not, and where the first of it does.
fn additional(node: &Node, schema: &Value) -> Option<(String, Position)> {
    let named = |key: &str| schema.get("properties").is_some_and(|properties| properties.get(key).is_some());
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let matched = |key: &str| patterns.is_some_and(|patterns| patterns.keys().any(|pattern| matches(pattern, key)));
    let entries = node.as_map()?.iter().filter(|entry| !named(&entry.key) && !matched(&entry.key));
    let extra: Vec<_> = entries.collect();
    let position = extra.first()?.position;
    let one = extra.len() == 1;
    let extra = extra.iter().map(|entry| quote(&entry.key)).collect::<Vec<_>>().join(", ");
    if let Some(pattern) = patterns.and_then(|patterns| patterns.keys().next()) {
        let verb = if one { "does" } else { "do" };
        return Some((format!("{extra} {verb} not match any of the regexes: '{pattern}'"), position));
    }
    let verb = if one { "was" } else { "were" };
    Some((format!("Additional properties are not allowed ({extra} {verb} unexpected)"), position))
}

/// What is wrong by one keyword about the value itself.
fn violation(node: &Node, keyword: &str, rule: &Value) -> Option<String> {
    let value = || print(node);
    let size = rule.as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let short = |length: usize| (length < size).then(|| format!("{} should be non-empty", value()));
    match (keyword, &node.content) {
        ("type", content) => {
            let wanted = rule.as_str()?;
            (!is_type(content, wanted)).then(|| format!("{} is not of type '{wanted}'", value()))
        }
        ("enum", _) => {
            let choices: Vec<Node> = rule.as_array()?.iter().map(Node::from_json).collect();
            let is_one = choices.iter().any(|choice| is_same(choice, node));
            let choices: Vec<String> = choices.iter().map(print).collect();
            (!is_one).then(|| format!("{} is not one of [{}]", value(), choices.join(", ")))
        }
        ("oneOf" | "anyOf", _) => {
            let valid = rule.as_array()?.iter().filter(|schema| is_valid(node, schema)).count();
            let is_right = valid == 1 || (keyword == "anyOf" && valid > 1);
            (!is_right).then(|| format!("{} is not valid under any of the given schemas", value()))
        }
        ("minLength", Content::Text(text)) => short(text.chars().count()),
        ("minItems", Content::List(items)) => short(items.len()),
        ("minProperties", Content::Map(entries)) => short(entries.len()),
        ("maxProperties", Content::Map(entries)) => {
            (entries.len() > size).then(|| format!("{} has too many properties", value()))
        }
        ("uniqueItems", Content::List(items)) => {
            let repeats =
                items.iter().enumerate().any(|(at, item)| items.iter().take(at).any(|other| is_same(item, other)));
            repeats.then(|| format!("{} has non-unique elements", value()))
        }
        ("minimum", Content::Number(number)) => {
            (number.as_f64() < rule.as_f64()).then(|| format!("{} is less than the minimum of {rule}", value()))
        }
        ("pattern", Content::Text(text)) => {
            let pattern = rule.as_str()?;
            (!matches(pattern, text)).then(|| format!("{} does not match {}", value(), quote(pattern)))
        }
        _ => None,
    }
}

fn is_type(content: &Content, wanted: &str) -> bool {
    match content {
        Content::Null => wanted == "null",
        Content::Bool(_) => wanted == "boolean",
        Content::Number(number) => wanted == "number" || (wanted == "integer" && !number.is_f64()),
        Content::Text(_) => wanted == "string",
        Content::List(_) => wanted == "array",
        Content::Map(_) => wanted == "object",
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.content, &other.content) {
        (Content::Number(one), Content::Number(other)) => one.as_f64() == other.as_f64(),
        (Content::List(one), Content::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Content::Map(entries), Content::Map(others)) => {
            let same = |key: &str, value: &Node| other.get(key).is_some_and(|found| is_same(value, found));
            entries.len() == others.len() && entries.iter().all(|entry| same(&entry.key, &entry.value))
        }
        (one, other) => one == other,
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS.get(pattern).is_some_and(|pattern| pattern.is_match(text))
}

//! Operators, criteria of one rule, and which of some rules match.

use std::collections::HashMap;
use std::sync::Arc;

use expressions::{KeyValues, Scope};
use model::{Rule, Severity, Timestamp};
use rules::{CompiledRule, Event, Operator, RuleSet, Verdict, evaluate, validate};
use serde_json::{Map, Value, json};

use crate::Answer;

pub(crate) fn answer(case: &Value) -> Answer {
    match text(case, "kind") {
        "op" => operator(case),
        "rule" => rule(case),
        "match" => matched(case),
        other => Err(format!("unknown kind {other}")),
    }
}

fn operator(case: &Value) -> Answer {
    let name = text(case, "op");
    let operator = Operator::named(name).ok_or_else(|| format!("there is no operator {name}"))?;
    if operator != Operator::Search {
        return operator.apply(field(case, "value"), field(case, "pattern"), now(case)?).map(Value::Bool);
    }
    let criterion = json!({"type": name, "pattern": field(case, "pattern"), "condition": field(case, "condition")});
    let compiled = compiled(&json!({"criteria": {"trigger.value": criterion}}))?;
    match evaluate(&compiled, &event(case, json!({"value": field(case, "value")}))?) {
        Verdict::Match { .. } => Ok(json!(true)),
        Verdict::NoMatch { .. } => Ok(json!(false)),
        Verdict::Failed { reason } => Err(reason),
    }
}

fn rule(case: &Value) -> Answer {
    let compiled = compiled(case)?;
    let problems = validate(&compiled.rule().criteria);
    let valid = !problems.iter().any(|problem| problem.severity == Severity::Error);
    if !compiled.rule().enabled {
        return Ok(json!({"match": false, "enforcement": false, "valid": valid}));
    }
    // When these were recorded, "now" was fixed for StackStorm but not for the parser of dates, which takes what a date leaves out from the
    // clock of the machine.
    let event = event(case, field(case, "payload").clone())?.with_today(machine_clock());
    let verdict = evaluate(&compiled, &event);
    Ok(json!({"match": verdict.is_match(), "enforcement": verdict.failure().is_some(), "valid": valid}))
}

fn matched(case: &Value) -> Answer {
    let rules = field(case, "rules").as_array().into_iter().flatten();
    let of_trigger = rules.filter(|rule| field(rule, "trigger") == field(case, "trigger"));
    let rules = of_trigger.map(compiled).collect::<Result<Vec<_>, _>>()?;
    let rules = RuleSet::from_compiled(rules.into_iter().map(Arc::new));
    let matches = rules.matches(&event(case, field(case, "payload").clone())?);
    let refs =
        matches.iter().filter(|found| found.verdict.is_match()).map(|found| found.rule.rule().reference.as_str());
    Ok(json!({"matched": refs.collect::<Vec<_>>()}))
}

/// The rule of a case, which has only what matters.
fn compiled(written: &Value) -> Result<CompiledRule, String> {
    let or = |name: &str, default: Value| written.get(name).cloned().unwrap_or(default);
    let rule: Rule = serde_json::from_value(json!({
        "ref": or("ref", json!("p.r")),
        "enabled": or("enabled", json!(true)),
        "kind": or("type", json!("standard")),
        "criteria": or("criteria", json!({})),
        "trigger": {"type": "core.trigger"},
        "action": {"ref": "core.noop"},
    }))
    .map_err(|error| error.to_string())?;
    Ok(CompiledRule::new(Arc::new(rule)))
}

fn event(case: &Value, payload: Value) -> Result<Event, String> {
    let stored = |(key, value): (&String, &Value)| value.as_str().map(|text| (key.clone(), text.to_owned()));
    let system =
        field(field(case, "kv"), "system").as_object().unwrap_or(&Map::new()).iter().filter_map(stored).collect();
    Ok(Event::new(payload, now(case)?, Arc::new(Keys(system))))
}

struct Keys(HashMap<String, String>);

impl KeyValues for Keys {
    fn get(&self, scope: Scope, name: &str) -> Option<String> {
        self.0.get(name).filter(|_| scope == Scope::System).cloned()
    }

    fn decrypt(&self, _ciphertext: &str) -> Result<String, String> {
        Err("there is no encryption key".to_owned())
    }
}

fn now(case: &Value) -> Result<Timestamp, String> {
    match case.get("now").and_then(Value::as_str) {
        Some(now) => now.parse().map_err(|error: model::TimeError| error.to_string()),
        None => Ok(Timestamp::default()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock that dateutil asks")]
fn machine_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().after(since)
}

fn field<'a>(case: &'a Value, name: &str) -> &'a Value {
    case.get(name).unwrap_or(&Value::Null)
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    field(case, name).as_str().unwrap_or_default()
}

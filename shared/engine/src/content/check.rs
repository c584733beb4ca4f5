//! What a pack or a resource must have around it: the trigger types and actions of other packs.

use expressions::jsonpath::JsonPath;
use model::{
    Action, Diagnostic, PackContent, Parameter, Policy, PolicyKind, Ref, Rule, RuleTrigger, SchemaValidator, Severity,
    TriggerType, runner_type, timer::TimerSchedule,
};
use serde_json::{Map, Value};

use crate::{Catalog, Error, LongestAction};

const UNKNOWN_ACTION: &str = "unknown-action";
const BAD_CRITERION: &str = "bad-criterion";
/// The parameter by which runners are told how long an action may take.
const TIMEOUT: &str = "timeout";

/// Refuses actions that want to run longer than the host lets them.
pub(super) fn durations(content: &PackContent, longest: Option<&LongestAction>) -> Result<(), Vec<Diagnostic>> {
    let Some(longest) = longest else { return Ok(()) };
    let mut found = Vec::new();
    let mut check = |file: &str, asked: Option<&Value>| {
        let seconds = asked.and_then(Value::as_f64).unwrap_or_default();
        if seconds > longest.duration.as_secs_f64() {
            found.push(Diagnostic {
                code: "timeout-too-long",
                severity: Severity::Error,
                file: file.to_owned(),
                line: 0,
                column: 0,
                message: format!(
                    "a timeout of {seconds} s is more than the {} s that {}",
                    longest.duration.as_secs(),
                    longest.reason
                ),
                hint: Some(longest.alternatives.clone()),
            });
        }
    };
    for action in &content.actions {
        check(&action.metadata_file, action.parameters.get(TIMEOUT).and_then(|parameter| parameter.default.as_ref()));
    }
    for rule in &content.rules {
        check(&rule.metadata_file, rule.action.parameters.get(TIMEOUT));
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Checks a pack's rules and policies against what the pack and the catalog hold: errors, or warnings.
pub(super) fn pack(content: &PackContent, catalog: &Catalog) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let mut found = Vec::new();
    for rule in &content.rules {
        let own = content.trigger_types.iter().find(|kind| kind.reference == rule.trigger.kind);
        let kind = own.or_else(|| catalog.trigger_types.get(&rule.trigger.kind).map(AsRef::as_ref));
        if let Err(message) = trigger(&rule.trigger, kind) {
            found.push(diagnostic(rule, Severity::Error, "bad-trigger", message));
        }
        for problem in rules::validate(&rule.criteria) {
            let message = format!("criterion \"{}\": {}", problem.key, problem.message);
            found.push(diagnostic(rule, problem.severity, BAD_CRITERION, message));
        }
        if let Err(message) = throttle(rule) {
            found.push(diagnostic(rule, Severity::Error, "bad-throttle", message));
        }
        for problem in never(rule, kind) {
            found.push(diagnostic(rule, Severity::Warning, BAD_CRITERION, problem));
        }
        for action in rule.actions() {
            let known = content.actions.iter().any(|own| own.reference == action.reference)
                || catalog.actions.contains_key(&action.reference);
            if !known {
                let message = format!("action {} is not known (yet): the rule will fail until it is", action.reference);
                found.push(diagnostic(rule, Severity::Warning, UNKNOWN_ACTION, message));
            }
        }
    }
    for of_pack in &content.policies {
        let own = content.actions.iter().find(|action| action.reference == of_pack.resource_ref);
        let action = own.or_else(|| catalog.actions.get(&of_pack.resource_ref).map(AsRef::as_ref));
        if action.is_none() {
            let message = format!("action {} is not known (yet): the policy has no effect", of_pack.resource_ref);
            found.push(in_file(&of_pack.metadata_file, Severity::Warning, UNKNOWN_ACTION, message));
        }
        for problem in policy(of_pack, action).err().into_iter().flatten() {
            found.push(in_file(&of_pack.metadata_file, Severity::Error, "bad-policy-parameters", problem));
        }
    }
    if found.iter().any(Diagnostic::is_error) { Err(found) } else { Ok(found) }
}

fn diagnostic(rule: &Rule, severity: Severity, code: &'static str, message: String) -> Diagnostic {
    in_file(&rule.metadata_file, severity, code, message)
}

fn in_file(file: &str, severity: Severity, code: &'static str, message: String) -> Diagnostic {
    Diagnostic { code, severity, file: file.to_owned(), line: 0, column: 0, message, hint: None }
}

/// Does the policy count by parameters that its action has?
pub(super) fn policy(policy: &Policy, action: Option<&Action>) -> Result<(), Vec<String>> {
    let kind = policy.kind()?;
    let (PolicyKind::Limit(limit), Some(action)) = (kind, action) else { return Ok(()) };
    let runner = runner_type(&action.runner_type).map(|runner| &runner.runner_parameters);
    let has = |name: &str| action.parameters.contains_key(name) || runner.is_some_and(|own| own.contains_key(name));
    let unknown = limit.attributes.iter().filter(|name| !has(name));
    let problem = |name| format!("attributes: action {} has no parameter \"{name}\"", action.reference);
    let problems: Vec<_> = unknown.map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Checks a rule that came by the API.
pub(super) fn rule(rule: &Rule, catalog: &Catalog) -> Result<(), Error> {
    let kind = catalog.trigger_types.get(&rule.trigger.kind).map(AsRef::as_ref);
    trigger(&rule.trigger, kind).map_err(Error::invalid)?;
    throttle(rule).map_err(Error::invalid)?;
    let refused = rules::validate(&rule.criteria).into_iter().filter(|problem| problem.severity == Severity::Error);
    let refused: Vec<_> =
        refused.map(|problem| format!("criterion \"{}\": {}", problem.key, problem.message)).collect();
    if refused.is_empty() { Ok(()) } else { Err(Error::invalid(refused.join("; "))) }
}

/// Can its groups be told apart?
fn throttle(rule: &Rule) -> Result<(), String> {
    let mut keys = rule.throttle.iter().flat_map(|throttle| &throttle.group_by);
    keys.try_for_each(|key| match JsonPath::parse(key) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("throttle: group_by: key \"{key}\": {error}")),
    })
}

/// What the trigger type's schema says can't be: fields that there are not, patterns of another type than the field.
fn never(rule: &Rule, kind: Option<&TriggerType>) -> Vec<String> {
    let Some(kind) = kind.filter(|kind| !kind.payload_schema.is_empty()) else { return Vec::new() };
    let problem = |key: &String, message: String| format!("criterion \"{key}\": {message}");
    let keys = rule.criteria.iter().filter_map(|(key, written)| {
        let path = key.split('#').next().unwrap_or_default().strip_prefix("trigger.")?;
        let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
        let names: Vec<&str> = path.split('.').collect();
        if !path.chars().all(plain) || written.get("type").is_none() {
            return None;
        }
        field(&kind.payload_schema, &names, kind).map_or_else(
            |message| Some(problem(key, message)),
            |schema| misfit(schema?, written).map(|message| problem(key, message)),
        )
    });
    keys.collect()
}

/// The schema of a field, as far as there is one; the error says that there is no such field.
fn field<'a>(
    schema: &'a Map<String, Value>,
    names: &[&str],
    kind: &TriggerType,
) -> Result<Option<&'a Map<String, Value>>, String> {
    let Some((name, rest)) = names.split_first() else { return Ok(Some(schema)) };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(None) };
    match properties.get(*name) {
        Some(Value::Object(inner)) => field(inner, rest, kind),
        Some(_) => Ok(None),
        None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
            let fields: Vec<&str> = properties.keys().map(String::as_str).collect();
            Err(format!("payloads of {} have no \"{name}\"; there are {}", kind.reference, fields.join(", ")))
        }
        None => Ok(None),
    }
}

/// A comparison with a pattern that no value of the type can pass.
fn misfit(schema: &Map<String, Value>, written: &Value) -> Option<String> {
    let wanted = schema.get("type").and_then(Value::as_str)?;
    let operator = written.get("type").and_then(Value::as_str)?;
    let pattern = written.get("pattern")?;
    let fits = match (operator, pattern) {
        (_, Value::String(text)) if expressions::is_template(text) => true,
        ("equals" | "eq" | "lessthan" | "lt" | "greaterthan" | "gt", Value::String(_)) => wanted == "string",
        ("equals" | "eq" | "lessthan" | "lt" | "greaterthan" | "gt", Value::Number(_)) => {
            matches!(wanted, "integer" | "number" | "boolean")
        }
        ("startswith" | "endswith" | "regex" | "iregex" | "matchregex" | "matchwildcard" | "iequals" | "ieq", _) => {
            wanted == "string"
        }
        _ => true,
    };
    (!fits).then(|| format!("it never holds: the field is of type {wanted}, and {operator} has the pattern {pattern}"))
}

/// May a rule listen to this?
fn trigger(trigger: &RuleTrigger, kind: Option<&TriggerType>) -> Result<(), String> {
    let Some(kind) = kind else {
        return Err(format!(
            "trigger type {} is not known; register the pack that has it first{}",
            trigger.kind,
            suggestion(&trigger.kind)
        ));
    };
    if TimerSchedule::is_timer(&trigger.kind) {
        TimerSchedule::parse(&trigger.kind, &trigger.parameters).map_err(|error| error.to_string())?;
    }
    if kind.parameters_schema.is_empty() {
        return if trigger.parameters.is_empty() {
            Ok(())
        } else {
            Err(format!("trigger type {} has no parameters", trigger.kind))
        };
    }
    let schema = SchemaValidator::new(&kind.parameters_schema).map_err(|error| error.to_string())?;
    schema
        .validate(&Value::Object(trigger.parameters.clone()))
        .map_err(|problems| format!("the parameters do not fit trigger type {}: {}", trigger.kind, problems.join("; ")))
}

fn suggestion(kind: &Ref) -> String {
    if kind.pack() == "core" {
        " (the core pack comes with the platform; is the name spelt right?)".to_owned()
    } else {
        String::new()
    }
}

/// Do the attributes of parameters make a schema?
pub(super) fn parameters(parameters: &indexmap::IndexMap<String, Parameter>) -> Result<(), Error> {
    SchemaValidator::for_parameters(parameters)
        .map(drop)
        .map_err(|error| Error::invalid(format!("parameters: {error}")))
}

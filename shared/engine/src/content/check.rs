//! What a pack or a resource must have around it: the trigger types and actions of other packs.

use model::{
    Diagnostic, PackContent, Parameter, Ref, Rule, RuleTrigger, SchemaValidator, Severity, TriggerType,
    timer::TimerSchedule,
};
use serde_json::Value;

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

/// Checks a pack's rules against what the pack and the catalog hold: errors, or warnings.
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
        let known = content.actions.iter().any(|action| action.reference == rule.action.reference)
            || catalog.actions.contains_key(&rule.action.reference);
        if !known {
            let message =
                format!("action {} is not known (yet): the rule will fail until it is", rule.action.reference);
            found.push(diagnostic(rule, Severity::Warning, UNKNOWN_ACTION, message));
        }
    }
    if found.iter().any(Diagnostic::is_error) { Err(found) } else { Ok(found) }
}

fn diagnostic(rule: &Rule, severity: Severity, code: &'static str, message: String) -> Diagnostic {
    Diagnostic { code, severity, file: rule.metadata_file.clone(), line: 0, column: 0, message, hint: None }
}

/// Checks a rule that came by the API.
pub(super) fn rule(rule: &Rule, catalog: &Catalog) -> Result<(), Error> {
    let kind = catalog.trigger_types.get(&rule.trigger.kind).map(AsRef::as_ref);
    trigger(&rule.trigger, kind).map_err(Error::invalid)?;
    let refused = rules::validate(&rule.criteria).into_iter().filter(|problem| problem.severity == Severity::Error);
    let refused: Vec<_> =
        refused.map(|problem| format!("criterion \"{}\": {}", problem.key, problem.message)).collect();
    if refused.is_empty() { Ok(()) } else { Err(Error::invalid(refused.join("; "))) }
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

//! Why a rule does or does not match an event.

use expressions::python;
use model::{MASK, Ref, RuleKind, is_secret_attribute, mask_attributes};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

use crate::{
    compiled::{CompiledRule, evaluate},
    criterion::{Criterion, Failures},
    event::Event,
    pattern::{Pattern, Subject},
};

/// The longest value or pattern that is shown, in bytes of its JSON; what is longer is cut off and ends in `…`.
pub const MAX_SHOWN_BYTES: usize = 1_024;

/// A rule and an event, criterion by criterion.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The rule.
    pub rule: Ref,
    /// Standard, or backstop: a backstop is tried only where no standard rule matched.
    pub kind: RuleKind,
    /// A rule that is not enabled is never tried, whatever its criteria.
    pub enabled: bool,
    /// Do the criteria hold?
    pub matched: bool,
    /// What could not be evaluated, as the enforcement record tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What holds for the rule as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// Every criterion in order, also those after the first that does not hold.
    pub criteria: Vec<CriterionExplanation>,
}

/// One criterion on one event. Secrets are masked, long values cut off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CriterionExplanation {
    /// The key.
    pub key: String,
    /// The operator as written.
    pub operator: String,
    /// The pattern; a template's value, unless it reads the datastore: then the template.
    pub pattern: Value,
    /// What the key found; null where there is nothing.
    pub value_found: Value,
    /// Does it hold?
    pub verdict: CriterionVerdict,
    /// Why it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The criteria of each group, where it is `any`, `all` or `not`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Vec<CriterionExplanation>>,
}

/// What a criterion comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionVerdict {
    /// It holds.
    Holds,
    /// It does not.
    DoesNotHold,
    /// It could not be evaluated.
    Failed,
}

/// Evaluates every criterion of the rule on the event and says what came out.
pub fn explain(rule: &CompiledRule, event: &Event) -> Explanation {
    let verdict = evaluate(rule, event);
    let subject = Subject::payload(event);
    let empty = !rule.criteria().is_empty() && !python::is_truthy(event.payload());
    let name = rule.rule().reference.as_str();
    Explanation {
        rule: rule.rule().reference.clone(),
        kind: rule.rule().kind,
        enabled: rule.rule().enabled,
        matched: verdict.is_match(),
        failure: verdict.failure().map(str::to_owned),
        note: match (empty, rule.criteria().is_empty()) {
            (true, _) => Some("an event without payload matches no rule with criteria"),
            (false, true) => Some("a rule without criteria matches every event"),
            (false, false) => None,
        },
        criteria: rule.criteria().iter().map(|criterion| explain_criterion(criterion, &subject, name)).collect(),
    }
}

fn explain_criterion(criterion: &Criterion, subject: &Subject<'_>, rule: &str) -> CriterionExplanation {
    let mut failures = Failures::of(rule);
    let holds = criterion.holds(subject, &mut failures);
    let failure = failures.into_first();
    let value = criterion.test().and_then(|test| test.value(subject).ok()).unwrap_or(Cow::Borrowed(&Value::Null));
    let secret = is_secret_key(&criterion.key);
    let verdict = match (holds, &failure) {
        (true, _) => CriterionVerdict::Holds,
        (false, None) => CriterionVerdict::DoesNotHold,
        (false, Some(_)) => CriterionVerdict::Failed,
    };
    let reason = failure.or_else(|| (!holds).then(|| denial(criterion, &value)));
    let explain_group =
        |group: &Vec<Criterion>| group.iter().map(|inner| explain_criterion(inner, subject, rule)).collect();
    CriterionExplanation {
        key: criterion.key.to_string(),
        operator: criterion.tree().map_or(&*criterion.operator, |tree| tree.join.name()).to_owned(),
        groups: criterion.tree().map_or_else(Vec::new, |tree| tree.groups.iter().map(explain_group).collect()),
        pattern: shown_pattern(criterion, subject, secret),
        value_found: shown(value.into_owned(), secret),
        verdict,
        reason,
    }
}

fn denial(criterion: &Criterion, value: &Value) -> String {
    if let Some(tree) = criterion.tree() {
        return tree.join.denial().to_owned();
    }
    match criterion.test() {
        None => "it names no operator".to_owned(),
        Some(test) if value.is_null() => format!("{}: nothing was found at this key", test.operator().denial()),
        Some(test) => test.operator().denial().to_owned(),
    }
}

fn shown_pattern(criterion: &Criterion, subject: &Subject<'_>, secret: bool) -> Value {
    let Some(test) = criterion.test() else { return Value::Null };
    let pattern = match &test.pattern {
        Pattern::Template(text) if !test.pattern.datastore_keys().is_empty() => Value::from(&**text),
        _ => test.rendered(subject).map_or(Value::Null, Cow::into_owned),
    };
    shown(pattern, secret)
}

/// Does any part of the key have a secret's name?
fn is_secret_key(key: &str) -> bool {
    key.split(['.', '[', ']', '\'', '"', '#', ' ']).any(is_secret_attribute)
}

fn shown(mut value: Value, secret: bool) -> Value {
    if secret && !value.is_null() {
        return Value::from(MASK);
    }
    mask_attributes(&mut value);
    mask_criteria(&mut value);
    let text = match &value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    if text.len() <= MAX_SHOWN_BYTES {
        return value;
    }
    let cut = text.floor_char_boundary(MAX_SHOWN_BYTES);
    Value::from(format!("{}…", text.get(..cut).unwrap_or_default()))
}

/// In the pattern of a `search`, the keys are those of criteria.
fn mask_criteria(value: &mut Value) {
    for (key, inner) in value.as_object_mut().into_iter().flatten() {
        if is_secret_key(key) && !inner.is_null() {
            *inner = Value::from(MASK);
        } else {
            mask_criteria(inner);
        }
    }
}

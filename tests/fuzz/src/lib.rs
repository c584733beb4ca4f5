//! What is done with each made-up text. The fuzzer's targets call these, and so does the workspace's test with the kept corpus.
//!
//! A text may be refused; it may not stop the process, hang or take more memory than the bounds of evaluation say.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use expressions::orquesta::{self, Expressions};
use expressions::{Context, ExpressionError, Jinja, KeyValues, Lacking, Limits, Scope, Undefined, Yaql};
use rules::{CompiledRule, Event, RuleSet, Verdict};
use serde_json::{Value, json};

/// A value of the context: it must not be in an error.
const CANARY: &str = "Tr0ub4dor-canary";

/// Few compiled texts are kept, for each is another.
fn limits() -> Limits {
    Limits { cached_templates: 64, ..Limits::default() }
}

static JINJA: LazyLock<Jinja> = LazyLock::new(|| Jinja::new(Undefined::Refused, limits()));
static YAQL: LazyLock<Yaql> = LazyLock::new(|| Yaql::new(limits(), Lacking::Tagged));
static EXPRESSIONS: LazyLock<Expressions> = LazyLock::new(|| Expressions::new(limits(), Lacking::Plain));

/// A datastore with one key, a secret.
struct Keys;

impl KeyValues for Keys {
    fn get(&self, _: Scope, name: &str) -> Option<String> {
        (name == "key").then(|| "C1PHER".to_owned())
    }

    fn decrypt(&self, _: &str) -> Result<String, String> {
        Ok(CANARY.to_owned())
    }
}

static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let data = json!({
        "n": 7, "f": 2.5, "s": "hello World", "u": "é☃\n", "t": true, "nul": null, "secret": CANARY,
        "l": [3, 1, 2, 3], "m": [1, "a", null, [2], {"k": 1}], "e": [],
        "d": {"a": 1, "b": {"c": [10, 20]}, "k-d": "dash", "items": "shadow"},
        "o": [{"name": "x", "v": 3, "tags": ["p", "q"]}, {"name": "y", "v": 1}, {"name": "z", "v": 3, "at": "2026-01-15T12:00:00Z"}],
        "big": 170141183460469231731687303715884105727_i128.to_string(), "min": i64::MIN, "max": u64::MAX,
        "ver": "1.2.3", "json": "{\"a\": [1, 2]}", "yaml": "a: [1, 2]\nb: ~\n", "html": "<b>&'</b>", "x": "{{ n }}", "y": "<% $.n %>",
    });
    let mut context = Context::new().with_now(1_768_478_400_000_000).with_seed(7).with_datastore(Arc::new(Keys));
    for (name, value) in data.as_object().into_iter().flatten() {
        context.insert(name, value.clone());
    }
    context.with("1", data)
});

fn told<T>(outcome: Result<T, ExpressionError>, text: &str) {
    let Err(error) = outcome else { return };
    let shown = error.to_string();
    // What an assertion says is for its author to choose, and the fuzzer has been seen to learn what is looked for.
    let authors_own = text.contains("assert") || text.contains(CANARY);
    assert!(!shown.contains(CANARY) || authors_own, "an error quotes a value: {shown}");
    let lines = text.split('\n').count();
    assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "line {:?} of {lines}: {shown}", error.line);
}

/// A template is read, and what it refers to is found.
pub fn jinja_parse(text: &str) {
    told(JINJA.validate(text), text);
    JINJA.references(text);
    expressions::datastore_keys(text);
    EXPRESSIONS.validate(&Value::from(text));
    orquesta::variables(&Value::from(text));
}

/// A template is rendered, kept as a typed value, read as a pattern, and as Orquesta has it.
pub fn jinja_render(text: &str) {
    told(JINJA.render(text, &CONTEXT), text);
    told(JINJA.evaluate(text, &CONTEXT), text);
    // These two evaluate other texts than this one, so that a place is none in it.
    told(JINJA.render_typed(text, &CONTEXT).map_err(placeless), text);
    told(EXPRESSIONS.evaluate_text(orquesta::Language::Jinja, text, &CONTEXT).map_err(placeless), text);
}

/// An expression of YAQL is read, alone and within a text.
pub fn yaql_parse(text: &str) {
    told(YAQL.validate(text), text);
    EXPRESSIONS.validate(&Value::from(text));
    orquesta::variables(&Value::from(text));
}

/// An expression of YAQL is evaluated, alone and within a text.
pub fn yaql_evaluate(text: &str) {
    told(YAQL.evaluate(text, &CONTEXT), text);
    let within = if text.contains("<%") { text.to_owned() } else { format!("<% {text} %> and <% $.n %>") };
    told(EXPRESSIONS.evaluate_text(orquesta::Language::Yaql, &within, &CONTEXT).map_err(placeless), text);
}

fn placeless(error: ExpressionError) -> ExpressionError {
    ExpressionError { line: None, column: None, ..error }
}

/// The criteria of some rules and a payload, as YAML: the index says what the rules say one by one, and what `explain` says.
pub fn rules(text: &str) {
    let Ok(node) = yaml::read(text) else { return };
    let input = node.to_json();
    let (Some(criteria), Some(payload)) = (input.get("rules").and_then(Value::as_array), input.get("payload")) else {
        return;
    };
    let compiled: Vec<Arc<CompiledRule>> = criteria.iter().take(8).enumerate().filter_map(rule).collect();
    let now = model::Timestamp::from_millis(1_768_478_400_000);
    let event = Event::new(payload.clone(), now, Arc::new(Keys));
    let set = RuleSet::from_compiled(compiled.iter().cloned());
    let mut expected = set.matches_one_by_one(&event);
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    let in_order = |found: Vec<rules::Match<'_>>| -> Vec<(model::Ref, Verdict)> {
        let mut found: Vec<_> =
            found.into_iter().map(|found| (found.rule.rule().reference.clone(), found.verdict)).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    };
    assert_eq!(in_order(set.matches(&event)), expected);
    let keys: Arc<dyn KeyValues> = Arc::new(Keys);
    let as_json = payload.to_string();
    assert_eq!(set.matches_json(as_json.as_bytes(), now, &keys).map(in_order).ok().as_ref(), Some(&expected));
    let matching: BTreeSet<_> =
        expected.iter().filter(|(_, verdict)| verdict.is_match()).map(|(reference, _)| reference).collect();
    for rule in &compiled {
        let explained = rules::explain(rule, &event);
        assert_eq!(explained.matched, matching.contains(&explained.rule), "{explained:?}");
        rules::validate(&rule.rule().criteria);
        rule.datastore_keys();
    }
}

fn rule((at, criteria): (usize, &Value)) -> Option<Arc<CompiledRule>> {
    let rule = json!({
        "ref": format!("p.r{at}"), "enabled": true, "criteria": criteria,
        "trigger": {"type": "core.alert"}, "action": {"ref": "core.noop"},
    });
    serde_json::from_value(rule).ok().map(|rule| Arc::new(CompiledRule::new(Arc::new(rule))))
}

/// What is read as YAML and written is read as the same.
pub fn yaml(text: &str) {
    let Ok(node) = yaml::read(text) else { return };
    let value = node.to_json();
    let written = yaml::to_string(&value);
    let again = yaml::read(&written).map(|node| node.to_json());
    assert_eq!(again.as_ref().ok(), Some(&value), "written as:\n{written}\n{again:?}");
}

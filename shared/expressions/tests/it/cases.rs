//! The cases in `tests/data`.

use expressions::orquesta::Expressions;
use expressions::{Context, Jinja, Lacking, Limits, Undefined, Yaql, casts};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct File {
    context: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: Value,
    #[serde(default)]
    value: Value,
    /// The code of the error, where there is one.
    error: Option<String>,
    /// A part of the message.
    message: Option<String>,
}

impl Case {
    fn check(&self, outcome: Result<Value, expressions::ExpressionError>) {
        match (outcome, &self.error) {
            (Ok(value), None) => assert_eq!(value, self.value, "{}", self.template),
            (Err(error), Some(code)) => {
                assert_eq!(error.code(), code, "{}: {error}", self.template);
                let wanted = self.message.as_deref().unwrap_or_default();
                assert!(error.to_string().contains(wanted), "{}: {error}", self.template);
            }
            (outcome, _) => panic!("{}: {outcome:?}", self.template),
        }
    }
}

fn read(text: &str) -> (Context, Vec<Case>) {
    let file: File = serde_json::from_str(text).unwrap();
    (file.context.into_iter().fold(Context::new(), |context, (name, value)| context.with(name, value)), file.cases)
}

#[test]
fn templates_render_as_in_stackstorm() {
    let (context, cases) = read(include_str!("../data/render.json"));
    let jinja = Jinja::default();
    for case in cases {
        case.check(jinja.render(case.template.as_str().unwrap(), &context).map(Value::from));
    }
}

#[test]
fn undefined_variables_can_be_allowed() {
    let (context, cases) = read(include_str!("../data/lenient.json"));
    let jinja = Jinja::new(Undefined::Allowed, Limits::default());
    for case in cases {
        case.check(jinja.render(case.template.as_str().unwrap(), &context).map(Value::from));
    }
}

#[test]
fn whole_expressions_keep_their_type() {
    let (context, cases) = read(include_str!("../data/evaluate.json"));
    let jinja = Jinja::default();
    for case in cases {
        case.check(jinja.evaluate(case.template.as_str().unwrap(), &context));
    }
}

#[test]
fn patterns_of_criteria_keep_their_type_where_it_is_json() {
    let (context, cases) = read(include_str!("../data/typed.json"));
    let jinja = Jinja::default();
    for case in cases {
        case.check(jinja.render_typed(case.template.as_str().unwrap(), &context));
    }
}

#[test]
fn orquesta_evaluates_what_expressions_give_again() {
    let (context, cases) = read(include_str!("../data/orquesta.json"));
    let expressions = Expressions::default();
    for case in cases {
        case.check(expressions.evaluate(&case.template, &context));
    }
}

#[test]
fn yaql_gives_what_upstream_gives() {
    let (context, cases) = read(include_str!("../data/yaql.json"));
    let yaql = Yaql::new(Limits::default(), Lacking::Tagged);
    for case in cases {
        case.check(yaql.evaluate(case.template.as_str().unwrap(), &context));
    }
}

#[test]
fn values_are_cast_as_in_stackstorm() {
    let cases: Vec<(String, Value, Option<Value>)> = serde_json::from_str(include_str!("../data/casts.json")).unwrap();
    for (type_name, value, expected) in cases {
        let shown = format!("{type_name} {value}");
        assert_eq!(casts::cast(value, &type_name).ok(), expected, "{shown}");
    }
}

#[test]
fn references_are_found_without_rendering() {
    let jinja = Jinja::default();
    let found = jinja
        .references("{% set x = trigger.body.n %}{{ x }}{{ st2kv.system.a }}{% for i in list %}{{ i.q }}{% endfor %}");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["list", "st2kv.system.a", "trigger.body.n"]);
    assert!(jinja.references("{{ broken").is_empty());
}

#[test]
fn errors_say_where_and_never_quote_values() {
    let jinja = Jinja::default();
    let context = Context::new().with("secret", json!("hunter2")).with("n", json!(7));
    let error = jinja.render("ok\n  {{ secret.password }}", &context).unwrap_err();
    assert_eq!((error.line, error.code()), (Some(2), "expression.undefined"));
    for template in [
        "{{ n / 0 }}",
        "{{ secret + n }}",
        "{{ secret | from_json_string }}",
        "{{ secret | version_bump_major }}",
        "{{ secret - 1 }}",
        "{{ secret | regex_replace('(', '') }}",
        "{{ secret | to_human_time_from_seconds }}",
        "{{ secret() }}",
        "{{ secret.nope() }}",
        "{{ secret | int(base=secret) }}",
        "{{ [1] | join(secret, attribute=secret) }}",
        "{{ secret | round }}",
        "{{ secret is divisibleby 2 }}",
        "{{ secret | jsonpath_query(secret ~ '[') }}",
        "{{ '%d' | format(secret) }}",
        "{{ secret | dictsort }}",
        "{{ -secret }}",
        "{{ range(secret) }}",
    ] {
        if let Err(error) = jinja.render(template, &context) {
            assert!(!error.to_string().contains("hunter2"), "{template}: {error}");
        }
    }
    assert!(!format!("{context:?}").contains("hunter2"));
}

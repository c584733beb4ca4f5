//! The parameters of an action.

use expressions::params::{ParameterError, Parameters, render_final, render_live};
use expressions::{Context, Jinja};
use serde_json::{Map, Value, json};

fn live(action: Value, given: Value) -> Result<Value, ParameterError> {
    let runner = json!({"timeout": {"type": "integer", "default": 60}, "cwd": {"type": "string"}});
    let context = Context::new()
        .with("action_context", json!({"user": "ada"}))
        .with("trigger", json!({"n": 7, "list": [1, "a"]}));
    let parameters = Parameters { runner: map(&runner), action: map(&action), given: map(&given) };
    render_live(&Jinja::default(), parameters, &context).map(Value::Object)
}

fn map(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

#[test]
fn parameters_refer_to_one_another() {
    let action = json!({"a": {"type": "string", "default": "{{ b }}!"}, "b": {"type": "string", "default": "{{ c }}"}, "c": {"default": "end"}});
    assert_eq!(live(action, json!({})).unwrap(), json!({"a": "end!", "b": "end"}));
}

#[test]
fn values_are_rendered_and_cast() {
    let action = json!({"n": {"type": "integer"}, "list": {"type": "array"}, "o": {"type": "object"}, "t": {"type": "boolean"}, "s": {}});
    let given = json!({"n": "{{ trigger.n }}", "list": "{{ trigger.list }}", "o": {"{{ s }}": ["{{n}}", "{{ n }}"]}, "t": "{{ n > 1 }}", "s": "x"});
    assert_eq!(
        live(action, given).unwrap(),
        json!({"n": 7, "list": [1, "a"], "o": {"x": ["7", "7"]}, "t": true, "s": "x"})
    );
}

#[test]
fn a_bare_name_in_a_list_keeps_its_type() {
    let given = json!({"n": 7, "o": {"same": "{{n}}", "text": "{{ n }}", "quotes": "{{ q }}"}, "q": "say \"hi\""});
    let expected = json!({"n": 7, "o": {"same": 7, "text": "7", "quotes": "say \"hi\""}, "q": "say \"hi\""});
    assert_eq!(live(json!({"n": {"type": "integer"}, "o": {"type": "object"}, "q": {}}), given).unwrap(), expected);
}

#[test]
fn given_parameters_win_but_not_over_immutable_ones() {
    let action = json!({"fixed": {"immutable": true, "default": "f"}, "a": {"default": "{{ action_context.user }}"}});
    assert_eq!(live(action, json!({"fixed": "no", "a": "{{ trigger.n }}"})).unwrap(), json!({"fixed": "f", "a": "7"}));
}

#[test]
fn what_was_not_meant_as_a_template_stays() {
    let given = json!({"a": "{{ nothing_of_ours }}", "b": "{{ broken", "c": "{{ x.Names }} {{ y }}"});
    assert_eq!(live(json!({"a": {}, "b": {}, "c": {}}), given.clone()).unwrap(), given);
}

#[test]
fn errors_name_the_parameters() {
    let error = |given| live(json!({"a": {"type": "integer"}, "b": {}, "c": {}}), given).unwrap_err();
    assert_eq!(
        error(json!({"a": "{{ b }}", "b": "{{ c }}", "c": "{{ a }}"})),
        ParameterError::Cycle(vec!["a".into(), "b".into(), "c".into()])
    );
    assert_eq!(error(json!({"a": "{{ a }}"})), ParameterError::Cycle(vec!["a".into()]));
    let missing = ParameterError::Missing { parameter: "b".into(), missing: vec!["nope".into()] };
    assert_eq!(error(json!({"b": "{{ trigger.n }} {{ nope }}"})), missing);
    assert_eq!(missing.to_string(), "parameter `b` refers to `nope`, which isn't there");
    assert_eq!(error(json!({"b": "{{ trigger.nope }}"})).code(), "expression.undefined");
    assert_eq!(error(json!({"a": "x"})).to_string(), "parameter `a`: the text isn't an integer");
}

#[test]
fn the_runner_gets_all_parameters_in_two_parts() {
    let runner = json!({"timeout": {"type": "integer", "default": 60}, "cmd": {"type": "string"}});
    let action = json!({"cmd": {"default": "echo {{ who }}"}, "who": {"type": "string"}});
    let given = json!({"who": "{{ as given }}", "other": 1});
    let parameters = Parameters { runner: map(&runner), action: map(&action), given: map(&given) };
    let parts = render_final(&Jinja::default(), parameters, &Context::new()).unwrap();
    assert_eq!(Value::Object(parts.runner), json!({"timeout": 60, "cmd": "echo {{ as given }}"}));
    assert_eq!(Value::Object(parts.action), json!({"who": "{{ as given }}"}));
}

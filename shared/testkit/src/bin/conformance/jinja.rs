//! The suite `jinja`.

use std::collections::HashMap;
use std::sync::Arc;

use expressions::params::{Parameters, render_final, render_live};
use expressions::{Context, Jinja, KeyValues, Limits, Scope, Undefined, casts};
use serde_json::{Map, Value, json};

use crate::{Answer, orquesta};

pub(crate) fn answer(case: &Value) -> Answer {
    match text(case, "kind") {
        "template" => {
            engine(flag(case, "strict")).render(text(case, "text"), &context_of(case)).map(Value::from).map_err(told)
        }
        "render_values" => render_values(case),
        "cast" => casts::cast(field(case, "value"), text(case, "type")).map_err(told),
        "render_live_params" => {
            let fields = Fields::of(case);
            render_live(&Jinja::default(), fields.parameters(), &action_context(case)).map(Value::Object).map_err(told)
        }
        "render_final_params" => {
            let fields = Fields::of(case);
            let parts = render_final(&Jinja::default(), fields.parameters(), &action_context(case)).map_err(told)?;
            Ok(json!([parts.runner, parts.action]))
        }
        "orquesta" => orquesta::evaluate(case),
        "validate" => orquesta::validate(case),
        "extract_vars" => orquesta::extract_vars(case),
        other => Err(format!("unknown kind {other}")),
    }
}

pub(crate) fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(crate) fn text<'c>(case: &'c Value, name: &str) -> &'c str {
    case.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn flag(case: &Value, name: &str) -> bool {
    case.get(name).and_then(Value::as_bool).unwrap_or_default()
}

pub(crate) fn field(case: &Value, name: &str) -> Value {
    case.get(name).cloned().unwrap_or_default()
}

pub(crate) fn map(case: &Value, name: &str) -> Map<String, Value> {
    case.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn engine(strict: bool) -> Jinja {
    Jinja::new(if strict { Undefined::Refused } else { Undefined::Allowed }, Limits::default())
}

fn context_of(case: &Value) -> Context {
    map(case, "context").into_iter().fold(Context::new(), |context, (name, value)| context.with(name, value))
}

fn render_values(case: &Value) -> Answer {
    let (jinja, context) = (engine(!flag(case, "allow_undefined")), context_of(case));
    let render = |(name, value)| Ok((name, jinja.render_value(&value, &context).map_err(told)?));
    map(case, "mapping").into_iter().map(render).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

struct Fields {
    runner: Map<String, Value>,
    action: Map<String, Value>,
    given: Map<String, Value>,
}

impl Fields {
    fn of(case: &Value) -> Fields {
        Fields {
            runner: map(case, "runner_parameters"),
            action: map(case, "action_parameters"),
            given: map(case, "params"),
        }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters { runner: &self.runner, action: &self.action, given: &self.given }
    }
}

/// What an action's parameters can read.
fn action_context(case: &Value) -> Context {
    let acting = case.get("action_context").unwrap_or(&Value::Null);
    let user =
        ["api_user", "user"].iter().find_map(|name| acting.get(name)).and_then(Value::as_str).unwrap_or("stanley");
    let keys = Keys {
        system: keys(case.pointer("/kv/system")),
        user: keys(case.pointer("/kv/user").and_then(|users| users.get(user))),
    };
    let context = Context::new()
        .with_datastore(Arc::new(keys))
        .with("action_context", acting.clone())
        .with("config_context", Value::Object(map(case, "config")));
    map(case, "additional_contexts").into_iter().fold(context, |context, (name, value)| context.with(name, value))
}

fn keys(stored: Option<&Value>) -> HashMap<String, String> {
    let stored = stored.and_then(Value::as_object).into_iter().flatten();
    stored.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

struct Keys {
    system: HashMap<String, String>,
    user: HashMap<String, String>,
}

impl KeyValues for Keys {
    fn get(&self, scope: Scope, name: &str) -> Option<String> {
        match scope {
            Scope::System => self.system.get(name).cloned(),
            Scope::User => self.user.get(name).cloned(),
        }
    }

    fn decrypt(&self, _ciphertext: &str) -> Result<String, String> {
        Err("there is no encryption key".to_owned())
    }
}

//! The kinds of cases that ask for Orquesta's evaluation: its functions over a recorded state of the conductor.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use expressions::orquesta::workflow::{self, CurrentTask, Workflow};
use expressions::orquesta::{self, Expressions, Language};
use expressions::{Context, Lacking, Limits};
use serde_json::{Value, json};

use crate::Answer;
use crate::jinja::{field, flag, text, told};

static EXPRESSIONS: LazyLock<Expressions> = LazyLock::new(|| Expressions::new(Limits::default(), Lacking::Tagged));

fn language(case: &Value) -> Language {
    match text(case, "lang") {
        "yaql" => Language::Yaql,
        _ => Language::Jinja,
    }
}

pub(crate) fn evaluate(case: &Value) -> Answer {
    let context = context_of(field(case, "context"));
    match case.get("text") {
        Some(value) if flag(case, "facade") => EXPRESSIONS.evaluate(value, &context).map_err(told),
        Some(Value::String(text)) => EXPRESSIONS.evaluate_text(language(case), text, &context).map_err(told),
        _ => Err("the text isn't a text".to_owned()),
    }
}

pub(crate) fn validate(case: &Value) -> Answer {
    let value = field(case, "text");
    let told = |invalid: orquesta::Invalid| {
        let language = invalid.language.map(Language::name);
        json!({"type": language, "expression": invalid.expression, "message": invalid.error.message})
    };
    let errors: Vec<Value> = EXPRESSIONS.validate(&value).into_iter().map(told).collect();
    let names: BTreeSet<String> = orquesta::variables(&value).into_iter().map(|variable| variable.name).collect();
    Ok(json!({"errors": errors, "vars": names}))
}

pub(crate) fn extract_vars(case: &Value) -> Answer {
    if !flag(case, "facade") {
        return Ok(json!(orquesta::references(language(case), text(case, "text"))));
    }
    let found = orquesta::variables(&field(case, "text"));
    let told = |variable: orquesta::Variable| json!([variable.language.name(), variable.text, variable.name]);
    Ok(found.into_iter().map(told).collect())
}

/// What the functions read.
struct State {
    vars: Arc<Value>,
}

impl State {
    fn named(&self, name: &str) -> Option<&Value> {
        self.vars.get(name).filter(|value| !value.is_null())
    }
}

impl Workflow for State {
    fn variables(&self) -> Arc<Value> {
        Arc::clone(&self.vars)
    }

    fn current_task(&self) -> Option<CurrentTask> {
        let task = self.named("__current_task")?;
        Some(CurrentTask {
            id: text(task, "id").to_owned(),
            route: task.get("route").and_then(Value::as_u64).unwrap_or_default(),
            result: Arc::new(field(task, "result")),
        })
    }

    fn item(&self) -> Option<Arc<Value>> {
        self.named("__current_item").cloned().map(Arc::new)
    }

    fn status(&self, task: &str, route: u64) -> Option<String> {
        let state = self.named("__state")?;
        let pointer = state.get("tasks").and_then(|tasks| tasks.get(format!("{task}__r{route}")));
        if let Some(index) = pointer.and_then(Value::as_u64) {
            let entry = state.get("sequence")?.get(usize::try_from(index).ok()?)?;
            return Some(text(entry, "status").to_owned());
        }
        // A task that ran before the workflow split is on one of the routes that this one goes on from.
        let routes = state.get("routes")?.as_array()?;
        let own = routes.get(usize::try_from(route).ok()?)?.as_array()?;
        let within = |other: &Value| other.as_array().is_some_and(|steps| steps.iter().all(|step| own.contains(step)));
        let earlier =
            (0..route).rev().find(|r| usize::try_from(*r).ok().and_then(|r| routes.get(r)).is_some_and(within))?;
        self.status(task, earlier)
    }

    fn task(&self, _: Option<&str>, _: Option<u64>) -> Result<Arc<Value>, String> {
        Err("there are no task executions".to_owned())
    }

    fn key_value(&self, _: &str, _: bool) -> Result<Option<String>, String> {
        Err("there is no datastore".to_owned())
    }
}

fn context_of(vars: Value) -> Context {
    let vars = Arc::new(vars);
    let context = workflow::context(Arc::new(State { vars: Arc::clone(&vars) })).with("__vars", Arc::clone(&vars));
    let internal = ["__state", "__current_task", "__current_item"];
    internal.iter().fold(context, |context, name| context.with(*name, field(&vars, name)))
}

//! The suite `yaql`.

use std::sync::LazyLock;
use std::time::SystemTime;

use expressions::{Context, Lacking, Limits, Yaql};
use serde_json::{Map, Value};

use crate::jinja::{field, text, told};
use crate::{Answer, orquesta};

static YAQL: LazyLock<Yaql> = LazyLock::new(|| Yaql::new(Limits::default(), Lacking::Tagged));

pub(crate) fn answer(case: &Value) -> Answer {
    match text(case, "kind") {
        "yaql" => YAQL.evaluate(text(case, "expr"), &context_of(case)).map_err(told),
        "orquesta" => orquesta::evaluate(case),
        "validate" => orquesta::validate(case),
        "extract_vars" => orquesta::extract_vars(case),
        other => Err(format!("unknown kind {other}")),
    }
}

fn context_of(case: &Value) -> Context {
    #[expect(clippy::disallowed_methods, reason = "the recorded cases ask for the time of the day")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let context = Context::new()
        .with_now(i64::try_from(now.as_micros()).unwrap_or_default())
        .with_seed(now.as_secs())
        .with("1", field(case, "data"));
    let vars = case.get("vars").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    vars.into_iter().fold(context, |context, (name, value)| context.with(name, value))
}

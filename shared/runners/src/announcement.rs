//! `announcement`: hands the action's parameters to whoever follows the stream.
//!
//! The runner checks the announcement and makes its result; the host puts the result's `output` on the stream as
//! `st2.announcement__<route>`.

use crate::parameters::Parameters;
use ports::{Job, Outcome};
use serde_json::{Map, Value};

pub(crate) const NAME: &str = "announcement";

/// StackStorm's bound.
const MAX_ROUTE_CHARACTERS: usize = 255;

pub(crate) fn run(job: &Job) -> Outcome {
    match check(job) {
        Ok(()) => crate::succeeded(Value::Object(result(job.action_parameters.expose()))),
        Err(error) => crate::failed(error),
    }
}

fn check(job: &Job) -> Result<(), String> {
    let parameters = Parameters(job.runner_parameters.expose());
    if !parameters.flag("experimental")?.unwrap_or(false) {
        return Err(format!(
            "the announcement runner is experimental: set \"experimental\" to true in the metadata of {}",
            job.action.reference
        ));
    }
    let route = parameters.text("route")?.unwrap_or("general");
    if route.chars().count() > MAX_ROUTE_CHARACTERS || !route.split('.').all(is_word) {
        return Err(format!(
            "parameter \"route\" must be words of letters, digits, \"_\" and \"-\" with dots between them, at most \
             {MAX_ROUTE_CHARACTERS} characters"
        ));
    }
    Ok(())
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// The parameters, and once more under `output`; a parameter named `output` wins, as in StackStorm.
fn result(parameters: &Map<String, Value>) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("output".to_owned(), Value::Object(parameters.clone()));
    result.extend(parameters.clone());
    result
}

//! The environment of an action's process.

use crate::parameters::Parameters;
use ports::Job;
use serde_json::Value;
use std::borrow::Cow;

/// What a process may know of the server's environment. Everything else stays out: it may hold credentials.
const INHERITED: [&str; 13] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_TIME",
];

/// Where programs are found if the server itself was not told.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[expect(clippy::disallowed_methods, reason = "the one place where actions meet the server's environment")]
pub(crate) fn inherited() -> Vec<(String, String)> {
    let mut environment: Vec<_> =
        INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    if !environment.iter().any(|(name, _)| name == "PATH") {
        environment.push(("PATH".to_owned(), DEFAULT_PATH.to_owned()));
    }
    environment
}

/// The base, then the action's `env`, then the variables that tell it where it is; later ones win.
pub(crate) fn for_job(base: &[(String, String)], job: &Job) -> Result<Vec<(String, String)>, String> {
    let parameters = Parameters(job.runner_parameters.expose());
    let mut environment = base.to_vec();
    for (name, value) in parameters.object("env")?.into_iter().flatten() {
        if let Some(value) = text(value) {
            check(name, &value)?;
            environment.push((name.clone(), value.into_owned()));
        }
    }
    let debug = parameters.flag("debug")?.unwrap_or(false);
    let mut tell = |name: &str, value: &str| environment.push((name.to_owned(), value.to_owned()));
    tell("ST2_ACTION_PACK_NAME", job.action.reference.pack());
    tell("ST2_ACTION_EXECUTION_ID", &job.execution.to_string());
    tell("ST2_ACTION_DEBUG", if debug { "True" } else { "False" });
    if let Some(url) = &job.context.api_url {
        tell("ST2_ACTION_API_URL", url);
    }
    if let Some(parent) = &job.context.trace_parent {
        tell("TRACEPARENT", &parent.to_string());
    }
    if let Some(token) = &job.context.auth_token {
        tell("ST2_ACTION_AUTH_TOKEN", token.expose());
    }
    Ok(environment)
}

/// A text as it is, `null` not at all, everything else as JSON.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

fn check(name: &str, value: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("parameter \"env\": {name:?} can't be the name of an environment variable"));
    }
    if value.contains('\0') {
        return Err(format!("parameter \"env\": {name} has a NUL character, which no process can be given"));
    }
    Ok(())
}

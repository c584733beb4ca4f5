//! What the template tells a function beside the names of the resources.

use aws::Queue;
use engine::{EngineOptions, LongestAction};
use std::time::Duration;

/// No function may take longer.
const LAMBDA_LIMIT: Duration = Duration::from_secs(900);
/// Kept back of a function's time, where it is not short.
const MARGIN: Duration = Duration::from_secs(10);

/// A variable that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is \"{value}\"; {wanted}")]
pub struct EnvironmentError {
    name: &'static str,
    value: String,
    wanted: &'static str,
}

/// The environment, read once.
#[derive(Clone, Debug)]
pub struct Environment {
    /// How long an action may take, from the start of its function to its end (`SQUALL_ACTION_SECONDS`).
    pub action_time: Duration,
    /// How long what is finished is kept (`SQUALL_RETENTION_DAYS`).
    pub retention: Duration,
    /// Where the REST API is (`SQUALL_API_URL`).
    pub api_url: Option<String>,
    /// The hash of the operator's key (`SQUALL_OPERATOR_KEY_HASH`).
    pub operator_key: Option<String>,
    /// The queues, each with its dead letters (`SQUALL_QUEUES`: `name=url=url`, with spaces between).
    pub queues: Vec<Queue>,
    /// Are new workflows pictured by state machines (`SQUALL_WORKFLOW_DRIVER`: `step-functions`, or `direct`)?
    pub step_functions: bool,
    /// How often a message is tried (`SQUALL_MAX_RECEIVES`).
    pub max_receives: u32,
}

impl Environment {
    /// From the process's environment.
    pub fn read() -> Result<Environment, EnvironmentError> {
        Environment::from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from any table of variables; an empty value counts as missing.
    pub fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Result<Environment, EnvironmentError> {
        let text = |name| lookup(name).filter(|value| !value.is_empty());
        let number = |name, default: u32| match text(name) {
            None => Ok(default),
            Some(value) => value.parse().map_err(|_| EnvironmentError { name, value, wanted: "write a whole number" }),
        };
        let step_functions = match text("SQUALL_WORKFLOW_DRIVER").as_deref() {
            None | Some("step-functions") => true,
            Some("direct") => false,
            Some(value) => {
                let (name, wanted) = ("SQUALL_WORKFLOW_DRIVER", "write step-functions or direct");
                return Err(EnvironmentError { name, value: value.to_owned(), wanted });
            }
        };
        let days = number("SQUALL_RETENTION_DAYS", 90)?;
        Ok(Environment {
            action_time: Duration::from_secs(number("SQUALL_ACTION_SECONDS", 900)?.into()),
            retention: Duration::from_secs(u64::from(days) * 86_400),
            api_url: text("SQUALL_API_URL"),
            operator_key: text("SQUALL_OPERATOR_KEY_HASH"),
            queues: queues(text("SQUALL_QUEUES").unwrap_or_default())?,
            step_functions,
            max_receives: number("SQUALL_MAX_RECEIVES", 3)?,
        })
    }

    /// What engines on AWS have in common. Content is looked at with every event, for many functions change it.
    pub fn engine_options(&self) -> EngineOptions {
        EngineOptions {
            lease: self.action_time,
            renew_leases: false,
            retention: self.retention,
            content_check: Some(Duration::ZERO),
            api_url: self.api_url.clone(),
            longest_action: Some(LongestAction {
                duration: LAMBDA_LIMIT - MARGIN,
                reason: "an action may run on this host, where a function ends after 15 minutes at most".to_owned(),
                alternatives: "split the action into steps, start the work and look later whether it is done, or run it on the embedded \
                               host (`squall up`), which has no such limit"
                    .to_owned(),
            }),
            operator_key: self.operator_key.clone(),
            step_functions: self.step_functions,
            ..EngineOptions::default()
        }
    }

    /// What is kept back of a function's time, to stop the action and write down how it ended.
    pub fn margin(&self) -> Duration {
        (self.action_time / 3).min(MARGIN)
    }
}

fn queues(text: String) -> Result<Vec<Queue>, EnvironmentError> {
    let queue = |entry: &str| {
        let mut parts = entry.splitn(3, '=').map(str::to_owned);
        Some(Queue { name: parts.next()?, url: parts.next()?, dead_letters_url: parts.next()? })
    };
    let all: Option<Vec<_>> = text.split_whitespace().map(queue).collect();
    all.ok_or(EnvironmentError { name: "SQUALL_QUEUES", value: text, wanted: "write name=url=url for each queue" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_and_what_is_wrong_in_it_named() {
        let environment = Environment::from_lookup(|name| match name {
            "SQUALL_ACTION_SECONDS" => Some("60".to_owned()),
            "SQUALL_QUEUES" => Some("a=http://q/a=http://q/a-dead b=http://q/b=http://q/b-dead".to_owned()),
            _ => None,
        });
        let environment = environment.unwrap();
        assert_eq!(environment.margin(), Duration::from_secs(10));
        assert_eq!(environment.engine_options().lease, Duration::from_secs(60));
        let second = environment.queues.get(1).unwrap();
        assert_eq!((second.name.as_str(), second.dead_letters_url.as_str()), ("b", "http://q/b-dead"));

        let wrong = Environment::from_lookup(|name| (name == "SQUALL_MAX_RECEIVES").then(|| "many".to_owned()));
        assert_eq!(wrong.unwrap_err().to_string(), "SQUALL_MAX_RECEIVES is \"many\"; write a whole number");
        assert!(Environment::from_lookup(|name| (name == "SQUALL_QUEUES").then(|| "a=b".to_owned())).is_err());
    }
}

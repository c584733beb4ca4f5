//! State machines on Step Functions.

use async_trait::async_trait;
use aws_sdk_sfn::{
    Client,
    error::ProvideErrorMetadata,
    types::{ExecutionStatus, StateMachineType, Tag},
};
use ports::{StateMachineError, StateMachines};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::{Patience, retry};

/// The most machines that a page of a listing has.
const PAGE: i32 = 1_000;

/// Where the machines are, and what they call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateMachineSettings {
    /// What the ARNs of the platform's machines begin with, up to the names (`SQUALL_STATE_MACHINE_PREFIX`).
    pub prefix: String,
    /// The function that their tasks call (`SQUALL_WORKFLOW_FUNCTION_ARN`).
    pub function: String,
    /// The role in which they do (`SQUALL_STATE_MACHINE_ROLE_ARN`); only who makes machines needs it.
    pub role_arn: Option<String>,
}

impl StateMachineSettings {
    /// As the environment says; `None` where the function has nothing to do with state machines.
    pub(crate) fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Option<StateMachineSettings> {
        let text = |name| lookup(name).filter(|value| !value.is_empty());
        Some(StateMachineSettings {
            prefix: text("SQUALL_STATE_MACHINE_PREFIX")?,
            function: text("SQUALL_WORKFLOW_FUNCTION_ARN")?,
            role_arn: text("SQUALL_STATE_MACHINE_ROLE_ARN"),
        })
    }

    /// The name of a machine as Step Functions has it.
    fn name(&self, machine: &str) -> String {
        let prefix = self.prefix.rsplit(':').next().unwrap_or_default();
        format!("{prefix}{machine}")
    }

    fn arn(&self, machine: &str) -> String {
        format!("{}{machine}", self.prefix)
    }

    fn walk_arn(&self, machine: &str, walk: &str) -> String {
        format!("{}:{walk}", self.arn(machine).replacen(":stateMachine:", ":execution:", 1))
    }
}

/// State machines on Step Functions.
pub struct StepFunctions {
    client: Client,
    settings: StateMachineSettings,
    patience: Patience,
}

impl StepFunctions {
    /// The machines of these settings.
    pub fn new(client: Client, settings: StateMachineSettings, patience: Patience) -> StepFunctions {
        StepFunctions { client, settings, patience }
    }

    /// The machines under the platform's prefix: their ARNs by name.
    async fn standing(&self) -> Result<BTreeMap<String, String>, StateMachineError> {
        let mut found = BTreeMap::new();
        let mut next = None;
        loop {
            let request = self.client.list_state_machines().max_results(PAGE).set_next_token(next);
            let answer = self.patience.send(|| request.clone().send()).await.map_err(|error| unavailable(&error))?;
            let own = answer.state_machines.into_iter().filter_map(|machine| {
                let name = machine.state_machine_arn.strip_prefix(&self.settings.prefix)?.to_owned();
                Some((name, machine.state_machine_arn))
            });
            found.extend(own);
            next = answer.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Makes a machine; one that somebody else has made meanwhile is the same.
    async fn create(&self, name: &str, definition: &str) -> Result<(), StateMachineError> {
        let Some(role) = &self.settings.role_arn else {
            return Err(StateMachineError::Unavailable("this function makes no state machines".to_owned()));
        };
        let tag = Tag::builder().key("application").value("squall").build();
        let request = self.client.create_state_machine().name(self.settings.name(name)).definition(definition);
        let request = request.role_arn(role).r#type(StateMachineType::Standard).tags(tag);
        match self.patience.send(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("StateMachineAlreadyExists") => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn is_walked(&self, arn: &str) -> Result<bool, StateMachineError> {
        let running = self.client.list_executions().state_machine_arn(arn).status_filter(ExecutionStatus::Running);
        let request = running.max_results(1);
        let answer = self.patience.send(|| request.clone().send()).await.map_err(|error| unavailable(&error))?;
        Ok(!answer.executions.is_empty())
    }
}

#[async_trait]
impl StateMachines for StepFunctions {
    fn function(&self) -> &str {
        &self.settings.function
    }

    async fn keep(&self, machines: &BTreeMap<String, String>) -> Result<(), StateMachineError> {
        let standing = self.standing().await?;
        for (name, definition) in machines.iter().filter(|(name, _)| !standing.contains_key(*name)) {
            self.create(name, definition).await?;
        }
        for (_, arn) in standing.into_iter().filter(|(name, _)| !machines.contains_key(name)) {
            if !self.is_walked(&arn).await? {
                let request = self.client.delete_state_machine().state_machine_arn(arn);
                self.patience.send(|| request.clone().send()).await.map_err(|error| unavailable(&error))?;
            }
        }
        Ok(())
    }

    async fn start(&self, machine: &str, walk: &str, input: &Value) -> Result<(), StateMachineError> {
        let request = self.client.start_execution().state_machine_arn(self.settings.arn(machine)).name(walk);
        let request = request.input(input.to_string());
        match self.patience.send(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.code() {
                // The name is the workflow's: whoever began it meant the same.
                Some("ExecutionAlreadyExists") => Ok(()),
                Some("StateMachineDoesNotExist" | "StateMachineDeleting") => {
                    Err(StateMachineError::Unknown(machine.to_owned()))
                }
                _ => Err(unavailable(&error)),
            },
        }
    }

    async fn succeed(&self, token: &str, answer: &Value) -> Result<(), StateMachineError> {
        let request = self.client.send_task_success().task_token(token).output(answer.to_string());
        let mut tries = 0;
        let sent = self.patience.send(|| {
            tries += 1;
            request.clone().send()
        });
        match sent.await {
            Ok(_) => Ok(()),
            // The first try may have been taken, though nobody heard of it.
            Err(error) if is_over(error.code()) => {
                if tries == 1 {
                    Err(StateMachineError::Over)
                } else {
                    Ok(())
                }
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn fail(&self, token: &str, error: &str, cause: &str) -> Result<(), StateMachineError> {
        let request = self.client.send_task_failure().task_token(token).error(error).cause(cause);
        match self.patience.send(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) if is_over(error.code()) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn stop(&self, machine: &str, walk: &str, error: &str, cause: &str) -> Result<(), StateMachineError> {
        let walk = self.settings.walk_arn(machine, walk);
        let request = self.client.stop_execution().execution_arn(walk).error(error).cause(cause);
        match self.patience.send(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            // It is over, or there was none.
            Err(error) if matches!(error.code(), Some("ExecutionDoesNotExist" | "ValidationException")) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

/// Codes that say that nobody waits for the answer.
fn is_over(code: Option<&str>) -> bool {
    matches!(code, Some("TaskTimedOut" | "TaskDoesNotExist" | "InvalidToken"))
}

fn unavailable<E>(
    error: &aws_smithy_runtime_api::client::result::SdkError<
        E,
        aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    >,
) -> StateMachineError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    StateMachineError::Unavailable(retry::words(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_are_made_of_the_prefix() {
        let settings = StateMachineSettings {
            prefix: "arn:aws:states:us-east-1:1:stateMachine:squall-wf-".to_owned(),
            function: "arn:aws:lambda:us-east-1:1:function:f".to_owned(),
            role_arn: None,
        };
        assert_eq!(settings.name("a-1"), "squall-wf-a-1");
        assert_eq!(settings.arn("a-1"), "arn:aws:states:us-east-1:1:stateMachine:squall-wf-a-1");
        assert_eq!(settings.walk_arn("a-1", "x"), "arn:aws:states:us-east-1:1:execution:squall-wf-a-1:x");
    }
}

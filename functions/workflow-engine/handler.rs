//! What comes to the function: wakes, calls of state machines, and news of state machines that ended by themselves.

use aws_lambda_events::sqs::SqsEvent;
use engine::{Aborted, WorkflowCall};
use functions::{Failure, Platform, each, text_of};
use model::Id;
use serde::Deserialize;
use serde_json::{Value, json};

/// An event of any of the three kinds.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Event {
    Wakes(SqsEvent),
    Call(Call),
    Change(Change),
}

/// What a state machine's task sends, as the compiled definition says.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Call {
    Run { wf: Id, task: String, route: u32, token: String },
    Drive { wf: Id, after: Option<String>, route: u32, token: String },
    Abort { wf: Id, error: Broken },
}

/// What a state machine has caught.
#[derive(Deserialize)]
pub(crate) struct Broken {
    #[serde(rename = "Error", default)]
    error: String,
    #[serde(rename = "Cause", default)]
    cause: String,
}

/// `Step Functions Execution Status Change`.
#[derive(Deserialize)]
pub(crate) struct Change {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    name: String,
    status: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    cause: Option<String>,
}

pub(crate) async fn handle(platform: &Platform, event: Event) -> Result<Value, Failure> {
    match event {
        Event::Wakes(batch) => {
            let response = each(platform, batch, async |message| {
                let key = aws::key_of(text_of(&message)).map_err(Failure::unreadable)?;
                Ok(platform.engine.handle(&key).await?)
            });
            serde_json::to_value(response.await).map_err(Failure::unreadable)
        }
        Event::Call(call) => answer(platform, call).await.map_err(Failure::try_again),
        Event::Change(Change { detail }) => {
            let Ok(id) = detail.name.parse() else {
                tracing::warn!(name = detail.name, "an execution of a state machine has the name of no workflow");
                return Ok(Value::Null);
            };
            let words = [detail.error, detail.cause].into_iter().flatten().collect::<Vec<_>>().join(": ");
            let reason = format!("its state machine has ended as {}: {words}", detail.status);
            platform.engine.reconcile_workflow(id, detail.status == "ABORTED", &reason).await?;
            Ok(Value::Null)
        }
    }
}

async fn answer(platform: &Platform, call: Call) -> Result<Value, Failure> {
    match call {
        Call::Run { wf, task, route, token } => {
            platform.engine.call_workflow(wf, WorkflowCall::Run { task, route, token }).await?;
        }
        Call::Drive { wf, after, route, token } => {
            platform.engine.call_workflow(wf, WorkflowCall::Drive { after, route, token }).await?;
        }
        Call::Abort { wf, error } => {
            let reason = format!("the state machine of the workflow has failed: {}: {}", error.error, error.cause);
            let Aborted { error, cause } = platform.engine.abort_workflow(wf, &reason).await?;
            return Ok(json!({"error": error, "cause": cause}));
        }
    }
    Ok(Value::Null)
}

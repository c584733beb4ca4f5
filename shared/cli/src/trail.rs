//! All that came of one event, gathered from the host.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

use crate::{
    client::{Client, Query},
    failure::Failure,
};

/// The pause between two looks at an event that is not through yet.
const PAUSE: Duration = Duration::from_millis(20);
/// How long an event and its executions may take until they are shown as they are.
const PATIENCE: Duration = Duration::from_secs(30);

/// The trail of an event: the host's explanation, and of each rule's execution the whole and its output.
pub(crate) struct Trail {
    instance: Value,
    rules: Vec<Value>,
    content: Content,
}

/// What became of rules and packs since the event, as the host tells it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Content {
    /// They have changed.
    content_changed: bool,
    /// The revision that the event was matched with.
    content_revision: u64,
    /// The revision that the rules which are shown are of.
    explained_revision: u64,
}

impl Content {
    fn of(explanation: &Value) -> Content {
        let number = |key: &str| explanation.get(key).and_then(Value::as_u64).unwrap_or_default();
        Content {
            content_changed: explanation.get("content_changed") == Some(&Value::Bool(true)),
            content_revision: number("content_revision"),
            explained_revision: number("explained_revision"),
        }
    }

    /// What has to be known beside the rules.
    pub(crate) fn note(self) -> Option<String> {
        let (then, shown) = (self.content_revision, self.explained_revision);
        match (self.content_changed, then == shown) {
            (false, _) => None,
            (true, true) => Some(format!("rules have changed since: these are those of then, revision {then}")),
            (true, false) => {
                Some(format!("rules have changed since, and revision {then} is no longer kept: these are those of now"))
            }
        }
    }
}

impl Trail {
    /// The trail of what has been gathered already.
    #[cfg(test)]
    pub(crate) fn of(instance: Value, rules: Vec<Value>) -> Trail {
        Trail { instance, rules, content: Content::default() }
    }

    /// Gathers what there is now.
    pub(crate) async fn gather(client: &Client, id: &str) -> Result<Trail, Failure> {
        let explanation = client.get(&["triggerinstances", id, "explain"], &Query::new()).await?;
        let mut trail = Trail {
            instance: explanation.get("trigger_instance").cloned().unwrap_or_default(),
            rules: explanation.get("rules").and_then(Value::as_array).cloned().unwrap_or_default(),
            content: Content::of(&explanation),
        };
        for rule in &mut trail.rules {
            add_execution(client, rule).await?;
        }
        Ok(trail)
    }

    /// Gathers until nothing more is to come, or patience ends.
    pub(crate) async fn follow(client: &Client, id: &str) -> Result<Trail, Failure> {
        let started = Instant::now();
        loop {
            let trail = Trail::gather(client, id).await?;
            if trail.is_over() || started.elapsed() > PATIENCE {
                return Ok(trail);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) fn instance(&self) -> &Value {
        &self.instance
    }

    pub(crate) fn rules(&self) -> &[Value] {
        &self.rules
    }

    pub(crate) fn content(&self) -> Content {
        self.content
    }

    /// Nothing more will happen.
    fn is_over(&self) -> bool {
        let status = |value: &Value| value.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
        let ended = |status: &str| status.parse::<model::ExecutionStatus>().is_ok_and(model::ExecutionStatus::is_final);
        matches!(status(&self.instance).as_str(), "processed" | "processing_failed")
            && self
                .rules
                .iter()
                .filter_map(|rule| rule.get("execution"))
                .filter(|execution| execution.is_object())
                .all(|execution| ended(&status(execution)))
    }

    /// The event was processed, a rule matched it, its enforcement and its execution succeeded, and there is output.
    pub(crate) fn is_complete(&self) -> bool {
        let is = |value: Option<&Value>, wanted: &str| value.and_then(Value::as_str) == Some(wanted);
        is(self.instance.get("status"), "processed")
            && self.rules.iter().any(|rule| {
                is(rule.pointer("/enforcement/status"), "succeeded")
                    && is(rule.pointer("/execution/status"), "succeeded")
                    && rule.get("output").and_then(Value::as_array).is_some_and(|chunks| !chunks.is_empty())
            })
    }

    /// All of it as one document.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "trigger_instance": self.instance,
            "content_changed": self.content.content_changed,
            "content_revision": self.content.content_revision,
            "explained_revision": self.content.explained_revision,
            "rules": self.rules,
            "complete": self.is_complete(),
        })
    }
}

/// Puts the whole execution and its output in the place of its id.
async fn add_execution(client: &Client, rule: &mut Value) -> Result<(), Failure> {
    let link = rule.get("execution");
    let id = link.and_then(|link| link.as_str().or_else(|| link.get("id")?.as_str())).map(str::to_owned);
    let (Some(id), Value::Object(fields)) = (id, rule) else { return Ok(()) };
    let execution = client.get(&["executions", &id], &Query::new()).await?;
    let request = client.request(reqwest::Method::GET, &["executions", &id, "output"])?;
    let output = client.send(request.header("Accept", "application/json")).await?.body;
    fields.insert("execution".to_owned(), execution);
    fields.insert("output".to_owned(), output.get("chunks").cloned().unwrap_or_default());
    Ok(())
}

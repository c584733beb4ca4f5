//! Wakes as messages of three standard queues: one for executions, which may take long, one for workflows, one for everything else.

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{QueueAttributeName, SendMessageBatchRequestEntry},
};
use futures::{StreamExt, stream};
use model::Timestamp;
use ports::{Key, Wake, Wakes};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::{Patience, Settings, retry};

/// A queue holds a message back for so long, at most. What is due later is left to the sweep, which looks so far ahead.
pub const LOOK_AHEAD: Duration = Duration::from_secs(900);
/// Messages in one request.
const BATCH: usize = 10;
/// Requests at once.
const BATCHES: usize = 4;
/// A wake that can't be sent is made good by the sweep: no reason to let anybody wait for long.
const BUDGET: Duration = Duration::from_secs(2);
/// The layout of a message, raised when it changes.
const LAYOUT: u32 = 1;

/// A message: which record to look at.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    layout: u32,
    key: Key,
}

/// A message is none of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It is no JSON, or other JSON.
    #[error("the message names no record: {0}")]
    Unreadable(String),
    /// It is of a later version of the platform.
    #[error("the message has layout {0}, and this version of the platform knows {LAYOUT}: deploy the newer one")]
    Newer(u32),
}

/// The record that a message is about.
pub fn key_of(body: &str) -> Result<Key, MessageError> {
    let message: Message = serde_json::from_str(body).map_err(|error| MessageError::Unreadable(error.to_string()))?;
    if message.layout == LAYOUT { Ok(message.key) } else { Err(MessageError::Newer(message.layout)) }
}

/// Sends wakes to the queues of those who handle them.
pub struct SqsWakes {
    client: Client,
    actions: String,
    workflows: String,
    engine: String,
    patience: Patience,
}

impl SqsWakes {
    /// Sends to the queues of these settings.
    pub fn new(client: Client, settings: &Settings, patience: Patience) -> SqsWakes {
        SqsWakes {
            client,
            actions: settings.actions_queue_url.clone(),
            workflows: settings.workflows_queue_url.clone(),
            engine: settings.engine_queue_url.clone(),
            patience: patience.with_budget(BUDGET),
        }
    }

    /// The queue of those who look at such a record. Whoever looks at an execution may have to run its action.
    pub(crate) fn queue_of(&self, key: &Key) -> &str {
        match key.partition.split_once('/') {
            Some(("execution" | "inbox", _)) => &self.actions,
            Some(("workflow", _)) => &self.workflows,
            _ => &self.engine,
        }
    }

    /// About how many messages wait to be taken from each queue.
    pub(crate) async fn waiting(&self) -> Result<HashMap<&str, u64>, String> {
        let urls = [&self.actions, &self.workflows, &self.engine];
        let counts = futures::future::try_join_all(urls.map(|url| self.waiting_in(url))).await?;
        Ok(urls.into_iter().map(String::as_str).zip(counts).collect())
    }

    async fn waiting_in(&self, url: &str) -> Result<u64, String> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let answer = self.patience.send(|| request.clone().send()).await.map_err(|error| retry::words(&error))?;
        let count = answer.attributes.as_ref().and_then(|attributes| attributes.get(&name));
        count.and_then(|count| count.parse().ok()).ok_or_else(|| format!("queue {url} does not say how much is in it"))
    }

    async fn send_all(&self, url: &str, messages: Vec<(Key, i32)>) {
        let batches: Vec<_> = messages.chunks(BATCH).map(<[_]>::to_vec).collect();
        stream::iter(batches).for_each_concurrent(BATCHES, |batch| self.send_batch(url, batch)).await;
    }

    /// What is refused for now is tried again; what is refused for good, or for too long, is left to the sweep.
    async fn send_batch(&self, url: &str, batch: Vec<(Key, i32)>) {
        let mut rest = entries(&batch);
        let mut pauses = self.patience.begin();
        while !rest.is_empty() {
            let request = self.client.send_message_batch().queue_url(url).set_entries(Some(rest.clone()));
            let failed = match request.send().await {
                Ok(answer) => answer.failed,
                Err(error) if retry::is_passing(&error) && pauses.pause().await => continue,
                Err(error) => {
                    tracing::warn!(
                        queue = url,
                        error = retry::words(&error),
                        wakes = rest.len(),
                        "wakes were not sent"
                    );
                    return;
                }
            };
            rest.retain(|entry| failed.iter().any(|failed| failed.id() == entry.id() && !failed.sender_fault()));
            for refused in failed.iter().filter(|failed| failed.sender_fault()) {
                tracing::warn!(queue = url, code = refused.code(), reason = refused.message(), "a wake was refused");
            }
            if !rest.is_empty() && !pauses.pause().await {
                tracing::warn!(queue = url, wakes = rest.len(), "wakes were not taken in time");
                return;
            }
        }
    }
}

fn entries(batch: &[(Key, i32)]) -> Vec<SendMessageBatchRequestEntry> {
    let entry = |(id, (key, delay)): (usize, &(Key, i32))| {
        let body = serde_json::to_string(&Message { layout: LAYOUT, key: key.clone() }).ok()?;
        let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(body);
        entry.delay_seconds(*delay).build().ok()
    };
    batch.iter().enumerate().filter_map(entry).collect()
}

/// Whole seconds until then, not before; `None` where a queue can't hold a message so long.
fn delay(at: Timestamp, now: Timestamp) -> Option<i32> {
    let rest = at.since(now);
    let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
    i32::try_from(seconds).ok().filter(|_| rest <= LOOK_AHEAD)
}

#[async_trait]
impl Wakes for SqsWakes {
    async fn send(&self, wakes: Vec<Wake>) {
        let now = self.patience.now();
        let mut seen = HashSet::new();
        let mut queues: HashMap<&str, Vec<(Key, i32)>> = HashMap::new();
        for wake in wakes {
            if let Some(delay) = delay(wake.at, now)
                && seen.insert((wake.key.clone(), delay))
            {
                queues.entry(self.queue_of(&wake.key)).or_default().push((wake.key, delay));
            }
        }
        futures::future::join_all(queues.into_iter().map(|(url, messages)| self.send_all(url, messages))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn messages_name_their_record_and_nothing_else_is_taken() {
        let key = Key::new("execution/1", "record");
        let text = r#"{"layout":1,"key":{"partition":"execution/1","sort":"record"}}"#;
        assert_eq!(serde_json::to_string(&Message { layout: LAYOUT, key: key.clone() }).unwrap(), text);
        assert_eq!(key_of(text), Ok(key));
        assert_eq!(key_of(&text.replace('1', "2")), Err(MessageError::Newer(2)));
        for text in ["", "{}", "[]", "null", r#"{"layout":1,"key":"x"}"#] {
            assert!(matches!(key_of(text), Err(MessageError::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn a_message_never_comes_before_its_time() {
        let now = Timestamp::from_micros(1_000_000);
        let after = |micros: i64| delay(Timestamp::from_micros(1_000_000 + micros), now);
        for (micros, expected) in [(-1, 0), (0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2), (900_000_000, 900)] {
            assert_eq!(after(micros), Some(expected), "{micros}");
        }
        assert_eq!(after(900_000_001), None);
        assert_eq!(delay(Timestamp::from_micros(i64::MAX), now), None);
    }

    #[test]
    fn a_wake_goes_to_those_who_can_handle_it() {
        let settings = Settings::from_lookup(|name| Some(name.to_owned())).unwrap();
        let config = aws_sdk_sqs::config::Config::builder().behavior_version_latest().build();
        let wakes = SqsWakes::new(Client::from_conf(config), &settings, Patience::new(Arc::new(crate::SystemClock)));
        let queue = |partition: &str| wakes.queue_of(&Key::new(partition, "record")).to_owned();
        assert!(["execution/1", "inbox/1"].iter().all(|partition| queue(partition) == "SQUALL_ACTIONS_QUEUE_URL"));
        assert_eq!(queue("workflow/1"), "SQUALL_WORKFLOWS_QUEUE_URL");
        let others = ["trigger_instance/1", "timer/1", "settle"];
        assert!(others.iter().all(|partition| queue(partition) == "SQUALL_ENGINE_QUEUE_URL"));
    }
}

//! Wakes as messages of two standard queues: one for executions, which may take long, one for everything else.

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{QueueAttributeName, SendMessageBatchRequestEntry},
};
use futures::{StreamExt, stream};
use model::Timestamp;
use ports::{Key, Wake, Wakes};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, time::Duration};

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
    engine: String,
    patience: Patience,
}

impl SqsWakes {
    /// Sends to the queues of these settings.
    pub fn new(client: Client, settings: &Settings, patience: Patience) -> SqsWakes {
        SqsWakes {
            client,
            actions: settings.actions_queue_url.clone(),
            engine: settings.engine_queue_url.clone(),
            patience: patience.with_budget(BUDGET),
        }
    }

    /// Whoever looks at an execution may have to run its action.
    pub(crate) fn is_for_actions(key: &Key) -> bool {
        key.partition.starts_with("execution/") || key.partition.starts_with("inbox/")
    }

    /// About how many messages wait to be taken: those for executions, and the others.
    pub(crate) async fn waiting(&self) -> Result<(u64, u64), String> {
        let (actions, engine) = futures::join!(self.waiting_in(&self.actions), self.waiting_in(&self.engine));
        Ok((actions?, engine?))
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
        let sendable = wakes.into_iter().filter_map(|wake| {
            let delay = delay(wake.at, now)?;
            seen.insert((wake.key.clone(), delay)).then_some((wake.key, delay))
        });
        let (actions, others) = sendable.partition(|(key, _)| SqsWakes::is_for_actions(key));
        futures::join!(self.send_all(&self.actions, actions), self.send_all(&self.engine, others));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_may_run_an_action_goes_to_the_actions() {
        let goes = |partition: &str| SqsWakes::is_for_actions(&Key::new(partition, "record"));
        assert!(goes("execution/1") && goes("inbox/1"));
        assert!(!["trigger_instance/1", "timer/1", "settle"].iter().any(|partition| goes(partition)));
    }
}

//! Messages that could not be handled, each queue's in a queue of its own.

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName},
};
use model::Timestamp;
use ports::{DeadLetter, DeadLetterError, DeadLetterQueue, DeadLetters, MAX_LETTERS};
use std::collections::{HashMap, HashSet};

use crate::retry;

/// The attributes that tell why a message is here.
const REASON: &str = "ErrorType";
const WORDS: &str = "ErrorMessage";
const FUNCTION: &str = "Function";
/// Characters of a reason that are kept.
const MOST_WORDS: usize = 1_000;
/// Seconds for which a letter that was looked at is hidden: long enough to look at the others, and to send it back.
const HIDDEN: i32 = 20;
/// Messages in one answer.
const BATCH: i32 = 10;
/// Answers without a new letter after which there are no more: a standard queue asks a part of its hosts each time.
const EMPTY: usize = 2;

/// A queue and its dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// What people call it.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// Where its messages end that could not be handled.
    pub dead_letters_url: String,
}

/// A message that is given up.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The queue that it came from.
    pub source_arn: &'a str,
    /// The message as it was sent.
    pub body: &'a str,
    /// A stable name of what went wrong.
    pub reason: &'static str,
    /// What went wrong.
    pub words: &'a str,
}

/// Gives messages up, shows them, sends them back.
pub struct DeadLetterOffice {
    client: Client,
    queues: Vec<Queue>,
}

impl DeadLetterOffice {
    /// For these queues.
    pub fn new(client: Client, queues: Vec<Queue>) -> DeadLetterOffice {
        DeadLetterOffice { client, queues }
    }

    /// Puts a message to the dead letters of its queue, with the reason.
    pub async fn give(&self, given: Given<'_>) -> Result<(), DeadLetterError> {
        let source = given.source_arn.rsplit(':').next().unwrap_or_default();
        let queue = self.queues.iter().find(|queue| queue.url.rsplit('/').next() == Some(source));
        let queue = queue.ok_or_else(|| DeadLetterError::NoQueue(source.to_owned()))?;
        let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
        let words: String = given.words.chars().take(MOST_WORDS).collect();
        let mut request = self.client.send_message().queue_url(&queue.dead_letters_url).message_body(given.body);
        for (name, value) in [(REASON, given.reason), (WORDS, &words), (FUNCTION, &function)] {
            // SQS refuses empty values.
            let value = if value.is_empty() { "-" } else { value };
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            request = request.message_attributes(name, value.map_err(unavailable)?);
        }
        request.send().await.map(drop).map_err(|error| DeadLetterError::Unavailable(retry::words(&error)))
    }

    fn queue(&self, name: &str) -> Result<&Queue, DeadLetterError> {
        let found = self.queues.iter().find(|queue| queue.name == name);
        found.ok_or_else(|| DeadLetterError::NoQueue(name.to_owned()))
    }

    /// Some letters, hidden from others for a while.
    async fn take(&self, url: &str) -> Result<Vec<Message>, DeadLetterError> {
        let request =
            self.client.receive_message().queue_url(url).max_number_of_messages(BATCH).visibility_timeout(HIDDEN);
        let request =
            request.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::All);
        let answer = request.send().await.map_err(|error| DeadLetterError::Unavailable(retry::words(&error)))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Lets a letter be seen again at once.
    async fn release(&self, url: &str, message: &Message) {
        let handle = message.receipt_handle().unwrap_or_default();
        let request =
            self.client.change_message_visibility().queue_url(url).receipt_handle(handle).visibility_timeout(0);
        if let Err(error) = request.send().await {
            tracing::debug!(error = retry::words(&error), "a letter stays hidden for a while");
        }
    }

    async fn send_back(&self, queue: &Queue, message: &Message) -> Result<(), DeadLetterError> {
        let failed = |words: String| DeadLetterError::Unavailable(words);
        let send = self.client.send_message().queue_url(&queue.url).message_body(message.body().unwrap_or_default());
        send.send().await.map_err(|error| failed(retry::words(&error)))?;
        let handle = message.receipt_handle().unwrap_or_default();
        let delete = self.client.delete_message().queue_url(&queue.dead_letters_url).receipt_handle(handle);
        delete.send().await.map(drop).map_err(|error| failed(retry::words(&error)))
    }

    async fn depth(&self, url: &str) -> Result<u64, DeadLetterError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let answer = request.send().await.map_err(|error| DeadLetterError::Unavailable(retry::words(&error)))?;
        let depth = answer.attributes.as_ref().and_then(|attributes| attributes.get(&name)?.parse().ok());
        Ok(depth.unwrap_or_default())
    }
}

fn unavailable(error: impl std::fmt::Display) -> DeadLetterError {
    DeadLetterError::Unavailable(error.to_string())
}

fn letter(message: &Message) -> DeadLetter {
    let attribute = |name: &str| message.message_attributes()?.get(name)?.string_value().map(str::to_owned);
    let sent = message.attributes().and_then(|all: &HashMap<_, _>| all.get(&MessageSystemAttributeName::SentTimestamp));
    DeadLetter {
        id: message.message_id().unwrap_or_default().to_owned(),
        sent_at: sent.and_then(|millis| millis.parse().ok()).map(Timestamp::from_millis),
        reason: attribute(REASON),
        message: attribute(WORDS),
        function: attribute(FUNCTION),
        body: message.body().unwrap_or_default().to_owned(),
    }
}

#[async_trait]
impl DeadLetters for DeadLetterOffice {
    async fn queues(&self) -> Result<Vec<DeadLetterQueue>, DeadLetterError> {
        let mut all = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            let letters = self.depth(&queue.dead_letters_url).await?;
            all.push(DeadLetterQueue { name: queue.name.clone(), letters });
        }
        Ok(all)
    }

    async fn letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let url = &self.queue(queue)?.dead_letters_url;
        let mut taken: Vec<Message> = Vec::new();
        let mut empty = 0;
        while taken.len() < limit.min(MAX_LETTERS) && empty < EMPTY {
            let more = self.take(url).await?;
            empty = if more.is_empty() { empty + 1 } else { 0 };
            taken.extend(more);
        }
        for message in &taken {
            self.release(url, message).await;
        }
        Ok(taken.iter().take(limit).map(letter).collect())
    }

    async fn redrive(&self, queue: &str, ids: &[String]) -> Result<u64, DeadLetterError> {
        let queue = self.queue(queue)?;
        let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let (mut found, mut others, mut empty) = (Vec::new(), Vec::new(), 0);
        while found.len() + others.len() < MAX_LETTERS
            && empty < EMPTY
            && (ids.is_empty() || found.len() < wanted.len())
        {
            let more = self.take(&queue.dead_letters_url).await?;
            empty = if more.is_empty() { empty + 1 } else { 0 };
            for message in more {
                let is_wanted = ids.is_empty() || message.message_id().is_some_and(|id| wanted.contains(id));
                if is_wanted { found.push(message) } else { others.push(message) }
            }
        }
        for message in &others {
            self.release(&queue.dead_letters_url, message).await;
        }
        // Only when all are at hand: what is still poison comes back at once, and must not be sent again and again.
        for message in &found {
            self.send_back(queue, message).await?;
        }
        Ok(found.len() as u64)
    }
}

//! Events on EventBridge: CloudEvents, in whose `data` is the event, or in whose `dataref` is where it lies when it is large.

use async_trait::async_trait;
use aws_sdk_eventbridge::{
    Client,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use model::Trigger;
use ports::{BlobError, Blobs, Bus, BusError, TriggerEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

use crate::{Patience, Subscriptions, retry};

/// The source of the platform's events.
pub const EVENT_SOURCE: &str = "squall";
/// Entries in one request.
const BATCH: usize = 10;
/// Bytes of an entry and of all entries in one request, with room for what EventBridge counts beside the text.
const MAX_BYTES: usize = 250_000;
/// Where Lambda says which trace an invocation belongs to.
const TRACE: &str = "_X_AMZN_TRACE_ID";
/// Where a large event lies.
const REFERENCE: &str = "urn:sha256:";

/// What stands in `detail`.
#[derive(Debug, Serialize, Deserialize)]
struct CloudEvent {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: String,
    datacontenttype: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<TriggerEvent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataref: Option<String>,
}

/// What came is no event of the platform, or can't be read now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It never will be.
    #[error("the event can't be read: {0}")]
    Unreadable(String),
    /// It may be, later.
    #[error("the event can't be read now: {0}")]
    Unavailable(String),
}

/// The event in the `detail` of what EventBridge delivers.
pub async fn event_of(detail: &Value, blobs: &dyn Blobs) -> Result<TriggerEvent, EventError> {
    let unreadable = |error: serde_json::Error| EventError::Unreadable(error.to_string());
    let event = CloudEvent::deserialize(detail).map_err(unreadable)?;
    let digest = event.dataref.as_deref().and_then(|place| place.strip_prefix(REFERENCE));
    match (event.data, digest) {
        (Some(data), _) => Ok(data),
        (None, Some(digest)) => match blobs.get(digest).await {
            Ok(content) => serde_json::from_slice(&content).map_err(unreadable),
            Err(error @ BlobError::Unavailable(_)) => Err(EventError::Unavailable(error.to_string())),
            Err(error) => Err(EventError::Unreadable(error.to_string())),
        },
        (None, None) => Err(EventError::Unreadable("it has neither data nor a dataref".to_owned())),
    }
}

/// Publishes to one event bus.
pub struct EventBridgeBus {
    client: Client,
    name: String,
    blobs: Arc<dyn Blobs>,
    patience: Patience,
    subscriptions: Option<Subscriptions>,
}

impl EventBridgeBus {
    /// Publishes to the bus of that name; large events lie among the blobs. Listens to nothing from outside.
    pub fn new(client: Client, name: &str, blobs: Arc<dyn Blobs>, patience: Patience) -> EventBridgeBus {
        EventBridgeBus { client, name: name.to_owned(), blobs, patience, subscriptions: None }
    }

    /// The same bus, which subscribes to events of AWS services.
    pub fn subscribing(self, subscriptions: Option<Subscriptions>) -> EventBridgeBus {
        EventBridgeBus { subscriptions, ..self }
    }

    async fn entry(&self, event: TriggerEvent) -> Result<PutEventsRequestEntry, BusError> {
        let kind = event.trigger.kind.to_string();
        let mut cloud_event = CloudEvent {
            specversion: "1.0".to_owned(),
            id: event.id.to_string(),
            source: EVENT_SOURCE.to_owned(),
            kind: kind.clone(),
            time: event.occurrence_time.to_string(),
            datacontenttype: "application/json".to_owned(),
            data: Some(event),
            dataref: None,
        };
        let refused = |error: serde_json::Error| BusError::Refused(error.to_string());
        let mut detail = serde_json::to_string(&cloud_event).map_err(refused)?;
        if detail.len() + size_beside(&kind) > MAX_BYTES {
            let data = serde_json::to_vec(&cloud_event.data.take()).map_err(refused)?;
            let digest = self.blobs.put(data.into()).await.map_err(|error| BusError::Unavailable(error.to_string()))?;
            cloud_event.dataref = Some(format!("{REFERENCE}{digest}"));
            detail = serde_json::to_string(&cloud_event).map_err(refused)?;
        }
        let entry = PutEventsRequestEntry::builder().event_bus_name(&self.name).source(EVENT_SOURCE);
        // The trace goes on behind the bus; SQS takes it from the request's header, which the SDK sets.
        let entry = entry.set_trace_header(std::env::var(TRACE).ok());
        Ok(entry.detail_type(kind).detail(detail).build())
    }

    /// Sends until every entry is taken. An entry that was taken is not sent again, unless the answer to it was lost.
    async fn put(&self, mut entries: Vec<PutEventsRequestEntry>) -> Result<(), BusError> {
        let mut pauses = self.patience.begin();
        loop {
            let request = self.client.put_events().set_entries(Some(entries.clone()));
            let reason = match request.send().await {
                Ok(answer) => {
                    let Some((rest, reason)) = left(entries, answer.entries())? else { return Ok(()) };
                    entries = rest;
                    reason
                }
                Err(error) if retry::is_passing(&error) => retry::words(&error),
                Err(error) => return Err(BusError::Unavailable(retry::words(&error))),
            };
            if !pauses.pause().await {
                return Err(BusError::Unavailable(reason));
            }
        }
    }
}

/// The entries that were not taken and may be later, and why the first of them was not.
fn left(
    entries: Vec<PutEventsRequestEntry>,
    answers: &[PutEventsResultEntry],
) -> Result<Option<(Vec<PutEventsRequestEntry>, String)>, BusError> {
    let mut rest = Vec::new();
    let mut reason = None;
    for (place, entry) in entries.into_iter().enumerate() {
        // An entry without an answer was not taken.
        let answer = answers.get(place);
        let code = match answer.map(PutEventsResultEntry::error_code) {
            Some(None) => continue,
            Some(Some(code)) => code,
            None => "no answer",
        };
        let words = answer.and_then(PutEventsResultEntry::error_message).unwrap_or_default();
        let words = format!("{words} ({code})");
        if answer.is_some() && !retry::is_passing_code(code) {
            return Err(BusError::Refused(words));
        }
        rest.push(entry);
        reason.get_or_insert(words);
    }
    Ok(reason.map(|reason| (rest, reason)))
}

/// Bytes of an entry that are not its detail.
fn size_beside(kind: &str) -> usize {
    EVENT_SOURCE.len() + kind.len() + 64
}

fn size(entry: &PutEventsRequestEntry) -> usize {
    entry.detail().map_or(0, str::len) + size_beside(entry.detail_type().unwrap_or_default())
}

/// As many entries to a request as it takes.
fn batches(entries: Vec<PutEventsRequestEntry>) -> Vec<Vec<PutEventsRequestEntry>> {
    let mut batches: Vec<Vec<_>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        bytes += size(&entry);
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes <= MAX_BYTES => batch.push(entry),
            _ => {
                bytes = size(&entry);
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

#[async_trait]
impl Bus for EventBridgeBus {
    async fn publish(&self, events: Vec<TriggerEvent>) -> Result<(), BusError> {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            entries.push(self.entry(event).await?);
        }
        for batch in batches(entries) {
            self.put(batch).await?;
        }
        Ok(())
    }

    async fn listen(&self, triggers: &[Trigger]) -> Result<(), BusError> {
        match &self.subscriptions {
            Some(subscriptions) => subscriptions.set(&self.client, triggers).await,
            None => Ok(()),
        }
    }
}

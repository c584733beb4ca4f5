//! A batch of messages: events as EventBridge delivers them, and wakes.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use functions::{Failure, Platform, each, text_of};
use serde_json::Value;

use crate::aws_event;

/// What EventBridge puts around an event, and nothing else that comes here has.
const ENVELOPE: &str = "detail-type";

pub(crate) async fn handle(platform: &Platform, event: SqsEvent) -> SqsBatchResponse {
    each(platform, event, async |message| {
        let body: Value = serde_json::from_str(text_of(&message)).map_err(Failure::unreadable)?;
        if body.get(ENVELOPE).is_some() {
            return take_event(platform, body).await;
        }
        let key = aws::key_of(text_of(&message)).map_err(Failure::unreadable)?;
        Ok(platform.engine.handle(&key).await?)
    })
    .await
}

async fn take_event(platform: &Platform, envelope: Value) -> Result<(), Failure> {
    let text = |name: &str| envelope.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("source") != aws::EVENT_SOURCE {
        let catalog = platform.engine.catalog().await?;
        for event in aws_event::triggered(&catalog, &envelope) {
            platform.engine.receive(event).await?;
        }
        return Ok(());
    }
    let detail = envelope.get("detail").unwrap_or(&Value::Null);
    let blobs = platform.engine.ports().blobs.as_ref();
    let event = aws::event_of(detail, blobs).await.map_err(|error| match error {
        aws::EventError::Unavailable(_) => Failure::unavailable(error),
        aws::EventError::Unreadable(_) => Failure::unreadable(error),
    })?;
    Ok(platform.engine.receive(event).await?)
}

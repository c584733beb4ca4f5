//! A batch of messages, each on its own: what becomes of one is no matter of its neighbours.

use aws::{DeadLetterOffice, Given};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt, stream};
use std::{any::Any, panic::AssertUnwindSafe};

use crate::{Failure, Platform};

/// Messages handled at once.
const AT_ONCE: usize = 10;

/// The text of a message.
pub fn text_of(message: &SqsMessage) -> &str {
    message.body.as_deref().unwrap_or_default()
}

/// Handles every message of a batch. One that can't be handled now comes again; one that never can, or has come too often, goes to the
/// dead letters with the reason. A panic counts as a failure of its message alone.
pub async fn each<F, Fut>(platform: &Platform, event: SqsEvent, handle: F) -> SqsBatchResponse
where
    F: Fn(SqsMessage) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let one = async |message: SqsMessage| {
        let handled = AssertUnwindSafe(handle(message.clone())).catch_unwind().await;
        let failure = match handled {
            Ok(Ok(())) => return None,
            Ok(Err(failure)) => failure,
            Err(panic) => Failure::Passing { name: "Panic", message: words(panic.as_ref()) },
        };
        let gone = give_up(platform, &message, &failure).await;
        if gone { None } else { message.message_id }
    };
    let failed: Vec<_> =
        stream::iter(event.records).map(one).buffer_unordered(AT_ONCE).filter_map(async |id| id).collect().await;
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed);
    response
}

/// Puts a message to the dead letters where there is no use in trying again; `false` where it stays.
async fn give_up(platform: &Platform, message: &SqsMessage, failure: &Failure) -> bool {
    let (reason, words) = failure.parts();
    let receives = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1);
    let is_last = receives >= platform.environment.max_receives;
    let id = message.message_id.as_deref().unwrap_or_default();
    if !is_last && matches!(failure, Failure::Passing { .. }) {
        tracing::warn!(error_type = reason, error = words, message_id = id, receives, "a message is tried again");
        return false;
    }
    tracing::error!(error_type = reason, error = words, message_id = id, receives, "a message is given up");
    let given = Given {
        source_arn: message.event_source_arn.as_deref().unwrap_or_default(),
        body: text_of(message),
        reason,
        words,
    };
    let office = DeadLetterOffice::new(platform.clients.sqs().clone(), platform.environment.queues.clone());
    match office.give(given).await {
        Ok(()) => true,
        Err(error) => {
            // The queue itself moves it, without the reason.
            tracing::error!(%error, message_id = id, "the reason can't be kept with the message");
            false
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no words".to_owned())
}

//! A wake of an execution.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use functions::{DeadlineRunner, Failure, Platform, each, text_of};
use lambda_runtime::Context;
use model::Timestamp;

pub(crate) async fn handle(
    platform: &Platform,
    runner: &DeadlineRunner,
    event: SqsEvent,
    context: Context,
) -> SqsBatchResponse {
    let margin = i64::try_from(platform.environment.margin().as_millis()).unwrap_or(i64::MAX);
    let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    runner.end_by(Timestamp::from_millis(deadline.saturating_sub(margin)));
    each(platform, event, async |message| {
        let key = aws::key_of(text_of(&message)).map_err(Failure::unreadable)?;
        Ok(platform.engine.handle(&key).await?)
    })
    .await
}

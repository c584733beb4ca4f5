//! What S3 tells of uploads.

use aws_lambda_events::{
    s3::S3EventRecord,
    sqs::{SqsBatchResponse, SqsEvent},
};
use functions::{Failure, Platform, each, text_of};
use model::{Id, PackFiles};
use serde::Deserialize;

/// A notification. S3 sends one without records when it is told to notify.
#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Records", default)]
    records: Vec<S3EventRecord>,
}

pub(crate) async fn handle(platform: &Platform, event: SqsEvent) -> SqsBatchResponse {
    each(platform, event, async |message| {
        let notification: Notification = serde_json::from_str(text_of(&message)).map_err(Failure::unreadable)?;
        for record in notification.records {
            let key = record.s3.object.key.unwrap_or_default();
            let id = aws::upload_of(&key).ok_or_else(|| Failure::unreadable(format!("\"{key}\" is no upload")))?;
            register(platform, id, &key).await?;
        }
        Ok(())
    })
    .await
}

async fn register(platform: &Platform, id: Id, key: &str) -> Result<(), Failure> {
    let upload = aws::S3Uploads::new(platform.clients.s3().clone(), &platform.settings.bucket);
    let files: Result<PackFiles, String> = match upload.content(key).await.map_err(Failure::unavailable)? {
        Some(archive) => api::read_archive(&archive).map_err(|error| error.to_string()),
        None => Err("the upload is larger than a pack may be".to_owned()),
    };
    let upload = platform.engine.take_upload(id, files).await?;
    tracing::info!(upload = %id, state = ?upload.state, "an upload was looked at");
    // A workflow without its machine runs, too; nobody has to wait for it.
    match platform.engine.draw_workflows().await {
        Ok(machines) => tracing::info!(machines, "workflows have their state machines"),
        Err(error) => tracing::error!(%error, "state machines were not made: new workflows go on without"),
    }
    Ok(())
}

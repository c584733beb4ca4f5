//! `api`: the REST interface and the webhooks, behind API Gateway.

use api::ApiOptions;
use aws::{DeadLetterOffice, S3Uploads};
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let platform = functions::start("api").await?.without_runner();
    let (clients, environment) = (&platform.clients, &platform.environment);
    let options = ApiOptions {
        uploads: Some(Arc::new(S3Uploads::new(clients.s3().clone(), &platform.settings.bucket))),
        dead_letters: Some(Arc::new(DeadLetterOffice::new(clients.sqs().clone(), environment.queues.clone()))),
        ..ApiOptions::default()
    };
    functions::serve_http(api::router(Arc::clone(&platform.engine), options)).await
}

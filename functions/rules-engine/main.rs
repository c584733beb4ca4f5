//! `rules-engine`: events from the bus are matched and what follows is requested; records that are no executions are looked at.

mod aws_event;
mod handler;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let platform = functions::start("rules-engine").await?.without_runner();
    functions::serve(async |event, _| Ok(handler::handle(&platform, event).await)).await
}

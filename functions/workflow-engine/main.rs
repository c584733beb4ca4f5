//! `workflow-engine`: conducts workflows. It is woken when something has happened to one, and called by the state machine that pictures it.

mod handler;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let platform = functions::start("workflow-engine").await?.without_runner();
    functions::serve(async |event, _| handler::handle(&platform, event).await).await
}

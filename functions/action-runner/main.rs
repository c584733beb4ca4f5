//! `action-runner`: one wake, one execution. The lease is the function's own time: whoever works when it ends does not work any more.

mod handler;

use functions::DeadlineRunner;
use runners::{RunnerOptions, Runners};
use std::{sync::Arc, time::Duration};

/// Where the files of packs are laid out: the one place that a function may write to.
const CACHE: &str = "/tmp/packs";
/// How old the known content may be. An execution names the pack version that it runs, so that an older view of the rest does no harm.
const CONTENT_CHECK: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = functions::start("action-runner").await?;
    let runners = Runners::new(start.blobs(), RunnerOptions::new(CACHE.into()));
    let runner = Arc::new(DeadlineRunner::new(Arc::new(runners), start.clock()));
    let mut options = start.environment.engine_options();
    options.content_check = Some(CONTENT_CHECK);
    // Actions are other people's programs: what conducts workflows is not to be had in this role.
    options.conducts = false;
    let platform = start.platform(Arc::clone(&runner) as _, options);
    functions::serve(async |event, context| Ok(handler::handle(&platform, &runner, event, context).await)).await
}

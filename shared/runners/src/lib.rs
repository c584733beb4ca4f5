//! How an action runs, one file per runner type.
//!
//! [`Runners`] is the port's implementation for the runner types that need nothing but this machine and the network:
//! `local-shell-cmd`, `local-shell-script`, `http-request`, `announcement`. An action runs with what it was given and nothing of the
//! server's: a clean environment, its own process group, the files of its own pack version.

mod announcement;
mod arguments;
mod content;
mod environment;
mod http_policy;
mod http_request;
mod local_shell_cmd;
mod local_shell_script;
mod options;
mod parameters;
mod plain_command;
mod process;
mod shell;

use async_trait::async_trait;
use content::PackDirectories;
use http_request::HttpClients;
use model::ExecutionStatus;
use ports::{Blobs, Canceled, Job, Outcome, OutputSink, Runner};
use serde_json::{Value, json};
use std::{fmt::Display, sync::Arc};

pub use http_policy::HttpPolicy;
pub use options::RunnerOptions;

/// The runner types of this crate behind the one port.
pub struct Runners {
    options: RunnerOptions,
    packs: PackDirectories,
    http: HttpClients,
}

impl Runners {
    /// Runners that take pack files from `blobs`. Nothing is read or written before an action needs it.
    pub fn new(blobs: Arc<dyn Blobs>, options: RunnerOptions) -> Runners {
        let packs = PackDirectories::new(blobs, options.cache.clone());
        let http = HttpClients::new(options.http.clone(), options.output_limit);
        Runners { options, packs, http }
    }
}

#[async_trait]
impl Runner for Runners {
    async fn run(&self, job: Job, output: &dyn OutputSink, canceled: Canceled) -> Outcome {
        match job.action.runner_type.as_str() {
            announcement::NAME => announcement::run(&job),
            local_shell_cmd::NAME => local_shell_cmd::run(&self.options, &job, output, canceled).await,
            local_shell_script::NAME => {
                local_shell_script::run(&self.options, &self.packs, &job, (output, canceled)).await
            }
            http_request::NAME => http_request::run(&self.http, &job, canceled).await,
            other => failed(format_args!(
                "runner type \"{other}\" can't run here; there are {}",
                [announcement::NAME, local_shell_cmd::NAME, local_shell_script::NAME, http_request::NAME].join(", ")
            )),
        }
    }
}

/// The outcome of an action that could not be run.
fn failed(error: impl Display) -> Outcome {
    Outcome { status: ExecutionStatus::Failed, result: json!({ "error": error.to_string() }) }
}

/// `Succeeded` with that result.
fn succeeded(result: Value) -> Outcome {
    Outcome { status: ExecutionStatus::Succeeded, result }
}

/// The outcome of an action that was stopped before it had anything to show.
fn canceled() -> Outcome {
    Outcome { status: ExecutionStatus::Canceled, result: json!({ "error": "canceled" }) }
}

//! `local-shell-script`: a program of the pack, its parameters as arguments.

use crate::{RunnerOptions, arguments, content::PackDirectories, failed, parameters::Parameters, shell::ShellJob};
use ports::{Canceled, Job, Outcome, OutputSink};

pub(crate) const NAME: &str = "local-shell-script";

pub(crate) async fn run(
    options: &RunnerOptions,
    packs: &PackDirectories,
    job: &Job,
    (output, canceled): (&dyn OutputSink, Canceled),
) -> Outcome {
    let prepared = tokio::select! {
        biased;
        () = canceled.wait() => return crate::canceled(),
        prepared = prepare(options, packs, job) => prepared,
    };
    match prepared {
        Ok(ready) => ready.run(output, canceled).await,
        Err(error) => failed(error),
    }
}

async fn prepare<'a>(options: &RunnerOptions, packs: &PackDirectories, job: &'a Job) -> Result<ShellJob<'a>, String> {
    let parameters = Parameters(job.runner_parameters.expose());
    if parameters.text("content_version")?.is_some_and(|version| !version.is_empty()) {
        return Err(
            "parameter \"content_version\" is not supported: register the pack's other version instead".to_owned()
        );
    }
    let kwarg_op = parameters.text("kwarg_op")?.unwrap_or("--");
    let arguments = arguments::of_script(&job.action, job.action_parameters.expose(), kwarg_op)?;
    let pack =
        job.pack.as_ref().ok_or_else(|| format!("{} belongs to no pack that has files", job.action.reference))?;
    let script = packs.script(pack, &job.action.entry_point).await.map_err(|error| error.to_string())?;
    ShellJob::new(options, job, script, arguments)
}

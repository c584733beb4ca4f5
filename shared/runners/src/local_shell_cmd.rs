//! `local-shell-cmd`: a command line for the shell, which is what its author writes. Parameters get into it by the author's own
//! template, so quoting them is the template's work; nothing is added here.

use crate::{RunnerOptions, failed, parameters::Parameters, plain_command::plain_command, process, shell::ShellJob};
use ports::{Canceled, Job, Outcome, OutputSink};

pub(crate) const NAME: &str = "local-shell-cmd";

pub(crate) async fn run(options: &RunnerOptions, job: &Job, output: &dyn OutputSink, canceled: Canceled) -> Outcome {
    match prepare(options, job) {
        Ok(ready) => ready.run(output, canceled).await,
        Err(error) => failed(error),
    }
}

fn prepare<'a>(options: &RunnerOptions, job: &'a Job) -> Result<ShellJob<'a>, String> {
    if !job.action.entry_point.is_empty() {
        return Err(format!("{} has an entry_point; it is for the local-shell-script runner", job.action.reference));
    }
    let parameters = Parameters(job.runner_parameters.expose());
    let command = parameters.text("cmd")?.ok_or("parameter \"cmd\" is missing")?;
    if command.contains('\0') {
        return Err("parameter \"cmd\" has a NUL character, which can't be passed to a process".to_owned());
    }
    // The action's own environment may have another search path, and sudo has.
    let other_path = parameters.flag("sudo")?.unwrap_or(false)
        || parameters.object("env")?.is_some_and(|env| env.contains_key("PATH"));
    let search_path = options.environment.iter().find(|(name, _)| name == "PATH").filter(|_| !other_path);
    let plain = search_path.and_then(|(_, path)| plain_command(command, path));
    let shell = || (process::shell().to_owned(), vec!["-c".to_owned(), command.to_owned()]);
    let (program, arguments) = plain.unwrap_or_else(shell);
    ShellJob::new(options, job, program, arguments)
}

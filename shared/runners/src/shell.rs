//! What the shell runners share: their parameters, and the result that they make of a process that has ended.

use crate::{
    RunnerOptions, environment, failed,
    parameters::Parameters,
    process::{self, Captured, Ended, Exit, Invocation, Sudo},
};
use model::{ExecutionStatus, Secret};
use ports::{Canceled, Job, Outcome, OutputSink};
use serde_json::{Map, Number, Value};
use std::path::PathBuf;

/// The return code of what was stopped at its time limit, and of what was stopped on request: as if by SIGKILL and SIGTERM.
const TIMED_OUT_CODE: i32 = -9;
const TERMINATED_CODE: i32 = -15;

/// The process that a job asks for.
pub(crate) struct ShellJob<'a> {
    invocation: Invocation,
    /// The time limit as written.
    timeout: Option<&'a Number>,
}

impl<'a> ShellJob<'a> {
    /// Reads the runner's parameters.
    pub(crate) fn new(
        options: &RunnerOptions,
        job: &'a Job,
        program: PathBuf,
        arguments: Vec<String>,
    ) -> Result<ShellJob<'a>, String> {
        let parameters = Parameters(job.runner_parameters.expose());
        let password = parameters.text("sudo_password")?.map(|password| Secret::new(password.to_owned()));
        let sudo = parameters.flag("sudo")?.unwrap_or(false).then_some(Sudo { password });
        let timeout = parameters.seconds("timeout")?;
        let invocation = Invocation {
            program,
            arguments,
            environment: environment::for_job(&options.environment, job)?,
            directory: parameters.text("cwd")?.filter(|cwd| !cwd.is_empty()).map(PathBuf::from),
            sudo,
            timeout: timeout.map(|(_, duration)| duration),
            output_limit: options.output_limit,
        };
        Ok(ShellJob { invocation, timeout: timeout.map(|(written, _)| written) })
    }

    /// Runs it.
    pub(crate) async fn run(self, output: &dyn OutputSink, canceled: Canceled) -> Outcome {
        match process::run(&self.invocation, output, canceled).await {
            Ok(ended) => self.outcome(&ended),
            Err(error) => failed(error),
        }
    }

    fn outcome(&self, ended: &Ended) -> Outcome {
        let stderr = ended.stderr.text();
        let refused = self.invocation.sudo.is_some() && is_sudo_refusal(&stderr);
        let (status, code) = match ended.exit {
            Exit::Code(0) => (ExecutionStatus::Succeeded, 0),
            Exit::Code(_) if refused => (ExecutionStatus::Failed, -1),
            Exit::Code(code) => (ExecutionStatus::Failed, code),
            Exit::Signal(15) => (ExecutionStatus::Abandoned, TERMINATED_CODE),
            Exit::Signal(signal) => (ExecutionStatus::Failed, -signal),
            Exit::TimedOut => (ExecutionStatus::Timeout, TIMED_OUT_CODE),
            Exit::Canceled => (ExecutionStatus::Canceled, TERMINATED_CODE),
        };
        let succeeded = status == ExecutionStatus::Succeeded;
        let mut result = Map::new();
        result.insert("failed".to_owned(), (!succeeded).into());
        result.insert("succeeded".to_owned(), succeeded.into());
        result.insert("return_code".to_owned(), code.into());
        result.insert("stdout".to_owned(), decode(&ended.stdout, ended.stdout.text()));
        result.insert("stderr".to_owned(), decode(&ended.stderr, stderr));
        let error = self.errors(ended, refused).join("; ");
        if !error.is_empty() {
            result.insert("error".to_owned(), error.into());
        }
        Outcome { status, result: Value::Object(result) }
    }

    /// What the output alone doesn't tell.
    fn errors(&self, ended: &Ended, refused: bool) -> Vec<String> {
        let mut errors = Vec::new();
        match (ended.exit, self.timeout) {
            (Exit::TimedOut, Some(timeout)) => {
                errors.push(format!("Action failed to complete in {timeout} seconds"));
            }
            (Exit::Signal(signal), _) => errors.push(format!("the process was ended by signal {signal}")),
            (Exit::Code(code), _) if code != 0 && refused => {
                errors.push("Invalid sudo password provided or sudo is not configured for this user".to_owned());
            }
            _ => {}
        }
        for (name, stream) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
            if stream.is_cut() {
                let limit = self.invocation.output_limit;
                errors.push(format!("{name} has more than {limit} bytes; the rest was dropped"));
            }
        }
        errors
    }
}

/// Output that is JSON is its value, a scalar too; everything else is text.
fn decode(captured: &Captured, text: String) -> Value {
    let value = if captured.is_cut() { None } else { serde_json::from_str(&text).ok() };
    value.unwrap_or(Value::String(text))
}

/// sudo's own messages, in the language that it was told to speak.
fn is_sudo_refusal(stderr: &str) -> bool {
    ["incorrect password attempt", "no password was provided", "a password is required"]
        .iter()
        .any(|message| stderr.lines().any(|line| line.starts_with("sudo: ") && line.contains(message)))
}

//! The `squall` command: starts the embedded host, and talks to a host by its REST API.
//!
//! `commands/` has a file for each group of commands. They write through [`Console`] and read the environment through
//! [`Environment`], so that a test runs them as a shell does: [`run`] with arguments, and what was printed.

#![expect(clippy::disallowed_methods, reason = "the command line is the edge: it reads the clock and waits")]

mod arguments;
mod client;
mod commands;
mod console;
mod documents;
mod environment;
mod failure;
mod follow;
mod host;
mod output;
mod parameters;
mod profiles;
mod prompt;
mod replay;
mod session;
mod shipped;
mod trail;
mod workflows;

use clap::Parser;
use std::{ffi::OsString, process::ExitCode};

use arguments::Squall;
use console::Ink;
use failure::{Failure, Outcome};
use session::Session;

pub use console::{Console, Look};
pub use environment::Environment;
pub use shipped::shipped_packs;

/// The whole command: the process's arguments, environment and console.
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    let mut console = Console::of_process(&environment);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(format!("the threads of this command can't be started: {error}"));
            return ExitCode::from(report(&mut console, &failure));
        }
    };
    let code = runtime.block_on(run(std::env::args_os(), environment, console));
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Runs one command line (the first argument is the command's own name) and returns its exit code: 0 where it did what it was asked
/// to, 1 where it could not or the execution did not succeed, 2 where the command line is wrong, 130 where it was interrupted.
pub async fn run(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    environment: Environment,
    mut console: Console,
) -> u8 {
    let squall = match Squall::try_parse_from(arguments) {
        Ok(squall) => squall,
        Err(error) => return report_usage(&mut console, &error),
    };
    if squall.globals.no_color {
        console.without_colour();
    }
    let mut session = Session::new(squall.globals, environment, console);
    match squall.command.run(&mut session).await {
        Ok(Outcome::Success) => 0,
        Ok(Outcome::Unsuccessful) => 1,
        Err(failure) => report(&mut session.console, &failure),
    }
}

/// Prints what went wrong. Where even that can't be written there is nobody left to tell.
fn report(console: &mut Console, failure: &Failure) -> u8 {
    if !failure.is_closed_pipe() {
        let _ = console.say(Ink::Red, "error", &failure.to_string());
        for hint in failure.hints() {
            let _ = console.say(Ink::Cyan, "hint", hint);
        }
    }
    failure.exit_code()
}

/// Prints what clap has to say: help and version on the output, errors beside it.
fn report_usage(console: &mut Console, error: &clap::Error) -> u8 {
    let styled = error.render();
    let text = if console.look().colour { styled.ansi().to_string() } else { styled.to_string() };
    let _ = if error.use_stderr() { console.say_plain(&text) } else { console.line(&text) };
    u8::try_from(error.exit_code()).unwrap_or(2)
}

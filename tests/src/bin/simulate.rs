//! Runs the simulator for any number of seeds, or one of them step by step.

use clap::Parser;
use std::{
    io::{self, Write},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
};
use tests::sim;

/// Runs the engine in simulated worlds and audits each.
#[derive(Parser)]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// This seed alone
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Print each step
    #[arg(long, requires = "seed")]
    trace: bool,
    /// How many run at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    threads: u64,
}

/// Prints a line; who reads may have seen enough.
fn say(line: &str) {
    let _closed = writeln!(io::stdout(), "{line}");
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let failed = AtomicU64::new(0);
    let (steps, executions) = (AtomicU64::new(0), AtomicU64::new(0));
    let seen = |report: sim::Report| {
        steps.fetch_add(report.steps, Ordering::Relaxed);
        executions.fetch_add(report.executions as u64, Ordering::Relaxed);
        if let Some(failure) = report.failure() {
            failed.fetch_add(1, Ordering::Relaxed);
            say(&failure);
        }
    };
    let count = match arguments.seed {
        Some(seed) => {
            seen(sim::run(seed, None, arguments.trace));
            1
        }
        None => {
            let end = arguments.from.saturating_add(arguments.seeds);
            sim::run_all(arguments.from..end, arguments.threads, seen);
            arguments.seeds
        }
    };
    let failed = failed.into_inner();
    let (executions, steps) = (executions.into_inner(), steps.into_inner());
    say(&format!("{count} seeds, {executions} executions, {steps} steps: {failed} failed"));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

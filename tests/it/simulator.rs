//! The engine in simulated worlds; `cargo run -p tests --bin simulate -- --seeds N` runs more of them.

use std::sync::Mutex;
use tests::sim::{self, Mutant};

const SEEDS: u64 = 500;
const THREADS: u64 = 2;
/// Seeds that a broken engine may need to be seen.
const MUTANT_SEEDS: u64 = 20;

#[test]
fn nothing_is_lost_and_nothing_happens_twice() {
    let failures = Mutex::new(String::new());
    sim::run_all(0..SEEDS, THREADS, |report| {
        if let Some(failure) = report.failure() {
            failures.lock().unwrap().push_str(&failure);
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn a_seed_is_a_run() {
    let mut executions = 0;
    for seed in 0..12 {
        let first = sim::run(seed, None, false);
        assert_eq!(first, sim::run(seed, None, false));
        executions += first.executions;
    }
    assert!(executions > 120, "there is too little to see: {executions} executions");
    assert_ne!(sim::run(0, None, false).hash, sim::run(1, None, false).hash);
}

/// An auditor that sees nothing wrong proves nothing until it has seen what is wrong.
fn is_caught(mutant: Mutant, because: &str) {
    let mut found = Vec::new();
    let caught = (0..MUTANT_SEEDS).any(|seed| {
        let report = sim::run(seed, Some(mutant), false);
        let caught = report.violations.iter().any(|violation| violation.contains(because));
        found.extend(report.violations);
        caught
    });
    assert!(caught, "{mutant:?} is not caught for \"{because}\", only for {found:?}");
}

#[test]
fn the_auditor_sees_ignored_guards() {
    is_caught(Mutant::GuardsIgnored, "is written once more");
    is_caught(Mutant::GuardsIgnored, "second time");
}

#[test]
fn the_auditor_sees_lost_commits() {
    is_caught(Mutant::CommitsLost, "was accepted, and is gone");
}

#[test]
fn the_auditor_sees_a_forgotten_due() {
    is_caught(Mutant::DueForgotten, " is requested");
}

#[test]
fn the_auditor_sees_lost_output() {
    is_caught(Mutant::OutputDropped, "is not what its action wrote");
}

#[test]
fn the_auditor_sees_work_without_a_claim() {
    is_caught(Mutant::RunsUnclaimed, "did not claim it");
}

#[test]
fn the_auditor_sees_renamed_deliveries() {
    is_caught(Mutant::DeliveriesRenamed, "was accepted, and is gone");
}

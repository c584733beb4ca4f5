//! The simulator: the real engine in a world that is a function of a seed.
//!
//! Time, the order of tasks, crashes, lost and late wakes, slow and failing stores, clients and actions all follow from the seed, so
//! that a run can be done again, step by step. An auditor looks at every commit while the run goes on and at every record after it.

mod auditor;
mod content;
mod driver;
mod executor;
mod faults;
mod journal;
mod machines;
mod mutant;
mod outside;
mod random;
mod runner;
mod store;
mod trace;
mod workload;
mod world;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub use mutant::Mutant;

use executor::{Executor, lock};
use world::World;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// A function of every step of the run.
    pub hash: u64,
    /// How many steps it had.
    pub steps: u64,
    /// How many executions there were.
    pub executions: usize,
    /// What must not be; empty where all is well.
    pub violations: Vec<String>,
}

impl Report {
    /// The violations and how to see them again; nothing where there are none.
    pub fn failure(&self) -> Option<String> {
        if self.violations.is_empty() {
            return None;
        }
        let seed = self.seed;
        let mut text = format!("seed {seed}: {} violations\n", self.violations.len());
        self.violations.iter().take(10).for_each(|violation| text.push_str(&format!("  - {violation}\n")));
        text.push_str(&format!("  replay it: cargo run -p tests --bin simulate -- --seed {seed} --trace\n"));
        Some(text)
    }
}

/// Runs the world of a seed to its end and audits it; `mutant` breaks something on purpose, `print` shows each step.
pub fn run(seed: u64, mutant: Option<Mutant>, print: bool) -> Report {
    let mut executor = Executor::default();
    let world = Arc::new(World::new(seed, mutant, executor.spawner(), print));
    let driven = catch_unwind(AssertUnwindSafe(|| driver::drive(&world, &mut executor)));
    let mut violations = auditor::audit(&world);
    if driven.is_err() {
        violations.push("a task panicked".to_owned());
    }
    let (hash, steps) = world.traced();
    let executions = lock(&world.journal).executions.len();
    // Hosts hold the world and the world holds the hosts.
    lock(&world.hosts).clear();
    Report { seed, hash, steps, executions, violations }
}

/// Runs seeds on so many threads, and hands each report to `seen` as it comes, in no order.
pub fn run_all(seeds: std::ops::Range<u64>, threads: u64, seen: impl Fn(Report) + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (seeds, seen) = (seeds.clone(), &seen);
            scope.spawn(move || {
                let own = seeds.filter(|seed| seed % threads == thread);
                own.for_each(|seed| seen(run(seed, None, false)));
            });
        }
    });
}

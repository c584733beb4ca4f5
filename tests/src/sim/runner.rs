//! Actions of the simulated world: how long they take, what they write and how they end is a function of the seed and the execution.

use async_trait::async_trait;
use futures::{FutureExt, pin_mut, select_biased};
use model::{ExecutionStatus, OutputStream};
use ports::{Canceled, Clock, Job, Key, Outcome, OutputSink, Runner};
use serde_json::json;
use std::{sync::Arc, time::Duration};

use super::{
    content::WORK,
    executor::lock,
    journal::{Ended, Moment},
    random::Random,
    world::World,
};

/// Text whose characters have one to four bytes, so that pieces of it end within one.
const LINE: &str = "ein Stück — 輸出 🦀 ";
/// A result that does not fit into the record.
const LARGE_RESULT: usize = 40_000;

/// What an action does.
struct Plan {
    status: ExecutionStatus,
    /// Milliseconds to wait, then what to write.
    pieces: Vec<(u64, OutputStream, Vec<u8>)>,
    /// Milliseconds until the end after that.
    rest: u64,
    /// Stops when asked to; else goes on to its end.
    obeys: bool,
    large: bool,
}

impl Plan {
    fn of(seed: u64, job: &Job) -> Plan {
        let mut random = Random::new(seed, &job.execution.to_string());
        if job.action.reference.as_str() != WORK {
            let rest = random.below(900);
            return Plan { status: ExecutionStatus::Succeeded, pieces: Vec::new(), rest, obeys: true, large: false };
        }
        let status = match random.below(10) {
            0 => ExecutionStatus::Failed,
            1 => ExecutionStatus::Timeout,
            _ => ExecutionStatus::Succeeded,
        };
        // Most are short, some outlast many leases.
        let pause = *random.pick(&[0, 300, 2_000, 2_000, 30_000]).unwrap_or(&0);
        let count = random.below(8);
        let pieces = (0..count)
            .map(|number| (random.between(0, pause), stream(&mut random), text(&mut random, number)))
            .collect();
        Plan { status, pieces, rest: random.between(0, pause), obeys: random.chance(7_000), large: random.chance(500) }
    }
}

fn stream(random: &mut Random) -> OutputStream {
    if random.chance(3_000) { OutputStream::Stderr } else { OutputStream::Stdout }
}

fn text(random: &mut Random, number: u64) -> Vec<u8> {
    // Now and then more than one chunk at once.
    let repeats = if random.chance(500) { 2_000 } else { random.between(1, 5) };
    let mut text = format!("{number}:");
    (0..repeats).for_each(|_| text.push_str(LINE));
    text.into_bytes()
}

/// Runs nothing, and tells the journal of it.
pub(crate) struct SimRunner {
    world: Arc<World>,
}

impl SimRunner {
    /// The runner of a host.
    pub(crate) fn new(world: Arc<World>) -> SimRunner {
        SimRunner { world }
    }

    async fn perform(&self, plan: &Plan, output: &dyn OutputSink) -> (Vec<u8>, Vec<u8>) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for (pause, stream, bytes) in &plan.pieces {
            self.sleep(*pause).await;
            match stream {
                OutputStream::Stdout => stdout.extend_from_slice(bytes),
                OutputStream::Stderr => stderr.extend_from_slice(bytes),
            }
            // In two parts, the cut wherever it falls.
            let cut = bytes.len() / 2 + 1;
            let (first, second) = bytes.split_at_checked(cut).unwrap_or((bytes, &[]));
            output.write(*stream, first).await;
            output.write(*stream, second).await;
        }
        self.sleep(plan.rest).await;
        (stdout, stderr)
    }

    async fn sleep(&self, millis: u64) {
        self.world.clock.sleep_until(self.world.now().after(Duration::from_millis(millis))).await;
    }
}

#[async_trait]
impl Runner for SimRunner {
    async fn run(&self, job: Job, output: &dyn OutputSink, canceled: Canceled) -> Outcome {
        let world = &self.world;
        world.step(format_args!("action of execution {} starts", job.execution));
        let moment = Moment { task: world.spawner.current(), now: world.now(), epoch: world.epoch() };
        let record = world.record(&Key::new(format!("execution/{}", job.execution), "record"));
        lock(&world.journal).start(job.execution, moment, record.as_ref());
        let plan = Plan::of(world.seed, &job);
        let performed = self.perform(&plan, output).fuse();
        pin_mut!(performed);
        let cancel = if plan.obeys { canceled.wait().boxed() } else { std::future::pending().boxed() };
        let ended = select_biased! {
            (stdout, stderr) = performed => Some((stdout, stderr)),
            () = cancel.fuse() => None,
        };
        let Some((stdout, stderr)) = ended else {
            world.step(format_args!("action of execution {} stops", job.execution));
            return Outcome { status: ExecutionStatus::Canceled, result: json!({}) };
        };
        world.step(format_args!("action of execution {} ends", job.execution));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ended = Ended { status: plan.status, stdout: text(&stdout), stderr: text(&stderr) };
        lock(&world.journal).ended.insert(job.execution, ended);
        let result = if plan.large { json!({"stdout": "x".repeat(LARGE_RESULT)}) } else { json!({"stdout": "done"}) };
        Outcome { status: plan.status, result }
    }
}

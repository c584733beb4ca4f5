//! CPU time per operation of the store on SQLite, all threads together: on a shared machine the time of day says little.
#![expect(clippy::unwrap_used, reason = "a bench")]

use bytes::Bytes;
use criterion::{
    Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement, ValueFormatter, WallTime},
};
use embedded::{SqliteStore, SystemClock};
use futures::future::join_all;
use model::Timestamp;
use ports::{Guard, IndexEntry, Key, NewRecord, Operation, Query, Slot, Store};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Nanoseconds on the processor of this process's threads, as Linux counts them.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        let texts = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
        Duration::from_nanos(texts.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum())
    }

    fn end(&self, start: Duration) -> Duration {
        self.start().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// Stored before anything is measured.
const STORED: u64 = 120_000;

struct World {
    runtime: Runtime,
    store: SqliteStore,
    next: AtomicU64,
    _directory: TempDir,
}

impl World {
    fn new() -> World {
        let directory = TempDir::new().unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let store = SqliteStore::open(&directory.path().join("store.sqlite3"), Arc::new(SystemClock)).unwrap();
        let world = World { runtime, store, next: AtomicU64::new(0), _directory: directory };
        for _ in 0..STORED / 100 {
            world.commit((0..100).map(|_| world.create()).collect());
        }
        world
    }

    fn commit(&self, operations: Vec<Operation>) {
        self.runtime.block_on(self.store.commit(operations)).unwrap();
    }

    fn create(&self) -> Operation {
        Operation::Put(execution(self.next.fetch_add(1, Ordering::Relaxed), 0), Guard::Absent)
    }
}

fn key(n: u64) -> Key {
    Key::new(format!("execution/{n:024x}"), "record")
}

/// As an execution is: 600 bytes, in eight indexes.
fn execution(n: u64, due: i64) -> NewRecord {
    let partition = |slot: Slot| format!("{slot:?}/{}", if slot == Slot::Kind { 0 } else { n % 50 });
    let index =
        Slot::ALL.iter().map(|slot| IndexEntry { slot: *slot, partition: partition(*slot), sort: format!("{n:016}") });
    let body = Bytes::from(format!("{{\"id\":\"{n:024x}\",\"text\":\"{}\"}}", "x".repeat(550)));
    NewRecord { key: key(n), body, index: index.collect(), due: Some(Timestamp::from_micros(due)), ttl: None }
}

async fn update(store: &SqliteStore, n: u64, move_status: bool) {
    let version = store.get(&key(n)).await.unwrap().unwrap().version;
    let mut record = execution(n, version as i64);
    if let Some(status) = record.index.iter_mut().find(|entry| move_status && entry.slot == Slot::Status) {
        status.partition = format!("Status/{version}");
    }
    store.commit(vec![Operation::Put(record, Guard::Version(version))]).await.unwrap();
}

fn writes(criterion: &mut Criterion<CpuTime>) {
    let world = World::new();
    let (store, runtime) = (&world.store, &world.runtime);
    let mut group = criterion.benchmark_group("writes");
    for tasks in [1, 8, 64] {
        group.throughput(Throughput::Elements(tasks));
        group.bench_function(format!("put, {tasks} at once"), |bench| {
            bench.iter(|| runtime.block_on(join_all((0..tasks).map(|_| store.commit(vec![world.create()])))));
        });
        for (name, move_status) in [("get and update", false), ("get and update that moves the status", true)] {
            group.bench_function(format!("{name}, {tasks} at once"), |bench| {
                let numbers = || (0..tasks).map(|task| world.next.load(Ordering::Relaxed) - 1 - task);
                bench.iter(|| runtime.block_on(join_all(numbers().map(|n| update(store, n, move_status)))));
            });
        }
        group.bench_function(format!("two puts and an update, {tasks} at once"), |bench| {
            let step = async |task: u64| {
                let version = store.get(&key(task)).await.unwrap().unwrap().version;
                let update = Operation::Put(execution(task, version as i64), Guard::Version(version));
                store.commit(vec![world.create(), world.create(), update]).await.unwrap();
            };
            bench.iter(|| runtime.block_on(join_all((0..tasks).map(step))));
        });
    }
    group.finish();
}

fn reads(criterion: &mut Criterion<CpuTime>) {
    let world = World::new();
    let (store, runtime) = (&world.store, &world.runtime);
    let mut group = criterion.benchmark_group("reads");
    group.bench_function("get", |bench| {
        let mut n = 0;
        bench.iter(|| {
            n = (n + 7_919) % STORED;
            runtime.block_on(store.get(&key(n)))
        });
    });
    let kind = || Query::index(Slot::Kind, "Kind/0", 25).descending();
    group.bench_function("newest 25", |bench| bench.iter(|| runtime.block_on(store.query(&kind()))));
    for page in [1u64, 1_000] {
        let query = Query { skip: (page - 1) * 100, limit: 100, count: true, ..kind() };
        group.bench_function(format!("page {page} of 100 with total"), |bench| {
            bench.iter(|| runtime.block_on(store.query(&query)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .with_measurement(CpuTime)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = writes, reads
}
criterion_main!(benches);

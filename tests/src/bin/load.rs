//! Measures the embedded host: latency from event to process, executions per second of CPU, memory under a backlog, start and listings
//! over much history. Prints one JSON object per measurement; asserts nothing.
//!
//! `cargo run --release -p tests --bin load -- latency|throughput|backlog|history|workflows [COUNT]`

#![expect(clippy::disallowed_methods, reason = "it measures time and spawns clients")]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for developers: it prints, and stops where something is wrong"
)]

use embedded::{Host, HostOptions};
use engine::{Engine, ExecutionFilter, ExecutionRequest, PageRequest, Principal, TraceRequest};
use model::{
    ExecutionStatus,
    content::{PackFiles, SourceFile},
};
use serde_json::json;
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Instant,
};
use tracing_subscriber::{
    Layer,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// As in the `squall` command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PACK: [(&str, &str); 7] = [
    ("triggers/more.yaml", "name: more\npack: load\n"),
    ("pack.yaml", "ref: load\nname: load\ndescription: Measures.\nversion: 1.0.0\nauthor: Squall\n"),
    ("actions/noop.yaml", "name: noop\nrunner_type: noop\n"),
    (
        "actions/true.yaml",
        "name: \"true\"\nrunner_type: local-shell-cmd\nparameters:\n  cmd: {default: \"true\", immutable: true}\n",
    ),
    ("triggers/events.yaml", "name: noop\npack: load\n"),
    ("triggers/shell.yaml", "name: \"true\"\npack: load\n"),
    (
        "rules/none.yaml",
        "name: none\npack: load\nenabled: false\ntrigger: {type: load.noop}\naction: {ref: load.noop}\n",
    ),
];

/// The pack, with so many rules more that listen to an event of their own.
fn pack(more_rules: usize) -> PackFiles {
    let mut files: Vec<SourceFile> = Vec::new();
    let mut add =
        |path: String, text: String| files.push(SourceFile { path, bytes: text.into_bytes(), executable: false });
    for (path, text) in PACK {
        add(path.to_owned(), text.to_owned());
    }
    for name in ["noop", "true"] {
        let rule = format!(
            "name: on_{name}\npack: load\nenabled: true\ntrigger: {{type: load.{name}}}\n\
             criteria:\n  trigger.severity: {{type: eq, pattern: critical}}\naction: {{ref: load.{name}}}\n"
        );
        add(format!("rules/on_{name}.yaml"), rule);
    }
    for number in 0..more_rules {
        let rule = format!(
            "name: more_{number}\npack: load\nenabled: true\ntrigger: {{type: load.more}}\n\
             criteria:\n  trigger.host: {{type: eq, pattern: host-{number}}}\naction: {{ref: load.noop}}\n"
        );
        add(format!("rules/more_{number}.yaml"), rule);
    }
    PackFiles::new(files)
}

/// Seconds of CPU of this process and of the children that it waited for.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = fields.iter().skip(11).take(4).map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

async fn start(data: &Path, workers: usize, more_rules: usize) -> Host {
    let mut options = HostOptions::new(data);
    options.workers = workers;
    let host = Host::start(options).await.unwrap();
    host.engine().register_pack(&Principal::system(), pack(more_rules)).await.unwrap();
    host
}

async fn emit(engine: &Arc<Engine>, trigger: &str, count: usize, at_once: usize) {
    let mut clients = Vec::new();
    for client in 0..at_once {
        let (engine, trigger) = (Arc::clone(engine), trigger.to_owned());
        clients.push(tokio::spawn(async move {
            for number in (client..count).step_by(at_once) {
                let payload =
                    json!({"severity": "critical", "n": number, "message": "disk /dev/sda1 is 97 % full on web-3"});
                engine.emit(&Principal::system(), &trigger, payload, TraceRequest::default()).await.unwrap();
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
}

async fn count(engine: &Arc<Engine>, status: ExecutionStatus) -> u64 {
    let filter = ExecutionFilter { status: Some(status), ..ExecutionFilter::default() };
    let page = PageRequest { limit: 1, ..PageRequest::default() };
    engine.executions(&Principal::system(), &filter, &page).await.unwrap().total.unwrap_or(0)
}

async fn wait_for(engine: &Arc<Engine>, succeeded: u64) {
    while count(engine, ExecutionStatus::Succeeded).await < succeeded {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    let place = ((sorted.len() as f64 - 1.0) * part).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

/// When the runner started a process last. `start` returns when the kernel has replaced the child by the program, so that the
/// program's own start is not in the figure.
#[derive(Clone, Default)]
struct LastStart(Arc<Mutex<Option<Instant>>>);

impl LastStart {
    fn take(&self) -> Option<Instant> {
        self.0.lock().unwrap().take()
    }
}

impl<S: tracing::Subscriber> Layer<S> for LastStart {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target().starts_with("runners::process") {
            *self.0.lock().unwrap() = Some(Instant::now());
        }
    }
}

/// One event at a time: until it is accepted (it and its execution are on the disk, the sender has the answer), and from there until
/// the action's process has started.
async fn latency(count: usize) {
    let started = LastStart::default();
    tracing_subscriber::registry().with(started.clone().with_filter(LevelFilter::DEBUG)).init();
    let data = tempfile::tempdir().unwrap();
    let host = start(data.path(), 64, 0).await;
    let (mut to_accepted, mut to_process) = (Vec::new(), Vec::new());
    for number in 0..count as u64 {
        let began = Instant::now();
        emit(host.engine(), "load.true", 1, 1).await;
        let accepted = Instant::now();
        wait_for(host.engine(), number + 1).await;
        let started = started.take().unwrap();
        to_accepted.push((accepted - began).as_secs_f64() * 1_000.0);
        to_process.push(started.saturating_duration_since(accepted).as_secs_f64() * 1_000.0);
    }
    for (measure, mut times) in [("event to accepted, ms", to_accepted), ("accepted to process, ms", to_process)] {
        times.sort_by(f64::total_cmp);
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|part| percentile(&times, part));
        println!("{}", json!({"measure": measure, "events": times.len(), "p50": p50, "p90": p90, "p99": p99}));
    }
    host.stop(std::time::Duration::from_secs(5)).await;
}

/// Many events at once: executions per second of CPU, from event to final status.
async fn throughput(count: usize) {
    for (trigger, count) in [("load.noop", count), ("load.true", count / 4)] {
        let data = tempfile::tempdir().unwrap();
        let host = start(data.path(), 32, 0).await;
        let (began, cpu) = (Instant::now(), cpu_seconds());
        emit(host.engine(), trigger, count, 64).await;
        wait_for(host.engine(), count as u64).await;
        let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let n = count as f64;
        println!(
            "{}",
            json!({"measure": trigger, "executions": count, "per_cpu_second": n / cpu, "per_second": n / wall, "rss_mb": memory_mb()})
        );
        host.stop(std::time::Duration::from_secs(5)).await;
    }
}

/// A backlog is built up with hardly a worker, then worked off by a new start with all of them.
async fn backlog(count: usize) {
    let data = tempfile::tempdir().unwrap();
    let host = start(data.path(), 0, 0).await;
    let (began, cpu) = (Instant::now(), cpu_seconds());
    emit(host.engine(), "load.noop", count, 64).await;
    println!(
        "{}",
        json!({"measure": "events accepted into a backlog", "events": count, "per_second": count as f64 / began.elapsed().as_secs_f64(), "per_cpu_second": count as f64 / (cpu_seconds() - cpu), "rss_mb": memory_mb()})
    );
    host.stop(std::time::Duration::from_secs(5)).await;
    let host = start(data.path(), 32, 0).await;
    let (mut done, tenth) = (0, (count as u64 / 10).max(1));
    for part in 1..=10 {
        let (began, cpu) = (Instant::now(), cpu_seconds());
        wait_for(host.engine(), tenth * part).await;
        let now = self::count(host.engine(), ExecutionStatus::Succeeded).await;
        let n = (now - done) as f64;
        done = now;
        println!(
            "{}",
            json!({"measure": "backlog worked off", "left": count as u64 - now.min(count as u64), "per_second": n / began.elapsed().as_secs_f64(), "per_cpu_second": n / (cpu_seconds() - cpu), "rss_mb": memory_mb()})
        );
    }
    host.stop(std::time::Duration::from_secs(5)).await;
}

/// Start and listings over many stored executions.
async fn history(count: usize) {
    let data = tempfile::tempdir().unwrap();
    let host = start(data.path(), 32, 1_000).await;
    emit(host.engine(), "load.noop", count, 64).await;
    wait_for(host.engine(), count as u64).await;
    host.stop(std::time::Duration::from_secs(5)).await;
    let began = Instant::now();
    let host = Host::start(HostOptions::new(data.path())).await.unwrap();
    host.engine().catalog().await.unwrap();
    println!(
        "{}",
        json!({"measure": "start", "executions": count, "rules": 1_003, "ms": began.elapsed().as_secs_f64() * 1_000.0})
    );
    let deep = (count as u64).saturating_sub(200).min(99_900);
    for (name, skip) in [
        ("first page, first time", 0),
        ("first page", 0),
        ("page by offset, first time", deep),
        ("page by offset", deep),
    ] {
        let began = Instant::now();
        let page = PageRequest { skip, ..PageRequest::default() };
        let listing = host.engine().executions(&Principal::system(), &ExecutionFilter::default(), &page).await.unwrap();
        println!(
            "{}",
            json!({"measure": name, "skip": skip, "items": listing.items.len(), "total": listing.total, "ms": began.elapsed().as_secs_f64() * 1_000.0})
        );
    }
    host.stop(std::time::Duration::from_secs(5)).await;
}

/// A pack of workflows: tasks one after the other, and a task with items.
fn workflow_pack(tasks: usize) -> PackFiles {
    let mut files = vec![(
        "pack.yaml".to_owned(),
        "ref: flows\nname: flows\ndescription: Measures.\nversion: 1.0.0\nauthor: Squall\n".to_owned(),
    )];
    for action in ["noop", "true"] {
        let mut text = "version: 1.0\ntasks:\n".to_owned();
        for number in 1..=tasks {
            let next =
                format!("    next: [{{when: <% succeeded() %>, publish: [{{n: {number}}}], do: t{}}}]\n", number + 1);
            let next = if number < tasks { next } else { String::new() };
            text += &format!("  t{number}:\n    action: load.{action}\n{next}");
        }
        files.push((format!("actions/workflows/{action}.yaml"), text));
    }
    let items = "version: 1.0\ntasks:\n  all: {with: \"n in <% range(1000) %>\", action: load.noop}\n";
    files.push(("actions/workflows/items.yaml".to_owned(), items.to_owned()));
    for name in ["noop", "true", "items"] {
        let text = format!("name: \"{name}\"\nrunner_type: orquesta\nentry_point: workflows/{name}.yaml\n");
        files.push((format!("actions/{name}.yaml"), text));
    }
    let file = |(path, text): (String, String)| SourceFile { path, bytes: text.into_bytes(), executable: false };
    PackFiles::new(files.into_iter().map(file).collect())
}

/// Workflows: many at once, and one alone.
async fn workflows(at_once: usize) {
    const TASKS: usize = 100;
    for (action, at_once, tasks) in [
        ("noop", at_once, TASKS),
        ("noop", 1, TASKS),
        ("noop", at_once / 10, 10 * TASKS),
        ("true", at_once.min(20), TASKS),
        ("true", 1, TASKS),
        ("items", 1, 1_000),
    ] {
        let data = tempfile::tempdir().unwrap();
        let host = start(data.path(), 32, 0).await;
        host.engine().register_pack(&Principal::system(), workflow_pack(tasks)).await.unwrap();
        let (began, cpu) = (Instant::now(), cpu_seconds());
        for _ in 0..at_once {
            let request = ExecutionRequest { action: format!("flows.{action}"), ..ExecutionRequest::default() };
            host.engine().request(&Principal::system(), request).await.unwrap();
        }
        wait_for(host.engine(), (at_once * (tasks + 1)) as u64).await;
        let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let steps = (at_once * tasks) as f64;
        host.stop(std::time::Duration::from_secs(5)).await;
        let bytes = bytes_in(data.path()) as f64 / steps;
        println!(
            "{}",
            json!({"bytes_per_step": bytes, "measure": format!("workflow.{action}"), "at_once": at_once, "tasks": tasks, "steps_per_cpu_second": steps / cpu, "ms_per_step": wall * 1_000.0 / tasks as f64, "rss_mb": memory_mb()})
        );
    }
}

/// Bytes of the files in a directory.
fn bytes_in(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap().flatten();
    entries
        .map(|entry| if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let count = arguments.next().and_then(|count| count.parse().ok());
    match what.as_str() {
        "latency" => latency(count.unwrap_or(500)).await,
        "throughput" => throughput(count.unwrap_or(20_000)).await,
        "backlog" => backlog(count.unwrap_or(100_000)).await,
        "history" => history(count.unwrap_or(100_000)).await,
        "workflows" => workflows(count.unwrap_or(100)).await,
        _ => println!("load latency|throughput|backlog|history|workflows [COUNT]"),
    }
}

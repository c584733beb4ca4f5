//! What an action that is a process costs beyond the process itself.

#![expect(clippy::unwrap_used, reason = "a bench that can't be set up must stop")]

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use model::{Action, ExecutionStatus, Id, OutputStream, Secret};
use ports::{BlobError, Blobs, CancelHandle, Job, OutputSink, RunContext, Runner};
use runners::{RunnerOptions, Runners};
use serde_json::json;
use std::{hint::black_box, process::Command, sync::Arc};
use tokio::runtime::Builder;

struct NoBlobs;

#[async_trait]
impl Blobs for NoBlobs {
    async fn put(&self, _content: Bytes) -> Result<String, BlobError> {
        Err(BlobError::Unavailable("a bench has none".to_owned()))
    }

    async fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        Err(BlobError::Missing(digest.to_owned()))
    }
}

struct NoOutput;

#[async_trait]
impl OutputSink for NoOutput {
    async fn write(&self, _stream: OutputStream, _bytes: &[u8]) {}
}

fn job(command: &str) -> Job {
    let action: Action = serde_json::from_value(json!({
        "ref": "core.local", "enabled": true, "runner_type": "local-shell-cmd"
    }))
    .unwrap();
    let parameters = json!({ "cmd": command, "timeout": 60 }).as_object().cloned().unwrap();
    Job {
        execution: Id::named(&["bench"]),
        action: Arc::new(action),
        pack: None,
        runner_parameters: Secret::new(parameters),
        action_parameters: Secret::default(),
        context: RunContext { user: "stanley".to_owned(), api_url: None, auth_token: None, trace_parent: None },
    }
}

fn process(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let runners = Runners::new(Arc::new(NoBlobs), RunnerOptions::new(cache.path().to_owned()));
    let mut group = criterion.benchmark_group("process");
    group.bench_function("bash -c true, bare", |bencher| {
        bencher.iter(|| black_box(Command::new("bash").args(["-c", "true"]).output().unwrap()));
    });
    group.bench_function("local-shell-cmd true", |bencher| {
        let job = job("true");
        bencher.iter(|| {
            let (_handle, canceled) = CancelHandle::new();
            let outcome = runtime.block_on(runners.run(job.clone(), &NoOutput, canceled));
            assert_eq!(outcome.status, ExecutionStatus::Succeeded);
        });
    });
    group.finish();
}

criterion_group!(benches, process);
criterion_main!(benches);

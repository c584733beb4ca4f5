//! A job, what it runs on, and what it wrote.

use async_trait::async_trait;
use bytes::Bytes;
use model::{Action, Id, OutputStream, PackFile, Secret};
use ports::{BlobError, Blobs, CancelHandle, Job, Outcome, OutputSink, PackVersion, RunContext, Runner};
use runners::{RunnerOptions, Runners};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct MemoryBlobs {
    content: Mutex<HashMap<String, Bytes>>,
    pub(crate) fetched: Mutex<usize>,
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, content: Bytes) -> Result<String, BlobError> {
        let digest = hex::encode(Sha256::digest(&content));
        self.content.lock().unwrap().insert(digest.clone(), content);
        Ok(digest)
    }

    async fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        *self.fetched.lock().unwrap() += 1;
        let found = self.content.lock().unwrap().get(digest).cloned();
        found.ok_or_else(|| BlobError::Missing(digest.to_owned()))
    }
}

/// Everything that was written, in order; tells when there is something.
#[derive(Default)]
pub(crate) struct Recorder {
    chunks: Mutex<Vec<(OutputStream, Vec<u8>)>>,
    written: Notify,
}

#[async_trait]
impl OutputSink for Recorder {
    async fn write(&self, stream: OutputStream, bytes: &[u8]) {
        self.chunks.lock().unwrap().push((stream, bytes.to_vec()));
        self.written.notify_one();
    }
}

impl Recorder {
    pub(crate) fn text(&self, stream: OutputStream) -> String {
        let chunks = self.chunks.lock().unwrap();
        let bytes: Vec<u8> =
            chunks.iter().filter(|(of, _)| *of == stream).flat_map(|(_, bytes)| bytes.clone()).collect();
        String::from_utf8(bytes).unwrap()
    }

    /// Waits until the stream has this text.
    pub(crate) async fn has(&self, stream: OutputStream, text: &str) {
        while !self.text(stream).contains(text) {
            self.written.notified().await;
        }
    }
}

pub(crate) struct World {
    pub(crate) runners: Runners,
    pub(crate) blobs: Arc<MemoryBlobs>,
    pub(crate) directory: TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut RunnerOptions)) -> World {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Arc::new(MemoryBlobs::default());
        let mut options = RunnerOptions::new(directory.path().join("packs"));
        change(&mut options);
        let runners = Runners::new(Arc::clone(&blobs) as Arc<dyn Blobs>, options);
        World { runners, blobs, directory }
    }

    pub(crate) async fn run(&self, job: Job) -> Outcome {
        self.run_with(job, &Recorder::default()).await
    }

    pub(crate) async fn run_with(&self, job: Job, output: &Recorder) -> Outcome {
        let (_handle, canceled) = CancelHandle::new();
        self.runners.run(job, output, canceled).await
    }

    /// A pack version with these files: path, content, executable.
    pub(crate) async fn pack(&self, files: &[(&str, &str, bool)]) -> PackVersion {
        let mut stored = Vec::new();
        for (path, content, executable) in files {
            let digest = self.blobs.put(Bytes::from((*content).to_owned())).await.unwrap();
            let size = content.len() as u64;
            stored.push(PackFile { path: (*path).to_owned(), digest, size, executable: *executable });
        }
        let digest = hex::encode(Sha256::digest(serde_json::to_vec(&stored).unwrap()));
        PackVersion { pack: "demo".to_owned(), digest, files: stored.into() }
    }
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// A job of that runner type, with the runner's parameters and the action's.
pub(crate) fn job(runner_type: &str, runner: Value, action: Value) -> Job {
    job_of(json!({ "ref": "demo.act", "enabled": true, "runner_type": runner_type }), runner, action)
}

pub(crate) fn job_of(action: Value, runner: Value, parameters: Value) -> Job {
    Job {
        execution: Id::named(&["the execution"]),
        action: Arc::new(serde_json::from_value::<Action>(action).unwrap()),
        pack: None,
        runner_parameters: Secret::new(map(runner)),
        action_parameters: Secret::new(map(parameters)),
        context: RunContext {
            user: "stanley".to_owned(),
            api_url: Some("http://127.0.0.1:9101".to_owned()),
            auth_token: None,
            trace_parent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok(),
        },
    }
}

pub(crate) fn command(command: &str) -> Job {
    job("local-shell-cmd", json!({ "cmd": command, "timeout": 60 }), json!({}))
}

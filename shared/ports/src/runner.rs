//! How actions run.

use async_trait::async_trait;
use futures::{FutureExt, channel::oneshot, future::Shared};
use model::{Action, ExecutionStatus, Id, OutputStream, PackFile, Secret, TraceParent};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The version of a pack that an execution runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackVersion {
    /// The pack's ref.
    pub pack: String,
    /// The version's digest.
    pub digest: String,
    /// Its files, in the blob store.
    pub files: Arc<[PackFile]>,
}

/// What an action's process is told of its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunContext {
    /// The user in whose name it runs.
    pub user: String,
    /// Where the REST API is (`ST2_ACTION_API_URL`); `None` where the host has none.
    pub api_url: Option<String>,
    /// A token for it (`ST2_ACTION_AUTH_TOKEN`), where the action is given one.
    pub auth_token: Option<Secret<String>>,
    /// Where it stands in a distributed trace (`TRACEPARENT`, and a header of what it requests).
    pub trace_parent: Option<TraceParent>,
}

/// One execution, ready to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// The execution.
    pub execution: Id,
    /// Its action.
    pub action: Arc<Action>,
    /// The pack version that holds the action's files; `None` where the action came by the API.
    pub pack: Option<PackVersion>,
    /// The parameters that the runner declares: rendered, cast, validated, defaults filled in, with the secrets in them.
    pub runner_parameters: Secret<Map<String, Value>>,
    /// The action's parameters that are not the runner's, likewise.
    pub action_parameters: Secret<Map<String, Value>>,
    /// Its surroundings.
    pub context: RunContext,
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// A final status.
    pub status: ExecutionStatus,
    /// The result, in the runner's shape.
    pub result: Value,
}

/// Takes an action's output while it runs.
#[async_trait]
pub trait OutputSink: Send + Sync {
    /// Bytes as they come; returns when there is room for more.
    async fn write(&self, stream: OutputStream, bytes: &[u8]);
}

/// Asks a running action to stop.
#[derive(Debug)]
pub struct CancelHandle(oneshot::Sender<()>);

impl CancelHandle {
    /// A handle and what it acts on.
    pub fn new() -> (CancelHandle, Canceled) {
        let (sender, receiver) = oneshot::channel();
        (CancelHandle(sender), Canceled(receiver.shared()))
    }

    /// Asks.
    pub fn cancel(self) {
        // Nobody listens any more where the action has ended by itself.
        let _ended = self.0.send(());
    }
}

/// Resolves when the action is asked to stop, and never otherwise.
#[derive(Clone, Debug)]
pub struct Canceled(Shared<oneshot::Receiver<()>>);

impl Canceled {
    /// Waits for it.
    pub async fn wait(&self) {
        if self.0.clone().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Runs actions of one or more runner types.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// Runs to the end, or until `canceled`; then everything that the action started is stopped within 5 s and the status is
    /// `canceled`. Never fails: what goes wrong is a `failed` outcome whose result says so. Dropping the future stops the action, too.
    async fn run(&self, job: Job, output: &dyn OutputSink, canceled: Canceled) -> Outcome;
}

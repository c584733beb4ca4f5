//! The platform as a function has it, put together once, when the function starts.

use async_trait::async_trait;
use aws::{Clients, DynamoStore, Patience, S3Blobs, Settings, SqsWakes, SystemClock};
use engine::{Engine, EngineOptions};
use model::ExecutionStatus;
use ports::{Blobs, Canceled, Clock, Job, Outcome, OutputSink, Runner};
use serde_json::json;
use std::sync::Arc;

use crate::{Environment, log};

/// What a function works with.
pub struct Platform {
    /// The services.
    pub engine: Arc<Engine>,
    /// AWS.
    pub clients: Clients,
    /// The names of its resources.
    pub settings: Settings,
    /// The rest of the environment.
    pub environment: Environment,
}

/// What a function begins with: the log, the environment, the clients.
pub struct Start {
    clients: Clients,
    settings: Settings,
    /// The environment.
    pub environment: Environment,
}

/// Begins a function of that name.
pub async fn start(service: &'static str) -> Result<Start, lambda_runtime::Error> {
    log::begin(service);
    let (settings, environment) = (Settings::from_env()?, Environment::read()?);
    Ok(Start { clients: Clients::load().await, settings, environment })
}

impl Start {
    /// Time and randomness.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// The blobs, for runners that want them before there is an engine.
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        let patience = Patience::new(self.clock());
        Arc::new(S3Blobs::new(self.clients.s3().clone(), &self.settings.bucket, patience))
    }

    /// The store and the wakes alone, for a function that needs no services.
    pub fn store_and_wakes(self) -> (DynamoStore, SqsWakes) {
        let patience = Patience::new(self.clock());
        let store =
            DynamoStore::new(self.clients.dynamodb().clone(), &self.settings.table, self.clock(), patience.clone());
        (store, SqsWakes::new(self.clients.sqs().clone(), &self.settings, patience))
    }

    /// The whole of it, with how actions run.
    pub fn platform(self, runner: Arc<dyn Runner>, options: EngineOptions) -> Platform {
        let ports = aws::ports(&self.clients, &self.settings, runner);
        let engine = Arc::new(Engine::new(ports, options));
        Platform { engine, clients: self.clients, settings: self.settings, environment: self.environment }
    }

    /// The same for a function that runs no actions.
    pub fn without_runner(self) -> Platform {
        let options = self.environment.engine_options();
        self.platform(Arc::new(NoRunner), options)
    }
}

/// For functions that run no actions; executions are woken elsewhere.
struct NoRunner;

#[async_trait]
impl Runner for NoRunner {
    async fn run(&self, _: Job, _: &dyn OutputSink, _: Canceled) -> Outcome {
        Outcome { status: ExecutionStatus::Failed, result: json!({"error": "this function runs no actions"}) }
    }
}

//! One process that is the whole platform: the ports, the engine on them, and the loops that AWS has event sources for.

use engine::{Engine, EngineOptions, ExecutionFilter, PageRequest, Principal};
use model::Secret;
use ports::{Clock, Key, Ports, Runner, Store, Wakes};
use runners::{RunnerOptions, Runners};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::task::JoinSet;

use crate::{
    DataDir, DataDirError, DataLayout, FileBlobs, InProcessBus, OpenError, SqliteStore, SystemClock,
    wakes::{Lane, WakeQueues},
};

/// The host could not be started.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Its data directory.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// Its store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Its blobs.
    #[error(transparent)]
    Blobs(#[from] ports::BlobError),
    /// What is stored.
    #[error(transparent)]
    Engine(#[from] engine::Error),
}

/// Quick wakes handled at once.
const QUICK_WORKERS: usize = 8;
/// How often expired records are removed.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// The user of the key that the first start makes.
const FIRST_USER: &str = "admin";

/// What a host is started with.
#[derive(Clone)]
pub struct HostOptions {
    /// The data directory.
    pub data: PathBuf,
    /// Actions that run at once.
    pub workers: usize,
    /// The engine's part.
    pub engine: EngineOptions,
    /// The runners' part.
    pub runners: RunnerOptions,
}

impl HostOptions {
    /// The defaults, with everything below this directory.
    pub fn new(data: impl Into<PathBuf>) -> HostOptions {
        let data = data.into();
        let runners = RunnerOptions::new(DataLayout::new(&data).content());
        HostOptions { data, workers: 64, engine: EngineOptions::default(), runners }
    }
}

/// A running host. Dropping it stops everything at once, as a crash would; [`Host::stop`] lets running actions end first.
pub struct Host {
    engine: Arc<Engine>,
    data: DataDir,
    queues: Arc<WakeQueues>,
    workers: JoinSet<()>,
    loops: JoinSet<()>,
    first_key: Option<Secret<String>>,
}

impl Host {
    /// Opens the data directory and goes on with whatever is not finished in it.
    pub async fn start(options: HostOptions) -> Result<Host, HostError> {
        let data = DataDir::open(&options.data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Arc::new(SqliteStore::open(&data.layout().store(), Arc::clone(&clock))?);
        let blobs = Arc::new(FileBlobs::open(&data.layout().blobs())?);
        let queues = Arc::new(WakeQueues::new(Arc::clone(&clock)));
        let bus = Arc::new(InProcessBus::default());
        let ports = Ports {
            store: Arc::clone(&store) as Arc<dyn Store>,
            wakes: Arc::clone(&queues) as Arc<dyn Wakes>,
            bus: Arc::clone(&bus) as Arc<dyn ports::Bus>,
            blobs: Arc::clone(&blobs) as Arc<dyn ports::Blobs>,
            vault: Arc::new(data.vault()?),
            runner: Arc::new(Runners::new(blobs, options.runners)) as Arc<dyn Runner>,
            clock,
            state_machines: None,
            epoch: data.epoch(),
        };
        let engine = Arc::new(Engine::new(ports, options.engine));
        bus.connect(Arc::downgrade(&engine));
        let first_key = first_key(&engine, &data).await?;
        let mut host = Host { engine, data, queues, workers: JoinSet::new(), loops: JoinSet::new(), first_key };
        host.recover().await?;
        host.spawn_loops(store, options.workers);
        Ok(host)
    }

    /// What users ask.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The data directory that it holds.
    pub fn data(&self) -> &DataDir {
        &self.data
    }

    /// The API key that was made because this start was the first.
    pub fn first_key(&self) -> Option<&Secret<String>> {
        self.first_key.as_ref()
    }

    /// Executions whose workers ended with an earlier process are looked at right away.
    async fn recover(&self) -> Result<(), HostError> {
        let orphans = self.engine.orphans().await?;
        let now = self.engine.ports().clock.now();
        self.queues.send(orphans.into_iter().map(|key| ports::Wake { key, at: now }).collect()).await;
        Ok(())
    }

    fn spawn_loops(&mut self, store: Arc<SqliteStore>, workers: usize) {
        for lane in std::iter::repeat_n(Lane::Actions, workers).chain(std::iter::repeat_n(Lane::Quick, QUICK_WORKERS)) {
            self.workers.spawn(work(Arc::clone(&self.engine), Arc::clone(&self.queues), lane));
        }
        let (queues, due) = (Arc::clone(&self.queues), Arc::clone(&store) as Arc<dyn Store>);
        self.loops.spawn(async move { queues.run_timer_loop(due).await });
        self.loops.spawn(count_executions(Arc::clone(&self.engine)));
        let clock = Arc::clone(&self.engine.ports().clock);
        self.loops.spawn(async move {
            loop {
                if let Err(error) = store.purge_expired().await {
                    tracing::warn!(%error, "expired records could not be removed");
                }
                clock.sleep_until(clock.now().after(PURGE_EVERY)).await;
            }
        });
    }

    /// Takes no more work, gives running actions so long to end, then stops them. What is left is found by the next start.
    pub async fn stop(mut self, grace: Duration) {
        self.queues.close();
        let all_ended = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all_ended).await.is_err() {
            tracing::warn!("actions still run after {} s; they are stopped", grace.as_secs());
        }
    }
}

/// The store counts what a listing goes through when it is asked first: here, so that nobody waits for it.
async fn count_executions(engine: Arc<Engine>) {
    let (filter, page) = (ExecutionFilter::default(), PageRequest { limit: 1, ..PageRequest::default() });
    if let Err(error) = engine.executions(&Principal::system(), &filter, &page).await {
        tracing::warn!(%error, "the executions could not be counted");
    }
}

/// Handles wakes of one lane, one after another, until the host stops.
async fn work(engine: Arc<Engine>, queues: Arc<WakeQueues>, lane: Lane) {
    while let Some(key) = queues.next(lane).await {
        let handled = Handled { queues: &queues, key, well: false };
        let result = engine.handle(&handled.key).await;
        handled.finish(result);
    }
}

/// A key at work. However its handling ends, by a panic too, the queues are told.
struct Handled<'a> {
    queues: &'a WakeQueues,
    key: Key,
    well: bool,
}

impl Handled<'_> {
    fn finish(mut self, result: Result<(), engine::Error>) {
        self.well = match result {
            Ok(()) => true,
            // Another one was faster: what it wrote has a `due` or a wake of its own.
            Err(error) if error.kind == engine::ErrorKind::Conflict => true,
            Err(error) => {
                tracing::warn!(record = %self.key, %error, "a record could not be handled; trying again later");
                false
            }
        };
    }
}

impl Drop for Handled<'_> {
    fn drop(&mut self) {
        self.queues.done(&self.key, self.well);
    }
}

/// Makes the first API key and leaves it in the data directory, where the command line finds it.
async fn first_key(engine: &Engine, data: &DataDir) -> Result<Option<Secret<String>>, HostError> {
    if data.api_key()?.is_some() {
        return Ok(None);
    }
    let key = engine.create_api_key(&Principal::system(), FIRST_USER, true).await?;
    data.write_api_key(&key)?;
    Ok(Some(key))
}

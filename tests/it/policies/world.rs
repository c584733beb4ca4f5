//! A platform in memory with policies on an action, and workers for it.

use async_trait::async_trait;
use engine::{EngineOptions, ExecutionFilter, ExecutionRequest, PageRequest, Principal};
use model::{
    Execution, ExecutionStatus, Id, Timestamp,
    content::{PackFiles, SourceFile},
};
use ports::{Canceled, Clock, Job, Outcome, OutputSink, Query, Runner, Scope, Store};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use testkit::{FakeClock, Platform};
use tokio::task::yield_now;

pub(crate) const HOST: &str = "host";

/// Runs actions while the door is open, and watches how many run at once.
#[derive(Default)]
pub(crate) struct Watcher {
    pub(crate) shut: AtomicBool,
    running: Mutex<BTreeMap<String, usize>>,
    most: Mutex<BTreeMap<String, usize>>,
    order: Mutex<Vec<i64>>,
}

impl Watcher {
    pub(crate) fn enter(&self, name: &str) {
        let mut running = self.running.lock().unwrap();
        let now = running.entry(name.to_owned()).or_default();
        *now += 1;
        let mut most = self.most.lock().unwrap();
        let before = most.entry(name.to_owned()).or_default();
        *before = (*before).max(*now);
    }

    pub(crate) fn leave(&self, name: &str) {
        *self.running.lock().unwrap().get_mut(name).unwrap() -= 1;
    }

    pub(crate) fn most(&self, name: &str) -> usize {
        self.most.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    pub(crate) fn order(&self) -> Vec<i64> {
        self.order.lock().unwrap().clone()
    }
}

#[async_trait]
impl Runner for Watcher {
    async fn run(&self, job: Job, _: &dyn OutputSink, _: Canceled) -> Outcome {
        let given = job.action_parameters.expose().clone();
        let host = given.get(HOST).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.order.lock().unwrap().push(given.get("n").and_then(Value::as_i64).unwrap_or_default());
        self.enter("all");
        self.enter(&host);
        yield_now().await;
        while self.shut.load(Ordering::Relaxed) {
            yield_now().await;
        }
        self.leave(&host);
        self.leave("all");
        let status = match given.get("end").and_then(Value::as_str) {
            Some("failure") => ExecutionStatus::Failed,
            Some("timeout") => ExecutionStatus::Timeout,
            _ => ExecutionStatus::Succeeded,
        };
        Outcome { status, result: json!({"token": given.get("token")}) }
    }
}

pub(crate) struct World {
    pub(crate) platform: Arc<Platform>,
    pub(crate) watcher: Arc<Watcher>,
}

impl World {
    /// An action `t.act` with these policies on it, each a type and its parameters.
    pub(crate) async fn new(policies: &[(&str, Value)]) -> World {
        World::on("t.act", policies).await
    }

    /// The same on another action. `t.flow` is a workflow that asks.
    pub(crate) async fn on(resource: &str, policies: &[(&str, Value)]) -> World {
        let action = "name: act\nrunner_type: announcement\nparameters:\n  n: {type: integer}\n  host: {type: string, default: none}\n  \
             end: {type: string}\n  token: {type: string, secret: true}\n";
        let mut files = vec![
            ("pack.yaml".to_owned(), "ref: t\nname: t\ndescription: d\nversion: 1.0.0\nauthor: a\n".to_owned()),
            ("actions/act.yaml".to_owned(), action.to_owned()),
            ("actions/ask.yaml".to_owned(), "name: ask\nrunner_type: inquirer\n".to_owned()),
            (
                "actions/flow.yaml".to_owned(),
                "name: flow\nrunner_type: orquesta\nentry_point: workflows/flow.yaml\n".to_owned(),
            ),
            ("actions/workflows/flow.yaml".to_owned(), "version: 1.0\ntasks:\n  ask: {action: t.ask}\n".to_owned()),
        ];
        for (number, (kind, parameters)) in policies.iter().enumerate() {
            let text =
                format!("name: p{number}\nresource_ref: {resource}\npolicy_type: {kind}\nparameters: {parameters}\n");
            files.push((format!("policies/p{number}.yaml"), text));
        }
        let clock = FakeClock::new(Timestamp::from_millis(1_700_000_000_000), 1);
        let watcher = Arc::<Watcher>::default();
        let platform = Platform::new(clock, Arc::clone(&watcher) as Arc<dyn Runner>, EngineOptions::default());
        let world = World { platform: Arc::new(platform), watcher };
        world.register(files).await;
        world
    }

    pub(crate) async fn register(&self, files: Vec<(String, String)>) {
        let files = files.into_iter();
        let files = files.map(|(path, text)| SourceFile { path, bytes: text.into_bytes(), executable: false });
        let registered =
            self.platform.engine.register_pack(&Principal::system(), PackFiles::new(files.collect())).await;
        registered.unwrap();
        self.platform.settle().await;
        self.platform.store.take();
    }

    pub(crate) async fn request(&self, parameters: Value) -> Id {
        self.request_of("t.act", parameters).await
    }

    pub(crate) async fn request_of(&self, action: &str, parameters: Value) -> Id {
        let parameters: Map<String, Value> = parameters.as_object().cloned().unwrap();
        let request = ExecutionRequest { action: action.to_owned(), parameters, ..ExecutionRequest::default() };
        self.platform.engine.request(&Principal::system(), request).await.unwrap().id
    }

    pub(crate) async fn execution(&self, id: Id) -> Execution {
        self.platform.engine.execution(&Principal::system(), id).await.unwrap()
    }

    pub(crate) async fn executions(&self) -> Vec<Execution> {
        let page = PageRequest { limit: 1_000, descending: false, ..PageRequest::default() };
        self.platform.engine.executions(&Principal::system(), &ExecutionFilter::default(), &page).await.unwrap().items
    }

    pub(crate) async fn count(&self, status: ExecutionStatus) -> usize {
        self.executions().await.iter().filter(|execution| execution.status == status).count()
    }

    /// Workers on threads of their own, until nothing is left to do. What goes wrong is tried again, as a host does it.
    pub(crate) async fn work(&self, workers: usize) {
        let busy = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..workers {
            let (platform, busy) = (Arc::clone(&self.platform), Arc::clone(&busy));
            tasks.push(tokio::spawn(async move {
                loop {
                    busy.fetch_add(1, Ordering::SeqCst);
                    let key = platform.next_wake();
                    if let Some(key) = &key {
                        while platform.engine.handle(key).await.is_err() {
                            yield_now().await;
                        }
                    }
                    busy.fetch_sub(1, Ordering::SeqCst);
                    if key.is_none() && busy.load(Ordering::SeqCst) == 0 {
                        return;
                    }
                    yield_now().await;
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    }

    /// What the timer loop of a host does: looks at all that is due.
    pub(crate) async fn pass(&self, time: Duration) {
        self.platform.clock.advance(time);
        loop {
            self.platform.settle().await;
            let due = self.due(self.platform.clock.now()).await;
            if due.is_empty() {
                return;
            }
            for key in due {
                self.platform.engine.handle(&key).await.unwrap();
            }
        }
    }

    pub(crate) async fn due(&self, until: Timestamp) -> Vec<ports::Key> {
        let page = self.platform.store.query(&Query::new(Scope::Due(until), 1_000)).await.unwrap();
        page.records.into_iter().map(|record| record.key).collect()
    }

    /// Nothing is due, however long one waits: nothing is left over.
    pub(crate) async fn is_quiet(&self) -> bool {
        let far = self.platform.clock.now().after(Duration::from_secs(366 * 24 * 3_600));
        self.due(far).await.is_empty()
    }
}

//! Clients: they send, repeat, cancel, change and try again, whatever happens to the hosts.

use engine::{Engine, Error, ErrorKind, ExecutionRequest, Principal, ReRun, SetKey, TraceRequest, Webhook};
use futures::{channel::oneshot, future::BoxFuture};
use model::{ExecutionStatus, Id, Rule, Secret};
use ports::Clock;
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};

use super::{
    content::{self, EVENT, FLOW, WORK},
    executor::lock,
    random::Random,
    world::{CLIENTS, World},
};

/// How often a client tries before it gives up.
const ATTEMPTS: usize = 40;
/// Names of keys; few, so that clients meet.
const KEYS: u64 = 3;

/// Registers the packs, then starts the clients.
pub(crate) async fn begin(world: Arc<World>) {
    let mut first = Client::new(Arc::clone(&world), 0);
    for files in [content::core_pack(), content::sim_pack(&world.setting, 0)] {
        let register = |engine: Arc<Engine>| {
            let files = files.clone();
            let call: BoxFuture<'static, _> =
                Box::pin(async move { engine.register_pack(&Principal::system(), files).await });
            call
        };
        if first.insist(register).await.is_none() {
            world.step(format_args!("the packs can't be registered"));
            return;
        }
    }
    let draw = |engine: Arc<Engine>| {
        let call: BoxFuture<'static, _> = Box::pin(async move { engine.draw_workflows().await });
        call
    };
    // Where it does not come about workflows go on without.
    let _drawn = first.insist(draw).await;
    let clients = world.draw(|random| random.between(2, 5));
    for number in 1..=clients {
        let client = Client::new(Arc::clone(&world), number);
        world.spawner.spawn(CLIENTS, client.live());
    }
}

struct Client {
    world: Arc<World>,
    random: Random,
    number: u64,
    sent: u64,
}

impl Client {
    fn new(world: Arc<World>, number: u64) -> Client {
        let random = Random::new(world.seed, &format!("client {number}"));
        Client { world, random, number, sent: 0 }
    }

    async fn live(mut self) {
        let things = self.random.between(3, 9);
        for _ in 0..things {
            let pause = *self.random.pick(&[0, 200, 3_000, 20_000]).unwrap_or(&0);
            self.pause(pause).await;
            self.act().await;
        }
    }

    async fn act(&mut self) {
        let setting = self.world.setting.clone();
        match self.random.below(13) {
            0..=3 => self.deliver().await,
            4 | 5 => self.emit().await,
            6 | 7 => self.request().await,
            8 => self.cancel().await,
            9 if setting.keys => self.change_key().await,
            10 if setting.changing => self.change_content().await,
            11 => self.again().await,
            _ => self.deliver().await,
        }
    }

    async fn pause(&mut self, most_millis: u64) {
        let millis = self.random.below(most_millis + 1);
        self.world.clock.sleep_until(self.world.now().after(Duration::from_millis(millis))).await;
    }

    /// One call; `None` where the host dies before it answers, or none is up.
    async fn call<T, F>(&mut self, call: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Engine>) -> BoxFuture<'static, T>,
    {
        let (_, group, engine) = self.world.pick_host()?;
        let (sender, receiver) = oneshot::channel();
        let answer = call(engine);
        self.world.spawner.spawn(group, async move {
            // The client may have gone.
            let _gone = sender.send(answer.await);
        });
        receiver.await.ok()
    }

    /// Calls until there is an answer that is more than "later".
    async fn insist<T, F>(&mut self, call: F) -> Option<Result<T, Error>>
    where
        T: Send + 'static,
        F: Fn(Arc<Engine>) -> BoxFuture<'static, Result<T, Error>>,
    {
        for _ in 0..ATTEMPTS {
            match self.call(&call).await {
                Some(Err(error)) if error.is_retryable() && error.conflict.is_none() => {}
                None => {}
                Some(Err(error)) if error.kind == ErrorKind::Internal => {
                    self.world.violation(format!("a client is told of a fault of the platform: {error}"));
                    return Some(Err(error));
                }
                Some(answer) => return Some(answer),
            }
            self.pause(4_000).await;
        }
        None
    }

    /// A delivery to a webhook, most of them with an id, and repeated at once or much later.
    async fn deliver(&mut self) {
        self.sent += 1;
        let storm = self.world.setting.storm && self.random.chance(1_000);
        let url = if storm { "storm" } else { *self.random.pick(&["alpha", "beta", "/beta/"]).unwrap_or(&"alpha") };
        let lane = *self.random.pick(&["odd", "even", "{{ 1 + 1 }}"]).unwrap_or(&"even");
        let body =
            json!({"lane": lane, "size": self.random.below(11), "text": format!("{}-{}", self.number, self.sent)});
        let header = *self.random.pick(&["X-GitHub-Delivery", "webhook-id"]).unwrap_or(&"webhook-id");
        let delivery =
            self.random.chance(8_000).then(|| (header.to_owned(), format!("d-{}-{}", self.number, self.sent)));
        let webhook = Webhook {
            url: url.to_owned(),
            headers: delivery.clone().into_iter().collect(),
            trace: TraceRequest::default(),
            body,
        };
        self.send(&webhook).await;
        if delivery.is_none() {
            return;
        }
        let hours = if self.world.setting.timer { 0 } else { self.random.below(30) };
        let pauses = [(4_000, 0), (1_500, 60_000), (500, hours * 3_600_000)];
        for (chance, most_millis) in pauses {
            if self.random.chance(chance) {
                self.pause(most_millis).await;
                self.send(&webhook).await;
            }
        }
    }

    async fn send(&mut self, webhook: &Webhook) {
        let call = |engine: Arc<Engine>| {
            let webhook = webhook.clone();
            let call: BoxFuture<'static, _> =
                Box::pin(async move { engine.webhook(&Principal::system(), webhook).await });
            call
        };
        if let Some(Ok(ids)) = self.insist(call).await {
            let delivery = webhook.headers.first().map(|(header, id)| format!("{header} {id}"));
            self.world.step(format_args!("client {} delivered {delivery:?}: {ids:?}", self.number));
            lock(&self.world.journal).deliver(delivery, ids);
        }
    }

    async fn emit(&mut self) {
        let lane = *self.random.pick(&["plain", "inject", "broken", "7"]).unwrap_or(&"plain");
        let payload = json!({"lane": lane});
        let call = |engine: Arc<Engine>| {
            let payload = payload.clone();
            let call: BoxFuture<'static, _> =
                Box::pin(
                    async move { engine.emit(&Principal::system(), EVENT, payload, TraceRequest::default()).await },
                );
            call
        };
        if let Some(Ok(id)) = self.insist(call).await {
            self.world.step(format_args!("client {} emitted {id}", self.number));
            lock(&self.world.journal).accepted.insert(id);
        }
    }

    async fn request(&mut self) {
        self.sent += 1;
        let delay = self.random.chance(3_000).then(|| Duration::from_millis(self.random.below(60_000)));
        let mut parameters = Map::new();
        parameters.insert("text".to_owned(), Value::from(format!("by hand {}-{}", self.number, self.sent)));
        let mut request =
            ExecutionRequest { action: WORK.to_owned(), parameters, delay, ..ExecutionRequest::default() };
        if self.random.chance(5_000) {
            (request.action, request.parameters) = (FLOW.to_owned(), Map::new());
        }
        let call = |engine: Arc<Engine>| {
            let request = request.clone();
            let call: BoxFuture<'static, _> =
                Box::pin(
                    async move { engine.request(&Principal::system(), request).await.map(|execution| execution.id) },
                );
            call
        };
        if let Some(Ok(id)) = self.insist(call).await {
            self.world.step(format_args!("client {} requested {id}", self.number));
            lock(&self.world.journal).requested.insert(id);
        }
    }

    fn some_execution(&mut self) -> Option<Id> {
        let all: Vec<Id> = lock(&self.world.journal).executions.iter().copied().collect();
        // The newer ones are more likely to be at work.
        let newer = all.len() / 2;
        self.random.pick(all.get(newer..)?).copied()
    }

    async fn cancel(&mut self) {
        let Some(id) = self.some_execution() else { return };
        let call = |engine: Arc<Engine>| {
            let call: BoxFuture<'static, _> = Box::pin(async move { engine.cancel(&Principal::system(), id).await });
            call
        };
        if let Some(Ok(execution)) = self.insist(call).await {
            self.world.step(format_args!("client {} canceled {id}: {}", self.number, execution.status));
            if execution.status == ExecutionStatus::Canceled {
                lock(&self.world.journal).canceled.insert(id);
            }
        }
    }

    async fn change_key(&mut self) {
        let (name, value) = (format!("k{}", self.random.below(KEYS)), format!("v{}", self.random.below(3)));
        let secret = self.random.chance(3_000);
        let call = |engine: Arc<Engine>| {
            let (name, value) = (name.clone(), Secret::new(value.clone()));
            let call: BoxFuture<'static, _> = Box::pin(async move {
                let set = SetKey { name, value, secret, ..SetKey::default() };
                engine.set_key(&Principal::system(), set).await.map(drop)
            });
            call
        };
        // Who gets no answer does not know; the key's events are checked by what stands in the store.
        let _answer = self.insist(call).await;
    }

    /// Turns a rule on or off, or registers another version of the pack.
    async fn change_content(&mut self) {
        let setting = self.world.setting.clone();
        if self.random.chance(3_000) {
            let version = self.random.below(3);
            let register = |engine: Arc<Engine>| {
                let files = content::sim_pack(&setting, version);
                let call: BoxFuture<'static, _> =
                    Box::pin(async move { engine.register_pack(&Principal::system(), files).await.map(drop) });
                call
            };
            let _answer = self.insist(register).await;
            return;
        }
        let toggled: Vec<String> =
            content::rules(&setting).iter().filter(|rule| rule.toggled).map(content::RuleSpec::reference).collect();
        let Some(reference) = self.random.pick(&toggled).cloned() else { return };
        let enabled = self.random.chance(5_000);
        let call = |engine: Arc<Engine>| {
            let reference = reference.clone();
            let call: BoxFuture<'static, _> = Box::pin(async move { switch(&engine, &reference, enabled).await });
            call
        };
        let _answer = self.insist(call).await;
    }

    /// Runs something, or emits something, once more.
    async fn again(&mut self) {
        let instances: Vec<Id> = lock(&self.world.journal).accepted.iter().copied().collect();
        let instance = self.random.pick(&instances).copied().filter(|_| self.random.chance(5_000));
        let execution = self.some_execution();
        let call = |engine: Arc<Engine>| {
            let call: BoxFuture<'static, _> = Box::pin(async move {
                let system = Principal::system();
                match (instance, execution) {
                    (Some(id), _) => engine.re_emit(&system, id).await.map(drop),
                    (None, Some(id)) => engine.re_run(&system, id, ReRun::default()).await.map(drop),
                    (None, None) => Ok(()),
                }
            });
            call
        };
        let _answer = self.insist(call).await;
    }
}

async fn switch(engine: &Engine, reference: &str, enabled: bool) -> Result<(), Error> {
    let catalog = engine.catalog().await?;
    let rule = catalog.find::<Rule>(reference).ok_or_else(|| Error::not_found("rule", reference))?;
    let mut rule = Rule::clone(rule);
    rule.enabled = enabled;
    engine.update(&Principal::system(), &rule).await.map(drop)
}

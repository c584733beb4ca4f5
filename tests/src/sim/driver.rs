//! Drives a world: picks who goes on, delivers what is on its way, starts and stops hosts, moves time.

use engine::{Engine, Principal};
use model::{Secret, Timestamp};
use ports::{CancelHandle, Job, Key, OutputSink, RunContext, TriggerEvent};
use serde_json::Map;
use std::{sync::Arc, time::Duration};

use super::{
    executor::{Executor, Group, TaskId, lock},
    machines::{CALL_AGAIN, take_call},
    mutant::Mutant,
    workload,
    world::{CLIENTS, Host, LEASE, World},
};

/// Polls of a run, at most: a run that needs more goes round in circles.
const MAX_POLLS: u64 = 1_000_000;
/// How long after the last fault everything must be finished.
const SETTLE: Duration = Duration::from_secs(2 * 3_600);
/// How long an event that is being looked at stays hidden on the durable bus.
const VISIBILITY: Duration = Duration::from_secs(30);
/// Records that the timer loop looks at, at once.
const DUE_PAGE: usize = 200;
/// The longest that a machine is down.
const DOWN_MILLIS: u64 = 60_000;
/// Later than everything.
const FOR_EVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// Runs the world until nothing is left to do.
pub(crate) fn drive(world: &Arc<World>, executor: &mut Executor) {
    let hosts = if world.setting.serverless { 2 } else { 1 };
    for place in 0..hosts {
        lock(&world.hosts).push(Host { group: CLIENTS, engine: None, starts: world.now(), dying: true });
        world.start_host(place);
    }
    world.spawner.spawn(CLIENTS, workload::begin(Arc::clone(world)));
    let mut driver = Driver { world, executor, calm_since: None };
    for _ in 0..MAX_POLLS {
        if !driver.step() {
            return;
        }
    }
    world.violation(format!("the run does not end: {MAX_POLLS} polls are not enough"));
}

struct Driver<'a> {
    world: &'a Arc<World>,
    executor: &'a mut Executor,
    calm_since: Option<Timestamp>,
}

impl Driver<'_> {
    /// One poll, or one step of time; false at the end of the run.
    fn step(&mut self) -> bool {
        self.tend_hosts();
        self.deliver_wakes();
        self.deliver_events();
        self.deliver_calls();
        let ready = self.executor.ready(self.world.now());
        if let Some(task) = self.world.draw(|random| random.pick(&ready).copied()) {
            self.poll(task);
            return true;
        }
        if self.calm_since.is_none() && self.executor.count(CLIENTS) == 0 {
            self.world.calm_down();
            self.calm_since = Some(self.world.now());
        }
        if self.wake_due() {
            return true;
        }
        if self.calm_since.is_some() && self.is_quiet() {
            return false;
        }
        self.move_time()
    }

    fn poll(&mut self, task: TaskId) {
        let world = self.world;
        let is_host = self.executor.group_of(task).is_some_and(|group| group != CLIENTS);
        if is_host && world.fault(world.faults.stall) {
            let until = world.now().after(LEASE + Duration::from_millis(world.draw(|random| random.below(90_000))));
            world.step(format_args!("{task} is not polled until {until}"));
            self.executor.stall(task, until);
            return;
        }
        self.executor.poll(task);
        let micros = world.draw(|random| random.below(300));
        world.clock.advance(Duration::from_micros(micros));
    }

    /// Buries the hosts that died in the last poll, and starts those whose time has come.
    fn tend_hosts(&mut self) {
        let now = self.world.now();
        let mut starting = Vec::new();
        let mut dead: Vec<Group> = Vec::new();
        let mut engines = Vec::new();
        for (place, host) in lock(&self.world.hosts).iter_mut().enumerate() {
            if host.dying && host.engine.is_some() {
                engines.extend(host.engine.take());
                dead.push(host.group);
                let longest = if self.world.draw(|random| random.chance(5_000)) { 500 } else { DOWN_MILLIS };
                host.starts = now.after(Duration::from_millis(self.world.draw(|random| random.below(longest))));
            } else if host.engine.is_none() && host.starts <= now {
                starting.push(place);
            }
        }
        for group in dead {
            self.executor.kill(group);
            if !self.world.setting.serverless {
                let mut queues = lock(&self.world.queues);
                queues.wakes.clear();
                queues.not_before.clear();
            }
        }
        drop(engines);
        starting.into_iter().for_each(|place| self.world.start_host(place));
    }

    fn deliver_wakes(&mut self) {
        let now = self.world.now();
        loop {
            let Some((_, group, engine)) = self.world.pick_host() else { return };
            let key = {
                let mut queues = lock(&self.world.queues);
                match queues.wakes.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return,
                }
            };
            self.spawn_handler(group, engine, key);
        }
    }

    fn spawn_handler(&self, group: Group, engine: Arc<Engine>, key: Key) {
        let world = Arc::clone(self.world);
        world.step(format_args!("wake arrives: {key}"));
        // A queue shows again what nobody has said to have handled.
        let shown_again = world.setting.pictured.then(|| {
            let place = (world.now().after(VISIBILITY), world.number());
            lock(&world.queues).wakes.insert(place, key.clone());
            place
        });
        self.world.spawner.spawn(group, async move {
            if world.mutant == Some(Mutant::RunsUnclaimed) {
                run_unclaimed(&world, &engine, &key).await;
            }
            match engine.handle(&key).await {
                Ok(()) => {
                    world.step(format_args!("handled: {key}"));
                    shown_again.map(|place| lock(&world.queues).wakes.remove(&place));
                }
                Err(error) if error.is_retryable() => world.step(format_args!("not handled: {key}: {error}")),
                Err(error) => world.violation(format!("{key} can't be handled: {:?}: {error}", error.kind)),
            }
        });
    }

    fn deliver_events(&mut self) {
        let now = self.world.now();
        loop {
            let Some((_, group, engine)) = self.world.pick_host() else { return };
            let event = {
                let mut queues = lock(&self.world.queues);
                match queues.events.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return,
                }
            };
            let shown_again = self.world.send_event(event.clone(), now.after(VISIBILITY));
            self.world.step(format_args!("event arrives: {}", event.id));
            self.world.spawner.spawn(group, take_event(Arc::clone(self.world), engine, event, shown_again));
        }
    }

    fn deliver_calls(&mut self) {
        let now = self.world.now();
        let made = {
            let mut machines = lock(&self.world.machines);
            machines.pass(now);
            machines.take_calls()
        };
        for call in made {
            let place = (now, self.world.number());
            lock(&self.world.queues).calls.insert(place, call);
        }
        loop {
            let Some((_, group, engine)) = self.world.pick_host() else { return };
            let (call, again) = {
                let mut queues = lock(&self.world.queues);
                let call = match queues.calls.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return,
                };
                let again = (now.after(CALL_AGAIN), self.world.number());
                queues.calls.insert(again, call.clone());
                (call, again)
            };
            let world = Arc::clone(self.world);
            self.world.spawner.spawn(group, async move {
                if take_call(Arc::clone(&world), engine, call).await {
                    lock(&world.queues).calls.remove(&again);
                }
            });
        }
    }

    /// The timer loop: due records become wakes, and not again for a while.
    fn wake_due(&mut self) -> bool {
        let world = self.world;
        let now = world.now();
        let mut any = false;
        for record in world.due(now, DUE_PAGE) {
            let wait = Duration::from_millis(world.draw(|random| random.between(500, 5_000)));
            let mut queues = lock(&world.queues);
            if queues.not_before.get(&record.key).is_none_or(|time| *time <= now) {
                queues.not_before.insert(record.key.clone(), now.after(wait));
                drop(queues);
                world.send_wake(record.key, now);
                any = true;
            }
        }
        any && world.pick_host().is_some()
    }

    /// Is there nothing left but timers that wait for their next occurrence?
    fn is_quiet(&mut self) -> bool {
        let is_timer = |key: &Key| key.partition.starts_with("timer/");
        let queues = lock(&self.world.queues);
        queues.events.is_empty()
            && queues.calls.is_empty()
            && lock(&self.world.machines).due().is_none()
            && queues.wakes.values().all(is_timer)
            && self.executor.is_empty()
            && self.world.due(FOR_EVER, DUE_PAGE).iter().all(|record| is_timer(&record.key))
    }

    /// Goes to the next time at which anything happens; false where nothing ever will, or it has taken too long.
    fn move_time(&mut self) -> bool {
        let world = self.world;
        let now = world.now();
        let next = {
            let queues = lock(&world.queues);
            let due = world
                .due(FOR_EVER, DUE_PAGE)
                .into_iter()
                .filter_map(|record| Some(record.due?.max(queues.not_before.get(&record.key).copied().unwrap_or(now))));
            let queued = [
                queues.wakes.first_key_value().map(|(place, _)| place.0),
                queues.events.first_key_value().map(|(place, _)| place.0),
                queues.calls.first_key_value().map(|(place, _)| place.0),
                lock(&world.machines).due(),
            ];
            let waiting = [world.clock.next_wake(), self.executor.next_stall_end()];
            let hosts = lock(&world.hosts);
            let starts = hosts.iter().filter(|host| host.engine.is_none()).map(|host| host.starts);
            // What waits for a host that is down does not move time: the host does.
            let down = hosts.iter().all(|host| host.engine.is_none());
            let outside = due.chain(queued.into_iter().flatten()).filter(|_| !down);
            outside.chain(waiting.into_iter().flatten()).chain(starts).min()
        };
        let Some(next) = next else {
            world.violation("nothing moves any more, and not everything is finished".to_owned());
            return false;
        };
        if self.calm_since.is_some_and(|since| next.since(since) > SETTLE) {
            world.violation(format!("{} s after the last fault not everything is finished", SETTLE.as_secs()));
            return false;
        }
        world.clock.set(next.max(now.after(Duration::from_micros(1))));
        true
    }
}

/// One delivery of the durable bus. What is not taken is shown again.
async fn take_event(world: Arc<World>, engine: Arc<Engine>, event: TriggerEvent, shown_again: (Timestamp, u64)) {
    let id = event.id;
    match engine.receive(event).await {
        Ok(()) if world.fault(world.faults.redelivered) => {
            world.step(format_args!("event {id} is taken, and stays on the bus"))
        }
        Ok(()) => {
            world.step(format_args!("event {id} is taken"));
            lock(&world.queues).events.remove(&shown_again);
        }
        Err(error) if error.is_retryable() => world.step(format_args!("event {id} is not taken: {error}")),
        Err(error) => world.violation(format!("event {id} can't be taken: {:?}: {error}", error.kind)),
    }
}

struct Deaf;

#[async_trait::async_trait]
impl OutputSink for Deaf {
    async fn write(&self, _stream: model::OutputStream, _bytes: &[u8]) {}
}

/// What a worker without claims would do.
async fn run_unclaimed(world: &Arc<World>, engine: &Engine, key: &Key) {
    let Some(id) = key.partition.strip_prefix("execution/").and_then(|id| id.parse().ok()) else { return };
    let Ok(execution) = engine.execution(&Principal::system(), id).await else { return };
    let Ok(catalog) = engine.catalog().await else { return };
    let Some(action) = catalog.actions.get(&execution.action).filter(|_| !execution.status.is_final()) else { return };
    let job = Job {
        execution: id,
        action: Arc::clone(action),
        pack: None,
        runner_parameters: Secret::new(Map::new()),
        action_parameters: Secret::new(execution.parameters),
        context: RunContext { user: execution.user, api_url: None, auth_token: None, trace_parent: None },
    };
    let (_cancel, canceled) = CancelHandle::new();
    let outcome = engine.ports().runner.run(job, &Deaf, canceled).await;
    world.step(format_args!("unclaimed: {id} {}", outcome.status));
}

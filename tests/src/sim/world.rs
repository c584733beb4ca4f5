//! The simulated world: everything outside of the engine, and the hosts on which engines run.

use engine::{Engine, EngineOptions};
use futures::FutureExt;
use model::{CatchUp, Timestamp};
use ports::{Clock, Key, Ports, Query, Record, Scope, Store, TriggerEvent};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use testkit::{FakeClock, MemoryBlobs, MemoryStore};

use super::{
    executor::{Group, Spawner, lock},
    faults::Faults,
    journal::Journal,
    machines::{Machines, Pending, SimMachines},
    mutant::Mutant,
    outside::{SimBlobs, SimBus, SimVault, SimWakes},
    random::Random,
    runner::SimRunner,
    store::{Lag, SimStore},
    trace::Trace,
};

/// When every run begins.
const START: Timestamp = Timestamp::from_millis(1_900_000_000_000);
/// How long a worker holds an execution without a sign of life.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// The group of the clients; those of the hosts count up from here.
pub(crate) const CLIENTS: Group = Group(0);

/// What a seed's world is like.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Several hosts on one store, a durable bus and durable wakes, one epoch for ever; else one host whose queues die with it.
    pub(crate) serverless: bool,
    /// A rule on an interval timer.
    pub(crate) timer: bool,
    /// A rule on the end of executions.
    pub(crate) after_work: bool,
    /// Rules on changes of keys.
    pub(crate) keys: bool,
    /// A webhook with more rules than one commit can hold.
    pub(crate) storm: bool,
    /// Policies on the action that works: so many at once, and what fails is tried again.
    pub(crate) policies: bool,
    /// Workflows walk through state machines; several hosts only.
    pub(crate) pictured: bool,
    /// Clients enable and disable rules, and register other versions of the pack.
    pub(crate) changing: bool,
}

impl Setting {
    fn of(random: &mut Random) -> Setting {
        let serverless = random.chance(3_500);
        Setting {
            serverless,
            timer: random.chance(5_000),
            after_work: random.chance(4_000),
            keys: random.chance(4_000),
            storm: random.chance(700),
            policies: random.chance(4_000),
            changing: random.chance(4_000),
            pictured: serverless && random.chance(6_000),
        }
    }
}

/// A machine that runs one engine after the other.
pub(crate) struct Host {
    /// The tasks of the engine that runs now.
    pub(crate) group: Group,
    /// The engine; `None` while the machine is down.
    pub(crate) engine: Option<Arc<Engine>>,
    /// When the next engine starts, while it is down.
    pub(crate) starts: Timestamp,
    /// It died in the poll that goes on just now.
    pub(crate) dying: bool,
}

/// What is on its way.
#[derive(Default)]
pub(crate) struct Queues {
    /// Wakes by the time of their arrival.
    pub(crate) wakes: BTreeMap<(Timestamp, u64), Key>,
    /// Events on the durable bus, by the time at which they are shown next.
    pub(crate) events: BTreeMap<(Timestamp, u64), TriggerEvent>,
    /// Calls of state machines, by the time at which they are made next.
    pub(crate) calls: BTreeMap<(Timestamp, u64), Pending>,
    /// When the timer loop may turn a due record into a wake again.
    pub(crate) not_before: BTreeMap<Key, Timestamp>,
}

/// See the module.
pub(crate) struct World {
    /// What this seed's world is like.
    pub(crate) setting: Setting,
    /// What goes wrong in it.
    pub(crate) faults: Faults,
    /// What is broken on purpose, to try the auditor.
    pub(crate) mutant: Option<Mutant>,
    /// Time.
    pub(crate) clock: Arc<FakeClock>,
    /// The records.
    pub(crate) memory: MemoryStore,
    /// How old its index entries are.
    pub(crate) lag: Mutex<Lag>,
    /// The blobs.
    pub(crate) blobs: MemoryBlobs,
    /// The state machines.
    pub(crate) machines: Mutex<Machines>,
    /// Starts tasks.
    pub(crate) spawner: Spawner,
    /// What is on its way.
    pub(crate) queues: Mutex<Queues>,
    /// The machines.
    pub(crate) hosts: Mutex<Vec<Host>>,
    /// What was seen so far.
    pub(crate) journal: Mutex<Journal>,
    /// The seed.
    pub(crate) seed: u64,
    random: Mutex<Random>,
    trace: Mutex<Trace>,
    calm: AtomicBool,
    occasions: AtomicU64,
    numbers: AtomicU64,
    epoch: AtomicU64,
}

impl World {
    /// The world of a seed.
    pub(crate) fn new(seed: u64, mutant: Option<Mutant>, spawner: Spawner, print: bool) -> World {
        let clock = Arc::new(FakeClock::new(START, seed));
        let mut random = Random::new(seed, "world");
        World {
            setting: Setting::of(&mut random),
            faults: Faults::of(&mut random),
            mutant,
            memory: MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>),
            lag: Mutex::default(),
            clock,
            blobs: MemoryBlobs::default(),
            machines: Mutex::default(),
            spawner,
            queues: Mutex::default(),
            hosts: Mutex::default(),
            journal: Mutex::default(),
            seed,
            random: Mutex::new(random),
            trace: Mutex::new(Trace::new(print)),
            calm: AtomicBool::new(false),
            occasions: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes a step into the trace.
    pub(crate) fn step(&self, what: fmt::Arguments<'_>) {
        lock(&self.trace).step(self.clock.now(), what);
    }

    /// Bytes that belong to the last step.
    pub(crate) fn detail(&self, bytes: &[u8]) {
        lock(&self.trace).bytes(bytes);
    }

    /// The hash of all steps, and their number.
    pub(crate) fn traced(&self) -> (u64, u64) {
        let trace = lock(&self.trace);
        (trace.hash(), trace.steps())
    }

    /// Something that must not be.
    pub(crate) fn violation(&self, what: String) {
        self.step(format_args!("VIOLATION {what}"));
        lock(&self.journal).violations.push(what);
    }

    /// Draws from the seed's numbers.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut lock(&self.random))
    }

    /// Does a fault with this chance happen now?
    pub(crate) fn fault(&self, in_ten_thousand: u32) -> bool {
        !self.is_calm() && self.draw(|random| random.chance(in_ten_thousand))
    }

    /// From here on nothing goes wrong any more.
    pub(crate) fn calm_down(&self) {
        self.step(format_args!("calm"));
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Has everything that could go wrong gone wrong?
    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// A number that was not there before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The epoch of the engine that was started last.
    pub(crate) fn epoch(&self) -> u64 {
        if self.setting.serverless { 1 } else { self.epoch.load(Ordering::Relaxed) }
    }

    /// Waits up to 5 s, where it is the moment for it. Not in the way of who dies meanwhile.
    pub(crate) async fn maybe_slow(&self) {
        if self.fault(self.faults.slow) {
            let micros = self.draw(|random| random.below(5_000_000));
            self.clock.sleep_until(self.now().after(Duration::from_micros(micros))).await;
        }
    }

    /// Every call to a port passes here, before and after: on a dead host none goes on, and here hosts die.
    pub(crate) async fn occasion(&self, host: usize, may_die: bool) {
        if may_die && !self.is_calm() {
            let number = self.occasions.fetch_add(1, Ordering::Relaxed);
            if self.faults.crash_at == Some(number) || self.fault(self.faults.crash) {
                self.step(format_args!("host {host} dies at occasion {number}"));
                if let Some(host) = lock(&self.hosts).get_mut(host) {
                    host.dying = true;
                }
            }
        }
        let dying = lock(&self.hosts).get(host).is_none_or(|host| host.dying);
        if dying {
            std::future::pending::<()>().await;
        }
    }

    /// A machine that is up, picked by the seed.
    pub(crate) fn pick_host(&self) -> Option<(usize, Group, Arc<Engine>)> {
        let up: Vec<_> = {
            let hosts = lock(&self.hosts);
            let up = hosts.iter().enumerate().filter(|(_, host)| !host.dying);
            up.filter_map(|(place, host)| Some((place, host.group, Arc::clone(host.engine.as_ref()?)))).collect()
        };
        self.draw(|random| random.pick(&up).cloned())
    }

    /// Puts a wake on its way.
    pub(crate) fn send_wake(&self, key: Key, at: Timestamp) {
        let number = self.number();
        lock(&self.queues).wakes.insert((at, number), key);
    }

    /// Puts an event on the durable bus; gives the place from which it is taken.
    pub(crate) fn send_event(&self, event: TriggerEvent, at: Timestamp) -> (Timestamp, u64) {
        let place = (at, self.number());
        lock(&self.queues).events.insert(place, event);
        place
    }

    /// A record, without any fault.
    pub(crate) fn record(&self, key: &Key) -> Option<Record> {
        self.memory.get(key).now_or_never().and_then(Result::ok).flatten()
    }

    /// The records that are due at that time, the first of them.
    pub(crate) fn due(&self, until: Timestamp, limit: usize) -> Vec<Record> {
        let page = self.memory.query(&Query::new(Scope::Due(until), limit)).now_or_never().and_then(Result::ok);
        page.map(|page| page.records).unwrap_or_default()
    }

    /// Starts the engine of a machine.
    pub(crate) fn start_host(self: &Arc<World>, place: usize) {
        let epoch = if self.setting.serverless { 1 } else { self.epoch.fetch_add(1, Ordering::Relaxed) + 1 };
        let group = Group(self.number() + 1);
        let bus = Arc::new(SimBus::new(Arc::clone(self), place));
        let ports = Ports {
            store: Arc::new(SimStore::new(Arc::clone(self), place)),
            wakes: Arc::new(SimWakes::new(Arc::clone(self), place)),
            bus: Arc::clone(&bus) as Arc<dyn ports::Bus>,
            blobs: Arc::new(SimBlobs::new(Arc::clone(self), place)),
            vault: Arc::new(SimVault::new(Arc::clone(self), place)),
            runner: Arc::new(SimRunner::new(Arc::clone(self))),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            state_machines: self
                .setting
                .pictured
                .then(|| Arc::new(SimMachines::new(Arc::clone(self), place)) as Arc<dyn ports::StateMachines>),
            epoch,
        };
        let content_check = self.setting.serverless.then_some(Duration::from_secs(5));
        let options = EngineOptions { lease: LEASE, catch_up: CatchUp::All, content_check, ..EngineOptions::default() };
        let engine = Arc::new(Engine::new(ports, options));
        bus.connect(Arc::downgrade(&engine));
        self.step(format_args!("host {place} starts in epoch {epoch}"));
        if !self.setting.serverless {
            self.spawner.spawn(group, Arc::clone(self).wake_orphans(Arc::clone(&engine)));
        }
        if let Some(host) = lock(&self.hosts).get_mut(place) {
            (host.group, host.engine, host.dying) = (group, Some(engine), false);
        }
    }

    async fn wake_orphans(self: Arc<World>, engine: Arc<Engine>) {
        loop {
            match engine.orphans().await {
                Ok(keys) => return keys.into_iter().for_each(|key| self.send_wake(key, self.now())),
                Err(_) => self.clock.sleep_until(self.now().after(Duration::from_secs(1))).await,
            }
        }
    }
}

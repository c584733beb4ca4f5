//! The platform in memory: a real engine on the ports of this crate.

use async_trait::async_trait;
use engine::{Engine, EngineOptions};
use ports::{Bus, BusError, Key, Ports, Runner, Store, TriggerEvent, Wake, Wakes};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use crate::{CountingStore, FakeClock, FakeVault, MemoryBlobs, MemoryStore};

/// Gives every event to the engine at once.
#[derive(Default)]
struct DirectBus(OnceLock<Weak<Engine>>);

#[async_trait]
impl Bus for DirectBus {
    async fn publish(&self, events: Vec<TriggerEvent>) -> Result<(), BusError> {
        let engine = self.0.get().and_then(Weak::upgrade);
        let engine = engine.ok_or_else(|| BusError::Unavailable("the engine is gone".to_owned()))?;
        for event in events {
            engine.receive(event).await.map_err(|error| BusError::Unavailable(error.to_string()))?;
        }
        Ok(())
    }
}

/// Keeps wakes until they are asked for; those for later, too.
#[derive(Default)]
struct HeldWakes(Mutex<VecDeque<Wake>>);

#[async_trait]
impl Wakes for HeldWakes {
    async fn send(&self, wakes: Vec<Wake>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(wakes);
    }
}

/// A platform without a process around it: wakes wait until the test lets them through.
pub struct Platform {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Its store, which counts.
    pub store: Arc<CountingStore>,
    /// Its clock.
    pub clock: Arc<FakeClock>,
    wakes: Arc<HeldWakes>,
}

impl Platform {
    /// An empty platform on which `runner` runs the actions.
    pub fn new(clock: FakeClock, runner: Arc<dyn Runner>, options: EngineOptions) -> Platform {
        let clock = Arc::new(clock);
        let store =
            Arc::new(CountingStore::new(Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn ports::Clock>))));
        let (wakes, bus) = (Arc::<HeldWakes>::default(), Arc::<DirectBus>::default());
        let ports = Ports {
            store: Arc::clone(&store) as Arc<dyn Store>,
            wakes: Arc::clone(&wakes) as Arc<dyn Wakes>,
            bus: Arc::clone(&bus) as Arc<dyn Bus>,
            blobs: Arc::new(MemoryBlobs::default()),
            vault: Arc::new(FakeVault),
            runner,
            clock: Arc::clone(&clock) as Arc<dyn ports::Clock>,
            state_machines: None,
            epoch: 1,
        };
        let engine = Arc::new(Engine::new(ports, options));
        // The bus is new, so this is its first and only engine.
        let _connected = bus.0.set(Arc::downgrade(&engine));
        Platform { engine, store, clock, wakes }
    }

    /// The next wake whose time has come.
    pub fn next_wake(&self) -> Option<Key> {
        let now = ports::Clock::now(self.clock.as_ref());
        let mut wakes = self.wakes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = wakes.iter().position(|wake| wake.at <= now)?;
        wakes.remove(ready).map(|wake| wake.key)
    }

    /// Lets every wake through, and those that come of them; says how many went wrong.
    pub async fn settle(&self) -> usize {
        let mut failed = 0;
        while let Some(key) = self.next_wake() {
            failed += usize::from(self.engine.handle(&key).await.is_err());
        }
        failed
    }
}

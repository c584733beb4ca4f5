//! Wakes, bus, blobs and vault of the simulated world.

use async_trait::async_trait;
use bytes::Bytes;
use engine::{Engine, ErrorKind};
use model::{Id, Secret};
use ports::{BlobError, Blobs, Bus, BusError, TriggerEvent, Vault, VaultError, Wake, Wakes};
use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};
use testkit::FakeVault;

use super::{mutant::Mutant, world::World};

/// How late a late wake may be.
const LATE_MILLIS: u64 = 40_000;
/// How late an event on the durable bus may be.
const BUS_MILLIS: u64 = 3_000;

/// Wakes as one host sends them: lost, doubled, late.
pub(crate) struct SimWakes {
    world: Arc<World>,
    host: usize,
}

impl SimWakes {
    /// The wakes of that host.
    pub(crate) fn new(world: Arc<World>, host: usize) -> SimWakes {
        SimWakes { world, host }
    }

    fn send_one(&self, wake: &Wake) {
        let world = &self.world;
        let faults = &world.faults;
        if world.fault(faults.wake_lost) {
            world.step(format_args!("wake for {} is lost", wake.key));
            return;
        }
        let copies = if world.fault(faults.wake_doubled) { 2 } else { 1 };
        for _ in 0..copies {
            let late = if world.fault(faults.wake_late) { world.draw(|random| random.below(LATE_MILLIS)) } else { 0 };
            world.send_wake(wake.key.clone(), wake.at.max(world.now()).after(Duration::from_millis(late)));
        }
    }
}

#[async_trait]
impl Wakes for SimWakes {
    async fn send(&self, wakes: Vec<Wake>) {
        self.world.occasion(self.host, true).await;
        for wake in wakes {
            self.send_one(&wake);
            self.world.occasion(self.host, true).await;
        }
    }
}

/// The bus as one host sees it: in process it hands events to the engine, else it is durable and delivers them later.
pub(crate) struct SimBus {
    world: Arc<World>,
    host: usize,
    engine: OnceLock<Weak<Engine>>,
}

impl SimBus {
    /// The bus of that host.
    pub(crate) fn new(world: Arc<World>, host: usize) -> SimBus {
        SimBus { world, host, engine: OnceLock::new() }
    }

    /// Says whom the events go to.
    pub(crate) fn connect(&self, engine: Weak<Engine>) {
        // Called once, right after the engine is there.
        let _connected = self.engine.set(engine);
    }

    async fn receive(&self, event: TriggerEvent) -> Result<(), BusError> {
        let engine = self.engine.get().and_then(Weak::upgrade).ok_or_else(|| unavailable("no engine"))?;
        engine.receive(event).await.map_err(|error| match error.kind {
            ErrorKind::Invalid | ErrorKind::TooLarge | ErrorKind::NotFound => BusError::Refused(error.message),
            _ => BusError::Unavailable(error.message),
        })
    }
}

fn unavailable(why: &str) -> BusError {
    BusError::Unavailable(format!("simulated: {why}"))
}

#[async_trait]
impl Bus for SimBus {
    async fn publish(&self, events: Vec<TriggerEvent>) -> Result<(), BusError> {
        let world = &self.world;
        world.occasion(self.host, true).await;
        if world.fault(world.faults.unreachable) {
            return Err(unavailable("not reached"));
        }
        for mut event in events {
            if world.mutant == Some(Mutant::DeliveriesRenamed) {
                event.id = Id::at(event.occurrence_time, world.number());
            }
            if world.setting.serverless {
                let late = world.draw(|random| random.below(BUS_MILLIS));
                world.send_event(event, world.now().after(Duration::from_millis(late)));
                continue;
            }
            let again = world.fault(world.faults.redelivered).then(|| event.clone());
            self.receive(event).await?;
            if let Some(event) = again {
                self.receive(event).await?;
            }
        }
        world.occasion(self.host, true).await;
        if world.fault(world.faults.answer_lost) {
            return Err(unavailable("the answer is lost"));
        }
        Ok(())
    }
}

/// The blobs as one host sees them.
pub(crate) struct SimBlobs {
    world: Arc<World>,
    host: usize,
}

impl SimBlobs {
    /// The blobs of that host.
    pub(crate) fn new(world: Arc<World>, host: usize) -> SimBlobs {
        SimBlobs { world, host }
    }

    async fn reach(&self, dies: bool) -> Result<(), BlobError> {
        self.world.occasion(self.host, dies).await;
        // A pack has many files, and one that can't be put fails the whole.
        if self.world.fault(self.world.faults.unreachable / 8) {
            return Err(BlobError::Unavailable("simulated".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Blobs for SimBlobs {
    async fn put(&self, content: Bytes) -> Result<String, BlobError> {
        self.reach(true).await?;
        self.world.blobs.put(content).await
    }

    async fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        self.reach(false).await?;
        self.world.blobs.get(digest).await
    }
}

/// The vault as one host sees it.
pub(crate) struct SimVault {
    world: Arc<World>,
    host: usize,
}

impl SimVault {
    /// The vault of that host.
    pub(crate) fn new(world: Arc<World>, host: usize) -> SimVault {
        SimVault { world, host }
    }

    async fn reach(&self) -> Result<(), VaultError> {
        self.world.occasion(self.host, false).await;
        if self.world.fault(self.world.faults.unreachable) {
            return Err(VaultError::Unavailable("simulated".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Vault for SimVault {
    async fn seal(&self, context: &str, plain: &Secret<Vec<u8>>) -> Result<String, VaultError> {
        self.reach().await?;
        FakeVault.seal(context, plain).await
    }

    async fn open(&self, context: &str, sealed: &str) -> Result<Secret<Vec<u8>>, VaultError> {
        self.reach().await?;
        FakeVault.open(context, sealed).await
    }
}

//! The bus in one process: an event is safe when the engine has stored it with all that follows from it.

use async_trait::async_trait;
use engine::{Engine, ErrorKind};
use ports::{Bus, BusError, TriggerEvent};
use std::sync::{OnceLock, Weak};

/// Hands events straight to the engine.
#[derive(Default)]
pub struct InProcessBus {
    engine: OnceLock<Weak<Engine>>,
}

impl InProcessBus {
    /// Says whom the events go to; only the first call counts.
    pub fn connect(&self, engine: Weak<Engine>) {
        // A second engine on one bus would be a mistake of the host; events go on to the first.
        let _connected = self.engine.set(engine);
    }
}

#[async_trait]
impl Bus for InProcessBus {
    async fn publish(&self, events: Vec<TriggerEvent>) -> Result<(), BusError> {
        let engine = self.engine.get().and_then(Weak::upgrade);
        let engine = engine.ok_or_else(|| BusError::Unavailable("the platform is stopping".to_owned()))?;
        for event in events {
            engine.receive(event).await.map_err(|error| match error.kind {
                ErrorKind::Invalid | ErrorKind::TooLarge | ErrorKind::NotFound => BusError::Refused(error.message),
                _ => BusError::Unavailable(error.message),
            })?;
        }
        Ok(())
    }
}

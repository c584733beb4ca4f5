//! Changes of content: packs registered, rules, actions and trigger types written by the API. Each change is one commit that raises
//! the content revision; what must follow from it (timers that come and go) stands in a record of its own until it is done.

mod check;
mod packs;
mod resources;
mod settle;

use async_trait::async_trait;
use ports::{Guard, Operation};
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Catalog, Engine, Error, ErrorKind,
    catalog::{Head, Overlay, Replaced},
    records,
};

pub use packs::{Counts, Registered};
pub use resources::Resource;

/// How often a change is tried again where another one was faster.
const ATTEMPTS: usize = 16;

/// Packs whose resources the API does not change, as in StackStorm.
const SYSTEM_PACKS: [&str; 4] = ["chatops", "core", "packs", "linux"];

/// The pack of what came without one; it exists without being registered.
pub(crate) const DEFAULT_PACK: &str = "default";

/// A change, decided against the head that it was given.
pub(crate) struct Change {
    pub(crate) head: Head,
    pub(crate) operations: Vec<Operation>,
    /// What it replaces in the overlay, by the sort key of the record.
    pub(crate) replaced: BTreeMap<String, Option<Overlay>>,
}

/// Something that changes content. Decided anew where another change was faster.
#[async_trait]
pub(crate) trait ContentChange: Send + Sync {
    /// What to write, or `None` where everything is already as it should be.
    async fn decide(&mut self, engine: &Engine, head: Head, catalog: &Catalog) -> Result<Option<Change>, Error>;
}

impl Engine {
    /// Decides and commits, again and again while others are faster. Returns the content as it is then.
    pub(crate) async fn change_content(&self, what: &mut dyn ContentChange) -> Result<Arc<Catalog>, Error> {
        for _ in 0..ATTEMPTS {
            let catalog = self.reload_catalog().await?;
            let (revision, head) = self.head().await?;
            if revision != catalog.revision {
                continue;
            }
            let Some(change) = what.decide(self, head.clone(), &catalog).await? else { return Ok(catalog) };
            match self.commit_change(revision, &head, change).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    let catalog = self.reload_catalog().await?;
                    // The change stands, whatever becomes of this: the mark has a `due` of its own.
                    if let Err(error) = self.settle(catalog.revision).await {
                        tracing::warn!(revision = catalog.revision, %error, "timers are settled later");
                    }
                    return Ok(catalog);
                }
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the content is being changed by many at once; try again"))
    }

    async fn commit_change(&self, revision: u64, old: &Head, change: Change) -> Result<(), Error> {
        let replaced = Replaced::by(old, &change.head, change.replaced);
        let guard = if revision == 0 { Guard::Absent } else { Guard::Version(revision) };
        let mut operations = change.operations;
        operations.push(records::put(records::head_key(), &change.head, Vec::new(), guard, records::Life::default())?);
        operations.push(settle::pending(revision + 1, self.ports.clock.now())?);
        operations.push(self.keep_replaced(revision + 1, &replaced)?);
        Ok(self.ports.store.commit(operations).await?)
    }
}

fn refuse_system_pack(pack: &str) -> Result<(), Error> {
    if SYSTEM_PACKS.contains(&pack) {
        return Err(Error::invalid(format!(
            "resources of system pack \"{pack}\" can't be changed; copy it to a pack of your own"
        )));
    }
    Ok(())
}

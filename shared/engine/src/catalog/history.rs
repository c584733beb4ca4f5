//! The content of earlier revisions. Each change leaves a row with what it replaced, which is kept for as long as an event that was matched
//! before it: from the live content one goes back row by row.

use ports::{Guard, Operation, Query};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

use super::{Catalog, Head, HeadPack, Overlay, load};
use crate::{Engine, Error, ErrorKind, records};

/// How often it is tried again where content changes meanwhile.
const ATTEMPTS: usize = 4;

/// What stood where a change has written; nothing where nothing did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Replaced {
    packs: BTreeMap<String, Option<HeadPack>>,
    /// By the sort key of the overlay's record.
    overlay: BTreeMap<String, Option<Overlay>>,
}

impl Replaced {
    /// What `new` changes of `old`, and the entries of the overlay that the change replaces.
    pub(crate) fn by(old: &Head, new: &Head, overlay: BTreeMap<String, Option<Overlay>>) -> Replaced {
        let names = old.packs.keys().chain(new.packs.keys());
        let changed = names.filter(|name| old.packs.get(*name) != new.packs.get(*name));
        Replaced { packs: changed.map(|name| (name.clone(), old.packs.get(name).cloned())).collect(), overlay }
    }

    fn undo(self, head: &mut Head, overlay: &mut BTreeMap<String, Overlay>) {
        put_back(&mut head.packs, self.packs);
        put_back(overlay, self.overlay);
    }
}

fn put_back<T>(all: &mut BTreeMap<String, T>, before: BTreeMap<String, Option<T>>) {
    for (name, before) in before {
        match before {
            Some(before) => drop(all.insert(name, before)),
            None => drop(all.remove(&name)),
        }
    }
}

impl Engine {
    /// The operation that keeps what the change to `revision` replaces.
    pub(crate) fn keep_replaced(&self, revision: u64, replaced: &Replaced) -> Result<Operation, Error> {
        let ttl = Some(self.ports.clock.now().after(self.options.retention));
        let life = records::Life { due: None, ttl };
        records::put(records::content_history_key(revision), replaced, Vec::new(), Guard::Absent, life)
    }

    /// The content as it was at a revision; `None` where that is no longer known.
    pub(crate) async fn catalog_at(&self, revision: u64) -> Result<Option<Arc<Catalog>>, Error> {
        for _ in 0..ATTEMPTS {
            let live = self.reload_catalog().await?;
            if live.revision == revision {
                return Ok(Some(live));
            }
            let (from, mut head) = self.head().await?;
            let mut overlay = self.overlays().await?;
            let Some(rows) = self.replaced_between(revision, from).await? else { return Ok(None) };
            if from != live.revision || self.head().await?.0 != from {
                continue;
            }
            rows.into_iter().rev().for_each(|row| row.undo(&mut head, &mut overlay));
            let packs = self.packs(&head).await?;
            return Ok(Some(Arc::new(load::build(revision, packs, overlay.into_values(), Some(&live)))));
        }
        Err(Error::new(ErrorKind::Unavailable, "the content is being changed by many at once; try again"))
    }

    /// What each change after `revision` up to `live` replaced; `None` unless all of them are there.
    async fn replaced_between(&self, revision: u64, live: u64) -> Result<Option<Vec<Replaced>>, Error> {
        let sort = |revision| records::content_history_key(revision).sort;
        let mut query = Query::partition(records::CONTENT_HISTORY, 1_000);
        (query.from, query.until) = (Some(sort(revision + 1)), Some(sort(live + 1)));
        let mut rows = Vec::new();
        loop {
            let page = self.ports.store.query(&query).await?;
            for record in &page.records {
                rows.push(records::read(record)?);
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        Ok((u64::try_from(rows.len()).ok() == live.checked_sub(revision)).then_some(rows))
    }
}

//! What follows from a change of content: timers that rules listen to come to be, those that nobody listens to any more go.

use model::{Id, Timestamp, core_types};
use ports::{Guard, Operation, Query, Slot};
use std::collections::{BTreeMap, BTreeSet};

use crate::{Engine, Error, records, timers::TimerRecord};

/// Timers created or removed in one commit.
const BATCH: usize = 50;

/// The record that stands until revision `revision` has been settled.
pub(super) fn pending(revision: u64, now: Timestamp) -> Result<Operation, Error> {
    let life = records::Life { due: Some(now), ttl: None };
    records::put(records::settle_key(revision), &serde_json::Value::Null, Vec::new(), Guard::Absent, life)
}

impl Engine {
    /// Does what follows from the live content and takes the mark of `revision` away. Doing it twice does nothing.
    pub(crate) async fn settle(&self, revision: u64) -> Result<(), Error> {
        // What another host changed may not be known here yet.
        let catalog = self.reload_catalog().await?;
        let unchanged = Operation::Check(records::head_key(), Guard::Version(catalog.revision));
        let wanted: BTreeMap<Id, _> = catalog.timers().into_iter().map(|trigger| (trigger.id(), trigger)).collect();
        let standing = self.standing_timers().await?;
        let now = self.ports.clock.now();
        let mut operations = Vec::new();
        let mut wakes = Vec::new();
        for (id, trigger) in &wanted {
            if !standing.contains(id) {
                let timer = TimerRecord::new(trigger.clone(), now);
                wakes.extend(timer.next.map(|at| ports::Wake { key: records::timer_key(*id), at }));
                operations.push(timer.put(Guard::Absent)?);
            }
        }
        operations.extend(
            standing
                .iter()
                .filter(|id| !wanted.contains_key(id))
                .map(|id| Operation::Delete(records::timer_key(*id), None)),
        );
        self.ports.bus.listen(&catalog.triggers_of(core_types::AWS_EVENT)).await?;
        for batch in operations.chunks(BATCH) {
            self.ports.store.commit([batch, std::slice::from_ref(&unchanged)].concat()).await?;
        }
        self.ports.store.commit(vec![Operation::Delete(records::settle_key(revision), None), unchanged]).await?;
        self.ports.wakes.send(wakes).await;
        Ok(())
    }

    async fn standing_timers(&self) -> Result<BTreeSet<Id>, Error> {
        let mut query = Query::index(Slot::Kind, "timer", 1_000);
        let mut standing = BTreeSet::new();
        loop {
            let page = self.ports.store.query(&query).await?;
            for record in &page.records {
                standing.insert(records::read::<TimerRecord>(record)?.trigger.id());
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(standing),
            }
        }
    }
}

//! Timers: one record per timer that a rule listens to, whose `due` is the next occurrence.

use model::{CatchUp, Id, Timestamp, TraceContext, Trigger, timer::TimerSchedule};
use ports::{Guard, Operation, Slot, TriggerEvent, Wake};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

use crate::{Catalog, Engine, Error, Principal, records};

/// An occurrence that is this late was missed: the catch-up policy decides about it.
const GRACE: Duration = Duration::from_secs(30);
/// Occurrences fired at once after an outage, at most; the latest ones.
const MOST_CAUGHT_UP: usize = 1_000;

/// A timer as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TimerRecord {
    pub(crate) trigger: Trigger,
    /// When it came to be; intervals count from here.
    pub(crate) started: Timestamp,
    /// Everything up to here was fired or passed over.
    pub(crate) last: Timestamp,
    /// The next occurrence; `None` where there is none any more.
    pub(crate) next: Option<Timestamp>,
}

impl TimerRecord {
    pub(crate) fn new(trigger: Trigger, now: Timestamp) -> TimerRecord {
        let next = schedule(&trigger).and_then(|schedule| schedule.next_after(now, now));
        TimerRecord { trigger, started: now, last: now, next }
    }

    pub(crate) fn put(&self, guard: Guard) -> Result<Operation, Error> {
        let id = self.trigger.id();
        let index = vec![records::entry(Slot::Kind, "timer", &id.to_string())];
        records::put(records::timer_key(id), self, index, guard, records::Life { due: self.next, ttl: None })
    }
}

/// A timer as users see it.
#[derive(Clone, Debug)]
pub struct Timer {
    /// The trigger.
    pub trigger: Trigger,
    /// When it fires next; `None` where it does not any more.
    pub next: Option<Timestamp>,
    /// Everything up to here was fired or passed over; `None` where the timer is not set up yet.
    pub last: Option<Timestamp>,
}

/// What is not a timer's trigger has no schedule; a rule with parameters that don't read is refused when it is registered.
fn schedule(trigger: &Trigger) -> Option<TimerSchedule> {
    TimerSchedule::parse(&trigger.kind, &trigger.parameters).ok()
}

impl Catalog {
    /// The timers that enabled rules listen to.
    pub fn timers(&self) -> Vec<Trigger> {
        self.triggers().into_iter().filter(|trigger| TimerSchedule::is_timer(&trigger.kind)).collect()
    }
}

impl Engine {
    /// Every timer that a rule listens to, and when it fires.
    pub async fn timers(&self, principal: &Principal) -> Result<Vec<Timer>, Error> {
        principal.require_view()?;
        let mut timers = Vec::new();
        for trigger in self.catalog().await?.timers() {
            let record = self.ports.store.get(&records::timer_key(trigger.id())).await?;
            let stored: Option<TimerRecord> = record.as_ref().map(records::read).transpose()?;
            timers.push(Timer {
                next: stored.as_ref().and_then(|timer| timer.next),
                last: stored.as_ref().map(|timer| timer.last),
                trigger,
            });
        }
        Ok(timers)
    }

    /// Fires what is due of a timer and sets its next occurrence.
    pub(crate) async fn handle_timer(&self, id: Id) -> Result<(), Error> {
        let Some(record) = self.ports.store.get(&records::timer_key(id)).await? else { return Ok(()) };
        let mut timer: TimerRecord = records::read(&record)?;
        let now = self.ports.clock.now();
        if timer.next.is_none_or(|next| next > now) {
            return Ok(());
        }
        let catalog = self.catalog().await?;
        if catalog.listeners(id).is_none() {
            // Not where the content that this host knows is not the live one: then the timer may be newer.
            let unchanged = Operation::Check(records::head_key(), Guard::Version(catalog.revision));
            let delete = Operation::Delete(record.key, Some(Guard::Version(record.version)));
            self.ports.store.commit(vec![delete, unchanged]).await?;
            return Ok(());
        }
        let Some(schedule) = schedule(&timer.trigger) else { return Ok(()) };
        let occurrences = schedule.missed(timer.last, now, timer.started, CatchUp::All, MOST_CAUGHT_UP);
        let events: Vec<_> = to_fire(&occurrences, now, self.options.catch_up)
            .iter()
            .map(|occurrence| event(&timer.trigger, *occurrence))
            .collect();
        // First the events, whose ids are functions of timer and occurrence, then the record: a crash between fires nothing twice.
        if !events.is_empty() {
            self.ports.bus.publish(events).await?;
        }
        timer.last = now;
        timer.next = schedule.next_after(now, timer.started);
        self.ports.store.commit(vec![timer.put(Guard::Version(record.version))?]).await?;
        if let Some(at) = timer.next {
            self.ports.wakes.send(vec![Wake { key: record.key, at }]).await;
        }
        Ok(())
    }
}

/// The occurrences on time, and of those that are late what the policy says.
fn to_fire(occurrences: &[Timestamp], now: Timestamp, policy: CatchUp) -> &[Timestamp] {
    let late = occurrences.partition_point(|occurrence| now.since(*occurrence) > GRACE);
    let first = match policy {
        CatchUp::Skip => late,
        CatchUp::Once if late == occurrences.len() => late.saturating_sub(1),
        CatchUp::Once => late,
        CatchUp::All => 0,
    };
    occurrences.get(first..).unwrap_or_default()
}

fn event(trigger: &Trigger, occurrence: Timestamp) -> TriggerEvent {
    let name = trigger.id().to_string();
    let id = Id::derived(occurrence, &["timer", &name, &occurrence.micros().to_string()]);
    TriggerEvent {
        id,
        payload: json!({"executed_at": occurrence.to_string(), "schedule": trigger.parameters}),
        occurrence_time: occurrence,
        trace: TraceContext::new(id, format!("{}-{name}", trigger.kind.name().trim_start_matches("st2."))),
        trigger: trigger.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_follows_the_policy_and_what_is_on_time_always_fires() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let all = [at(10), at(20), at(100)];
        assert_eq!(to_fire(&all, at(101), CatchUp::Skip), [at(100)]);
        assert_eq!(to_fire(&all, at(101), CatchUp::Once), [at(100)]);
        assert_eq!(to_fire(&all, at(101), CatchUp::All), all);
        assert_eq!(to_fire(&all, at(500), CatchUp::Skip), []);
        assert_eq!(to_fire(&all, at(500), CatchUp::Once), [at(100)]);
    }
}

//! Wakes in one process: two bounded queues, and the loop that turns due records into wakes.

use async_trait::async_trait;
use model::Timestamp;
use ports::{Clock, Key, Query, Scope, Store, StoreError, Wake, Wakes};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Wakes waiting in one queue, at most. What does not fit is found by its `due`.
const CAPACITY: usize = 4_096;
/// Records read at once by the timer loop.
const PAGE: usize = 500;
/// The timer loop looks at least so often, whatever it knows.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Between two tries with a record that failed: so long at first, doubled each time, up to [`LONGEST_SLEEP`].
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Far enough to be after everything.
const FOR_EVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What a wake's work is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Runs an action: may take long.
    Actions,
    /// Everything else: takes milliseconds.
    Quick,
}

#[derive(Default)]
struct Queue {
    keys: VecDeque<Key>,
    queued: HashSet<Key>,
}

struct Failed {
    attempts: u32,
    until: Timestamp,
}

#[derive(Default)]
struct State {
    actions: Queue,
    quick: Queue,
    /// Being handled now; an execution may be handled twice at once, where a wake tells its worker something.
    in_flight: HashMap<Key, usize>,
    failed: HashMap<Key, Failed>,
    /// The earliest time at which the timer loop has something to do that it does not know of yet.
    earliest: Option<Timestamp>,
    /// A wake was dropped: look into the index as soon as there is room.
    overflowed: bool,
    closed: bool,
}

/// The queues of one host.
pub(crate) struct WakeQueues {
    state: Mutex<State>,
    actions_ready: Notify,
    quick_ready: Notify,
    timer: Notify,
    clock: Arc<dyn Clock>,
}

impl WakeQueues {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> WakeQueues {
        WakeQueues {
            state: Mutex::default(),
            actions_ready: Notify::new(),
            quick_ready: Notify::new(),
            timer: Notify::new(),
            clock,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next key of a lane; `None` when the host stops.
    pub(crate) async fn next(&self, lane: Lane) -> Option<Key> {
        let ready = match lane {
            Lane::Actions => &self.actions_ready,
            Lane::Quick => &self.quick_ready,
        };
        loop {
            let notified = ready.notified();
            if let Some(answer) = self.take(lane) {
                return answer;
            }
            notified.await;
        }
    }

    /// A key, or that there will be none any more; `None` where the queue is empty just now.
    fn take(&self, lane: Lane) -> Option<Option<Key>> {
        let mut state = self.state();
        if state.closed {
            return Some(None);
        }
        let queue = match lane {
            Lane::Actions => &mut state.actions,
            Lane::Quick => &mut state.quick,
        };
        let key = queue.keys.pop_front()?;
        queue.queued.remove(&key);
        let more = !queue.keys.is_empty();
        let half_empty = queue.keys.len() <= CAPACITY / 2;
        *state.in_flight.entry(key.clone()).or_default() += 1;
        let refill = state.overflowed && half_empty;
        drop(state);
        if more {
            // A notification wakes one worker; the next one is woken by the one before.
            match lane {
                Lane::Actions => self.actions_ready.notify_one(),
                Lane::Quick => self.quick_ready.notify_one(),
            }
        }
        if refill {
            self.timer.notify_one();
        }
        Some(Some(key))
    }

    /// A key was handled, well or not.
    pub(crate) fn done(&self, key: &Key, well: bool) {
        let now = self.clock.now();
        let mut state = self.state();
        if let Some(count) = state.in_flight.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                state.in_flight.remove(key);
            }
        }
        if well {
            state.failed.remove(key);
            return;
        }
        let failed = state.failed.entry(key.clone()).or_insert(Failed { attempts: 0, until: now });
        let delay = FIRST_RETRY.saturating_mul(1 << failed.attempts.min(10)).min(LONGEST_SLEEP);
        failed.attempts += 1;
        failed.until = now.after(delay);
        let until = failed.until;
        self.note(&mut state, until);
    }

    fn note(&self, state: &mut State, at: Timestamp) {
        if state.earliest.is_none_or(|earliest| at < earliest) {
            state.earliest = Some(at);
            self.timer.notify_one();
        }
    }

    fn push(&self, key: Key) -> bool {
        let mut state = self.state();
        // A wake for an execution at work tells its worker something: that must not wait behind other actions.
        let lane = if key.partition.starts_with("execution/") && !state.in_flight.contains_key(&key) {
            Lane::Actions
        } else {
            Lane::Quick
        };
        let queue = match lane {
            Lane::Actions => &mut state.actions,
            Lane::Quick => &mut state.quick,
        };
        if queue.queued.contains(&key) {
            return true;
        }
        if queue.keys.len() >= CAPACITY {
            state.overflowed = true;
            return false;
        }
        queue.queued.insert(key.clone());
        queue.keys.push_back(key);
        drop(state);
        match lane {
            Lane::Actions => self.actions_ready.notify_one(),
            Lane::Quick => self.quick_ready.notify_one(),
        }
        true
    }

    /// No more keys for anybody.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.actions_ready.notify_waiters();
        self.quick_ready.notify_waiters();
        self.timer.notify_one();
    }

    fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Is this key queued, at work, or to be left alone for a while after a failure?
    fn is_known(&self, key: &Key, now: Timestamp) -> bool {
        let state = self.state();
        state.in_flight.contains_key(key)
            || state.actions.queued.contains(key)
            || state.quick.queued.contains(key)
            || state.failed.get(key).is_some_and(|failed| failed.until > now)
    }

    /// Turns due records into wakes until the host stops.
    pub(crate) async fn run_timer_loop(&self, store: Arc<dyn Store>) {
        while !self.is_closed() {
            let until = match self.wake_due(store.as_ref()).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "what is due can't be read; trying again");
                    self.clock.now().after(Duration::from_secs(1))
                }
            };
            tokio::select! {
                () = self.clock.sleep_until(until) => {}
                () = self.timer.notified() => {}
            }
        }
    }

    /// Wakes all that is due, as far as there is room, and says when to look again.
    async fn wake_due(&self, store: &dyn Store) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        {
            let mut state = self.state();
            state.earliest = None;
            state.overflowed = false;
            state.failed.retain(|_, failed| now.since(failed.until) < LONGEST_SLEEP * 4);
        }
        let mut next = self.first_retry().unwrap_or(FOR_EVER).min(now.after(LONGEST_SLEEP));
        let mut query = Query::new(Scope::Due(next.max(now)), PAGE);
        loop {
            let page = store.query(&query).await?;
            for record in page.records {
                let due = record.due.unwrap_or(now);
                if due > now {
                    next = next.min(due);
                } else if !self.is_known(&record.key, now) && !self.push(record.key) {
                    return Ok(now.after(LONGEST_SLEEP));
                }
            }
            match page.next.filter(|_| next > now) {
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        let mut state = self.state();
        state.earliest = Some(state.earliest.map_or(next, |earliest| earliest.min(next)));
        Ok(state.earliest.unwrap_or(next))
    }

    fn first_retry(&self) -> Option<Timestamp> {
        self.state().failed.values().map(|failed| failed.until).min()
    }
}

#[async_trait]
impl Wakes for WakeQueues {
    async fn send(&self, wakes: Vec<Wake>) {
        let now = self.clock.now();
        for wake in wakes {
            if wake.at <= now {
                self.push(wake.key);
            } else {
                let mut state = self.state();
                self.note(&mut state, wake.at);
            }
        }
    }
}

//! What rules are matched against.

use expressions::{KeyValues, Scope};
use model::Timestamp;
use serde_json::Value;
use std::{fmt, sync::Arc};

/// One event as rules see it: what it carries, the time that counts as now, and the datastore.
#[derive(Clone)]
pub struct Event {
    payload: Arc<Value>,
    now: Timestamp,
    today: Timestamp,
    key_values: Arc<dyn KeyValues>,
}

impl Event {
    /// The datastore is read only where a rule names it; see [`CompiledRule::datastore_keys`](crate::CompiledRule::datastore_keys).
    pub fn new(payload: impl Into<Arc<Value>>, now: Timestamp, key_values: Arc<dyn KeyValues>) -> Event {
        Event { payload: payload.into(), now, today: now, key_values }
    }

    /// What it carries.
    pub const fn payload(&self) -> &Arc<Value> {
        &self.payload
    }

    /// The time that `timediff_lt` and `timediff_gt` count from.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The same, but for the day that completes times which leave out their year, month or day; else that is the day of [`now`](Event::now).
    #[must_use]
    pub const fn with_today(mut self, today: Timestamp) -> Event {
        self.today = today;
        self
    }

    pub(crate) const fn clock(&self) -> Clock {
        Clock { now: self.now, today: self.today }
    }

    pub(crate) const fn key_values(&self) -> &Arc<dyn KeyValues> {
        &self.key_values
    }
}

/// The times that operators ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) now: Timestamp,
    pub(crate) today: Timestamp,
}

/// Payloads may hold secrets.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("now", &self.now).finish_non_exhaustive()
    }
}

/// A datastore without keys, for rules that read none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeyValues;

impl KeyValues for NoKeyValues {
    fn get(&self, _scope: Scope, _name: &str) -> Option<String> {
        None
    }

    fn decrypt(&self, _ciphertext: &str) -> Result<String, String> {
        Err("there is no datastore here".to_owned())
    }
}

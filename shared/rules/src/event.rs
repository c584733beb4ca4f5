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
    key_values: Arc<dyn KeyValues>,
}

impl Event {
    /// The datastore is read only where a rule names it; see [`CompiledRule::datastore_keys`](crate::CompiledRule::datastore_keys).
    pub fn new(payload: impl Into<Arc<Value>>, now: Timestamp, key_values: Arc<dyn KeyValues>) -> Event {
        Event { payload: payload.into(), now, key_values }
    }

    /// What it carries.
    pub const fn payload(&self) -> &Arc<Value> {
        &self.payload
    }

    /// The time that `timediff_lt` and `timediff_gt` count from.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) const fn key_values(&self) -> &Arc<dyn KeyValues> {
        &self.key_values
    }
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

//! Traits for everything outside: few, narrow, each with its promise in words. An adapter is right when it passes the contract suite
//! of its port in `testkit`.

mod blobs;
mod bus;
mod clock;
mod dead_letters;
mod runner;
mod state_machines;
mod store;
mod uploads;
mod vault;
mod wakes;

use std::sync::Arc;

pub use blobs::{BlobError, Blobs};
pub use bus::{Bus, BusError, TriggerEvent};
pub use clock::Clock;
pub use dead_letters::{DeadLetter, DeadLetterError, DeadLetterQueue, DeadLetters, MAX_LETTERS};
pub use runner::{CancelHandle, Canceled, Job, Outcome, OutputSink, PackVersion, RunContext, Runner};
pub use state_machines::{StateMachineError, StateMachines};
pub use store::{
    Cursor, Guard, IndexEntry, Key, MAX_COMMIT_BYTES, MAX_OPERATIONS, MAX_PAGE, MAX_PARTITION_BYTES, MAX_PLACE_BYTES,
    MAX_RECORD_BYTES, MAX_SORT_BYTES, NewRecord, Operation, Page, Query, Record, Scope, Slot, Store, StoreError,
    check_operations, check_query,
};
pub use uploads::{UploadError, UploadUrl, Uploads};
pub use vault::{Vault, VaultError};
pub use wakes::{Wake, Wakes};

/// Everything outside, as one host provides it.
#[derive(Clone)]
pub struct Ports {
    /// Records.
    pub store: Arc<dyn Store>,
    /// Hints to look at a record.
    pub wakes: Arc<dyn Wakes>,
    /// Triggers on their way to the rules.
    pub bus: Arc<dyn Bus>,
    /// What is too large for a record.
    pub blobs: Arc<dyn Blobs>,
    /// Encryption of secrets at rest.
    pub vault: Arc<dyn Vault>,
    /// How actions run.
    pub runner: Arc<dyn Runner>,
    /// Pictures of workflows, where the host has a service that walks through them.
    pub state_machines: Option<Arc<dyn StateMachines>>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// Raised at every start of an embedded host, constant on AWS: leases of an older epoch have lapsed.
    pub epoch: u64,
}

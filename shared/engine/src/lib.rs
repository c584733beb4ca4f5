//! The services: triggers, enforcement, dispatch, policies, inquiries, packs, keys, access, audit, housekeeping.
//!
//! Everything that lives is a record; a wake is a hint to look at one. [`Engine::handle`] is what a host calls for each wake, everything
//! else is what users ask for. The engine never spawns and never waits but through its ports, so it runs under a simulator as it runs
//! in production.

mod access;
mod audit;
mod catalog;
mod content;
mod datastore;
mod dispatch;
mod error;
mod inquiries;
mod keys;
mod notify;
mod parameters;
mod policies;
mod records;
mod redact;
mod timers;
mod triggers;
mod uploads;
mod workflows;

use model::CatchUp;
use ports::{Key, Ports};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

pub use access::{ApiKey, Principal};
pub use audit::{
    EnforcementFilter, EventTrail, ExecutionFilter, InstanceFilter, Listing, PageRequest, RuleTrail, Trace,
    TraceFilter, TraceLink,
};
pub use catalog::{Catalog, Content, InstalledPack, TriggerRules};
pub use content::{Counts, Registered, Resource};
pub use dispatch::{ExecutionRequest, ReRun};
pub use error::{Error, ErrorKind};
pub use inquiries::{Asked, Inquiry};
pub use keys::{KeyQuery, SetKey};
pub use parameters::ActionPlan;
pub use timers::Timer;
pub use triggers::{TraceRequest, Webhook};
pub use uploads::{Upload, UploadState};
pub use workflows::{
    Aborted, Lookup, TaskRunView, TransitionView, WorkflowCall, WorkflowRun, inspect_workflow, inspect_workflows,
};

/// Values up to this many bytes of JSON stand in the record itself; larger ones in the blob store.
pub const INLINE_BYTES: usize = 32 * 1024;

/// Runner types that the engine itself carries out, in a worker's place.
pub(crate) const INJECT_TRIGGER: &str = "inject-trigger";
pub(crate) const NOOP: &str = "noop";

/// Blobs read or written at once: whoever needs several waits for the slowest, not for each in turn.
const BLOBS_AT_ONCE: usize = 16;

/// What comes of doing nothing.
pub(crate) fn noop_result() -> serde_json::Value {
    serde_json::json!({"failed": false, "succeeded": true, "return_code": 0})
}

/// What a host decides for its engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How long a worker holds an execution without a sign of life.
    pub lease: Duration,
    /// Does a worker extend its lease while it works? Not where the host ends the worker with the lease.
    pub renew_leases: bool,
    /// How long what is finished is kept.
    pub retention: Duration,
    /// How long output is kept.
    pub output_retention: Duration,
    /// How old the known content may be; `None` where this engine is the only one that changes it.
    pub content_check: Option<Duration>,
    /// What to do about timers that were missed.
    pub catch_up: CatchUp,
    /// Where actions find the REST API.
    pub api_url: Option<String>,
    /// The longest that an action may run; actions that want more are refused when they are registered.
    pub longest_action: Option<LongestAction>,
    /// Does this engine conduct workflows? One that doesn't passes the wakes on to one that does.
    pub conducts: bool,
    /// Are new workflows pictured by state machines, where the host has them?
    pub step_functions: bool,
    /// SHA-256 in hex of a key that the operator keeps: whoever shows the key is an admin.
    pub operator_key: Option<String>,
}

/// A bound on what an action may take, set by where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongestAction {
    /// The bound.
    pub duration: Duration,
    /// Why there is one.
    pub reason: String,
    /// What else can be done.
    pub alternatives: String,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        const DAY: Duration = Duration::from_secs(24 * 3_600);
        EngineOptions {
            lease: Duration::from_secs(30),
            renew_leases: true,
            retention: DAY * 90,
            output_retention: DAY * 7,
            content_check: None,
            catch_up: CatchUp::Once,
            api_url: None,
            longest_action: None,
            conducts: true,
            step_functions: true,
            operator_key: None,
        }
    }
}

/// The platform, on the ports of one host.
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) options: EngineOptions,
    pub(crate) jinja: expressions::Jinja,
    catalog: catalog::CatalogCache,
    pack_contents: Mutex<HashMap<String, Arc<model::PackContent>>>,
    credentials: access::CredentialCache,
    running: dispatch::Running,
    workflows: workflows::Workflows,
    /// Who met others before a gate goes on one after the other.
    crowd: futures::lock::Mutex<()>,
}

impl Engine {
    /// An engine on these ports.
    pub fn new(ports: Ports, options: EngineOptions) -> Engine {
        Engine {
            ports,
            options,
            jinja: expressions::Jinja::default(),
            catalog: catalog::CatalogCache::default(),
            pack_contents: Mutex::default(),
            credentials: access::CredentialCache::default(),
            running: dispatch::Running::default(),
            workflows: workflows::Workflows::default(),
            crowd: futures::lock::Mutex::default(),
        }
    }

    /// The ports that it stands on.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Looks at a record and does what its state asks for. For an execution this returns when its action has ended. After an error the
    /// record is as it was or further; it is still due, so that somebody looks again.
    pub async fn handle(&self, key: &Key) -> Result<(), Error> {
        match records::Subject::of(key) {
            Some(records::Subject::Execution(id)) => self.handle_execution(id, false).await,
            Some(records::Subject::Inbox(id)) => self.handle_execution(id, true).await,
            Some(records::Subject::Workflow(id)) => self.handle_execution(id, true).await,
            Some(records::Subject::TriggerInstance(id)) => self.handle_trigger_instance(id).await,
            Some(records::Subject::Timer(id)) => self.handle_timer(id).await,
            Some(records::Subject::Gate(id)) => self.handle_gate(id).await,
            Some(records::Subject::Settle(revision)) => self.settle(revision).await,
            None => Ok(()),
        }
    }

    /// The records whose workers belong to an older epoch: a host that has just started looks at them without waiting for their
    /// leases to end.
    pub async fn orphans(&self) -> Result<Vec<Key>, Error> {
        let mut keys = Vec::new();
        for status in [model::ExecutionStatus::Running, model::ExecutionStatus::Canceling] {
            let mut query = ports::Query::index(ports::Slot::Status, format!("execution/{status}"), 1_000);
            loop {
                let page = self.ports.store.query(&query).await?;
                keys.extend(page.records.into_iter().map(|record| record.key));
                match page.next {
                    Some(next) => query.cursor = Some(next),
                    None => break,
                }
            }
        }
        Ok(keys)
    }
}

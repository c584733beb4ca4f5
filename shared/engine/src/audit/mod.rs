//! Looking at what happened: executions, events, enforcements, traces, and why a rule did what it did.

pub(crate) mod cursor;
mod explain;
mod listing;
mod traces;

pub use explain::{EventTrail, RuleTrail};
pub use listing::{EnforcementFilter, ExecutionFilter, InstanceFilter, Listing, PageRequest};
pub use traces::{Trace, TraceFilter, TraceLink};

//! What the functions share. A function is a `main.rs` that wires and a handler that translates an AWS event into one engine call; here
//! is how the platform is put together, how a batch of messages is gone through, and how a function speaks of its work.
#![expect(clippy::disallowed_methods, reason = "the edge: functions read their environment")]

mod batch;
mod deadline;
mod environment;
mod failure;
mod log;
mod metrics;
mod platform;
mod serve;

pub use batch::{each, text_of};
pub use deadline::DeadlineRunner;
pub use environment::{Environment, EnvironmentError};
pub use failure::Failure;
pub use platform::{Platform, Start, start};
pub use serve::{serve, serve_http};

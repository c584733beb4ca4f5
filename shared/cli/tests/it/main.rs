//! The command as a shell sees it: arguments and environment in, output, errors and exit code out. A small server answers with recorded
//! bodies.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests of the edge spawn and wait as it does")]

mod connection;
mod demo;
mod durability;
mod execution;
mod harness;
mod help;
mod inquiry;
mod key;
mod pack;
mod platform;
mod policy;
mod replay;
mod rule;
mod run;
mod secrets;
mod trigger;
mod workflow;

//! The platform on AWS, as the template deploys it on the emulator: the real functions behind the real API.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and looks again and again until what it waits for is there"
)]

mod budgets;
mod chain;
mod failures;
mod packs;
mod roles;
#[path = "../it/running.rs"]
mod running;
mod stack;
mod step_functions;
mod template;
mod workflows;

//! Integration tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, spawns what runs at once, and waits for real actions"
)]

mod budgets;
mod circles;
mod corpus;
mod examples;
mod house_rules;
mod policies;
mod running;
mod simulator;
mod throttles;

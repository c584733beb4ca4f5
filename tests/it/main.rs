//! Integration tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests share fail as tests do"
)]

mod budgets;
mod house_rules;
mod simulator;

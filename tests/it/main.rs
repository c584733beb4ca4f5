//! Integration tests.

mod house_rules;
mod simulator;

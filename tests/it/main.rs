//! Integration tests.

mod budgets;
mod house_rules;
mod simulator;

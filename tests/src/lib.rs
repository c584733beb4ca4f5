//! Scenarios, the simulator and the house rules.

pub mod sim;

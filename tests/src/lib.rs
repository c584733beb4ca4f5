//! Scenarios, the simulator and the house rules.

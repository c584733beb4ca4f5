//! Templates, parameters and bounds, from the outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bounds;
mod cases;
mod datastore;
mod parameters;
mod properties;
mod yaql;

//! The crate's tests: cases in data files, and properties over random workflows.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod inspections;
mod properties;
mod runs;

//! The adapters against the emulator: the contract of each port, and what only AWS can do to them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what tests share may fail as they do"
)]

mod blobs;
mod budget;
mod bus;
mod fixture;
mod network;
mod store;
mod sweep;
mod vault;
mod wakes;

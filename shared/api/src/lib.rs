//! The REST interface: StackStorm's resources, codes and headers over the engine. [`router()`] is the whole of it; who listens, and on
//! what address, is the host's matter.

mod archive;
mod attributes;
mod auth;
mod body;
mod edge;
mod error;
mod listing;
mod options;
mod params;
mod permission;
mod positions;
mod resources;
mod router;
mod routes;
mod trace;
mod webhook_body;

pub use archive::{ArchiveError, pack_archive, read_archive};
pub use options::ApiOptions;
pub use permission::Permission;
pub use router::router;

#[cfg(test)]
mod tests;

//! What tests share: a clock that stands still, stores in memory and stores that count or fail, and the contract suite of every port.

mod blobs;
mod clock;
pub mod contract;
#[cfg(feature = "emulator")]
pub mod emulator;
mod platform;
mod store;
mod vault;

pub use blobs::MemoryBlobs;
pub use clock::FakeClock;
pub use platform::Platform;
pub use store::{Call, CountingStore, Counts, Fault, FaultyStore, MemoryStore};
pub use vault::FakeVault;

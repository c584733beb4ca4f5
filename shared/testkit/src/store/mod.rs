//! Stores for tests.

mod counting;
mod faulty;
mod memory;

pub use counting::{CountingStore, Counts};
pub use faulty::{Call, Fault, FaultyStore};
pub use memory::MemoryStore;

//! The ports in one process, and the loops that AWS has event sources for

mod blobs;
mod bus;
mod clock;
mod data_dir;
mod host;
mod pack_directory;
mod private_file;
mod store;
mod vault;
mod wakes;

pub use blobs::FileBlobs;
pub use bus::InProcessBus;
pub use clock::SystemClock;
pub use data_dir::{DataDir, DataDirError, DataLayout};
pub use host::{Host, HostError, HostOptions};
pub use pack_directory::{
    MAX_PACK_BYTES, MAX_PACK_DEPTH, MAX_PACK_FILE_BYTES, MAX_PACK_FILES, PackDirectoryError, PackWatch, find_packs,
    read_pack_directory,
};
pub use store::{OpenError, SqliteStore};
pub use vault::{KeyError, LocalVault};

//! The packs that ship with the command: it holds their files, so that no checkout is needed.

use model::{PackFiles, SourceFile};

/// Path, content, executable.
type Shipped = (&'static str, &'static [u8], bool);

const SHIPPED: &[&[Shipped]] = include!(concat!(env!("OUT_DIR"), "/shipped_packs.rs"));

/// The files of each pack that ships, in the order of the packs' names: `core` before those that use it.
pub fn shipped_packs() -> Vec<PackFiles> {
    let source = |(path, bytes, executable): &Shipped| SourceFile {
        path: (*path).to_owned(),
        bytes: bytes.to_vec(),
        executable: *executable,
    };
    SHIPPED.iter().map(|pack| PackFiles::new(pack.iter().map(source).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_valid() {
        let packs = shipped_packs();
        let loaded: Vec<_> = packs.iter().map(|files| model::load_pack(files).unwrap()).collect();
        let names: Vec<_> = loaded.iter().map(|(content, _)| content.pack.reference.as_str()).collect();
        assert_eq!(names, ["core", "demo"]);
        assert!(loaded.iter().all(|(_, warnings)| warnings.is_empty()), "{loaded:?}");
    }
}

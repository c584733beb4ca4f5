//! Puts the packs that ship with the command into it: a list of all of their files.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Of the folders in `packs/`. Examples are registered by whoever wants them.
const SHIPPED: [&str; 2] = ["core", "demo"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo gives the manifest's directory")?);
    let packs = manifest.join("../../packs").canonicalize()?;
    println!("cargo::rerun-if-changed={}", packs.display());
    let mut list = String::from("&[\n");
    for pack in SHIPPED.map(|name| packs.join(name)) {
        list.push_str("    &[\n");
        add(&mut list, &pack, &pack)?;
        list.push_str("    ],\n");
    }
    list.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo gives the output directory")?);
    Ok(fs::write(out.join("shipped_packs.rs"), list)?)
}

fn add(list: &mut String, pack: &Path, directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for path in sorted(directory)? {
        if path.is_dir() {
            add(list, pack, &path)?;
            continue;
        }
        let name = path.strip_prefix(pack)?.to_str().ok_or("the names of shipped files are UTF-8")?;
        let executable = fs::metadata(&path)?.permissions().mode() & 0o111 != 0;
        writeln!(list, "        ({name:?}, include_bytes!({path:?}), {executable}),")?;
    }
    Ok(())
}

fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

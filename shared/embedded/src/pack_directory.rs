//! Packs as directories: found, read within limits, and watched.

use model::{PackFiles, SourceFile};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Files of one pack.
pub const MAX_PACK_FILES: usize = 5_000;
/// Bytes of one file of a pack.
pub const MAX_PACK_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of all files of a pack.
pub const MAX_PACK_BYTES: u64 = 48 * 1024 * 1024;
/// How deep the directories of a pack may be nested.
pub const MAX_PACK_DEPTH: usize = 16;

/// Directories that belong to other tools: what is in them is no part of the pack.
const SKIPPED: [&str; 4] = [".git", ".hg", ".svn", "__pycache__"];

/// Why a directory could not be read as a pack.
#[derive(Debug, thiserror::Error)]
pub enum PackDirectoryError {
    /// The file system said no.
    #[error("{path} can't be read: {reason}")]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the file system said.
        reason: io::Error,
    },
    /// There is nothing like a pack.
    #[error("{0} holds no pack: there is no pack.yaml in it or in a directory below it")]
    NoPack(PathBuf),
    /// A link to something outside of the pack, or to a directory.
    #[error("{0} is a link that leads out of the pack, or to a directory; put the file itself there")]
    Link(PathBuf),
    /// Neither file nor directory.
    #[error("{0} is neither a file nor a directory")]
    Special(PathBuf),
    /// The name is no UTF-8.
    #[error("the name of {0} is not UTF-8")]
    Name(PathBuf),
    /// One file is too large.
    #[error("{path} has {size} bytes; a file of a pack may have {MAX_PACK_FILE_BYTES}")]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        size: u64,
    },
    /// All files together are too large.
    #[error("the files in {0} have more than {MAX_PACK_BYTES} bytes together")]
    TooLarge(PathBuf),
    /// There are too many files.
    #[error("there are more than {MAX_PACK_FILES} files in {0}")]
    TooManyFiles(PathBuf),
    /// The directories are nested too deep.
    #[error("{0} lies deeper than {MAX_PACK_DEPTH} directories")]
    TooDeep(PathBuf),
}

/// The packs in a directory, sorted by path: itself where it has a `pack.yaml`, else those right below it that have one.
pub fn find_packs(directory: &Path) -> Result<Vec<PathBuf>, PackDirectoryError> {
    if is_pack(directory) {
        return Ok(vec![directory.to_owned()]);
    }
    let mut packs = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
        let path = entry.map_err(unreadable(directory))?.path();
        if is_pack(&path) {
            packs.push(path);
        }
    }
    packs.sort();
    if packs.is_empty() { Err(PackDirectoryError::NoPack(directory.to_owned())) } else { Ok(packs) }
}

fn is_pack(directory: &Path) -> bool {
    directory.join("pack.yaml").is_file()
}

/// Reads every file of the pack in this directory. Links may lead to files of the same pack only.
pub fn read_pack_directory(directory: &Path) -> Result<PackFiles, PackDirectoryError> {
    let root = directory.canonicalize().map_err(unreadable(directory))?;
    let mut reading = Reading { root, shown: directory, files: Vec::new(), bytes: 0 };
    reading.directory(directory, "", 0)?;
    Ok(PackFiles::new(reading.files))
}

struct Reading<'a> {
    root: PathBuf,
    shown: &'a Path,
    files: Vec<SourceFile>,
    bytes: u64,
}

impl Reading<'_> {
    fn directory(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), PackDirectoryError> {
        if depth > MAX_PACK_DEPTH {
            return Err(PackDirectoryError::TooDeep(directory.to_owned()));
        }
        for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
            let entry = entry.map_err(unreadable(directory))?;
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|_| PackDirectoryError::Name(path.clone()))?;
            let kind = entry.file_type().map_err(unreadable(&path))?;
            if kind.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    self.directory(&path, &format!("{prefix}{name}/"), depth + 1)?;
                }
            } else if kind.is_file() {
                self.file(&path, format!("{prefix}{name}"))?;
            } else if kind.is_symlink() {
                self.file(&self.linked(&path)?, format!("{prefix}{name}"))?;
            } else {
                return Err(PackDirectoryError::Special(path));
            }
        }
        Ok(())
    }

    fn linked(&self, link: &Path) -> Result<PathBuf, PackDirectoryError> {
        let target = link.canonicalize().map_err(unreadable(link))?;
        if target.starts_with(&self.root) && target.is_file() {
            Ok(target)
        } else {
            Err(PackDirectoryError::Link(link.to_owned()))
        }
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), PackDirectoryError> {
        let metadata = fs::metadata(path).map_err(unreadable(path))?;
        let size = metadata.len();
        self.bytes = self.bytes.saturating_add(size);
        if size > MAX_PACK_FILE_BYTES {
            return Err(PackDirectoryError::FileTooLarge { path: path.to_owned(), size });
        }
        if self.bytes > MAX_PACK_BYTES {
            return Err(PackDirectoryError::TooLarge(self.shown.to_owned()));
        }
        if self.files.len() >= MAX_PACK_FILES {
            return Err(PackDirectoryError::TooManyFiles(self.shown.to_owned()));
        }
        let bytes = fs::read(path).map_err(unreadable(path))?;
        let executable = metadata.permissions().mode() & 0o111 != 0;
        self.files.push(SourceFile { path: name, bytes, executable });
        Ok(())
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> PackDirectoryError {
    let path = path.to_owned();
    move |reason| PackDirectoryError::Unreadable { path, reason }
}

/// A pack's directory that is looked at again and again. It reads the files and compares what they hold, so that it works on any file
/// system, and a file that was only touched is no change.
#[derive(Debug)]
pub struct PackWatch {
    directory: PathBuf,
    seen: Option<[u8; 32]>,
}

impl PackWatch {
    /// Watches this directory; the first look finds a change.
    pub fn new(directory: impl Into<PathBuf>) -> PackWatch {
        PackWatch { directory: directory.into(), seen: None }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The files, where they are others than at the last look. What could not be read is an error once, and is looked at again.
    pub fn changed(&mut self) -> Result<Option<PackFiles>, PackDirectoryError> {
        let read = read_pack_directory(&self.directory);
        let now = match &read {
            Ok(files) => digest(files),
            Err(error) => Sha256::digest(error.to_string()).into(),
        };
        if self.seen.replace(now) == Some(now) { Ok(None) } else { read.map(Some) }
    }
}

fn digest(files: &PackFiles) -> [u8; 32] {
    let mut sorted: Vec<_> = files.files().iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut hasher = Sha256::new();
    for file in sorted {
        hasher.update(format!("{}\0{}\0{}\0", file.path, file.executable, file.bytes.len()));
        hasher.update(&file.bytes);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn pack() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let at = |path: &str| directory.path().join(path);
        fs::create_dir_all(at("actions/lib")).unwrap();
        fs::create_dir_all(at(".git")).unwrap();
        fs::write(at("pack.yaml"), "name: demo\n").unwrap();
        fs::write(at("actions/run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(at("actions/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(at(".git/HEAD"), "ref\n").unwrap();
        directory
    }

    fn listed(files: &PackFiles) -> Vec<(&str, bool)> {
        let mut listed: Vec<_> = files.files().iter().map(|file| (file.path.as_str(), file.executable)).collect();
        listed.sort_unstable();
        listed
    }

    #[test]
    fn all_files_are_read_and_links_stay_inside() {
        let directory = pack();
        symlink("../actions/run.sh", directory.path().join("actions/again.sh")).unwrap();
        symlink("run.sh", directory.path().join("actions/same.sh")).unwrap();
        let files = read_pack_directory(directory.path()).unwrap();
        let wanted =
            [("actions/again.sh", true), ("actions/run.sh", true), ("actions/same.sh", true), ("pack.yaml", false)];
        assert_eq!(listed(&files), wanted);
    }

    #[test]
    fn links_that_lead_out_are_refused() {
        for target in ["/etc/passwd", "lib", "../.."] {
            let directory = pack();
            symlink(target, directory.path().join("actions/out")).unwrap();
            let error = read_pack_directory(directory.path()).unwrap_err();
            assert!(matches!(error, PackDirectoryError::Link(_)), "{target}: {error}");
        }
    }

    #[test]
    fn limits_have_names() {
        let directory = pack();
        let mut deep = directory.path().to_owned();
        deep.extend(std::iter::repeat_n("d", MAX_PACK_DEPTH + 1));
        fs::create_dir_all(&deep).unwrap();
        assert!(matches!(read_pack_directory(directory.path()), Err(PackDirectoryError::TooDeep(_))));

        let directory = pack();
        let large = fs::File::create(directory.path().join("large")).unwrap();
        large.set_len(MAX_PACK_FILE_BYTES + 1).unwrap();
        assert!(matches!(read_pack_directory(directory.path()), Err(PackDirectoryError::FileTooLarge { .. })));

        assert!(matches!(read_pack_directory(Path::new("/nowhere")), Err(PackDirectoryError::Unreadable { .. })));
    }

    #[test]
    fn a_directory_is_a_pack_or_holds_packs() {
        let pack = pack();
        assert_eq!(find_packs(pack.path()).unwrap(), [pack.path()]);
        let parent = tempfile::tempdir().unwrap();
        assert!(matches!(find_packs(parent.path()), Err(PackDirectoryError::NoPack(_))));
        for name in ["b", "a", "no_pack"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        fs::write(parent.path().join("a/pack.yaml"), "").unwrap();
        fs::write(parent.path().join("b/pack.yaml"), "").unwrap();
        assert_eq!(find_packs(parent.path()).unwrap(), [parent.path().join("a"), parent.path().join("b")]);
    }

    #[test]
    fn only_what_files_hold_is_a_change() {
        let directory = pack();
        let script = directory.path().join("actions/run.sh");
        let mut watch = PackWatch::new(directory.path());
        assert!(watch.changed().unwrap().is_some());
        fs::write(&script, "#!/bin/sh\n").unwrap();
        assert!(watch.changed().unwrap().is_none());
        fs::write(&script, "#!/bin/sh\ndate\n").unwrap();
        assert!(watch.changed().unwrap().is_some());
        fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(watch.changed().unwrap().is_some());
        symlink("/etc/passwd", directory.path().join("out")).unwrap();
        assert!(watch.changed().is_err());
        assert!(watch.changed().unwrap().is_none());
        fs::remove_file(directory.path().join("out")).unwrap();
        assert!(watch.changed().unwrap().is_some());
    }
}

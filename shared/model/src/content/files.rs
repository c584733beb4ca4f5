//! The files of a pack.

use sha2::{Digest, Sha256};
use yaml::{Node, Position};

use super::finding::Finding;
use crate::{Diagnostic, PackContent, PackFile, Severity};

/// How many bytes the files of a pack may have together.
pub const MAX_PACK_BYTES: u64 = 50 * 1024 * 1024;
/// How many files a pack may have.
pub const MAX_PACK_FILES: usize = 5_000;

/// One file of a pack as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path inside the pack, with `/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// May it be executed?
    pub executable: bool,
}

/// All files of one pack version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFiles {
    files: Vec<SourceFile>,
}

impl PackFiles {
    /// Takes the files in any order. Of two with the same path the first is kept.
    pub fn new(mut files: Vec<SourceFile>) -> PackFiles {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        PackFiles { files }
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The file at that path.
    pub fn get(&self, path: &str) -> Option<&SourceFile> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// Is the pack small enough?
    pub fn check_limits(&self) -> Result<(), Diagnostic> {
        let error = |code, message| Diagnostic {
            code,
            severity: Severity::Error,
            file: "pack.yaml".to_owned(),
            line: 0,
            column: 0,
            message,
            hint: Some(
                "leave out what actions and sensors do not need, such as virtual environments and .git".to_owned(),
            ),
        };
        let bytes: u64 = self.files.iter().map(|file| file.bytes.len() as u64).sum();
        if self.files.len() > MAX_PACK_FILES {
            let message = format!("the pack has {} files, and {MAX_PACK_FILES} is the limit", self.files.len());
            return Err(error("too-many-files", message));
        }
        if bytes > MAX_PACK_BYTES {
            return Err(error(
                "pack-too-large",
                format!("the pack has {bytes} bytes, and {MAX_PACK_BYTES} is the limit"),
            ));
        }
        Ok(())
    }

    /// The YAML files right in that folder.
    pub(super) fn metadata_files<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(|file| file.path.as_str()).filter(move |path| {
            let name = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
            let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
            is_yaml && !name.contains('/') && !name.starts_with('.')
        })
    }

    /// Path, digest and size of each file.
    pub(super) fn entries(&self) -> Vec<PackFile> {
        let entry = |file: &SourceFile| PackFile {
            path: file.path.clone(),
            digest: hex::encode(Sha256::digest(&file.bytes)),
            size: file.bytes.len() as u64,
            executable: file.executable,
        };
        self.files.iter().map(entry).collect()
    }
}

impl PackContent {
    /// The address of this version: SHA-256 over path, digest and executability of every file, hex.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for file in &self.files {
            hasher.update((file.path.len() as u64).to_be_bytes());
            hasher.update(file.path.as_bytes());
            hasher.update(file.digest.as_bytes());
            hasher.update([u8::from(file.executable)]);
        }
        hex::encode(hasher.finalize())
    }
}

/// The tree of a file.
pub(super) fn parse(file: &SourceFile) -> Result<Node, Finding> {
    let text = std::str::from_utf8(&file.bytes).map_err(|error| {
        let valid = file.bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let position = Position { line: u32::try_from(line).unwrap_or(u32::MAX), column: 1 };
        Finding::error("encoding", position, "the file is not UTF-8").hint("save it as UTF-8")
    })?;
    yaml::read(text).map_err(|error| {
        let finding = Finding::error(error.kind.code(), error.position, error.message);
        match error.hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        }
    })
}

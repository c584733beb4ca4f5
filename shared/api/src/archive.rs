//! A pack as one file: what `squall pack upload` sends and a registrar reads.

use model::{
    PackFiles, SourceFile,
    content::{MAX_PACK_BYTES, MAX_PACK_FILES},
};
use std::io::{Cursor, Read, Write};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// The mode of a file that may be executed, and of any other.
const MODES: [u32; 2] = [0o755, 0o644];
/// The bits of a mode that say that somebody may execute the file.
const EXECUTABLE: u32 = 0o111;

/// Why bytes are no archive of a pack, or files can't be made one.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no zip file, or a damaged one.
    #[error("the archive can't be read: {0}")]
    Unreadable(String),
    /// It can't be written.
    #[error("the archive can't be written: {0}")]
    Unwritable(String),
    /// An entry that is no file inside the pack.
    #[error(
        "\"{0}\" is not a file inside a pack: an archive holds regular files with paths such as actions/run.sh, each once"
    )]
    Entry(String),
    /// More than a pack may hold.
    #[error("the archive holds more than a pack may have: {MAX_PACK_FILES} files and {MAX_PACK_BYTES} bytes together")]
    TooLarge,
}

/// The archive of a pack. Equal packs have equal archives.
pub fn pack_archive(files: &PackFiles) -> Result<Vec<u8>, ArchiveError> {
    let unwritable = |error: &dyn std::fmt::Display| ArchiveError::Unwritable(error.to_string());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files.files() {
        let [executable, plain] = MODES;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(if file.executable { executable } else { plain });
        archive.start_file(file.path.as_str(), options).map_err(|error| unwritable(&error))?;
        archive.write_all(&file.bytes).map_err(|error| unwritable(&error))?;
    }
    Ok(archive.finish().map_err(|error| unwritable(&error))?.into_inner())
}

/// The files in an archive. Whatever the archive says of itself, no more is unpacked than a pack may hold.
pub fn read_archive(bytes: &[u8]) -> Result<PackFiles, ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if archive.len() > MAX_PACK_FILES {
        return Err(ArchiveError::TooLarge);
    }
    let mut files: Vec<SourceFile> = Vec::with_capacity(archive.len());
    let mut left = MAX_PACK_BYTES;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(unreadable)?;
        let path = entry.name().map_err(unreadable)?.into_owned();
        if entry.is_dir() {
            continue;
        }
        if !entry.is_file() || !is_inside(&path) {
            return Err(ArchiveError::Entry(path.chars().take(200).collect()));
        }
        let executable = entry.unix_mode().is_some_and(|mode| mode & EXECUTABLE != 0);
        let mut content = Vec::new();
        entry.take(left + 1).read_to_end(&mut content).map_err(unreadable)?;
        left = left.checked_sub(content.len() as u64).ok_or(ArchiveError::TooLarge)?;
        files.push(SourceFile { path, bytes: content, executable });
    }
    let count = files.len();
    let files = PackFiles::new(files);
    // Two entries of one path: which of them counts would be up to who reads.
    if files.files().len() < count { Err(ArchiveError::Entry("a path twice".to_owned())) } else { Ok(files) }
}

fn unreadable(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Unreadable(error.to_string())
}

/// Relative, with `/`, and no step that leads out or says nothing.
pub(crate) fn is_inside(path: &str) -> bool {
    let plain = |step: &str| !matches!(step, "" | "." | "..");
    path.len() <= 1_024 && !path.contains(['\\', '\0', ':']) && path.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str, executable: bool) -> SourceFile {
        SourceFile { path: path.to_owned(), bytes: text.into(), executable }
    }

    fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in entries {
            archive.start_file(*path, SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn paths_stay_inside_the_pack() {
        for good in ["pack.yaml", "actions/a/b.sh", "actions/.hidden", "a..b"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/.", "c:\\x", "a\\..\\b", "a/\0"] {
            assert!(!is_inside(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_packed_is_read_again_and_equal_packs_have_equal_archives() {
        let files = || vec![file("pack.yaml", "ref: a", false), file("actions/run.sh", "#!/bin/sh", true)];
        let archive = pack_archive(&PackFiles::new(files())).unwrap();
        let turned = PackFiles::new(files().into_iter().rev().collect());
        assert_eq!(archive, pack_archive(&turned).unwrap());
        assert_eq!(read_archive(&archive).unwrap(), turned);
    }

    #[test]
    fn what_leads_out_of_the_pack_is_refused() {
        for bad in ["../x", "/etc/passwd", "a/../../x", "a\\b"] {
            let refused = read_archive(&zip(&[("pack.yaml", b""), (bad, b"x")])).unwrap_err();
            assert!(matches!(refused, ArchiveError::Entry(_)), "{bad}: {refused}");
        }
        assert!(matches!(read_archive(b"PK no zip"), Err(ArchiveError::Unreadable(_))));
        let mut link = ZipWriter::new(Cursor::new(Vec::new()));
        link.add_symlink("actions/x", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        let link = link.finish().unwrap().into_inner();
        assert!(matches!(read_archive(&link), Err(ArchiveError::Entry(path)) if path == "actions/x"));
    }

    #[test]
    fn a_small_archive_of_much_is_not_unpacked() {
        let much = vec![0; 30 * 1024 * 1024];
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["a", "b"] {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            archive.start_file(name, options).unwrap();
            archive.write_all(&much).unwrap();
        }
        let bomb = archive.finish().unwrap().into_inner();
        assert!(bomb.len() < 100_000);
        assert!(matches!(read_archive(&bomb), Err(ArchiveError::TooLarge)));
    }
}

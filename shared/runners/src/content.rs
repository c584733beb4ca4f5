//! The files of pack versions, laid out on disk for scripts.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use model::PackFile;
use ports::{BlobError, Blobs, PackVersion};
use std::{
    collections::HashMap,
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// How many files are fetched from the blob store at a time.
const FETCHES: usize = 16;

/// A pack version's files can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// A name that would lead out of the directory that it belongs in.
    #[error("\"{path}\" is not a path inside pack {pack}")]
    Outside { pack: String, path: String },
    /// No entry point, or one that the pack doesn't have.
    #[error("pack {pack} has no file actions/{entry_point}; name the script in the action's entry_point")]
    NoScript { pack: String, entry_point: String },
    /// A file can't be fetched.
    #[error("file {path} of pack {pack}: {source}")]
    Blob { pack: String, path: String, source: BlobError },
    /// A file can't be written.
    #[error("the files of pack {pack} can't be laid out: {source}")]
    Disk { pack: String, source: io::Error },
}

/// `<root>/<pack>/<digest>/…`, each made when first needed, complete or not there.
pub(crate) struct PackDirectories {
    blobs: Arc<dyn Blobs>,
    root: PathBuf,
    ready: Mutex<HashMap<VersionKey, Arc<OnceCell<PathBuf>>>>,
}

/// Pack and digest.
type VersionKey = (String, String);

impl PackDirectories {
    pub(crate) fn new(blobs: Arc<dyn Blobs>, root: PathBuf) -> PackDirectories {
        PackDirectories { blobs, root, ready: Mutex::default() }
    }

    /// The script of an action.
    pub(crate) async fn script(&self, version: &PackVersion, entry_point: &str) -> Result<PathBuf, ContentError> {
        let pack = &version.pack;
        let wanted = format!("actions/{entry_point}");
        if !is_inside(&wanted) {
            return Err(ContentError::Outside { pack: pack.clone(), path: wanted });
        }
        if !version.files.iter().any(|file| file.path == wanted) {
            return Err(ContentError::NoScript { pack: pack.clone(), entry_point: entry_point.to_owned() });
        }
        Ok(self.directory(version).await?.join(wanted))
    }

    /// The directory of a pack version.
    async fn directory(&self, version: &PackVersion) -> Result<PathBuf, ContentError> {
        let cell = {
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(ready.entry((version.pack.clone(), version.digest.clone())).or_default())
        };
        cell.get_or_try_init(|| self.lay_out(version)).await.cloned()
    }

    async fn lay_out(&self, version: &PackVersion) -> Result<PathBuf, ContentError> {
        let outside = |path: &str| ContentError::Outside { pack: version.pack.clone(), path: path.to_owned() };
        for name in [&version.pack, &version.digest] {
            if !is_inside(name) || name.contains('/') {
                return Err(outside(name));
            }
        }
        if let Some(file) = version.files.iter().find(|file| !is_inside(&file.path)) {
            return Err(outside(&file.path));
        }
        let disk = |source| ContentError::Disk { pack: version.pack.clone(), source };
        let parent = self.root.join(&version.pack);
        let target = parent.join(&version.digest);
        if is_complete(&target, &version.files) {
            return Ok(target);
        }
        fs::create_dir_all(&parent).map_err(disk)?;
        let scratch = tempfile::Builder::new().prefix(".new-").tempdir_in(&parent).map_err(disk)?;
        let writes: Vec<_> = version.files.iter().map(|file| self.write(version, file, scratch.path())).collect();
        stream::iter(writes).buffer_unordered(FETCHES).try_collect::<()>().await?;
        publish(&scratch, &target, &version.files).map_err(disk)?;
        Ok(target)
    }

    async fn write(&self, version: &PackVersion, file: &PackFile, directory: &Path) -> Result<(), ContentError> {
        let content = self.blobs.get(&file.digest).await.map_err(|source| ContentError::Blob {
            pack: version.pack.clone(),
            path: file.path.clone(),
            source,
        })?;
        write(&directory.join(&file.path), &content, mode(file))
            .map_err(|source| ContentError::Disk { pack: version.pack.clone(), source })
    }
}

/// A path that stays below where it starts.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains('\0')
        && Path::new(path).components().all(|component| matches!(component, Component::Normal(_)))
}

/// Nobody changes a version's files; everything in `actions/` may be run, as StackStorm has it.
fn mode(file: &PackFile) -> u32 {
    if file.executable || file.path.starts_with("actions/") { 0o555 } else { 0o444 }
}

fn write(path: &Path, content: &Bytes, mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    io::Write::write_all(&mut file, content)?;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Are all files there, in full? A machine that lost its power may have kept a directory and lost what was in it.
fn is_complete(directory: &Path, files: &[PackFile]) -> bool {
    files.iter().all(|file| {
        fs::symlink_metadata(directory.join(&file.path)).is_ok_and(|found| {
            found.is_file() && found.len() == file.size && found.permissions().mode() & 0o777 == mode(file)
        })
    })
}

/// Puts a complete directory where it belongs, in one step. Whoever was there first, and is complete, stays.
fn publish(scratch: &tempfile::TempDir, target: &Path, files: &[PackFile]) -> io::Result<()> {
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755))?;
    match fs::rename(scratch.path(), target) {
        Ok(()) => return Ok(()),
        Err(error) if !target.exists() => return Err(error),
        Err(_) if is_complete(target, files) => return Ok(()),
        Err(_) => {}
    }
    fs::remove_dir_all(target)?;
    fs::rename(scratch.path(), target)
}

//! Files that are there whole or not at all, whenever the power goes.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::RegistryError;

/// What the name of a file ends in until it is complete.
const PARTIAL: &str = ".tmp";

/// The path with `suffix` appended to its last part.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Puts `bytes` at `path`: whoever opens it sees all of the old file or all of the new one. The
/// new name outlives a power failure once [`sync_folder`] was called on the folder.
///
/// Only the holder of the lock may call this, as the name of the partial file is fixed.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let partial = with_suffix(path, PARTIAL);
    write_synced(&partial, bytes).map_err(RegistryError::io("write", &partial))?;
    fs::rename(&partial, path).map_err(RegistryError::io("replace", path))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in `folder` durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), RegistryError> {
    // Other systems neither need this nor let a folder be opened.
    if cfg!(unix) {
        let sync = File::open(folder).and_then(|folder| folder.sync_all());
        sync.map_err(RegistryError::io("sync", folder))?;
    }
    Ok(())
}

/// Removes what interrupted writes left in `folder` under names that `ours` knows, each without
/// the ending of a partial file. One that cannot be removed does no harm.
pub(super) fn sweep(folder: &Path, ours: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(|name| name.strip_suffix(PARTIAL)).is_some_and(&ours) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Takes the lock at `path` until the file is dropped, or says that another process has it.
pub(super) fn lock(path: &Path) -> Result<File, RegistryError> {
    let options = File::options().create(true).truncate(false).write(true).open(path);
    let file = options.map_err(RegistryError::io("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RegistryError::Locked(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(RegistryError::io("lock", path)(source)),
    }
}

/// The bytes of a file of at most `limit` bytes, or `None` where there is no such file.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, RegistryError> {
    match read_within(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RegistryError::io("read", path)(error)),
    }
}

fn read_within(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    // The length is a hint only: a file may grow while it is read.
    let expected = usize::try_from(file.metadata()?.len().min(limit)).unwrap_or_default();
    bytes.try_reserve(expected)?;
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= limit) {
        Ok(bytes)
    } else {
        Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")))
    }
}

//! A registry that is a folder: files that are there whole or not at all, whenever the power goes.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    BlobHash, Encoding, MANIFEST, RegistryError,
    store::{Entry, Lock, Seen, Store},
};

/// What the name of a file ends in until it is complete.
const PARTIAL: &str = ".tmp";

/// The folders of a registry.
pub(super) const FOLDERS: [&str; 3] = ["blob", "release", "root"];

/// A registry's folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Opens a folder, making it where it is not there yet.
    pub(super) fn create(dir: PathBuf) -> Result<Self, RegistryError> {
        for name in FOLDERS {
            let folder = dir.join(name);
            fs::create_dir_all(&folder).map_err(RegistryError::io("create", &folder))?;
        }
        sync_folder(&dir)?;
        if let Ok(dir) = dir.canonicalize()
            && let Some(parent) = dir.parent()
        {
            // Best effort: the folder above need not be ours to open.
            let _ = sync_folder(parent);
        }
        Ok(Self(dir))
    }

    /// Opens a folder that is there.
    pub(super) fn open(dir: PathBuf) -> Result<Self, RegistryError> {
        if dir.is_dir() { Ok(Self(dir)) } else { Err(RegistryError::Absent(dir)) }
    }

    /// Removes what interrupted writes left, of files that are ours. One that cannot be removed does no harm.
    fn sweep(&self) {
        sweep(&self.0, |name| name == MANIFEST);
        sweep(&self.0.join("blob"), |name| hash_of(name).is_some());
        for numbered in ["release", "root"] {
            sweep(&self.0.join(numbered), |name| name.parse::<u64>().is_ok());
        }
    }
}

impl Store for Folder {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, RegistryError> {
        let path = self.0.join(name);
        match read_within(&path, limit) {
            Ok(bytes) => Ok(Some(Seen { bytes, tag: None })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RegistryError::io("read", &path)(error)),
        }
    }

    fn len(&self, name: &str) -> Result<Option<u64>, RegistryError> {
        let path = self.0.join(name);
        match fs::metadata(&path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RegistryError::io("look at", &path)(error)),
        }
    }

    /// Only the holder of the lock may call this, as the name of the partial file is fixed.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let path = self.0.join(name);
        let partial = with_suffix(&path, PARTIAL);
        write_synced(&partial, bytes).map_err(RegistryError::io("write", &partial))?;
        fs::rename(&partial, &path).map_err(RegistryError::io("replace", &path))
    }

    /// Nobody else writes while the lock is held.
    fn swap(&self, name: &str, _: Option<&Seen>, bytes: &[u8]) -> Result<(), RegistryError> {
        self.write(name, bytes)?;
        sync_folder(self.0.join(name).parent().unwrap_or(&self.0))
    }

    fn remove(&self, name: &str, before: Option<SystemTime>) -> Result<bool, RegistryError> {
        let path = self.0.join(name);
        let remove = || -> io::Result<bool> {
            if let Some(before) = before
                && fs::metadata(&path)?.modified()? > before
            {
                return Ok(false);
            }
            fs::remove_file(&path).map(|()| true)
        };
        match remove() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            other => other.map_err(RegistryError::io("remove", &path)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, RegistryError> {
        let folder = self.0.join(folder);
        let cannot = || RegistryError::io("list", &folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(cannot())?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(cannot())?;
            let data = entry.metadata().map_err(cannot())?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if data.is_file() {
                let modified = data.modified().map_err(cannot())?;
                found.push(Entry { name, bytes: data.len(), modified });
            }
        }
        Ok(found)
    }

    fn settle(&self, folder: &str) -> Result<(), RegistryError> {
        sync_folder(&self.0.join(folder))
    }

    fn lock(&self) -> Result<Lock, RegistryError> {
        let path = self.0.join("lock");
        let options = File::options().create(true).truncate(false).write(true).open(&path);
        let file = options.map_err(RegistryError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RegistryError::Locked(path)),
            Err(TryLockError::Error(source)) => {
                return Err(RegistryError::io("lock", &path)(source));
            }
        }
        // A registry of an earlier version lacks some.
        for name in FOLDERS {
            let folder = self.0.join(name);
            fs::create_dir_all(&folder).map_err(RegistryError::io("create", &folder))?;
        }
        self.sweep();
        Ok(Lock(Some(file)))
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// The path with `suffix` appended to its last part.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in `folder` durable.
fn sync_folder(folder: &Path) -> Result<(), RegistryError> {
    // Other systems neither need this nor let a folder be opened.
    if cfg!(unix) {
        let sync = File::open(folder).and_then(|folder| folder.sync_all());
        sync.map_err(RegistryError::io("sync", folder))?;
    }
    Ok(())
}

/// Removes what interrupted writes left in `folder` under names that `ours` knows, each without
/// the ending of a partial file. One that cannot be removed does no harm.
fn sweep(folder: &Path, ours: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(|name| name.strip_suffix(PARTIAL)).is_some_and(&ours) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The blob that a file of this name holds, or a coding of.
pub(super) fn hash_of(name: &str) -> Option<BlobHash> {
    let suffixes = Encoding::ALL.map(Encoding::suffix);
    let hash = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    hash.parse().ok()
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

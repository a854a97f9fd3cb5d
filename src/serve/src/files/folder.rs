//! A folder of files that are there whole or not at all, whenever the power goes.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Entry, FilesError, Layout, Lock, Seen, Store};

/// What the name of a file ends in until it is complete.
const PARTIAL: &str = ".tmp";

/// A folder.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    layout: Layout,
}

impl Folder {
    /// Opens a folder, making it where it is not there yet.
    pub(crate) fn create(dir: PathBuf, layout: Layout) -> Result<Self, FilesError> {
        let folder = Self { dir, layout };
        folder.make_folders()?;
        let Self { dir, .. } = &folder;
        sync_folder(dir)?;
        if let Ok(dir) = dir.canonicalize()
            && let Some(parent) = dir.parent()
        {
            // Best effort: the folder above need not be ours to open.
            let _ = sync_folder(parent);
        }
        Ok(folder)
    }

    /// Opens a folder that is there.
    pub(crate) fn open(dir: PathBuf, layout: Layout) -> Result<Self, FilesError> {
        if dir.is_dir() { Ok(Self { dir, layout }) } else { Err(FilesError::Absent(dir)) }
    }

    fn make_folders(&self) -> Result<(), FilesError> {
        for name in self.layout.folders {
            let folder = self.dir.join(name);
            fs::create_dir_all(&folder).map_err(FilesError::io("create", &folder))?;
        }
        Ok(())
    }

    /// Removes what interrupted writes left, of files that are ours. One that cannot be removed does no harm.
    fn sweep(&self) {
        for folder in [""].iter().chain(self.layout.folders) {
            sweep(&self.dir.join(folder), |name| (self.layout.ours)(folder, name));
        }
    }
}

impl Store for Folder {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, FilesError> {
        let path = self.dir.join(name);
        match read_within(&path, limit) {
            Ok(bytes) => Ok(Some(Seen { bytes, tag: None })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FilesError::io("read", &path)(error)),
        }
    }

    fn len(&self, name: &str) -> Result<Option<u64>, FilesError> {
        let path = self.dir.join(name);
        match fs::metadata(&path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FilesError::io("look at", &path)(error)),
        }
    }

    /// Only the holder of the lock may call this, as the name of the partial file is fixed.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let path = self.dir.join(name);
        let partial = with_suffix(&path, PARTIAL);
        write_synced(&partial, bytes).map_err(FilesError::io("write", &partial))?;
        fs::rename(&partial, &path).map_err(FilesError::io("replace", &path))
    }

    fn write_durably(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        make_durably(folder, &self.dir)?;
        self.write(name, bytes)?;
        sync_folder(folder)
    }

    /// Nobody else writes while the lock is held.
    fn swap(&self, name: &str, _: Option<&Seen>, bytes: &[u8]) -> Result<(), FilesError> {
        self.write(name, bytes)?;
        sync_folder(self.dir.join(name).parent().unwrap_or(&self.dir))
    }

    fn remove(&self, name: &str, before: Option<SystemTime>) -> Result<bool, FilesError> {
        let path = self.dir.join(name);
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
            other => other.map_err(FilesError::io("remove", &path)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, FilesError> {
        let mut found = Vec::new();
        walk(&self.dir.join(folder), "", &mut found)?;
        Ok(found)
    }

    fn settle(&self, folder: &str) -> Result<(), FilesError> {
        sync_folder(&self.dir.join(folder))
    }

    fn lock(&self) -> Result<Lock, FilesError> {
        let path = self.dir.join("lock");
        let options = File::options().create(true).truncate(false).write(true).open(&path);
        let file = options.map_err(FilesError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FilesError::Locked(path)),
            Err(TryLockError::Error(source)) => {
                return Err(FilesError::io("lock", &path)(source));
            }
        }
        // What an earlier version made lacks some.
        self.make_folders()?;
        self.sweep();
        Ok(Lock(Some(file)))
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// Adds the files of a folder, and of the folders in it, whose names go on from `prefix`.
fn walk(folder: &Path, prefix: &str, found: &mut Vec<Entry>) -> Result<(), FilesError> {
    let cannot = || FilesError::io("list", folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(cannot())?,
    };
    for entry in entries {
        let entry = entry.map_err(cannot())?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{name}");
        let data = match entry.metadata() {
            // Somebody removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            data => data.map_err(cannot())?,
        };
        if data.is_dir() {
            walk(&entry.path(), &format!("{name}/"), found)?;
        } else if data.is_file() {
            let modified = data.modified().map_err(cannot())?;
            found.push(Entry { name, bytes: data.len(), modified });
        }
    }
    Ok(())
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

/// Makes a folder and those that it is in, as far as `within`, where they are not there.
fn make_durably(folder: &Path, within: &Path) -> Result<(), FilesError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|_| folder != within) {
        make_durably(parent, within)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(FilesError::io("create", folder)(error))
        }
        _ => folder.parent().map_or(Ok(()), sync_folder),
    }
}

/// Makes the names in `folder` durable.
fn sync_folder(folder: &Path) -> Result<(), FilesError> {
    // Other systems neither need this nor let a folder be opened.
    if cfg!(unix) {
        let sync = File::open(folder).and_then(|folder| folder.sync_all());
        sync.map_err(FilesError::io("sync", folder))?;
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

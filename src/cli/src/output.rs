//! Files that are written whole or not at all.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{MAIN_SEPARATOR, Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{failure::Failure, ui::Writing};

/// Where a path leads.
enum Target {
    /// To what is no file, such as `/dev/stdout`: it is written as it is.
    Stream,
    /// To a file, there or yet to be, and the folder that it is in. Links are followed.
    File { file: PathBuf, folder: PathBuf },
}

impl Target {
    fn of(path: &Path) -> Result<Self, Failure> {
        let refuse = |why: String| Failure::from(format!("cannot write {}: {why}", path.display()));
        let named = path.as_os_str().to_string_lossy();
        if path.is_dir() || named.ends_with(MAIN_SEPARATOR) {
            return Err(refuse("it is a folder; name a file in it".into()));
        }
        let file = match std::fs::canonicalize(path) {
            Ok(found) if !found.is_file() => return Ok(Self::Stream),
            Ok(found) => found,
            Err(_) => path.to_owned(),
        };
        let Some(parent) = file.parent() else {
            return Err(refuse("it is no name of a file".into()));
        };
        let here = parent.as_os_str().is_empty();
        let folder = if here { Path::new(".") } else { parent }.to_owned();
        if folder.is_dir() {
            Ok(Self::File { file, folder })
        } else {
            Err(refuse(format!("{} is not a folder", folder.display())))
        }
    }
}

/// Whether `path` can be written and is none of `others`, before the work whose result it is to
/// hold. `-` among the others is standard input.
pub fn check<'a>(path: &Path, others: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    match Target::of(path)? {
        // Whoever reads at the other end would take an opening for the beginning.
        Target::Stream => return Ok(()),
        // Permissions are not all that can be in the way.
        Target::File { folder, .. } => neighbour(&folder).map(drop).map_err(cannot(path))?,
    }
    let mine = Identity::of(path);
    let same = |other: &&Path| mine.is_some() && mine == Identity::of(other);
    match others.into_iter().find(same) {
        Some(other) => Err(Failure::from(format!(
            "{} would overwrite {}: give it another name",
            path.display(),
            other.display()
        ))),
        None => Ok(()),
    }
}

/// What makes two paths the same file.
#[derive(PartialEq)]
enum Identity {
    /// Device and number of a file that is there: links of both kinds lead to one.
    #[cfg(unix)]
    Node(u64, u64),
    /// The whole path of one that is yet to be.
    Path(PathBuf),
}

impl Identity {
    fn of(path: &Path) -> Option<Self> {
        let path = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
        #[cfg(unix)]
        if let Ok(found) = std::fs::metadata(path) {
            use std::os::unix::fs::MetadataExt as _;
            return Some(Self::Node(found.dev(), found.ino()));
        }
        if let Ok(whole) = std::fs::canonicalize(path) {
            return Some(Self::Path(whole));
        }
        match Target::of(path) {
            Ok(Target::File { file, folder }) => {
                Some(Self::Path(std::fs::canonicalize(folder).ok()?.join(file.file_name()?)))
            }
            _ => None,
        }
    }
}

/// Writes `path`: into a file beside it that then takes its place.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let _writing = Writing::begin();
    let (target, folder) = match Target::of(path)? {
        Target::File { file, folder } => (file, folder),
        Target::Stream => {
            let file = OpenOptions::new().write(true).open(path).map_err(cannot(path))?;
            return buffered(path, file, write).map(drop);
        }
    };
    let mut file = neighbour(&folder).map_err(cannot(path))?;
    buffered(path, file.as_file_mut(), write)?;
    file.as_file().sync_all().map_err(cannot(path))?;
    file.persist(&target).map_err(|error| cannot(path)(error.error))?;
    // The name is durable once its folder is.
    #[cfg(unix)]
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(cannot(path))?;
    Ok(())
}

fn cannot(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::during(format!("cannot write {}", path.display()), error)
}

fn buffered(
    path: &Path,
    file: impl Write,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut buffer = BufWriter::with_capacity(1 << 20, file);
    write(&mut buffer)?;
    buffer.flush().map_err(cannot(path))
}

/// A new file in `folder` that goes with the value.
fn neighbour(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // Temporary files are their owner's alone; what takes a name is as open as the umask says.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

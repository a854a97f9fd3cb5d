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
            Err(_) if path.is_symlink() => {
                return Err(refuse("it is a link that leads to no file; remove it".into()));
            }
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
        Target::File { file, folder } => {
            may_be_replaced(&file).map_err(cannot(path))?;
            neighbour(&file, &folder).map(drop).map_err(cannot(path))?;
        }
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

/// Writes `path`: into a file beside it that then takes its place, as open to others as what was there.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    prepare(path, write)?.map_or(Ok(()), Prepared::take_place)
}

/// A file that is written whole, and is to take its place. Where it does not, nothing of it is left.
pub struct Prepared {
    path: PathBuf,
    target: PathBuf,
    folder: PathBuf,
    file: NamedTempFile,
    _writing: Writing,
}

/// The first half of [`write_whole`], so that several files take their places together or none does. A stream has none,
/// and is written.
pub fn prepare(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<Option<Prepared>, Failure> {
    let (target, folder) = match Target::of(path)? {
        Target::File { file, folder } => (file, folder),
        // Nothing is to be removed again, and whoever reads at the other end may never come.
        Target::Stream => {
            let file = OpenOptions::new().write(true).open(path).map_err(cannot(path))?;
            return buffered(path, file, write).map(|()| None);
        }
    };
    let writing = Writing::begin();
    may_be_replaced(&target).map_err(cannot(path))?;
    let mut file = neighbour(&target, &folder).map_err(cannot(path))?;
    if let Ok(replaced) = std::fs::metadata(&target) {
        file.as_file().set_permissions(replaced.permissions()).map_err(cannot(path))?;
    }
    buffered(path, file.as_file_mut(), write)?;
    file.as_file().sync_all().map_err(cannot(path))?;
    Ok(Some(Prepared { path: path.into(), target, folder, file, _writing: writing }))
}

impl Prepared {
    /// The second half.
    pub fn take_place(self) -> Result<(), Failure> {
        let Self { path, target, folder, file, _writing } = self;
        file.persist(&target).map_err(|error| cannot(&path)(error.error))?;
        // The name is durable once its folder is.
        #[cfg(unix)]
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(cannot(&path))?;
        Ok(())
    }
}

/// What to say where `path` cannot be written.
pub fn cannot(path: &Path) -> impl Fn(io::Error) -> Failure {
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

/// Whether `file`, where it is there, is one that may be written: taking its place needs no leave of it.
fn may_be_replaced(file: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A new file in `folder` that goes with the value. Where the process is killed it stays, and its name says
/// what of.
fn neighbour(file: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    // Names have 255 bytes, a letter up to four.
    const LETTERS: usize = 48;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{}.", name.chars().take(LETTERS).collect::<String>());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".unfinished");
    #[cfg(unix)]
    {
        // Temporary files are their owner's alone; what takes a name is as open as the umask says.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

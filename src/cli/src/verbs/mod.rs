//! One verb a file: arguments in, one call into a room, result out.

pub mod evaluate;
pub mod inspect;
pub mod publish;
pub mod serve;
pub mod simulate;
pub mod train;

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use segue_core::model::Model;

use crate::failure::Failure;

/// Writes `path` whole or not at all: into a file beside it that then takes its place. Links are
/// followed; what is no file, such as `/dev/stdout`, is written as it is.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let cannot =
        |error: std::io::Error| Failure::during(format!("cannot write {}", path.display()), error);
    let target = match std::fs::canonicalize(path) {
        Ok(target) if !target.is_file() => {
            let file = std::fs::OpenOptions::new().write(true).open(path).map_err(cannot)?;
            let mut buffer = std::io::BufWriter::new(file);
            write(&mut buffer)?;
            return buffer.flush().map_err(cannot);
        }
        Ok(target) => target,
        Err(_) => path.to_owned(),
    };
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let (path, folder) = (path.display(), folder.display());
        return Err(Failure::from(format!("cannot write {path}: {folder} is not a folder")));
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // Temporary files are their owner's alone; what takes a name is as open as the umask says.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(cannot)?;
    let mut buffer = std::io::BufWriter::with_capacity(1 << 20, file.as_file_mut());
    write(&mut buffer)?;
    buffer.flush().map_err(cannot)?;
    drop(buffer);
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(&target).map_err(|error| cannot(error.error))?;
    // The name is durable once its folder is.
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    Ok(())
}

fn read_model(path: &Path) -> Result<Model, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::during(format!("cannot read {}", path.display()), error))?;
    Model::from_file(&bytes).map_err(|error| Failure::during(path.display().to_string(), error))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A path as a person wrote it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// `--catalogue FILE`.
#[derive(clap::Args)]
struct Catalogue {
    /// Names and tags of the tracks: JSON Lines of {"track", "title", "artist", "tags": […]}.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
}

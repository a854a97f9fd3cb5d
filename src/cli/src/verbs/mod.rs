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

/// Writes `path` whole or not at all: into a file beside it that then takes its place.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let cannot =
        |error: std::io::Error| Failure::during(format!("cannot write {}", path.display()), error);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
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
    file.persist(path).map_err(|error| cannot(error.error))?;
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

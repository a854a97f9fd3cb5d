//! One verb a file: arguments in, one call into a room, result out.

pub mod evaluate;
pub mod inspect;
pub mod publish;
pub mod serve;
pub mod simulate;
pub mod train;

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use segue_core::model::Model;

use crate::failure::Failure;

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
    /// Names, tags and lengths of the tracks: JSON Lines of {"track", "title", "artist",
    /// "duration_ms", "tags": […]}.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
}

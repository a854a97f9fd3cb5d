//! One verb a file: arguments in, one call into a room, result out.

pub mod cycle;
pub mod doctor;
pub mod evaluate;
pub mod gc;
pub mod inspect;
pub mod keys;
mod logs;
mod new_tracks;
pub mod privacy;
pub mod promote;
pub mod publish;
pub mod pull;
pub mod refresh;
pub mod rollback;
pub mod rollout;
pub mod search;
pub mod serve;
mod signing;
pub mod simulate;
pub mod tokens;
pub mod train;
mod update;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use segue_core::model::{Model, container::LABEL};

use crate::failure::Failure;

/// Reads a model, no further than its label where that is something else's.
fn read_model(path: &Path) -> Result<Model, Failure> {
    Ok(read_file(path)?.0)
}

/// A model, and the file that it is in.
fn read_file(path: &Path) -> Result<(Model, Vec<u8>), Failure> {
    let cannot = |error| Failure::during(format!("cannot read {}", path.display()), error);
    let mut file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.by_ref().take(LABEL.len() as u64).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes == LABEL {
        file.read_to_end(&mut bytes).map_err(cannot)?;
    }
    let model = Model::from_file(&bytes);
    let model = model.map_err(|error| Failure::during(path.display().to_string(), error))?;
    Ok((model, bytes))
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
    /// Names, tags and lengths of the tracks: JSON Lines of {"track", "title", "artist", "album",
    /// "duration_ms", "tags": […]}. Artist, album and tags also tell who may like a new track.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
}

/// How many pairs of tracks that follow each other a model holds; `None` where it tells of none.
fn pairs(model: &Model) -> Option<usize> {
    let lists = model.shelves().filter_map(|shelf| model.transitions(shelf.shard));
    lists.map(|lists| lists.pairs()).reduce(|sum, pairs| sum + pairs)
}

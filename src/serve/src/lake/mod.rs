//! The lake: every event that was taken in, in Parquet, by the day and the region in which it happened.
//!
//! ```text
//! events/day=2026-11-28/region=DE/<collector>-<first>-<last>.parquet
//! erasures/<time>-<pseudonym>.json
//! ```
//!
//! A folder, or the objects under a prefix of a bucket, laid out as Hive does, so that DuckDB, DataFusion, Spark and
//! others read it as one table with the columns `day` and `region` beside those of [`file`]. The day is that of `at` in
//! UTC; events without a region are in `region=__HIVE_DEFAULT_PARTITION__`, which those engines read as null.
//!
//! A file holds the events of some requests that one collector took, from number `first` to `last`: the name says which,
//! so that a collector that was killed and writes the same again writes the same file. Many collectors write to one lake;
//! none writes a file of another. Readers find each file whole or not at all.

mod day;
mod erase;
mod error;
mod file;

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use day::Day;
pub use erase::{Erasure, Rewritten};
pub(crate) use erase::{Erasures, is_erased};
pub use error::LakeError;
pub use file::Row;

use crate::files::{self, Bucket, Layout, Store};

/// Files that are longer are none that a collector writes.
const MOST_BYTES: u64 = 1 << 32;

/// What stands for no region.
const NOWHERE: &str = "__HIVE_DEFAULT_PARTITION__";

const EVENTS: &str = "events";

const LAYOUT: Layout = Layout { folders: &[EVENTS, "erasures"], ours: |_, _| false };

/// Where a lake lies. Nothing of it is kept in memory. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Lake {
    place: PathBuf,
    store: Arc<dyn Store>,
}

/// What events of one day and region are in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    /// The day of `at`, in UTC.
    pub day: Day,
    /// ISO 3166-1 alpha-2, where they have one.
    pub region: Option<String>,
}

/// A file of a lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it holds events of.
    pub partition: Partition,
    /// Its bytes.
    pub bytes: u64,
    name: String,
}

impl File {
    /// Its name from the lake on, such as `events/day=2026-11-28/region=DE/….parquet`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Lake {
    /// Opens the lake at `place`, a folder or a URL such as `s3://bucket/prefix`. A folder is made where it is not there
    /// yet; a bucket must be.
    pub fn create(place: impl Into<PathBuf>) -> Result<Self, LakeError> {
        let place = place.into();
        let store = files::create(&place, LAYOUT)?;
        Ok(Self { place, store })
    }

    /// Opens the lake at `place`, which must be there; it may be empty.
    pub fn open(place: impl Into<PathBuf>) -> Result<Self, LakeError> {
        let place = place.into();
        let store = files::open(&place, LAYOUT)?;
        Ok(Self { place, store })
    }

    /// The lake of the objects under `prefix`, wherever they are; `place` is what errors call it.
    pub fn over(
        objects: Arc<dyn object_store::ObjectStore>,
        prefix: &str,
        place: impl Into<PathBuf>,
    ) -> Result<Self, LakeError> {
        let place = place.into();
        let store = Arc::new(Bucket::over(objects, prefix, place.clone())?);
        Ok(Self { place, store })
    }

    /// The folder, or the URL.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The files of some days, by their names.
    pub fn files(&self, days: RangeInclusive<Day>) -> Result<Vec<File>, LakeError> {
        let listed = self.store.list(EVENTS)?.into_iter().filter_map(|entry| {
            let partition = partition_of(&entry.name)?;
            let name = format!("{EVENTS}/{}", entry.name);
            Some(File { partition, bytes: entry.bytes, name })
        });
        let mut files: Vec<File> =
            listed.filter(|file| days.contains(&file.partition.day)).collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// The events of a file; `None` where somebody removed it.
    pub fn read(&self, file: &File) -> Result<Option<Vec<Row>>, LakeError> {
        self.bytes(file)?.map(|bytes| self.rows(file, bytes)).transpose()
    }

    /// The events of some listeners, by pseudonym; none where somebody removed the file.
    pub(crate) fn read_of(&self, file: &File, users: &[String]) -> Result<Vec<Row>, LakeError> {
        let Some(bytes) = self.bytes(file)? else { return Ok(Vec::new()) };
        let all = file::users(bytes.clone().into());
        let all = all.map_err(|problem| self.damaged(file, problem))?;
        if !users.iter().any(|user| all.contains(user)) {
            return Ok(Vec::new());
        }
        let rows = self.rows(file, bytes)?;
        Ok(rows.into_iter().filter(|row| users.contains(&row.event.user)).collect())
    }

    fn rows(&self, file: &File, bytes: Vec<u8>) -> Result<Vec<Row>, LakeError> {
        let rows = file::decode(bytes.into(), &file.partition);
        rows.map_err(|problem| self.damaged(file, problem))
    }

    fn damaged(&self, file: &File, problem: String) -> LakeError {
        LakeError::Damaged { path: self.place.join(&file.name), problem }
    }

    /// A file as it is stored.
    pub fn bytes(&self, file: &File) -> Result<Option<Vec<u8>>, LakeError> {
        Ok(self.store.read(&file.name, MOST_BYTES)?.map(|seen| seen.bytes))
    }

    /// Writes events, each to the file of its partition that is named `name`. They are durable once this returns.
    pub(crate) fn write(&self, rows: Vec<Row>, name: &str) -> Result<Vec<File>, LakeError> {
        let mut partitions: BTreeMap<Partition, Vec<Row>> = BTreeMap::new();
        for row in rows {
            partitions.entry(Partition::of(&row)).or_default().push(row);
        }
        let mut files = Vec::new();
        for (partition, rows) in partitions {
            let name = format!("{EVENTS}/{}/{name}.parquet", partition.folder());
            files.push(self.replace(partition, name, rows)?);
        }
        Ok(files)
    }

    /// Puts a file where there may be one already.
    fn replace(
        &self,
        partition: Partition,
        name: String,
        mut rows: Vec<Row>,
    ) -> Result<File, LakeError> {
        // What one listener did lies together: it packs better, and is found sooner.
        rows.sort_by(|a, b| {
            let key = |row: &Row| (row.event.at, row.arrived);
            a.event.user.cmp(&b.event.user).then_with(|| key(a).cmp(&key(b)))
        });
        let bytes = file::encode(&rows)
            .map_err(|problem| LakeError::Damaged { path: self.place.join(&name), problem })?;
        self.store.write_durably(&name, &bytes)?;
        Ok(File { partition, bytes: bytes.len() as u64, name })
    }

    /// Removes the files of this name that are none of these.
    pub(crate) fn keep_only(&self, files: &[File], name: &str) -> Result<(), LakeError> {
        let suffix = format!("/{name}.parquet");
        let mine = |file: &File| file.name.ends_with(&suffix);
        for file in self.files(Day::FIRST..=Day::LAST)?.into_iter().filter(mine) {
            if files.iter().all(|kept| kept.name != file.name) {
                self.remove(&file)?;
            }
        }
        Ok(())
    }

    pub(crate) fn remove(&self, file: &File) -> Result<bool, LakeError> {
        Ok(self.store.remove(&file.name, None)?)
    }
}

impl Partition {
    fn of(row: &Row) -> Self {
        let context = row.event.context.as_ref();
        Self {
            day: Day::of(row.event.at),
            region: context.and_then(|context| context.region.clone()),
        }
    }

    fn folder(&self) -> String {
        format!("day={}/region={}", self.day, self.region.as_deref().unwrap_or(NOWHERE))
    }
}

/// The partition of a file with this name from `events` on, where it is one of a lake.
fn partition_of(name: &str) -> Option<Partition> {
    let mut parts = name.split('/');
    let day = parts.next()?.strip_prefix("day=")?.parse().ok()?;
    let region = parts.next()?.strip_prefix("region=")?;
    let file = parts.next()?;
    let letters = region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase());
    let sound =
        parts.next().is_none() && file.ends_with(".parquet") && (letters || region == NOWHERE);
    sound.then(|| Partition { day, region: letters.then(|| region.to_owned()) })
}

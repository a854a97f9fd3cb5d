//! A folder of logs, in partitions as Hive lays them out: `day=2026-11-28/region=DE/….parquet`.
//!
//! What a part of the path says of all events below it need not be in the files. Of a lake of `segue serve` the folder
//! `events` is read.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::error::LogError;
use super::{Entry, Options, Summary, read_file};

/// How deep partitions may lie in each other.
const MOST_DEEP: usize = 8;

/// One file, and what its path says of its events.
struct Part {
    path: PathBuf,
    region: Option<String>,
}

/// Reads every log in a folder, by the names of their paths, as one log.
pub(super) fn read(
    folder: &Path,
    options: &Options<'_>,
    sink: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
) -> Result<Summary, LogError> {
    let events = folder.join("events");
    let mut parts = Vec::new();
    walk(if events.is_dir() { &events } else { folder }, None, options, 0, &mut parts)?;
    let mut whole: Option<Summary> = None;
    // Files of which no row can be read; one that can is enough for a log.
    let (mut bad, mut first_bad) = (0, Vec::new());
    for Part { path, region } in &parts {
        let region = region.as_deref().or(options.region);
        let part = read_file(path, &Options { region, ..options.clone() }, sink);
        let part = match part {
            // A day on which nothing happened.
            Err(LogError::Empty { .. }) => continue,
            Err(LogError::AllBad { rows, first, .. }) => {
                bad += rows;
                first_bad.push(first);
                continue;
            }
            part => part?,
        };
        let stopped = part.stopped;
        whole = Some(match whole {
            None => part,
            Some(whole) => joined(whole, part),
        });
        if stopped {
            break;
        }
    }
    let Some(mut whole) = whole else {
        let path = folder.into();
        return Err(match first_bad.into_iter().next() {
            Some(first) => LogError::AllBad { path, rows: bad, first },
            None => LogError::NoLogs { path },
        });
    };
    whole.bad_lines += bad;
    whole.first_bad.extend(first_bad);
    whole.first_bad.truncate(super::KEPT_BAD_ROWS);
    Ok(whole)
}

fn joined(mut whole: Summary, part: Summary) -> Summary {
    whole.rows += part.rows;
    whole.bad_lines += part.bad_lines;
    whole.bytes += part.bytes;
    whole.stopped = part.stopped;
    whole.first_bad.extend(part.first_bad);
    whole.first_bad.truncate(super::KEPT_BAD_ROWS);
    let known: BTreeSet<String> = whole.columns.iter().map(|column| column.name.clone()).collect();
    whole.columns.extend(part.columns.into_iter().filter(|column| !known.contains(&column.name)));
    let known: BTreeSet<String> = whole.unused.iter().cloned().collect();
    whole.unused.extend(part.unused.into_iter().filter(|name| !known.contains(name)));
    whole
}

fn walk(
    folder: &Path,
    region: Option<&str>,
    options: &Options<'_>,
    deep: usize,
    parts: &mut Vec<Part>,
) -> Result<(), LogError> {
    let failed = |source| LogError::Open { path: folder.into(), source };
    if deep == MOST_DEEP {
        return Err(failed(io::Error::other("folders lie too deep in each other")));
    }
    let entries: Result<BTreeSet<PathBuf>, io::Error> =
        fs::read_dir(folder).map_err(failed)?.map(|entry| Ok(entry?.path())).collect();
    for path in entries.map_err(failed)? {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if path.is_dir() {
            let partition = name.split_once('=');
            if partition.is_some_and(|(key, day)| key == "day" && !options.has_day(day)) {
                continue;
            }
            let region = match partition {
                // As Hive writes that there is none.
                Some(("region", "__HIVE_DEFAULT_PARTITION__")) => None,
                Some(("region", region)) => Some(region),
                _ => region,
            };
            walk(&path, region, options, deep + 1, parts)?;
        } else if is_log(name) {
            parts.push(Part { region: region.map(Into::into), path });
        }
    }
    Ok(())
}

/// Whether a file of this name is a log: others may lie beside them, such as `_SUCCESS`.
fn is_log(name: &str) -> bool {
    const ENDINGS: [&str; 5] = [".parquet", ".jsonl", ".ndjson", ".csv", ".tsv"];
    let bare = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    !name.starts_with(['.', '_']) && ENDINGS.iter().any(|ending| bare.ends_with(ending))
}

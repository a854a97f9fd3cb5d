//! Writing small logs and reading them whole.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::borrow::Cow;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use segue_train::log::{Context, Entry, LogError, Offer, Options, Summary, read};
use tempfile::TempDir;

/// A file that lives as long as the test.
pub struct LogFile {
    _folder: TempDir,
    pub path: PathBuf,
}

pub fn log_file(name: &str, content: impl AsRef<[u8]>) -> LogFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    LogFile { _folder: folder, path }
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Everything in a file.
pub fn read_all(
    path: &Path,
    options: &Options<'_>,
) -> Result<(Vec<Entry<'static>>, Summary), LogError> {
    let mut entries = Vec::new();
    let summary = read(path, options, &mut |entry| {
        entries.push(owned(entry));
        ControlFlow::Continue(())
    })?;
    Ok((entries, summary))
}

/// Everything in a file of this content, with no options.
pub fn read_text(name: &str, content: impl AsRef<[u8]>) -> (Vec<Entry<'static>>, Summary) {
    read_all(&log_file(name, content).path, &Options::default()).unwrap()
}

/// The message with which a file of this content is refused, without its folder.
pub fn refusal(name: &str, content: impl AsRef<[u8]>) -> String {
    refusal_with(name, content, &Options::default())
}

pub fn refusal_with(name: &str, content: impl AsRef<[u8]>, options: &Options<'_>) -> String {
    let file = log_file(name, content);
    let error = read_all(&file.path, options).unwrap_err();
    message(&error, &file.path)
}

/// The message of an error and of what caused it, without the folder of the file.
pub fn message(error: &dyn std::error::Error, path: &Path) -> String {
    let folder = format!("{}/", path.parent().unwrap().display());
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.replace(&folder, "")
}

fn owned(entry: &Entry<'_>) -> Entry<'static> {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| text.to_owned().into());
    Entry {
        id: text(&entry.id),
        user: entry.user.clone().into_owned().into(),
        session: text(&entry.session),
        track: entry.track.clone().into_owned().into(),
        at: entry.at,
        kind: entry.kind,
        heard: entry.heard,
        played_ms: entry.played_ms,
        duration_ms: entry.duration_ms,
        context: Context {
            region: text(&entry.context.region),
            tz_offset_min: entry.context.tz_offset_min,
            device: text(&entry.context.device),
            source: text(&entry.context.source),
            mood: text(&entry.context.mood),
        },
        title: text(&entry.title),
        artist: text(&entry.artist),
        album: text(&entry.album),
        tags: entry.tags.iter().map(|tag| tag.clone().into_owned().into()).collect(),
        offer: entry.offer.as_ref().map(|offer| Offer {
            propensity: offer.propensity,
            candidates: offer.candidates.iter().map(|id| id.clone().into_owned().into()).collect(),
            drawn: offer.drawn,
        }),
    }
}

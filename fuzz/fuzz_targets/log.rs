//! Any file is a log, a catalogue, a list of interactions or an error that names a place in it.
#![no_main]

use std::{fs, ops::ControlFlow, path::PathBuf};

use libfuzzer_sys::fuzz_target;
use segue_train::log::{Format, Options, read, read_catalogue, read_interactions};

/// A file of this process, in memory where the machine has such a folder.
fn path() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("segue-fuzz-{}", std::process::id()))
}

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (format, skip_bad_lines, bytes) = input;
    let path = path();
    if fs::write(&path, bytes).is_err() {
        return;
    }
    let formats = [None, Some(Format::JsonLines), Some(Format::Tsv), Some(Format::Csv)];
    let format = formats[usize::from(format) % formats.len()];
    let options = Options { format, skip_bad_lines, ..Options::default() };
    let mut entries = 0_u64;
    let read = read(&path, &options, &mut |entry| {
        assert!(!entry.user.is_empty() && !entry.track.is_empty());
        entries += 1;
        ControlFlow::Continue(())
    });
    match read {
        Ok(summary) => assert!(entries <= summary.rows),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let _ = read_catalogue(&path);
    let _ = read_interactions(&path);
});

//! Any file is a log, a catalogue, a list of interactions, of sittings or of queries, or an error that
//! names a place in it.
#![no_main]

mod file;

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use segue_train::log::{
    Format, Options, read, read_catalogue, read_interactions, read_next, read_sittings,
};

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (format, skip_bad_lines, bytes) = input;
    let Some(path) = file::holding(bytes) else { return };
    let formats = [None, Some(Format::JsonLines), Some(Format::Tsv), Some(Format::Csv)];
    let format = formats[usize::from(format) % formats.len()];
    let options = Options { format, skip_bad_lines, offers: true, ..Options::default() };
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
    let _ = read_sittings(&path);
    let _ = read_next(&path);
});

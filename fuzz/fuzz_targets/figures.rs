//! Any file holds the figures of each case of a test or is an error that names a place in it; what was
//! read can be written and read again, and is no better than itself.
#![no_main]

mod file;

use libfuzzer_sys::fuzz_target;
use segue_train::evaluate::{
    compare::compare,
    figures::{Each, NEXT, SPLIT, read, write},
};

/// More cases take the comparison too long for a fuzzer.
const COMPARED: usize = 4;

fuzz_target!(|input: (bool, &[u8])| {
    let (split, bytes) = input;
    let protocol = if split { &SPLIT } else { &NEXT };
    let Some(path) = file::holding(bytes) else { return };
    let each = match read(protocol, &path) {
        Ok(each) => each,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(each.iter().flat_map(|each| each.figures).all(|x| (0.0..=1.0).contains(&x)));
    if each.len() <= COMPARED {
        let found = compare(protocol, [&path, &path], 1).expect("a file has the cases that it has");
        assert!(found.cases == each.len());
        assert!(found.figures.iter().all(|figure| figure.mean == 0.0 && figure.p == 1.0));
    }
    let mut written = Vec::new();
    write(protocol, &each, &mut written).expect("a vector takes what is written to it");
    let Some(path) = file::holding(&written) else { return };
    let again = read(protocol, &path).expect("what was written can be read");
    assert!(again.iter().map(|each| &each.name).eq(each.iter().map(|each| &each.name)));
    let figures = |each: &[Each]| each.iter().flat_map(|each| each.figures).collect::<Vec<f64>>();
    // Numbers are read to the last place but one.
    let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-15;
    assert!(figures(&again).iter().zip(&figures(&each)).all(near));
});

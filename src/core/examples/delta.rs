//! `delta OLD NEW [DELTA]`: the deltas between two model files, all of whose shards are alike, and what they cost; the one of
//! the head goes to the file DELTA.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it is what it is for")]

use std::{env, fs, time::Instant};

use segue_core::model::{Model, SectionKind, delta};

/// Times that each is done; the least counts.
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let model = |at: usize| Model::from_file(&fs::read(&arguments[at]).unwrap()).unwrap();
    let [old, new] = [0, 1].map(model);
    let shards = 0..=u8::MAX;
    let make = || shards.clone().filter_map(|shard| delta::between(&old, &new, shard));
    let (encode, deltas) = timed(1, || make().collect::<Vec<_>>());
    let slices: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
    let apply = || old.patched(&slices, Vec::<(SectionKind, _)>::new()).unwrap();
    let (applied, made) = timed(ROUNDS, apply);
    let file = new.to_file();
    assert!(made.to_file() == file, "another model");
    let (read, _) = timed(ROUNDS, || Model::from_file(&file).unwrap());
    if let Some(to) = arguments.get(2) {
        fs::write(to, &deltas[0]).unwrap();
    }
    let bytes: usize = deltas.iter().map(Vec::len).sum();
    println!(
        "{{\"tracks\":{},\"model\":{},\"delta\":{bytes},\"encode_ms\":{encode:.2},\"apply_ms\":{applied:.2},\"read_ms\":{read:.2}}}",
        new.len(),
        file.len(),
    );
}

/// Milliseconds of the fastest of so many rounds, and what it gave.
fn timed<T>(rounds: usize, what: impl Fn() -> T) -> (f64, T) {
    let mut found = None;
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        found = Some(what());
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    (least, found.unwrap())
}

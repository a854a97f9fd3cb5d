//! ALS on pairs, an epoch at a time, for those who measure it.
//!
//! `cargo run --release -p segue-train --example als -- PAIRS DIM UNOBSERVED RIDGE EXPONENT SEED`
//!
//! PAIRS are two little-endian 32-bit numbers each, listener and track, by listener. Every line of
//! standard input is a request, answered by a line: `epoch` by the seconds that one took, `write
//! FOLDER` by nothing once `users.f32` and `items.f32` are there.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what it is for")]

use std::{
    env,
    error::Error,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Read, Write, stdin},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use segue_core::{fold_in::Pull, model::Loss};
use segue_train::{als::Trainer, matrix::Matrix};

const SEEN: Pull = Pull { weight: 1.0, information: 1.0 };

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [pairs, dim, unobserved, ridge, exponent, seed] = &arguments[..] else {
        eprintln!("usage: als PAIRS DIM UNOBSERVED RIDGE EXPONENT SEED");
        return ExitCode::from(2);
    };
    match run(pairs.as_ref(), dim, [unobserved, ridge, exponent], seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("als: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(pairs: &Path, dim: &str, loss: [&str; 3], seed: &str) -> Result<(), Box<dyn Error>> {
    let loss =
        Loss { unobserved: loss[0].parse()?, ridge: loss[1].parse()?, exponent: loss[2].parse()? };
    let by_user = read(pairs)?;
    let by_item = by_user.transposed();
    let mut trainer = Trainer::new(&by_user, &by_item, dim.parse()?, seed.parse()?);
    for line in stdin().lock().lines() {
        match line?.split_once(' ') {
            None => {
                let start = Instant::now();
                trainer.epoch(&loss, &|| false);
                println!("{}", start.elapsed().as_secs_f64());
            }
            Some((_, folder)) => {
                let folder = Path::new(folder);
                write(&folder.join("users.f32"), &trainer.factors.users)?;
                write(&folder.join("items.f32"), &trainer.factors.items)?;
                println!();
            }
        }
    }
    Ok(())
}

/// The matrix of all pairs, each observed once.
fn read(path: &Path) -> Result<Matrix, Box<dyn Error>> {
    let mut bytes = Vec::new();
    BufReader::new(File::open(path)?).read_to_end(&mut bytes)?;
    let (pairs, _) = bytes.as_chunks::<8>();
    let number = |pair: &[u8; 8], half: usize| {
        u32::from_le_bytes([0, 1, 2, 3].map(|byte| pair[4 * half + byte]))
    };
    let tracks = pairs.iter().map(|pair| number(pair, 1) as usize + 1).max().unwrap_or(0);
    let mut listener = 0;
    let mut rest = pairs;
    let rows = std::iter::from_fn(|| {
        let end = rest.iter().position(|pair| number(pair, 0) != listener).unwrap_or(rest.len());
        let (row, after) = rest.split_at(end);
        (rest, listener) = (after, listener + 1);
        let done = row.is_empty() && after.is_empty();
        (!done).then(|| row.iter().map(|pair| (number(pair, 1), SEEN)))
    });
    Ok(Matrix::from_rows(tracks, rows))
}

fn write(path: &Path, reals: &[f32]) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    reals.iter().try_for_each(|x| file.write_all(&x.to_le_bytes()))?;
    Ok(file.flush()?)
}

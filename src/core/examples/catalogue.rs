//! Catalogues to measure on: cut from a trained model or made of noise, and written out in the
//! plain arrays that other libraries read.
//!
//! ```text
//! catalogue cut MODEL ROWS OUT        the first rows, which the order of fingerprints makes random
//! catalogue noise ROWS OUT            independent normal components: nothing can be ruled out early
//! catalogue export MODEL LISTENERS DIR
//! ```
//!
//! `export` writes `factors.f32`, `codes.i8` (rows without padding) and `steps.f32`, of which they are
//! the product, and for every line of LISTENERS `tastes.f32` and its rounding `queries.i16`. A line is a listener's events, separated by `;`:
//! `kind row played_ms duration_ms`, with 0 for a duration that is not known.

mod support;

use std::{env, error::Error, fs, path::Path};

use segue_core::{
    bytes::Aligned,
    ids::Row,
    model::{
        Loss, Model, Responses, SectionKind, TasteParts, container, encode_ranking, fine_steps,
        quantise,
    },
    rng::SplitMix64,
    session::Session,
};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cut", model, rows, out] => cut(&support::model(model)?, rows.parse()?, out),
        ["noise", rows, out] => noise(rows.parse()?, out),
        ["export", model, listeners, dir] => {
            export(&support::model(model)?, &support::listeners(listeners)?, Path::new(dir))
        }
        _ => Err("usage: catalogue cut|noise|export …, see the head of this file".into()),
    }
}

fn cut(model: &Model, rows: usize, out: &str) -> Outcome {
    let factors = model.factors();
    if rows > factors.len() {
        return Err(format!("{rows} rows of a model that has {}", factors.len()).into());
    }
    let dim = factors.dim();
    let codes: Vec<i8> =
        (0..rows as u32).flat_map(|row| factors.row(Row(row))[..dim].to_vec()).collect();
    write_model(factors.steps(), &codes, &taste_of(model, rows), out)
}

/// The listener side of `model`, for a catalogue of so many rows.
fn taste_of(model: &Model, rows: usize) -> TasteParts {
    let taste = model.taste();
    TasteParts {
        loss: taste.loss(),
        catalogue: rows as f32,
        pull: taste.pull(),
        responses: *taste.responses(),
        mean: taste.mean().to_vec(),
        gram: None,
    }
}

/// Components of a factor of noise, and their standard deviation.
const DIM: usize = 64;
const SIGMA: f64 = 0.1;

fn noise(rows: usize, out: &str) -> Outcome {
    let mut rng = SplitMix64::new(1);
    // Box and Muller.
    let mut normal = || {
        let (radius, angle) = ((1.0 - rng.unit()).ln() * -2.0, rng.unit() * std::f64::consts::TAU);
        (SIGMA * radius.sqrt() * angle.cos()) as f32
    };
    let factors: Vec<f32> = (0..rows * DIM).map(|_| normal()).collect();
    let steps = fine_steps(&factors, DIM);
    let parts = TasteParts {
        loss: Loss { unobserved: 0.1, ridge: 0.01, exponent: 1.0 },
        catalogue: rows as f32,
        pull: 0.0,
        responses: Responses::default(),
        mean: vec![0.0; DIM],
        gram: None,
    };
    write_model(&steps, &quantise(&factors, &steps), &parts, out)
}

/// Fingerprints are drawn anew: no scan looks at them.
fn write_model(steps: &[f32], codes: &[i8], taste: &TasteParts, out: &str) -> Outcome {
    let mut rng = SplitMix64::new(2);
    let mut fingerprints: Vec<u64> = (0..codes.len() / steps.len()).map(|_| rng.next()).collect();
    fingerprints.sort_unstable();
    write(&encode_ranking(&fingerprints, steps, codes, taste).1, out)
}

fn write(sections: &[(SectionKind, Aligned)], out: impl AsRef<Path>) -> Outcome {
    let sections: Vec<(SectionKind, &[u8])> =
        sections.iter().map(|(kind, bytes)| (*kind, Aligned::as_slice(bytes))).collect();
    fs::write(out, container::join(&sections))?;
    Ok(())
}

fn export(model: &Model, listeners: &[support::Listener], dir: &Path) -> Outcome {
    let factors = model.factors();
    let dim = factors.dim();
    let mut decoded = vec![0.0; dim];
    let mut bytes = Vec::with_capacity(factors.len() * dim * size_of::<f32>());
    let mut codes = Vec::with_capacity(factors.len() * dim);
    for row in (0..factors.len() as u32).map(Row) {
        factors.decode(row, &mut decoded);
        bytes.extend(decoded.iter().flat_map(|x| x.to_le_bytes()));
        codes.extend(factors.row(row)[..dim].iter().map(|&code| code as u8));
    }
    fs::write(dir.join("factors.f32"), bytes)?;
    let steps: Vec<u8> = factors.steps().iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(dir.join("steps.f32"), steps)?;
    fs::write(dir.join("codes.i8"), codes)?;

    let (mut tastes, mut queries) = (Vec::new(), Vec::new());
    for listener in listeners {
        let mut session = Session::new(model);
        listener.iter().for_each(|event| session.observe(model, *event));
        let taste = &session.posterior(model).mean;
        tastes.extend(taste.iter().flat_map(|x| x.to_le_bytes()));
        let query = &session.query(model).values()[..dim];
        queries.extend(query.iter().flat_map(|x| x.to_le_bytes()));
    }
    fs::write(dir.join("tastes.f32"), tastes)?;
    fs::write(dir.join("queries.i16"), queries)?;
    Ok(())
}

//! A small model made of nothing but a seed.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use segue_core::{
    bytes::Aligned,
    ids::fingerprint,
    model::{self, Loss, Model, Responses, SectionKind, TasteParts, fine_steps, quantise},
    rng::SplitMix64,
};

/// Components of a factor.
pub const DIM: usize = 20;

/// The sections of a model of `tracks` tracks named `t0`, `t1`, …, around four directions.
pub fn sections(tracks: usize, seed: u64) -> Vec<(SectionKind, Aligned)> {
    sections_saying(Responses::default(), tracks, seed)
}

/// The same under other responses.
pub fn sections_saying(
    responses: Responses,
    tracks: usize,
    seed: u64,
) -> Vec<(SectionKind, Aligned)> {
    let mut rng = SplitMix64::new(seed);
    let mut fingerprints: Vec<u64> = (0..tracks).map(|i| fingerprint(&format!("t{i}"))).collect();
    fingerprints.sort_unstable();
    let mut noise = |scale: f64| ((rng.unit() - 0.5) * scale) as f32;
    let factors: Vec<f32> = (0..tracks * DIM)
        .map(|at| noise(0.4) + if at % DIM % 4 == at / DIM % 4 { 0.3 } else { 0.0 })
        .collect();
    let steps = fine_steps(&factors, DIM);
    let codes = quantise(&factors, &steps);
    let taste = TasteParts {
        loss: Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 },
        catalogue: tracks as f32,
        pull: 0.3,
        responses,
        mean: vec![0.2; DIM],
        gram: None,
    };
    let assignment: Vec<u16> = (0..tracks).map(|row| (row % 4) as u16).collect();
    let names: Vec<String> = (0..tracks).map(|row| format!("Song Nº {row}")).collect();
    let text = names
        .iter()
        .enumerate()
        .map(|(row, name)| (name.as_str(), ["Ana", "Björk", ""][row % 3], row as u32 * 1000));
    let clusters = ["rock".to_owned(), String::new(), "jazz".to_owned(), "dub".to_owned()];
    let (ids, mut sections) = model::encode_ranking(&fingerprints, &steps, &codes, &taste);
    let centroids = vec![0.1; 4 * DIM];
    sections.extend([
        (SectionKind::Clusters, model::encode_clusters(ids, DIM, &centroids, &assignment)),
        (SectionKind::Text, model::encode_text(ids, text, &clusters)),
    ]);
    sections
}

/// A model of [`sections`].
pub fn model(tracks: usize, seed: u64) -> Model {
    Model::from_sections(sections(tracks, seed)).unwrap()
}

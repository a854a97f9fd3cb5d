//! A small model made of nothing but a seed.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use segue_core::{
    bytes::Aligned,
    codec::pairs::Pair,
    event::Kind,
    ids::fingerprint,
    model::{
        self, ContextParts, Habits, IdsDigest, Loss, Model, NeighbourParts, RankerParts, Rate,
        Recipe, Responses, SectionId, SectionKind, Shard, Split, Spread, TasteParts, encode_split,
        fine_steps, quantise,
    },
    moment::{Field, Moment},
    rng::SplitMix64,
    signals::Signals,
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
    let (fingerprints, steps, codes, taste) = parts(responses, tracks, seed);
    let assignment: Vec<u16> = (0..tracks).map(|row| (row % 4) as u16).collect();
    let clusters = ["rock".to_owned(), String::new(), "jazz".to_owned(), "dub".to_owned()];
    let (ids, mut sections) = model::encode_ranking(&fingerprints, &steps, &codes, &taste);
    let centroids = vec![0.1; 4 * DIM];
    sections.extend([
        (SectionKind::Clusters, model::encode_clusters(ids, DIM, &centroids, &assignment)),
        (SectionKind::Text, text(ids, 0..tracks, &clusters)),
        (SectionKind::Neighbours, model::encode_neighbours(ids, &neighbours(tracks)).unwrap()),
    ]);
    sections
}

/// The same with what foretells a yes, of these weights.
pub fn ranked_sections(tracks: usize, seed: u64, weights: Signals) -> Vec<(SectionKind, Aligned)> {
    let mut sections = sections(tracks, seed);
    let ids = Model::from_sections(sections.clone()).unwrap().ids_digest();
    let rate =
        |row: usize| Rate { log_odds: (row % 7) as f32 / 2.0 - 1.0, plays: (row % 5) as f32 };
    let rates: Vec<Rate> = (0..tracks).map(rate).collect();
    let of: Vec<u64> = (0..tracks).map(tags_of).collect();
    sections.extend([
        (SectionKind::Rates, model::encode_rates(ids, &rates)),
        (SectionKind::Ranker, model::encode_ranker(&ranker(weights))),
        (SectionKind::Tags, model::encode_tags(ids, &of, &TAGS.map(str::to_owned))),
        (SectionKind::Context, model::encode_context(&contexts())),
    ]);
    sections
}

/// A ranker of these weights.
pub fn ranker(weights: Signals) -> RankerParts {
    let worth = Kind::ALL.map(|kind| match kind {
        Kind::Skip | Kind::Dislike => -1.0,
        Kind::Impression | Kind::Search | Kind::Click => 0.0,
        _ => 1.0,
    });
    let recipe = Recipe {
        axes: 12,
        prior: 3.0,
        log_odds: 0.4,
        all: Spread { others: 5.0, ridge: 0.5, tags: 2.0 },
        sitting: Spread { others: 2.0, ridge: 0.5, tags: 1.0 },
        half_life: 4.0,
        ..Recipe::default()
    };
    RankerParts { recipe, worth, weights }
}

/// Names of the tags of [`ranked_sections`].
pub const TAGS: [&str; 3] = ["calm", "loud", "odd"];

/// Every third track is calm, every fourth loud, every other odd.
pub fn tags_of(row: usize) -> u64 {
    let every = |of: usize| u64::from(row.is_multiple_of(of));
    every(3) | every(4) << 1 | every(2) << 2
}

/// On a phone calm tracks are liked more, in the evening loud ones are.
pub fn contexts() -> ContextParts {
    let effect = |tag: usize| -> Vec<f32> {
        (0..12 + TAGS.len()).map(|at| if at == 12 + tag { 0.5 } else { 0.01 }).collect()
    };
    let keys = [
        (Moment::default().with(Field::Device, "phone").key(Field::Device), 0),
        (Moment::default().on(EVENING, 0).key(Field::Hour), 1),
    ];
    let mut effects: Vec<(u32, Vec<f32>)> =
        keys.into_iter().map(|(key, tag)| (key.unwrap(), effect(tag))).collect();
    effects.sort_by_key(|(key, _)| *key);
    ContextParts { axes: 12, tags: TAGS.len(), effects }
}

/// A time at which it is evening in Greenwich: 2025-01-03T19:00:00Z, a Friday.
pub const EVENING: i64 = 1_735_930_800_000;

/// The same catalogue split: every fourth track is of the head, the others are in eight cells of
/// four shards, each with names; there are no clusters.
pub fn split_sections(tracks: usize, seed: u64) -> Vec<(SectionId, Aligned)> {
    shifted_sections(tracks, seed, 0)
}

/// The same where the tracks of the head are 2^`shift` times as large.
pub fn shifted_sections(tracks: usize, seed: u64, shift: u32) -> Vec<(SectionId, Aligned)> {
    let (fingerprints, steps, codes, taste) = parts(Responses::default(), tracks, seed);
    let cell_of: Vec<Option<u32>> =
        (0..tracks as u32).map(|row| (row % 4 > 0).then_some(row / 4 % 8)).collect();
    let split = Split { cell_of: &cell_of, shard_of: &[1, 1, 2, 2, 3, 3, 4, 4], shift };
    let (shards, mut sections) =
        encode_split(&fingerprints, &steps, &codes, &taste, &split).unwrap();
    for Shard { number: shard, tracks, ids } in shards {
        let id = SectionId { shard, kind: SectionKind::Text };
        sections.push((id, text(ids, tracks.into_iter(), &[])));
    }
    sections
}

/// Each track goes with the one seven rows on, as strongly as its number has it.
pub fn neighbours(tracks: usize) -> NeighbourParts {
    let pair =
        |row: usize| Pair { rows: [row as u32, row as u32 + 7], level: (row % 8) as u8, lean: 2 };
    NeighbourParts {
        powers: [0.5, 0.25],
        strengths: [0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16],
        classes: (0..tracks).map(|row| (row % 5) as u8).collect(),
        pairs: (0..tracks.saturating_sub(7)).map(pair).collect(),
        back: 1.0,
        habits: Habits::default(),
    }
}

fn parts(
    responses: Responses,
    tracks: usize,
    seed: u64,
) -> (Vec<u64>, Vec<f32>, Vec<i8>, TasteParts) {
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
    (fingerprints, steps, codes, taste)
}

fn text(ids: IdsDigest, rows: impl Iterator<Item = usize>, clusters: &[String]) -> Aligned {
    let names: Vec<(String, usize)> = rows.map(|row| (format!("Song Nº {row}"), row)).collect();
    let text = names
        .iter()
        .map(|(name, row)| (name.as_str(), ["Ana", "Björk", ""][row % 3], *row as u32 * 1000));
    model::encode_text(ids, text, clusters)
}

/// A model of [`sections`].
pub fn model(tracks: usize, seed: u64) -> Model {
    Model::from_sections(sections(tracks, seed)).unwrap()
}

/// A model of so few distinct factors that most tracks have that of another.
pub fn coarse(tracks: usize, seed: u64) -> Model {
    let mut rng = SplitMix64::new(seed);
    let mut fingerprints: Vec<u64> = (0..tracks).map(|i| fingerprint(&format!("t{i}"))).collect();
    fingerprints.sort_unstable();
    let codes: Vec<i8> =
        (0..tracks * DIM).map(|at| if at % DIM < 3 { rng.below(3) as i8 - 1 } else { 0 }).collect();
    let taste = TasteParts {
        loss: Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 },
        catalogue: tracks as f32,
        pull: 0.3,
        responses: Responses::default(),
        mean: vec![0.2; DIM],
        gram: None,
    };
    let (_, sections) = model::encode_ranking(&fingerprints, &[0.1; DIM], &codes, &taste);
    Model::from_sections(sections).unwrap()
}

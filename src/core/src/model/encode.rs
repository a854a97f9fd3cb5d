//! Sections from what they hold: the way back of reading them.

use alloc::{string::String, vec::Vec};

use super::{
    ContextParts, Entry, FactorsDigest, IdsDigest, Model, NeighbourParts, RankerParts, Rate,
    SectionKind, TasteParts, albums, clusters, context, factors, finished, ids, neighbours, ranker,
    rates, tags, taste, text,
};
use crate::bytes::Aligned;

/// Lays out the `ids` section. `fingerprints` must ascend strictly.
pub fn encode_ids(fingerprints: &[u64]) -> (Aligned, IdsDigest) {
    ids::encode(fingerprints, 0)
}

/// The same with fingerprints as long as those of `base`, where these are long enough to be told apart.
pub fn encode_ids_beside(fingerprints: &[u64], base: &Model) -> (Aligned, IdsDigest) {
    ids::encode_beside(fingerprints, base.head.ids().bits())
}

/// The `taste` section of `base` for other factors: those of the section `factors`.
pub fn encode_taste_beside(base: &Model, factors: FactorsDigest) -> Aligned {
    taste::encode_beside(base.head.section(SectionKind::Taste), factors)
}

/// Lays out the `factors` section: `steps.len()` codes a row.
pub fn encode_factors(ids: IdsDigest, steps: &[f32], codes: &[i8]) -> Aligned {
    factors::encode(ids, steps, codes)
}

/// Lays out the `taste` section that belongs to the section `factors`.
pub fn encode_taste(parts: &TasteParts, factors: FactorsDigest) -> Aligned {
    taste::encode(parts, factors)
}

/// Lays out the three sections that ranking needs, the smallest model that works, and says what
/// further sections are to be numbered by. `fingerprints` ascend strictly; a row has `steps.len()`
/// `codes`.
pub fn encode_ranking(
    fingerprints: &[u64],
    steps: &[f32],
    codes: &[i8],
    taste: &TasteParts,
) -> (IdsDigest, Vec<(SectionKind, Aligned)>) {
    let (ids, digest) = encode_ids(fingerprints);
    let factors = encode_factors(digest, steps, codes);
    let taste = encode_taste(taste, FactorsDigest::of(factors.as_slice()));
    let sections =
        [(SectionKind::Ids, ids), (SectionKind::Factors, factors), (SectionKind::Taste, taste)];
    (digest, sections.into())
}

/// Lays out the `clusters` section: `centroids` holds `dim` reals a cluster, `assignment` one
/// cluster a row. [`crate::membership`] says what the centroids' lengths mean.
pub fn encode_clusters(
    ids: IdsDigest,
    dim: usize,
    centroids: &[f32],
    assignment: &[u16],
) -> Aligned {
    clusters::encode(ids, dim, centroids, assignment)
}

/// Lays out the `finished` section of a head of so many tracks: one list a cluster, whose levels count
/// `scale` each.
pub fn encode_finished(ids: IdsDigest, tracks: usize, scale: f32, lists: &[&[Entry]]) -> Aligned {
    finished::encode(ids, tracks, scale, lists)
}

/// Lays out the `rates` section: one entry a row.
pub fn encode_rates(ids: IdsDigest, rates: &[Rate]) -> Aligned {
    rates::encode(ids, rates)
}

/// Lays out the `albums` section: for each row the number of its album among those of its artist, from 1, or 0.
pub fn encode_albums(ids: IdsDigest, numbers: &[u8]) -> Aligned {
    albums::encode(ids, numbers)
}

/// Lays out the `tags` section: for each row the bits of its tags, and the names of these, [`MAX_TAGS`] at most.
pub fn encode_tags(ids: IdsDigest, of: &[u64], names: &[String]) -> Aligned {
    tags::encode(ids, of, names)
}

/// Lays out the `context` section.
pub fn encode_context(parts: &ContextParts) -> Aligned {
    context::encode(parts)
}

/// Lays out the `ranker` section.
pub fn encode_ranker(parts: &RankerParts) -> Aligned {
    ranker::encode(parts)
}

/// Lays out the `neighbours` section or `transitions`; `None` where there is no memory to.
pub fn encode_neighbours(ids: IdsDigest, parts: &NeighbourParts) -> Option<Aligned> {
    neighbours::encode(ids, parts)
}

/// Lays out the `text` section. `tracks` yields title, artist and duration in milliseconds (0
/// where unknown) in row order; `clusters` one name a cluster.
pub fn encode_text<'a>(
    ids: IdsDigest,
    tracks: impl Iterator<Item = (&'a str, &'a str, u32)>,
    clusters: &[String],
) -> Aligned {
    text::encode(ids, tracks, clusters)
}

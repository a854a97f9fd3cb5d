//! Laying out a catalogue that is split into a head and shards; [`super::tail`] says what that is.

use alloc::{vec, vec::Vec};

use super::{
    FactorsDigest, IdsDigest, SectionId, SectionKind, TasteParts, encode_taste, factors, ids, tail,
};
use crate::{
    bytes::Aligned,
    kernel::{MAX_SHIFT, Sketch},
};

/// Bits that check whether a string is in the tail at all: one in 16 that are not is taken for an
/// absent track.
const CHECK_BITS: u32 = 4;
/// Bits of the head's fingerprints beyond the usual, so that looking an id up in head and shard
/// errs no more often than in one.
const HEAD_SPARE: u32 = 1;

/// What goes where.
#[derive(Clone, Copy, Debug)]
pub struct Split<'a> {
    /// The cell of each track; `None` for those of the head.
    pub cell_of: &'a [Option<u32>],
    /// The shard of each cell, 1 to 254.
    pub shard_of: &'a [u8],
    /// The codes of the head count 2 to this of the steps, at most [`MAX_SHIFT`].
    pub shift: u32,
}

/// The tracks of one shard.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Its number; 0 is the head.
    pub number: u8,
    /// Which of the catalogue's tracks it has, in the order of its rows.
    pub tracks: Vec<usize>,
    /// What further sections of it are to be numbered by.
    pub ids: IdsDigest,
}

/// Shards and their sections.
pub type Sharded = (Vec<Shard>, Vec<(SectionId, Aligned)>);

/// Lays out the sections that ranking needs, and says which tracks went to which shard. `None` where
/// the head would be empty or a fingerprint is there twice. The Gram matrix, where `taste` has
/// none, is that of all rows. Arguments as of [`super::encode_ranking`].
pub fn encode_split(
    fingerprints: &[u64],
    steps: &[f32],
    codes: &[i8],
    taste: &TasteParts,
    split: &Split<'_>,
) -> Option<Sharded> {
    let dim = steps.len();
    let row = |track: usize| &codes[track * dim..][..dim];
    let last = split.shard_of.iter().copied().max().unwrap_or(0);
    let shard_of = |track: usize| match split.cell_of[track] {
        Some(cell) => split.shard_of[cell as usize],
        None => 0,
    };
    let mut tracks_of: Vec<Vec<usize>> = vec![Vec::new(); usize::from(last) + 1];
    (0..fingerprints.len()).for_each(|track| tracks_of[usize::from(shard_of(track))].push(track));
    if tracks_of[0].is_empty() {
        return None;
    }

    let count = (1 << split.shift.min(MAX_SHIFT)) as f32;
    let of_head: Vec<f32> = steps.iter().map(|step| step * count).collect();
    let mut sections: Vec<(SectionId, Aligned)> = Vec::new();
    let mut shards = Vec::new();
    let mut named = Vec::new();
    for (number, tracks) in (0..).zip(tracks_of) {
        if tracks.is_empty() {
            named.push(None);
            continue;
        }
        let prints: Vec<u64> = tracks.iter().map(|&track| fingerprints[track]).collect();
        let codes: Vec<i8> = tracks.iter().flat_map(|&track| row(track)).copied().collect();
        let spare = if number == 0 { HEAD_SPARE } else { 0 };
        let (coded_ids, digest) = ids::encode(&prints, spare);
        let coded = factors::encode(digest, if number == 0 { &of_head } else { steps }, &codes);
        named.push(Some((tracks.len(), digest, FactorsDigest::of(coded.as_slice()))));
        let of = |kind| SectionId { shard: number, kind };
        sections.extend([(of(SectionKind::Ids), coded_ids), (of(SectionKind::Factors), coded)]);
        shards.push(Shard { number, tracks, ids: digest });
    }
    let (_, head, head_factors) = named.remove(0)?;

    let shift = |track: usize| if split.cell_of[track].is_none() { split.shift } else { 0 };
    let gram = taste.gram.clone().unwrap_or_else(|| factors::gram(codes, steps, shift));
    let taste = encode_taste(&TasteParts { gram: Some(gram), ..taste.clone() }, head_factors);
    let unit = Sketch::new(codes, dim)?.unit();
    let means = means(steps, codes, split);
    let table = tail::encode_shards(head, steps, &named, split.shard_of, &means, unit, split.shift);
    let absent = || (0..).zip(split.cell_of).filter_map(|(track, cell)| Some((track, (*cell)?)));
    let prints: Vec<u64> = absent().map(|(track, _): (usize, _)| fingerprints[track]).collect();
    let cells: Vec<u32> = absent().map(|(_, cell): (usize, _)| cell).collect();
    let cells =
        tail::encode_cells(table.as_slice(), split.shard_of.len(), &prints, &cells, CHECK_BITS)?;
    let of_all =
        [(SectionKind::Taste, taste), (SectionKind::Shards, table), (SectionKind::Cells, cells)];
    sections.extend(of_all.map(|(kind, bytes)| (kind.into(), bytes)));
    Some((shards, sections))
}

/// The mean factor of each cell, in order; of no taste where a cell is empty.
fn means(steps: &[f32], codes: &[i8], split: &Split<'_>) -> Vec<f32> {
    let dim = steps.len();
    let mut sums = vec![0_i64; split.shard_of.len() * dim];
    let mut sizes = vec![0_i64; split.shard_of.len()];
    for (row, cell) in codes.chunks_exact(dim).zip(split.cell_of) {
        let Some(cell) = cell.map(|cell| cell as usize) else { continue };
        sizes[cell] += 1;
        let sum = &mut sums[cell * dim..][..dim];
        sum.iter_mut().zip(row).for_each(|(sum, &code)| *sum += i64::from(code));
    }
    let mean = |(at, sum): (usize, i64)| {
        (sum as f64 / sizes[at / dim].max(1) as f64) as f32 * steps[at % dim]
    };
    sums.into_iter().enumerate().map(mean).collect()
}

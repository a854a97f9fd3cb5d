//! From trained factors to the model that ships.

use segue_core::{
    ids::Row,
    model::{
        self, Loss, Model, ModelError, NeighbourParts, Responses, SectionKind, Shard, Sharded,
        TasteParts, encode_split,
    },
};

use crate::{
    coding::Coded,
    links,
    shards::{self, Plan, Tracks},
};

/// What fold-in on the device needs besides the factors.
#[derive(Clone, Copy, Debug)]
pub struct FoldIn {
    /// α, λ and ν: those of the factors, but for λ. A listener whom training never saw did not
    /// bend the factors towards themselves, and wants another ridge than one who did.
    pub loss: Loss,
    /// τ, the pull towards the mean listener.
    pub pull: f32,
    /// What each kind of event says.
    pub responses: Responses,
}

/// The smallest model that works. `fingerprints` ascend; row i of `coded` belongs to the i-th.
pub fn ranking_model(
    fingerprints: &[u64],
    coded: &Coded,
    fold_in: &FoldIn,
) -> Result<Model, ModelError> {
    whole_model(fingerprints, coded, fold_in, None)
}

/// The same with `neighbours` beside the factors.
pub fn whole_model(
    fingerprints: &[u64],
    coded: &Coded,
    fold_in: &FoldIn,
    neighbours: Option<&NeighbourParts>,
) -> Result<Model, ModelError> {
    Model::from_sections(sharded(fingerprints, coded, fold_in, neighbours, None).1)
}

/// A model of factors whose head has steps of its own, with the row of each track in it: a head and
/// one shard. The smallest model where there is no head.
pub fn split_model(
    fingerprints: &[u64],
    coded: &Coded,
    fold_in: &FoldIn,
    neighbours: Option<&NeighbourParts>,
    in_head: &[bool],
) -> Result<(Model, Vec<Row>), ModelError> {
    let all = vec![0; fingerprints.len()];
    let plan = shards::plan(Tracks { popularity: &vec![0.0; all.len()], clusters: &all }, in_head);
    let (shards, sections) = sharded(fingerprints, coded, fold_in, neighbours, plan.as_ref());
    let mut rows = vec![Row(0); fingerprints.len()];
    for Shard { number, tracks, .. } in shards {
        (0..).zip(tracks).for_each(|(place, track)| rows[track] = Row::new(number, place));
    }
    Ok((Model::from_sections(sections)?, rows))
}

/// The sections of [`ranking_model`] and `neighbours`, split as `plan` has it, and the shards that
/// further sections are to be numbered by.
pub fn sharded(
    fingerprints: &[u64],
    coded: &Coded,
    fold_in: &FoldIn,
    neighbours: Option<&NeighbourParts>,
    plan: Option<&Plan>,
) -> Sharded {
    let Coded { steps, codes, shifts, mean, .. } = coded;
    // Of the head, the only rows that have one.
    let shift = shifts.iter().copied().max().unwrap_or(0).into();
    let taste = taste_parts(coded.trained(), mean.clone(), fold_in);
    let taste = TasteParts { gram: coded.gram(), ..taste };
    let split =
        plan.and_then(|plan| encode_split(fingerprints, steps, codes, &taste, &plan.split(shift)));
    let (shards, mut sections) = split.unwrap_or_else(|| {
        let (ids, sections) = model::encode_ranking(fingerprints, steps, codes, &taste);
        let tracks = (0..fingerprints.len()).collect();
        let sections = sections.into_iter().map(|(kind, bytes)| (kind.into(), bytes));
        (vec![Shard { number: 0, tracks, ids }], sections.collect())
    });
    sections.extend(
        neighbours.iter().flat_map(|all| links::sections(SectionKind::Neighbours, all, &shards)),
    );
    (shards, sections)
}

/// The listener side of the ridge system for a catalogue of so many tracks.
pub fn taste_parts(tracks: usize, mean: Vec<f32>, fold_in: &FoldIn) -> TasteParts {
    TasteParts {
        loss: fold_in.loss,
        catalogue: tracks as f32,
        pull: fold_in.pull,
        responses: fold_in.responses,
        mean,
        gram: None,
    }
}

//! What to fetch for a model, where parts of an earlier one are here: of each shard the fewest bytes.
//!
//! From the version that a shard has to the one that is wanted, deltas may lead directly or one after another, or its
//! sections may be fetched anew, but for those that did not change. Nothing is fetched that is not on the way that was
//! chosen, whatever else a manifest lists.

use alloc::vec::Vec;

use crate::{
    manifest::{DeltaRef, ModelRef, SectionRef},
    model::SectionKind,
};

/// Most deltas in a row: each is another pass over the rows of its shard.
pub const MAX_STEPS: usize = 16;

/// A shard that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its number; 0 is the head.
    pub shard: u8,
    /// The version of the model that the shard here is of, all of it as it was published; `None` where there is none, or
    /// not all of it.
    pub have: Option<u64>,
}

/// What to fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Whole sections.
    pub sections: Vec<&'a SectionRef>,
    /// Deltas, by shard in the order that they were wanted, each shard's in the order that they are applied.
    pub deltas: Vec<&'a DeltaRef>,
    /// Bytes of all of these, before any content coding.
    pub bytes: u64,
}

/// Chooses for each shard that is `wanted` the way of the fewest bytes to `model`, which was validated: deltas where
/// they are fewer than what is not `here` of its sections. `cells`, which no delta makes, comes whole where the head is
/// wanted and it is not `here`.
///
/// Cost: O(s + e·log e·[`MAX_STEPS`]) a shard, for s sections and e deltas.
pub fn plan<'a>(
    model: &'a ModelRef,
    wanted: &[Wanted],
    here: impl Fn(&SectionRef) -> bool,
) -> Plan<'a> {
    let mut plan = Plan::default();
    for &Wanted { shard, have } in wanted {
        let lacking = |section: &&SectionRef| section.shard == shard && !here(section);
        let (cells, sections): (Vec<&SectionRef>, _) =
            model.sections.iter().filter(lacking).partition(|section| is_cells(section));
        let whole = sections.iter().map(|section| section.bytes).sum();
        match have.and_then(|have| path(model, shard, have, whole)) {
            Some(deltas) => plan.deltas.extend(deltas),
            None => plan.sections.extend(sections),
        }
        plan.sections.extend(cells);
    }
    plan.bytes = plan.sections.iter().map(|section| section.bytes).sum::<u64>()
        + plan.deltas.iter().map(|delta| delta.bytes).sum::<u64>();
    plan
}

fn is_cells(section: &SectionRef) -> bool {
    section.kind == SectionKind::Cells.name()
}

/// A delta, the bytes from its start to the end of the best way on from it, and the delta that is next on it.
struct Step<'a> {
    delta: &'a DeltaRef,
    bytes: Option<u64>,
    next: Option<usize>,
}

/// The deltas from `have` to the model, in order, where they take fewer bytes than `whole`. After Bellman and Ford: each
/// round finds the best ways of one more step.
fn path(model: &ModelRef, shard: u8, have: u64, whole: u64) -> Option<Vec<&DeltaRef>> {
    let start = model.deltas.partition_point(|delta| delta.shard < shard);
    let end = model.deltas.partition_point(|delta| delta.shard <= shard);
    let deltas = &model.deltas[start..end];
    let last = |delta: &DeltaRef| (model.target(delta) == model.version).then_some(delta.bytes);
    let step = |delta| Step { delta, bytes: last(delta), next: None };
    let mut steps: Vec<Step<'_>> = deltas.iter().map(step).collect();
    for _ in 1..MAX_STEPS {
        // Ways of the round before, so that none grows by more than one step.
        let before: Vec<Option<u64>> = steps.iter().map(|step| step.bytes).collect();
        let mut changed = false;
        for step in &mut steps {
            let Some((next, rest)) = best(deltas, model.target(step.delta), &before) else {
                continue;
            };
            let bytes = step.delta.bytes + rest;
            if step.bytes.is_none_or(|found| bytes < found) {
                (step.bytes, step.next, changed) = (Some(bytes), Some(next), true);
            }
        }
        if !changed {
            break;
        }
    }
    let found: Vec<Option<u64>> = steps.iter().map(|step| step.bytes).collect();
    let (first, bytes) = best(deltas, have, &found)?;
    if bytes >= whole {
        return None;
    }
    let mut at = Some(first);
    let mut way = Vec::new();
    while let Some(step) = at.filter(|_| way.len() < MAX_STEPS).map(|at| &steps[at]) {
        way.push(step.delta);
        at = step.next;
    }
    // Where a way grew in the last round, those that lead to it may have become too long.
    let arrives = |last: &&DeltaRef| model.target(last) == model.version;
    way.last().is_some_and(arrives).then_some(way)
}

/// Of the deltas from a version, that with the best way on, and its bytes.
fn best(deltas: &[DeltaRef], from: u64, bytes: &[Option<u64>]) -> Option<(usize, u64)> {
    let start = deltas.partition_point(|delta| delta.from < from);
    let end = deltas.partition_point(|delta| delta.from <= from);
    let ways = (start..end).filter_map(|at| Some((at, bytes[at]?)));
    ways.min_by_key(|&(_, bytes)| bytes)
}

//! Candidates in, order out.

use alloc::vec::Vec;

use crate::{
    ids::Row,
    kernel::{Place, best, points, top_k},
    model::Model,
    session::Session,
};

/// Points of a track that the model does not know: fewer than any other's.
pub const UNKNOWN: i32 = i32::MIN;

/// Orders `candidates` by expected response, best first, and keeps the best `limit`. The index of
/// a place is that of the candidate; its points are [`UNKNOWN`] where the model does not know the
/// track.
///
/// Equal scores keep the caller's order, and so do tracks that the model does not know, which
/// come last. O(c·d + c·log c).
pub fn rank(
    model: &Model,
    session: &mut Session,
    candidates: &[Option<Row>],
    limit: usize,
    queue: &mut Vec<Place>,
) {
    let factors = model.factors();
    let query = session.query(model);
    queue.clear();
    queue.extend((0..).zip(candidates).map(|(index, row)| {
        let row = row.filter(|row| row.index() < factors.len());
        Place::new(row.map_or(UNKNOWN, |row| points(factors, query, row)), index)
    }));
    best(queue, limit);
}

/// The best `k` tracks of the whole catalogue that `keep` lets through, best first; the index of a
/// place is the row. Exact. O(n·d).
pub fn top(
    model: &Model,
    session: &mut Session,
    k: usize,
    keep: impl Fn(Row) -> bool,
    found: &mut Vec<Place>,
) {
    top_k(model.factors(), session.query(model), k, keep, found);
}

/// The expected response that `points` are, on the scale of the targets, on which a play is 1: near
/// 0 for a listener of whom little is known, below 0 for what evidence speaks against; −∞ where the
/// model does not know the track.
pub fn score(model: &Model, session: &mut Session, points: i32) -> f32 {
    if points == UNKNOWN { f32::NEG_INFINITY } else { session.query(model).score(points) }
}

//! Candidates in, order out.

use alloc::vec::Vec;

use crate::{
    ids::Row,
    kernel::{Scored, score, top_k},
    model::Model,
    session::Session,
};

/// One place in a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Index into the candidates.
    pub candidate: u32,
    /// The track, or `None` where the model does not know it.
    pub row: Option<Row>,
    /// The expected response on the scale of the targets, on which a play is 1: near 0 for a
    /// listener of whom little is known, below 0 for what evidence speaks against; −∞ where the
    /// model does not know the track.
    pub score: f32,
}

/// Orders `candidates` by expected response, best first, and keeps the best `limit`.
///
/// Equal scores keep the caller's order, and so do tracks that the model does not know, which
/// come last. O(c·d + c·log c).
pub fn rank(
    model: &Model,
    session: &mut Session,
    candidates: &[Option<Row>],
    limit: usize,
    queue: &mut Vec<Ranked>,
) {
    let factors = model.factors();
    let query = session.query(model);
    queue.clear();
    queue.extend(candidates.iter().enumerate().map(|(index, row)| {
        let row = row.filter(|row| row.index() < factors.len());
        let score = row.map_or(f32::NEG_INFINITY, |row| score(&factors, query, row));
        Ranked { candidate: index as u32, row, score }
    }));
    let order =
        |a: &Ranked, b: &Ranked| b.score.total_cmp(&a.score).then(a.candidate.cmp(&b.candidate));
    if limit < queue.len() {
        if limit > 0 {
            queue.select_nth_unstable_by(limit - 1, order);
        }
        queue.truncate(limit);
    }
    queue.sort_unstable_by(order);
}

/// The best `k` tracks of the whole catalogue that `keep` lets through, best first. Exact. O(n·d).
pub fn top(
    model: &Model,
    session: &mut Session,
    k: usize,
    keep: impl Fn(Row) -> bool,
    best: &mut Vec<Scored>,
) {
    top_k(&model.factors(), session.query(model), k, keep, best);
}

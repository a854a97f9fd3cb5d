//! Queries, and how well a model answers them.

use std::sync::Arc;

use rayon::prelude::*;
use segue_core::{
    event::Kind,
    ids::Row,
    kernel::Place,
    model::Model,
    rank::top,
    session::{Evidence, Observation, Session},
};

use crate::evaluate::intervals::means;

/// One sitting so far, and what came next.
#[derive(Clone, Debug)]
pub struct Query {
    /// What was known of the listener before it.
    pub listener: Arc<[Evidence]>,
    /// Rows of the tracks, in order.
    pub before: Vec<u32>,
    /// The next one; `None` where training never saw it.
    pub next: Option<u32>,
    /// Whether tracks of the sitting are left out.
    pub mask: bool,
}

/// How often the next track was among the first, and how far up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hits {
    /// The share of queries whose next track was among the first 10.
    pub hits_10: f64,
    /// The mean of 1/log₂(place + 1), 0 beyond the first 10.
    pub ndcg_10: f64,
    /// The share among the first 20.
    pub hits_20: f64,
    /// The mean of 1/place, 0 beyond the first 20.
    pub mrr_20: f64,
    /// How many queries.
    pub queries: usize,
}

impl Hits {
    /// What settings are chosen by.
    pub fn objective(&self) -> f64 {
        self.hits_20 + self.mrr_20
    }

    pub(super) fn mean(each: &[[f64; 4]]) -> Self {
        let [hits_20, mrr_20, hits_10, ndcg_10] = means(each);
        Self { hits_10, ndcg_10, hits_20, mrr_20, queries: each.len() }
    }
}

/// Tracks that a ranking holds.
pub(crate) const FIRST: usize = 20;

impl Query {
    /// Puts the listener and the sitting so far into `session`, in the place of what is there.
    pub(crate) fn observe(&self, model: &Model, session: &mut Session) {
        session.clear(model);
        self.listener.iter().for_each(|evidence| session.take(model, evidence));
        for &track in &self.before {
            session.observe(model, Observation { row: Row(track), kind: Kind::Play, heard: None });
        }
    }

    /// Whether a track may be among those found.
    pub(crate) fn may_be(&self, row: Row) -> bool {
        !self.mask || !self.before.contains(&row.0)
    }

    /// How far up the next track is among those `found`, as [`crate::evaluate::figures::NEXT`] has it.
    pub(crate) fn figures(&self, found: &[Place]) -> [f64; 4] {
        let place = found.iter().position(|place| Some(place.index()) == self.next);
        let Some(place) = place else { return [0.0; 4] };
        let first = if place < 10 { 1.0 } else { 0.0 };
        let place = place as f64;
        [1.0, 1.0 / (place + 1.0), first, first / (place + 2.0).log2()]
    }
}

/// The accuracy of `model`, through a session of its own for each query, and what each query adds to the
/// objective. Parallel.
pub fn hits(model: &Model, queries: &[Query]) -> (Hits, Vec<f64>) {
    judged(&each(model, queries))
}

/// What comes of the figures of each query.
pub(crate) fn judged(each: &[[f64; 4]]) -> (Hits, Vec<f64>) {
    (Hits::mean(each), each.iter().map(worth).collect())
}

/// What the figures of a query add to the objective.
pub(crate) fn worth([hit, reciprocal, ..]: &[f64; 4]) -> f64 {
    hit + reciprocal
}

/// What each query adds to the figures of [`crate::evaluate::figures::NEXT`]. Parallel.
pub(super) fn each(model: &Model, queries: &[Query]) -> Vec<[f64; 4]> {
    let figures = |(session, found): &mut (Session, Vec<Place>), query: &Query| {
        ask(model, session, query, found);
        query.figures(found)
    };
    let start = || (Session::new(model), Vec::new());
    queries.par_iter().map_init(start, figures).collect()
}

/// Puts the first 20 for `query` into `found`.
pub(super) fn ask(model: &Model, session: &mut Session, query: &Query, found: &mut Vec<Place>) {
    query.observe(model, session);
    top(model, session, FIRST, |row| query.may_be(row), found);
}

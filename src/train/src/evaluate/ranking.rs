//! Full-ranking accuracy: every track ranked for a listener folded in from what is known of them.

use rayon::prelude::*;
use segue_core::{
    event::Kind,
    ids::Row,
    kernel::Scored,
    linalg::{Cholesky, add_diagonal, add_outer, dot},
    model::{Model, TasteParts},
    rank,
    session::{Evidence, Session},
};

/// One listener of a test: what the device has seen, and what came after.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Known evidence, in order.
    pub known: Vec<Evidence>,
    /// Rows held out; each once.
    pub held_out: Vec<Row>,
    /// Held-out tracks that the model does not have: they count as missed.
    pub missing: usize,
    /// Whether tracks of `known` may be recommended again.
    pub repeats: bool,
}

/// Ranks the catalogue for one listener.
pub trait Scorer: Sync {
    /// The best `k` rows for `case`, best first.
    fn top(&self, case: &Case, k: usize) -> Vec<Row>;
}

/// The code and the model that ship.
impl Scorer for Model {
    fn top(&self, case: &Case, k: usize) -> Vec<Row> {
        let mut session = fold_in(self, &case.known);
        let seen = seen(case);
        let mut best: Vec<Scored> = Vec::new();
        rank::top(self, &mut session, k, |row| seen.binary_search(&row).is_err(), &mut best);
        best.iter().map(|scored| scored.row).collect()
    }
}

/// A session that holds `known`.
pub fn fold_in(model: &Model, known: &[Evidence]) -> Session {
    let mut session = Session::new(model);
    for evidence in known {
        for kind in Kind::ALL {
            session.add(model, evidence.row, kind, evidence.amount(kind));
        }
    }
    session
}

/// The same mathematics on factors that were not quantised: what the code costs in accuracy.
#[derive(Debug)]
pub struct FloatScorer {
    /// `dim` reals a track.
    pub items: Vec<f32>,
    /// The listener side, with the Gram matrix of these items.
    pub taste: TasteParts,
}

impl Scorer for FloatScorer {
    fn top(&self, case: &Case, k: usize) -> Vec<Row> {
        let dim = self.taste.mean.len();
        let user = self.solve(&case.known, dim);
        let seen = seen(case);
        let mut scores: Vec<Scored> = self
            .items
            .chunks_exact(dim)
            .enumerate()
            .map(|(row, factor)| Scored { row: Row(row as u32), score: dot(&user, factor) })
            .filter(|scored| seen.binary_search(&scored.row).is_err())
            .collect();
        if k < scores.len() {
            scores.select_nth_unstable_by(k, Scored::order);
            scores.truncate(k);
        }
        scores.sort_unstable_by(Scored::order);
        scores.iter().map(|scored| scored.row).collect()
    }
}

impl FloatScorer {
    fn solve(&self, known: &[Evidence], dim: usize) -> Vec<f32> {
        let t = &self.taste;
        let ridge =
            |positive: f32| t.ridge * (positive + t.unobserved * t.catalogue).powf(t.exponent);
        let shared: Vec<f32> = t.gram.iter().map(|g| g * t.unobserved).collect();
        let mut prior = shared.clone();
        add_diagonal(&mut prior, dim, ridge(0.0));
        let mut user = segue_core::linalg::multiply(&prior, &t.mean);
        user.iter_mut().for_each(|x| *x *= t.pull);
        let mut precision = shared;
        let mut positive = 0.0;
        for evidence in known {
            let pull = evidence.pull(&t.responses);
            let factor = &self.items[evidence.row.index() * dim..][..dim];
            add_outer(&mut precision, pull.weight, factor);
            user.iter_mut().zip(factor).for_each(|(x, v)| *x += pull.information * v);
            positive += f32::from(u8::from(pull.information > 0.0));
        }
        add_diagonal(&mut precision, dim, ridge(positive));
        let mut factor = Cholesky::default();
        factor.factor(&precision, dim);
        factor.solve(&mut user);
        user
    }
}

fn seen(case: &Case) -> Vec<Row> {
    if case.repeats {
        return Vec::new();
    }
    let mut rows: Vec<Row> = case.known.iter().map(|evidence| evidence.row).collect();
    rows.sort_unstable();
    rows
}

/// Recall and NDCG at each cut-off, means over the cases with anything held out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// Recall at 10: the share of the held-out tracks among the first ten.
    pub recall_10: f64,
    /// NDCG at 10, the ideal over min(10, held out).
    pub ndcg_10: f64,
    /// Recall at 20.
    pub recall_20: f64,
    /// NDCG at 20.
    pub ndcg_20: f64,
    /// How many listeners the means are over.
    pub listeners: usize,
}

impl Accuracy {
    /// What settings are chosen by: recall and NDCG at 10, added.
    pub fn objective(&self) -> f64 {
        self.recall_10 + self.ndcg_10
    }
}

/// Ranks all cases with `scorer`. Parallel; the sums run in order of the cases.
pub fn accuracy(scorer: &impl Scorer, cases: &[Case]) -> Accuracy {
    let each: Vec<[f64; 4]> = cases
        .par_iter()
        .filter(|case| case.held_out.len() + case.missing > 0)
        .map(|case| measure(&scorer.top(case, 20), case))
        .collect();
    let listeners = each.len();
    let mean = |metric: usize| {
        each.iter().map(|values| values[metric]).sum::<f64>() / listeners.max(1) as f64
    };
    Accuracy {
        recall_10: mean(0),
        ndcg_10: mean(1),
        recall_20: mean(2),
        ndcg_20: mean(3),
        listeners,
    }
}

fn measure(ranked: &[Row], case: &Case) -> [f64; 4] {
    let relevant = case.held_out.len() + case.missing;
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let at = |k: usize| {
        let (mut hits, mut gain) = (0_usize, 0.0);
        for (rank, row) in ranked.iter().take(k).enumerate() {
            if case.held_out.contains(row) {
                hits += 1;
                gain += discount(rank);
            }
        }
        let ideal: f64 = (0..relevant.min(k)).map(discount).sum();
        (hits as f64 / relevant as f64, gain / ideal)
    };
    let ((recall_10, ndcg_10), (recall_20, ndcg_20)) = (at(10), at(20));
    [recall_10, ndcg_10, recall_20, ndcg_20]
}

//! Full-ranking accuracy: every track ranked for a listener folded in from what is known of them.

use std::collections::HashMap;

use rayon::prelude::*;
use segue_core::{
    fold_in::{Posterior, Pull, System},
    ids::Row,
    kernel::Place,
    model::{Model, Neighbours, Taste},
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

impl Case {
    /// Whether anything is held out.
    pub fn is_asked(&self) -> bool {
        self.held_out.len() + self.missing > 0
    }

    /// The same by the rows of another model: `rows` has the new one of each.
    pub fn moved(&self, rows: &[Row]) -> Self {
        let known = self.known.iter().cloned().map(|mut evidence| {
            evidence.row = rows[evidence.row.index()];
            evidence
        });
        let held_out = self.held_out.iter().map(|row| rows[row.index()]);
        Self { known: known.collect(), held_out: held_out.collect(), ..*self }
    }
}

/// Ranks the catalogue for listeners.
pub trait Scorer: Sync {
    /// The best `k` rows for each of `cases`, best first.
    fn top(&self, cases: &[&Case], k: usize) -> Vec<Vec<Row>>;

    /// What is expected of `rows` for one case.
    fn scores(&self, case: &Case, rows: &[Row]) -> Vec<f32>;
}

/// The code and the model that ship.
impl Scorer for Model {
    fn top(&self, cases: &[&Case], k: usize) -> Vec<Vec<Row>> {
        let mut sessions: Vec<_> = cases.iter().map(|case| fold_in(self, &case.known)).collect();
        let seen: Vec<_> = cases.iter().map(|case| seen(case)).collect();
        let mut best: Vec<Vec<Place>> = vec![Vec::new(); cases.len()];
        let keep = |case: usize, row| seen[case].binary_search(&row).is_err();
        rank::top_each(self, &mut sessions, k, keep, &mut best);
        best.iter().map(|best| best.iter().map(|place| Row(place.index())).collect()).collect()
    }

    fn scores(&self, case: &Case, rows: &[Row]) -> Vec<f32> {
        let mut session = fold_in(self, &case.known);
        let candidates: Vec<Option<Row>> = rows.iter().copied().map(Some).collect();
        let mut queue = Vec::new();
        rank::rank(self, &mut session, &candidates, rows.len(), &mut queue);
        let mut scores = vec![0.0; rows.len()];
        let query = session.query(self);
        queue
            .iter()
            .for_each(|p| scores[p.index() as usize] = rank::score(self, query, p.points()));
        scores
    }
}

/// A session that holds `known`.
pub fn fold_in(model: &Model, known: &[Evidence]) -> Session {
    let mut session = Session::new(model);
    known.iter().for_each(|evidence| session.take(model, evidence));
    session
}

/// The same system on factors that were not quantised: what the code costs in accuracy.
#[derive(Debug)]
pub struct FloatScorer<'a> {
    /// `dim` reals a track.
    pub items: &'a [f32],
    /// The listener side, with the Gram matrix of these items.
    pub taste: Taste<'a>,
    /// What goes beside the factors.
    pub neighbours: Option<&'a Neighbours>,
}

impl Scorer for FloatScorer<'_> {
    fn top(&self, cases: &[&Case], k: usize) -> Vec<Vec<Row>> {
        cases.iter().map(|case| self.top_of(case, k)).collect()
    }

    fn scores(&self, case: &Case, rows: &[Row]) -> Vec<f32> {
        let posterior = self.posterior(case);
        let boosts = self.boosts(case);
        let boost = |row: &Row| boosts.get(row).copied().unwrap_or(0.0);
        rows.iter().map(|row| posterior.expect(self.factor(*row)) + boost(row)).collect()
    }
}

impl FloatScorer<'_> {
    fn factor(&self, row: Row) -> &[f32] {
        let dim = self.taste.mean().len();
        &self.items[row.index() * dim..][..dim]
    }

    fn posterior(&self, case: &Case) -> Posterior {
        let mut system = System::new(&self.taste);
        for evidence in &case.known {
            let pull = evidence.pull(self.taste.responses());
            system.change(self.factor(evidence.row), Pull::default(), pull);
        }
        let mut posterior = Posterior::default();
        system.solve(&self.taste, &mut posterior);
        posterior
    }

    /// What neighbours add, where they do.
    fn boosts(&self, case: &Case) -> HashMap<Row, f32> {
        let mut boosts = HashMap::new();
        for (evidence, neighbours) in case.known.iter().zip(self.neighbours.into_iter().cycle()) {
            let says = evidence.pull(self.taste.responses()).target();
            for neighbour in neighbours.of(evidence.row.index()) {
                *boosts.entry(Row(neighbour.place)).or_insert(0.0) += neighbour.weight * says;
            }
        }
        boosts
    }

    fn top_of(&self, case: &Case, k: usize) -> Vec<Row> {
        let posterior = self.posterior(case);
        let boosts = self.boosts(case);
        let seen = seen(case);
        let mut scores: Vec<(f32, Row)> = (0..)
            .map(Row)
            .zip(self.items.chunks_exact(self.taste.mean().len()))
            .map(|(row, factor)| {
                (posterior.expect(factor) + boosts.get(&row).copied().unwrap_or(0.0), row)
            })
            .filter(|(_, row)| seen.binary_search(row).is_err())
            .collect();
        scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scores.iter().take(k).map(|&(_, row)| row).collect()
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

/// How one listener was ranked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    recall: [f64; 2],
    ndcg: [f64; 2],
}

/// The first 20 for one listener, fewer where there are no more, and how good they are.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Best first.
    pub rows: Vec<Row>,
    /// Against what was held out.
    pub measured: Measured,
}

/// Listeners who are ranked for together: they share the reading of the catalogue.
const TOGETHER: usize = 8;

/// The cut-offs of [`Measured`].
const AT: [usize; 2] = [10, 20];

impl Measured {
    /// Recall and NDCG at 10, added.
    pub fn objective(&self) -> f64 {
        self.recall[0] + self.ndcg[0]
    }

    /// Recall and NDCG at 10, recall and NDCG at 20: see [`Accuracy`].
    pub fn figures(&self) -> [f64; 4] {
        [self.recall[0], self.ndcg[0], self.recall[1], self.ndcg[1]]
    }

    /// What has these [`Self::figures`].
    pub const fn from_figures([recall_10, ndcg_10, recall_20, ndcg_20]: [f64; 4]) -> Self {
        Self { recall: [recall_10, recall_20], ndcg: [ndcg_10, ndcg_20] }
    }

    /// Of the first `ranked` for a case with anything held out.
    pub(super) fn new(ranked: &[Row], case: &Case) -> Self {
        let relevant = case.held_out.len() + case.missing;
        let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
        let hits = |k: usize| {
            let first = ranked.iter().take(k).enumerate();
            first.filter(|(_, row)| case.held_out.contains(row)).map(|(rank, _)| rank)
        };
        let ideal = |k: usize| (0..relevant.min(k)).map(discount).sum::<f64>();
        Self {
            recall: AT.map(|k| hits(k).count() as f64 / relevant as f64),
            // A sum of nothing is −0.
            ndcg: AT.map(|k| hits(k).map(discount).fold(0.0, |sum, x| sum + x) / ideal(k)),
        }
    }
}

impl Accuracy {
    /// The means over `each`.
    pub fn mean(each: &[Measured]) -> Self {
        let count = each.len().max(1) as f64;
        // A sum of nothing is −0.
        let mean = |metric: fn(&Measured) -> f64| {
            each.iter().map(metric).fold(0.0, |sum, x| sum + x) / count
        };
        Self {
            recall_10: mean(|m| m.recall[0]),
            ndcg_10: mean(|m| m.ndcg[0]),
            recall_20: mean(|m| m.recall[1]),
            ndcg_20: mean(|m| m.ndcg[1]),
            listeners: each.len(),
        }
    }
}

/// Ranks the cases that have anything held out with `scorer`, in order. Parallel.
pub fn ranked(scorer: &(impl Scorer + ?Sized), cases: &[Case]) -> Vec<Ranked> {
    let cases: Vec<&Case> = cases.iter().filter(|case| case.is_asked()).collect();
    cases
        .par_chunks(TOGETHER)
        .flat_map_iter(|cases| {
            let ranked = scorer.top(cases, 20).into_iter();
            ranked.zip(cases).map(|(rows, case)| {
                let measured = Measured::new(&rows, case);
                Ranked { rows, measured }
            })
        })
        .collect()
}

/// How good [`ranked`] are.
pub fn each(scorer: &(impl Scorer + ?Sized), cases: &[Case]) -> Vec<Measured> {
    ranked(scorer, cases).iter().map(|ranked| ranked.measured).collect()
}

/// The mean accuracy of `scorer` over `cases`.
pub fn accuracy(scorer: &(impl Scorer + ?Sized), cases: &[Case]) -> Accuracy {
    Accuracy::mean(&each(scorer, cases))
}

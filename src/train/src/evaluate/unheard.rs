//! `segue evaluate new`: tracks ranked before anyone has heard them.
//!
//! Whole tracks are held out: their events are taken out of the log, settings and all, and they get factors
//! from artist, album and tags. Listeners are folded in from what is left of their events, by the engine and
//! the model that ship, and asked about the tracks that they liked.

use rayon::prelude::*;
use segue_core::{
    ids::Row,
    model::{Model, Responses},
    rng::SplitMix64,
    session::Evidence,
};

use super::{
    intervals::{Interval, intervals, means},
    ranking::{Case, Scorer},
};
use crate::{
    TrainError,
    assemble::whole_model,
    coding,
    dataset::{Dataset, gather, new_favourites},
    pipeline::{Fitted, Options, Plan, choose, fit},
    progress::Progress,
    side::{Common, Features, New, is_described},
};

/// Fewer listeners of a track do not hold it out.
const MIN_LISTENERS: usize = 2;
/// Where recall and NDCG are cut off.
const AT: usize = 20;

/// What one way of ranking new tracks gives: means over listeners.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Which.
    pub name: &'static str,
    /// By [`FIGURES`].
    pub figures: [f64; 4],
    /// 95 % intervals, by the bootstrap over listeners.
    pub intervals: [Interval; 4],
    /// Whether the last figure says anything: who ranks new tracks alone has none.
    pub whole: bool,
}

impl Ranking {
    /// How many figures say anything.
    pub fn count(&self) -> usize {
        if self.whole { FIGURES.len() } else { FIGURES.len() - 1 }
    }
}

/// AUC of the new tracks that a listener liked against the others; recall and NDCG of them
/// at 20 among the new tracks alone; recall at 20 of the whole catalogue, without what the listener knows.
pub const FIGURES: [&str; 4] = ["auc", "recall@20", "ndcg@20", "recall@20_of_all"];

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Factors from side information, first; what they are held against; at last what factors of other
    /// listeners' plays would reach.
    pub rankings: Vec<Ranking>,
    /// Tracks held out.
    pub held_out: usize,
    /// Tracks in the model.
    pub tracks: usize,
    /// Listeners who liked one of them.
    pub listeners: usize,
    /// How new tracks got their factors.
    pub new: Option<New>,
}

/// Holds out `share` of the tracks that at least two listeners liked and that have something in common with
/// others, and trains twice more, without the listeners of either half, for what listening would tell.
pub fn evaluate(
    dataset: &Dataset,
    options: &Options,
    share: f64,
    progress: &Progress<'_>,
) -> Result<Outcome, TrainError> {
    let held_out = draw(dataset, share, options.seed);
    let past = dataset.forgetting(&held_out);
    let plan = choose(&past, options, progress)?;
    let fans = Fans::new(dataset, &past, &held_out, &plan, options.seed);
    if fans.cases.is_empty() {
        return Err(TrainError::NoNewTracks);
    }
    let fitted = fit(&past, options.dim, plan.clone(), None, progress)?;
    let new = plan.new;
    let model = model(&past, &fitted)?;
    progress.stage("ranking");
    let features = Features::new(&past.tracks, &fitted.met);
    let plays = fitted.by_item.positives();
    let rivals = Baselines::new(&features, &plan.responses, &plays);
    let seed = options.seed;
    let ranking = |name, each: Vec<[f64; 4]>, whole| Ranking {
        name,
        figures: means(&each),
        intervals: intervals(&each, seed),
        whole,
    };
    let alone = |name, score: &(dyn Fn(&Case, &mut SplitMix64) -> Vec<f32> + Sync)| {
        ranking(name, fans.alone(score, seed), false)
    };
    let candidates = &fans.candidates;
    let mut rankings = vec![
        ranking("side information", fans.each(&model, |_| true), true),
        alone("the listener's tags and artists", &|case, _| rivals.profile(case, candidates)),
        alone("popularity of artist or tags", &|_, _| rivals.popularity(candidates)),
        alone("random", &|_, rng| candidates.iter().map(|_| rng.unit() as f32).collect()),
    ];
    if features.kinds().contains(&Common::Artist) {
        let same = alone("same artist liked", &|case, _| rivals.same_artist(case, candidates));
        rankings.insert(2, same);
    }
    let mut warm = Vec::new();
    for half in 0..2 {
        let of_half = |listener: usize| listener % 2 == half;
        let told = dataset
            .filtered(|event| !(held_out[event.row.index()] && of_half(event.listener as usize)));
        let fitted = fit(&told, options.dim, plan.clone(), None, progress)?;
        progress.stage("ranking");
        warm.extend(fans.each(&self::model(&told, &fitted)?, of_half));
    }
    rankings.push(ranking("other listeners' plays", warm, true));
    Ok(Outcome {
        rankings,
        held_out: fans.candidates.len(),
        tracks: model.len(),
        listeners: fans.cases.len(),
        new,
    })
}

/// Which tracks are held out.
fn draw(dataset: &Dataset, share: f64, seed: u64) -> Vec<bool> {
    let plays = dataset.matrix(&Responses::default()).transposed().positives();
    let mut rng = SplitMix64::new(seed);
    let drawn = |(track, plays): (_, usize)| {
        rng.unit() < share && plays >= MIN_LISTENERS && is_described(track)
    };
    dataset.tracks.iter().zip(plays).map(drawn).collect()
}

/// The model as it ships, in one piece.
fn model(dataset: &Dataset, fitted: &Fitted) -> Result<Model, TrainError> {
    let Fitted { plan, factors, by_item, neighbours, met, .. } = fitted;
    let coded = coding::compact(factors, by_item, &plan.settings.loss, plan.coarseness, &[])?;
    let coded = coded.with_new(&met.iter().map(|met| !met).collect::<Vec<_>>());
    Ok(whole_model(&dataset.fingerprints, &coded, &plan.fold_in, neighbours.as_ref())?)
}

/// Listeners who liked tracks that are held out.
struct Fans {
    /// What is known of them, and the new tracks that they liked.
    cases: Vec<Case>,
    /// Of each case.
    listeners: Vec<usize>,
    /// The tracks held out, in an order that says nothing.
    candidates: Vec<Row>,
}

impl Fans {
    /// Those of whom something else is known.
    fn new(dataset: &Dataset, past: &Dataset, held_out: &[bool], plan: &Plan, seed: u64) -> Self {
        let mut candidates: Vec<Row> =
            (0..).zip(held_out).filter(|(_, out)| **out).map(|(row, _)| Row(row)).collect();
        SplitMix64::new(seed).shuffle(&mut candidates);
        let (mut cases, mut listeners) = (Vec::new(), Vec::new());
        for listener in 0..dataset.listeners() {
            let known = gather(past.of(listener));
            let mut liked = new_favourites(dataset.of(listener), &known, &plan.responses);
            liked.retain(|row| held_out[row.index()]);
            if !known.is_empty() && !liked.is_empty() {
                cases.push(Case { known, held_out: liked, missing: 0, repeats: false });
                listeners.push(listener);
            }
        }
        Self { cases, listeners, candidates }
    }

    /// The figures of the listeners that `of` has, ranked for by `model`.
    fn each(&self, model: &Model, of: impl Fn(usize) -> bool) -> Vec<[f64; 4]> {
        let pairs = self.cases.iter().zip(&self.listeners);
        let cases: Vec<&Case> =
            pairs.filter(|(_, listener)| of(**listener)).map(|(case, _)| case).collect();
        let figures = |case: &&Case| {
            let [auc, recall, ndcg] = self.order(case, &model.scores(case, &self.candidates));
            let first = model.top(&[case], AT).into_iter().flatten();
            let found = first.filter(|row| case.held_out.contains(row)).count();
            [auc, recall, ndcg, found as f64 / case.held_out.len() as f64]
        };
        cases.par_iter().map(figures).collect()
    }

    /// The same of scores that rank new tracks alone.
    fn alone(
        &self,
        score: &(dyn Fn(&Case, &mut SplitMix64) -> Vec<f32> + Sync),
        seed: u64,
    ) -> Vec<[f64; 4]> {
        let cases = self.cases.par_iter().zip(&self.listeners);
        let figures = |(case, &listener): (&Case, &usize)| {
            let mut rng = SplitMix64::new(seed ^ (listener as u64 + 1));
            let [auc, recall, ndcg] = self.order(case, &score(case, &mut rng));
            [auc, recall, ndcg, 0.0]
        };
        cases.map(figures).collect()
    }

    /// AUC, recall and NDCG by the scores of the candidates; of equal ones the order of the candidates, which
    /// says nothing, decides.
    fn order(&self, case: &Case, scores: &[f32]) -> [f64; 3] {
        let mut order: Vec<(f32, Row)> =
            scores.iter().copied().zip(self.candidates.iter().copied()).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let liked = case.held_out.len();
        let others = order.len() - liked;
        let (mut above, mut wrong, mut found, mut gain, mut ideal) = (0, 0, 0, 0.0, 0.0);
        for (rank, (_, row)) in order.iter().enumerate() {
            let discount = 1.0 / (rank as f64 + 2.0).log2();
            if rank < liked.min(AT) {
                ideal += discount;
            }
            if !case.held_out.contains(row) {
                above += 1;
                continue;
            }
            wrong += above;
            if rank < AT {
                found += 1;
                gain += discount;
            }
        }
        let auc = if others == 0 { 0.5 } else { 1.0 - wrong as f64 / (liked * others) as f64 };
        [auc, found as f64 / liked as f64, gain / ideal]
    }
}

/// What needs no factors.
struct Baselines<'a> {
    features: &'a Features,
    responses: &'a Responses,
    /// Plays of the tracks that have each feature.
    plays: Vec<f64>,
    /// Logarithm of the share of tracks that do not.
    rarity: Vec<f64>,
}

impl<'a> Baselines<'a> {
    fn new(features: &'a Features, responses: &'a Responses, listeners: &[usize]) -> Self {
        let (mut plays, mut tracks) = (vec![0.0; features.len()], vec![1.0; features.len()]);
        for (track, &listeners) in listeners.iter().enumerate() {
            for &(feature, _) in features.of(track) {
                plays[feature as usize] += listeners as f64;
                tracks[feature as usize] += 1.0;
            }
        }
        let all = listeners.len() as f64 + 1.0;
        let rarity = tracks.iter().map(|tracks: &f64| (all / tracks).ln()).collect();
        Self { features, responses, plays, rarity }
    }

    /// Plays of the track's artist; without one, of its tags in the mean.
    fn popularity(&self, candidates: &[Row]) -> Vec<f32> {
        let of = |row: &Row| {
            let artist = self.of(*row, Common::Artist).next();
            let tags: Vec<f64> = self.of(*row, Common::Tag).map(|tag| self.plays[tag]).collect();
            let mean = tags.iter().sum::<f64>() / tags.len().max(1) as f64;
            artist.map_or(mean, |artist| self.plays[artist]) as f32
        };
        candidates.iter().map(of).collect()
    }

    /// How many tracks of the artist the listener liked; of as many, by popularity.
    fn same_artist(&self, case: &Case, candidates: &[Row]) -> Vec<f32> {
        let counts = self.liked(case);
        let popularity = self.popularity(candidates);
        let most = popularity.iter().copied().fold(1.0, f32::max);
        let of = |(row, popularity): (&Row, &f32)| {
            let artist = self.of(*row, Common::Artist).next();
            artist.map_or(0.0, |artist| counts[artist] as f32) + popularity / (2.0 * most)
        };
        candidates.iter().zip(&popularity).map(of).collect()
    }

    /// What track and listener have in common, each feature by how rare it is (Salton and Buckley 1988).
    fn profile(&self, case: &Case, candidates: &[Row]) -> Vec<f32> {
        let counts = self.liked(case);
        let of = |row: &Row| {
            let features = self.features.of(row.index()).iter();
            let common = |&(feature, value): &(u32, f64)| {
                let feature = feature as usize;
                counts[feature] * value * self.rarity[feature].powi(2)
            };
            features.map(common).sum::<f64>() as f32
        };
        candidates.iter().map(of).collect()
    }

    /// The values of each feature over the tracks that the listener liked.
    fn liked(&self, case: &Case) -> Vec<f64> {
        let mut counts = vec![0.0; self.features.len()];
        let liked = |evidence: &&Evidence| evidence.pull(self.responses).information > 0.0;
        for evidence in case.known.iter().filter(liked) {
            for &(feature, value) in self.features.of(evidence.row.index()) {
                counts[feature as usize] += value;
            }
        }
        counts
    }

    fn of(&self, row: Row, kind: Common) -> impl Iterator<Item = usize> {
        let features = self.features.of(row.index()).iter().map(|(feature, _)| *feature as usize);
        features.filter(move |&feature| self.features.kinds()[feature] == kind)
    }
}

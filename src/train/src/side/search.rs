//! Choosing how new tracks get their factors, on tracks that were held out.

use rayon::prelude::*;
use segue_core::{
    model::{Loss, Responses},
    rng::SplitMix64,
};

use super::{
    Common, Features, Shrinkage,
    held::{Fan, Held, hold_out},
    train_heard,
};
use crate::{
    Interrupted, TrainError,
    als::Factors,
    assemble::{FoldIn, whole_model},
    coding,
    dataset::Dataset,
    evaluate::{
        paired,
        ranking::{Accuracy, Case, Measured, each},
    },
    factors::{Settings, Start},
    progress::Progress,
    search::{Beside, carried, density},
};

/// How new tracks get their factors, and what that was found to be worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct New {
    /// What was chosen.
    pub shrinkage: Shrinkage,
    /// `None` where there was too little to choose on.
    pub gain: Option<Gain>,
}

impl New {
    /// For logs too small to choose on.
    pub const CAUTIOUS: Self = Self { shrinkage: Shrinkage::CAUTIOUS, gain: None };
}

/// What factors from side information gave on held-out tracks. Chosen on them, so it is optimistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Of a held-out track that a listener liked and another one, how often the first ranks
    /// above the other; .5 by chance. Mean over listeners.
    pub auc: f64,
    /// The tracks that were held out.
    pub tracks: usize,
    /// Listeners who liked one of them.
    pub listeners: usize,
    /// Of everything that listeners came to like, with new tracks in the ranking.
    pub with: Accuracy,
    /// The same, no new track being ranked.
    pub without: Accuracy,
}

/// What new tracks are to stand beside.
#[derive(Clone, Copy, Debug)]
pub struct Beneath<'a> {
    /// How factors are trained.
    pub settings: &'a Settings,
    /// Of what they were chosen on.
    pub density: f64,
    /// The seed of the first factors.
    pub seed: u64,
    /// Components of a factor.
    pub dim: usize,
    /// What each kind of event says to training.
    pub responses: &'a Responses,
    /// How listeners are folded in.
    pub fold_in: &'a FoldIn,
    /// What goes beside the factors.
    pub beside: Option<Beside>,
}

/// Listeners whose ranking is looked at, at most.
const MOST: usize = 1000;
/// New tracks that the liked ones are held against, at most.
const RIVALS: usize = 1000;
/// By how many standard errors over listeners a choice must be better to be taken: few listeners tell little.
const NOTABLE: f64 = 1.0;
/// Rounds of steps, each with the step of the last one's root.
const STEPS: [f64; 2] = [4.0, 2.0];
/// Least and most of every weight that is searched.
const BOUNDS: [f64; 2] = [1e-3, 1e4];
/// Sizes beside the factors of what was heard.
const SCALES: [f32; 8] = [0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0];

/// Chooses on tracks that are held out of the listening of `listeners`, by how well those that a listener
/// liked rank among the others; then the scale, by the ranking of the whole catalogue. One training, about
/// thirty solutions of [`ridge::effects`] and nine rankings.
pub fn choose(
    dataset: &Dataset,
    listeners: &[usize],
    beneath: &Beneath<'_>,
    progress: &Progress<'_>,
) -> Result<New, TrainError> {
    progress.stage("choosing how new tracks get factors");
    let held = hold_out(dataset, listeners, beneath.responses, beneath.seed);
    let Some(mut held) = held else { return Ok(New::CAUTIOUS) };
    SplitMix64::new(beneath.seed).shuffle(&mut held.fans);
    SplitMix64::new(beneath.seed).shuffle(&mut held.cases);
    let run = Run::new(dataset, &held, beneath, progress)?;
    let shrinkage = run.penalties(Shrinkage::CAUTIOUS)?;
    run.scale(shrinkage)
}

struct Run<'a> {
    held: &'a Held,
    beneath: &'a Beneath<'a>,
    progress: &'a Progress<'a>,
    factors: Factors,
    fingerprints: Vec<u64>,
    features: Features,
    /// Of each track.
    listeners: Vec<usize>,
    /// The new tracks, by place.
    new: Vec<usize>,
    /// Those of them that every liked one is held against.
    rivals: Vec<usize>,
}

impl<'a> Run<'a> {
    fn new(
        dataset: &Dataset,
        held: &'a Held,
        beneath: &'a Beneath<'a>,
        progress: &'a Progress<'a>,
    ) -> Result<Self, TrainError> {
        let Beneath { settings, density: from, seed, dim, fold_in, .. } = *beneath;
        let heard: Vec<bool> = held.new.iter().map(|new| !new).collect();
        let to = density(&held.by_user.keeping(&heard));
        let at = |loss: &Loss| carried(loss, from, to);
        let settings = Settings { loss: at(&settings.loss), ..*settings };
        let how = (&settings, &at(&fold_in.loss), seed);
        let factors = train_heard(&held.by_user, &heard, dim, how, Start::Anew, progress)?;
        let tracks: Vec<_> = held.rows.iter().map(|&row| dataset.tracks[row].clone()).collect();
        let new: Vec<usize> = (0..held.new.len()).filter(|&track| held.new[track]).collect();
        let mut rivals = new.clone();
        SplitMix64::new(seed).shuffle(&mut rivals);
        rivals.truncate(RIVALS);
        Ok(Self {
            held,
            beneath,
            progress,
            factors,
            fingerprints: held.rows.iter().map(|&row| dataset.fingerprints[row]).collect(),
            features: Features::new(&tracks, &heard),
            listeners: held.by_user.transposed().positives(),
            new,
            rivals,
        })
    }

    /// Steps along one weight after the other while that ranks new tracks notably better.
    fn penalties(&self, start: Shrinkage) -> Result<Shrinkage, Interrupted> {
        let order = |shrinkage: &Shrinkage| -> Result<Vec<f64>, Interrupted> {
            Ok(self.order(shrinkage)?.into_iter().map(|[ndcg, _]| ndcg).collect())
        };
        let mut best = (order(&start)?, start);
        for step in STEPS {
            for (kind, weight) in WEIGHTS {
                if !kind.is_none_or(|kind| self.features.kinds().contains(&kind)) {
                    continue;
                }
                for by in [step, 1.0 / step] {
                    let before = best.1;
                    loop {
                        let mut next = best.1;
                        let value = weight(&mut next);
                        *value *= by;
                        if !(BOUNDS[0]..=BOUNDS[1]).contains(value) {
                            break;
                        }
                        let found = order(&next)?;
                        if paired(&found, &best.0) <= NOTABLE {
                            break;
                        }
                        best = (found, next);
                    }
                    if best.1 != before {
                        break;
                    }
                }
            }
        }
        Ok(best.1)
    }

    /// How well each listener's new favourites rank among new tracks: NDCG over all of them, and AUC.
    fn order(&self, shrinkage: &Shrinkage) -> Result<Vec<[f64; 2]>, Interrupted> {
        if self.progress.stopped() {
            return Err(Interrupted);
        }
        let predicted = self.predicted(shrinkage);
        let fans = &self.held.fans[..self.held.fans.len().min(MOST)];
        Ok(fans.par_iter().map(|fan| self.judge(fan, &predicted)).collect())
    }

    /// Factors of all tracks, the new ones from their features.
    fn predicted(&self, shrinkage: &Shrinkage) -> Vec<f32> {
        let dim = self.factors.dim;
        let mut items = self.factors.items.clone();
        super::fill(shrinkage, &self.features, (&mut items, dim), &self.listeners, &self.new);
        items
    }

    fn judge(&self, fan: &Fan, items: &[f32]) -> [f64; 2] {
        let dim = self.factors.dim;
        let taste = &self.factors.users[fan.listener * dim..][..dim];
        let score = |track: usize| -> f32 {
            items[track * dim..][..dim].iter().zip(taste).map(|(v, u)| v * u).sum()
        };
        let liked: Vec<f32> = fan.liked.iter().map(|&track| score(track as usize)).collect();
        let others = self.rivals.iter().filter(|&&track| !fan.liked.contains(&(track as u32)));
        let others: Vec<f32> = others.map(|&track| score(track)).collect();
        order(liked, &others)
    }

    /// Chooses the size of new factors by the ranking of the whole catalogue, through the engine: their own
    /// unless another is notably better.
    fn scale(&self, start: Shrinkage) -> Result<New, TrainError> {
        let cases = &self.held.cases[..self.held.cases.len().min(MOST)];
        let without = self.ranking(&Shrinkage { scale: 0.0, ..start }, cases)?;
        let mut best = (self.ranking(&start, cases)?, start);
        for scale in SCALES {
            let shrinkage = Shrinkage { scale, ..start };
            let found = self.ranking(&shrinkage, cases)?;
            if paired(&objectives(&found), &objectives(&best.0)) > NOTABLE {
                best = (found, shrinkage);
            }
        }
        let (with, shrinkage) = best;
        let (with, without) = (Accuracy::mean(&with), Accuracy::mean(&without));
        let orders = self.order(&shrinkage)?;
        let auc = orders.iter().map(|[_, auc]| auc).sum::<f64>() / orders.len().max(1) as f64;
        let (tracks, listeners) = (self.new.len(), orders.len());
        Ok(New { shrinkage, gain: Some(Gain { auc, tracks, listeners, with, without }) })
    }

    fn ranking(&self, shrinkage: &Shrinkage, cases: &[Case]) -> Result<Vec<Measured>, TrainError> {
        if self.progress.stopped() {
            return Err(Interrupted.into());
        }
        let Beneath { fold_in, beside, .. } = self.beneath;
        let factors = Factors {
            dim: self.factors.dim,
            users: self.factors.users.clone(),
            items: self.predicted(shrinkage),
        };
        let coded = coding::fine(&factors).with_new(&self.held.new);
        let by_user = &self.held.by_user;
        let lists = beside.map(|beside| beside.neighbours(by_user, &by_user.transposed()));
        let model = whole_model(&self.fingerprints, &coded, fold_in, lists.as_ref())?;
        Ok(each(&model, cases))
    }
}

fn objectives(each: &[Measured]) -> Vec<f64> {
    each.iter().map(Measured::objective).collect()
}

/// What is searched, and whom it is about.
type Weight = (Option<Common>, fn(&mut Shrinkage) -> &mut f64);
const WEIGHTS: [Weight; 4] = [
    (Some(Common::Artist), |shrinkage| &mut shrinkage.artist),
    (Some(Common::Tag), |shrinkage| &mut shrinkage.tag),
    (Some(Common::Album), |shrinkage| &mut shrinkage.album),
    (None, |shrinkage| &mut shrinkage.trust),
];

/// NDCG over the whole order and AUC of scores that are to be above `others`; of equal ones half are.
fn order(mut liked: Vec<f32>, others: &[f32]) -> [f64; 2] {
    liked.sort_unstable_by(|a, b| b.total_cmp(a));
    let above = |score: f32| {
        let of = |other: &f32| match other.total_cmp(&score) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        others.iter().map(of).sum::<f64>()
    };
    let discount = |rank: f64| 1.0 / (rank + 2.0).log2();
    let above: Vec<f64> = liked.iter().map(|&score| above(score)).collect();
    let ranks = above.iter().zip(0..).map(|(above, before)| above + f64::from(before));
    let gain: f64 = ranks.map(discount).sum();
    let ideal: f64 = (0..liked.len()).map(|rank| discount(rank as f64)).sum();
    let wrong = above.iter().sum::<f64>() / (above.len() * others.len()).max(1) as f64;
    [gain / ideal, if others.is_empty() { 0.5 } else { 1.0 - wrong }]
}

//! How verdicts are taken, and which signals have a weight: chosen by how well the weights that some listeners
//! give tell the yes of others from their no.

use segue_core::{
    model::{Model, ModelError, RankerParts, Rate, Recipe},
    signals::Signal,
};

use super::{
    stories::{Said, Story, followed, with_verdicts_of},
    weights::{Aim, Chosen, Weighing, judged},
    with_ranker, worth,
};
use crate::{Interrupted, TrainError, evaluate::mean, progress::Progress};

/// What it is called while it is done.
pub const STAGE: &str = "learning what foretells a skip";

/// Listeners on whom recipes and signals are tried, at most; weights are learned on all.
const TRIED_ON: usize = 500;

/// Ridges on the weights, in listeners.
const RIDGES: [f64; 4] = [0.3, 1.0, 10.0, 100.0];
const AXES: [u32; 5] = [4, 8, 16, 32, 64];
const SPREADS: [f32; 7] = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0];
const FLATS: [f32; 4] = [0.1, 1.0, 10.0, 100.0];
const PRIORS: [f32; 4] = [1.0, 3.0, 10.0, 30.0];
/// Where choosing sets out from.
const START: Recipe = Recipe {
    axes: 16,
    spread: 100.0,
    ridge: 1.0,
    prior: 3.0,
    log_odds: 0.0,
    bias: 0.0,
    learned_from: [0; 2],
};

/// Signals that order the tracks of a listener: the others are the same for all of them.
const ORDERING: Chosen = {
    let mut chosen = [true; Signal::ALL.len()];
    chosen[Signal::Listener as usize] = false;
    chosen[Signal::Mood as usize] = false;
    chosen
};

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// How verdicts are taken.
    pub recipe: Recipe,
    /// What has a weight in the log-odds of a yes.
    pub odds: Weighing,
    /// And in the order of tracks.
    pub order: Weighing,
}

/// Choosing under way.
pub struct Run<'a> {
    base: &'a Model,
    rates: &'a [Rate],
    stories: &'a [Story<'a>],
    start: Recipe,
    /// What each listener said under the recipes that were tried: the first under which taste was solved.
    known: Vec<(Recipe, Vec<Vec<Said>>)>,
    progress: &'a Progress<'a>,
}

impl<'a> Run<'a> {
    /// Beside `base` and these rates, tracks of which nothing is known having `unknown` log-odds.
    pub fn new(
        base: &'a Model,
        rates: &'a [Rate],
        unknown: f32,
        stories: &'a [Story<'a>],
        progress: &'a Progress<'a>,
    ) -> Result<Self, ModelError> {
        let axes = START.axes.min(base.dim() as u32);
        let start = Recipe { axes, log_odds: unknown, ..START };
        let mut run = Self { base, rates, stories, start, known: Vec::new(), progress };
        let first = followed(&run.model(start)?, stories);
        run.known.push((start, first));
        Ok(run)
    }

    /// The base with a ranker of this recipe, whose weights are not looked at.
    pub fn model(&self, recipe: Recipe) -> Result<Model, ModelError> {
        let parts = RankerParts { recipe, worth: worth(), ..RankerParts::default() };
        with_ranker(self.base, self.rates, &parts)
    }

    /// What each listener said, and what foretold it under `recipe`.
    pub fn said(&mut self, recipe: Recipe) -> Result<&[Vec<Said>], TrainError> {
        if self.progress.stopped() {
            return Err(Interrupted.into());
        }
        let known = self.known.iter().position(|(other, _)| *other == recipe);
        let at = match known {
            Some(at) => at,
            None => {
                let model = self.model(recipe)?;
                let said = with_verdicts_of(&model, self.stories, &self.known[0].1);
                self.known.push((recipe, said));
                self.known.len() - 1
            }
        };
        Ok(&self.known[at].1)
    }

    /// Chooses on the listeners whose numbers are `among` those: one setting at a time, then which signals, the
    /// least telling going first, for as long as the listeners are told as well.
    pub fn choose(&mut self, among: impl Fn(usize) -> bool) -> Result<Choice, TrainError> {
        let mut best = (self.start, self.told(self.start, &among)?);
        let most = self.base.dim() as u32;
        for axes in AXES.into_iter().filter(|&axes| axes <= most) {
            self.challenge(&mut best, |recipe| recipe.axes = axes, &among)?;
        }
        for spread in SPREADS {
            self.challenge(&mut best, |recipe| recipe.spread = spread, &among)?;
        }
        for ridge in FLATS {
            self.challenge(&mut best, |recipe| recipe.ridge = ridge, &among)?;
        }
        for prior in PRIORS {
            self.challenge(&mut best, |recipe| recipe.prior = prior, &among)?;
        }
        let recipe = best.0;
        let said = some_of(self.said(recipe)?, &among);
        Ok(Choice { recipe, odds: weighing(&said, Aim::Odds), order: weighing(&said, Aim::Order) })
    }

    fn challenge(
        &mut self,
        best: &mut (Recipe, f64),
        set: impl Fn(&mut Recipe),
        among: &impl Fn(usize) -> bool,
    ) -> Result<(), TrainError> {
        let mut other = best.0;
        set(&mut other);
        if other != best.0 {
            let told = self.told(other, among)?;
            if told > best.1 {
                *best = (other, told);
            }
        }
        self.progress.step(STAGE, self.known.len(), best.1);
        Ok(())
    }

    /// How well listeners are told by the weights of others.
    fn told(&mut self, recipe: Recipe, among: &impl Fn(usize) -> bool) -> Result<f64, TrainError> {
        let said = some_of(self.said(recipe)?, among);
        let weighing = Weighing { aim: Aim::Odds, ridge: 1.0, chosen: ORDERING };
        Ok(mean(&judged(&said, weighing).told))
    }
}

/// Of those `among` which is chosen, as many as are looked at.
fn some_of(said: &[Vec<Said>], among: impl Fn(usize) -> bool) -> Vec<&[Said]> {
    let some = said.iter().enumerate().filter(|(at, _)| among(*at));
    some.take(TRIED_ON).map(|(_, said)| said.as_slice()).collect()
}

/// The same without one signal.
pub fn without(mut chosen: Chosen, signal: Signal) -> Chosen {
    chosen[signal as usize] = false;
    chosen
}

/// The ridge and the signals by which listeners are told best, none of which could go.
fn weighing(said: &[&[Said]], aim: Aim) -> Weighing {
    let all = RIDGES.map(|ridge| Weighing { aim, ridge, chosen: ORDERING });
    let (mut best, mut told) = best_of(said, all);
    loop {
        let left = Signal::ALL.into_iter().filter(|&signal| best.chosen[signal as usize]);
        let fewer = left.map(|signal| without(best.chosen, signal));
        let fewer = fewer.filter(|chosen| chosen.contains(&true));
        let (fewest, found) = best_of(said, fewer.map(|chosen| Weighing { chosen, ..best }));
        if found < told || !found.is_finite() {
            return best;
        }
        (best, told) = (fewest, found);
    }
}

/// The first of those that tell listeners best, and how well it does; below every figure where there is none.
fn best_of(said: &[&[Said]], all: impl IntoIterator<Item = Weighing>) -> (Weighing, f64) {
    let none = Weighing { aim: Aim::Odds, ridge: RIDGES[0], chosen: ORDERING };
    let told = all.into_iter().map(|of| (of, mean(&judged(said, of).told)));
    told.fold((none, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best })
}

//! How verdicts are taken, and which signals have a weight: chosen by how likely the weights that some listeners
//! give make it that the yes of others is the yes.

use segue_core::{
    event::Kind,
    model::{ContextParts, Model, RankerParts, Rate, Recipe, Spread, Worth},
    signals::Signal,
};

use super::{
    context::effects,
    stories::{Said, Story, followed},
    weights::{Chosen, Weighing, judged, strengths},
    with_ranker, worth,
};
use crate::{
    Interrupted, TrainError,
    dataset::Dataset,
    evaluate::{mean, paired},
    progress::Progress,
};

/// What it is called while it is done.
pub const STAGE: &str = "learning what foretells a skip";

/// Listeners on whom recipes and signals are chosen, at most, of the half that there is for it; weights are learned
/// on all.
const CHOSEN_ON: usize = 500;
/// Standard errors by which another setting has to be better: of many that are tried some are by chance.
const BETTER: f64 = 0.5;

/// Ridges on the weights, in listeners.
const RIDGES: [f64; 4] = [0.3, 1.0, 10.0, 100.0];
const AXES: [u32; 4] = [4, 8, 16, 32];
const OTHERS: [f32; 6] = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];
const FLATS: [f32; 4] = [0.1, 1.0, 10.0, 100.0];
const TAGS: [f32; 5] = [0.3, 1.0, 3.0, 10.0, 30.0];
const HALF_LIVES: [f32; 5] = [2.0, 4.0, 8.0, 16.0, 64.0];
/// Of all that a listener said, in events.
const MEMORIES: [f32; 4] = [1024.0, 256.0, 64.0, 16.0];
const PRIORS: [f32; 4] = [1.0, 3.0, 10.0, 30.0];
const LATES: [f32; 3] = [0.25, 0.5, 1.0];
/// What a deliberate yes or no says, beside a play or a skip.
const WORTHS: [f32; 4] = [0.5, 1.0, 2.0, 4.0];
const DELIBERATE: [Kind; 4] = [Kind::Like, Kind::Dislike, Kind::Save, Kind::Replay];
/// How much stronger the ridge on what a context tells is than that on what a listener says.
const SHRINKS: [f32; 4] = [1.0, 10.0, 100.0, 1000.0];
/// Where choosing sets out from.
const START: Recipe = {
    let spread = Spread { others: 100.0, ridge: 1.0, tags: 3.0 };
    Recipe {
        axes: 16,
        prior: 3.0,
        log_odds: 0.0,
        bias: 0.0,
        all: spread,
        sitting: spread,
        half_life: 1e6,
        late: 0.0,
        learned_from: [0; 2],
        memory: 0.0,
    }
};

/// Signals that order the tracks of a listener: the others are the same for all of them.
const ORDERING: Chosen = {
    let mut chosen = [true; Signal::ALL.len()];
    chosen[Signal::Listener as usize] = false;
    chosen[Signal::Temper as usize] = false;
    chosen
};

/// How verdicts are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    pub recipe: Recipe,
    pub worth: Worth,
    /// Of [`effects`]; `None` where contexts are left out.
    pub shrink: Option<f32>,
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// How verdicts are taken.
    pub setting: Setting,
    /// What has a weight.
    pub weighing: Weighing,
}

/// Choosing under way.
pub struct Run<'a> {
    pub dataset: &'a Dataset,
    pub base: &'a Model,
    pub rates: &'a [Rate],
    pub stories: &'a [Story<'a>],
    /// The log-odds of a track of which nothing is known.
    pub unknown: f32,
    progress: &'a Progress<'a>,
}

impl<'a> Run<'a> {
    /// Beside `base` and these rates, tracks of which nothing is known having `unknown` log-odds.
    pub const fn new(
        dataset: &'a Dataset,
        (base, rates, unknown): (&'a Model, &'a [Rate], f32),
        stories: &'a [Story<'a>],
        progress: &'a Progress<'a>,
    ) -> Self {
        Self { dataset, base, rates, stories, unknown, progress }
    }

    /// The base with a ranker of this setting, whose weights are not looked at, and what contexts tell of the events
    /// before those that are foretold.
    pub fn model(&self, setting: &Setting) -> Result<Model, TrainError> {
        let Setting { recipe, worth, shrink } = *setting;
        let parts = RankerParts { recipe, worth, ..RankerParts::default() };
        let model = with_ranker(self.base, self.rates, &parts, None)?;
        let Some(context) = shrink.and_then(|shrink| self.context(&model, shrink)) else {
            return Ok(model);
        };
        Ok(with_ranker(self.base, self.rates, &parts, Some(&context))?)
    }

    fn context(&self, model: &Model, shrink: f32) -> Option<ContextParts> {
        let before = |listener| self.dataset.split_by_time(listener).0;
        effects(self.dataset, model, Some, before, shrink)
    }

    /// What each of `stories` says, and what foretells it under `setting`.
    pub fn said(
        &self,
        setting: &Setting,
        stories: &[Story<'_>],
    ) -> Result<Vec<Vec<Said>>, TrainError> {
        if self.progress.stopped() {
            return Err(Interrupted.into());
        }
        Ok(followed(&self.model(setting)?, stories))
    }

    /// How many of the stories, the first ones, there are to choose on.
    pub fn choosers(&self) -> usize {
        self.stories.len().div_ceil(2).min(CHOSEN_ON)
    }

    /// Chooses on the first [`Self::choosers`]: one parameter at a time, then which signals.
    pub fn choose(&self) -> Result<Choice, TrainError> {
        let axes = START.axes.min(self.base.dim() as u32);
        let recipe = Recipe { axes, log_odds: self.unknown, ..START };
        let setting = Setting { recipe, worth: worth(), shrink: None };
        let mut search = Search { best: setting, likely: Vec::new(), tried: 0, run: self };
        search.likely = search.likely(&setting)?;
        search.over(&AXES, |setting, axes| setting.recipe.axes = axes)?;
        search.over(&OTHERS, |setting, x| setting.recipe.all.others = x)?;
        search.over(&FLATS, |setting, x| setting.recipe.all.ridge = x)?;
        search.over(&PRIORS, |setting, x| setting.recipe.prior = x)?;
        search.over(&MEMORIES, |setting, x| setting.recipe.memory = x)?;
        if self.base.tags() > 0 {
            search.over(&TAGS, |setting, x| setting.recipe.all.tags = x)?;
            search.over(&TAGS, |setting, x| setting.recipe.sitting.tags = x)?;
        }
        search.over(&OTHERS, |setting, x| setting.recipe.sitting.others = x)?;
        search.over(&FLATS, |setting, x| setting.recipe.sitting.ridge = x)?;
        search.over(&HALF_LIVES, |setting, x| setting.recipe.half_life = x)?;
        search.over(&LATES, |setting, x| setting.recipe.late = x)?;
        for kind in DELIBERATE {
            if self.dataset.has(kind) {
                search.over(&WORTHS, |setting, x| setting.worth[kind as usize] *= x)?;
            }
        }
        if self.dataset.has_context() {
            search.over(&SHRINKS, |setting, x| setting.shrink = Some(x))?;
        }
        let setting = search.best;
        let said = self.said(&setting, &self.stories[..self.choosers()])?;
        let said: Vec<&[Said]> = said.iter().map(Vec::as_slice).collect();
        Ok(Choice { setting, weighing: weighing(&said) })
    }
}

/// The best setting so far.
struct Search<'r, 'a> {
    best: Setting,
    /// How likely what each listener said was, by the weights of others.
    likely: Vec<f64>,
    tried: usize,
    run: &'r Run<'a>,
}

impl Search<'_, '_> {
    /// Tries each of `values` in the place of the one there is.
    fn over<T: Copy>(
        &mut self,
        values: &[T],
        set: impl Fn(&mut Setting, T),
    ) -> Result<(), TrainError> {
        let from = self.best;
        for &value in values {
            let mut other = from;
            set(&mut other, value);
            if other == from || other.recipe.axes > self.run.base.dim() as u32 {
                continue;
            }
            let likely = self.likely(&other)?;
            if paired(&likely, &self.likely) > BETTER {
                (self.best, self.likely) = (other, likely);
            }
        }
        Ok(())
    }

    fn likely(&mut self, setting: &Setting) -> Result<Vec<f64>, TrainError> {
        let said = self.run.said(setting, &self.run.stories[..self.run.choosers()])?;
        let said: Vec<&[Said]> = said.iter().map(Vec::as_slice).collect();
        let likely = judged(&said, Weighing { ridge: 1.0, chosen: ORDERING }).likely;
        self.tried += 1;
        self.run.progress.step(STAGE, self.tried, mean(&likely));
        Ok(likely)
    }
}

/// The same without one signal.
pub fn without(mut chosen: Chosen, signal: Signal) -> Chosen {
    chosen[signal as usize] = false;
    chosen
}

/// Signals of which more can only speak for a yes: each foretells one by itself. A weight below 0 says that another
/// signal, which tells the same, has too much of one.
pub const FOR: Chosen = {
    let mut any = [true; Signal::ALL.len()];
    any[Signal::Plays as usize] = false;
    any[Signal::Met as usize] = false;
    any[Signal::Lately as usize] = false;
    any[Signal::Repeat as usize] = false;
    any
};

/// The ridge and the signals under which what listeners said is most likely: those that speak against what they are
/// for go first, then the one of the least weight, for as long as any is left.
fn weighing(said: &[&[Said]]) -> Weighing {
    let likely = |of: Weighing| mean(&judged(said, of).likely);
    let better = |a: (Weighing, f64), b: (Weighing, f64)| if b.1 > a.1 { b } else { a };
    let none = Weighing { ridge: RIDGES[0], chosen: ORDERING };
    let all = RIDGES.map(|ridge| Weighing { ridge, chosen: ORDERING });
    let mut best =
        all.into_iter().map(|of| (of, likely(of))).fold((none, f64::NEG_INFINITY), better);
    let mut fewer = best.0;
    loop {
        let strengths = strengths(said, fewer);
        let of = |signal: Signal| strengths[signal as usize];
        let left = Signal::ALL.into_iter().filter(|&signal| fewer.chosen[signal as usize]);
        let against = |signal: &Signal| FOR[*signal as usize] && of(*signal) < 0.0;
        let weakest = left.min_by(|a, b| {
            let [first, second] = [a, b].map(|it| (!against(it), of(*it).abs()));
            first.0.cmp(&second.0).then(first.1.total_cmp(&second.1))
        });
        let Some(weakest) = weakest else { return best.0 };
        // A weight that is against what is known must go, but not bring back others that told something.
        let must = against(&weakest) && fewer == best.0;
        fewer.chosen = without(fewer.chosen, weakest);
        if !fewer.chosen.contains(&true) {
            return best.0;
        }
        let now = likely(fewer);
        if must || now >= best.1 {
            best = (fewer, now);
        }
    }
}

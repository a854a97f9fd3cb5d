//! Item factors, by whichever method is best for a log.
//!
//! Whatever made them, a device folds listeners in by the same ridge regression. For factors that
//! were trained to be summed the ridge is so large that it leaves the sum.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Instant};

use segue_core::{
    model::{Loss, Model, Responses},
    rng::SplitMix64,
};

use crate::{
    Diverged, Interrupted, TrainError, als,
    checkpoints::{Bytes, Key, reals, whole},
    contrast,
    matrix::Matrix,
    progress::Progress,
    spectral::{Degrees, Shape, Spectra, unit},
};

/// How factors are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Method {
    /// By how many listeners a track has, the same for all listeners.
    Popularity,
    /// The leading singular vectors of the pairs, or a linear autoencoder of them where there is a ridge.
    Spectral(Degrees, Shape),
    /// Implicit ALS, with the loss of the settings.
    Als,
    /// Contrastive, from spectral factors on.
    Contrast(Degrees, Shape, contrast::Settings),
}

impl Method {
    /// Whether fold-in sums a listener's tracks. A sum takes in a no only as the opposite of a yes, where
    /// ridge regression has a place for "nothing expected here".
    pub const fn sums(&self) -> bool {
        matches!(self, Self::Spectral(..) | Self::Contrast(..))
    }

    /// `responses`, in which a plain no is one to this method too: the opposite of a yes where it sums.
    pub fn heeding_noes(&self, mut responses: Responses) -> Responses {
        let noes = responses.kinds.iter_mut().filter(|no| no.weight > 0.0 && no.target == 0.0);
        if self.sums() {
            noes.for_each(|no| no.target = -1.0);
        }
        responses
    }

    /// What people call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::Spectral(_, shape) if shape.ridge > 0.0 => "autoencoder",
            Self::Spectral(..) => "spectral",
            Self::Als => "als",
            Self::Contrast(..) => "contrastive",
        }
    }
}

/// How factors are trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How they are made.
    pub method: Method,
    /// What ALS minimises, and what a code of the factors is measured by, whatever made them.
    pub loss: Loss,
    /// Passes over the pairs; 0 for methods that make none.
    pub epochs: usize,
}

/// The mean square length of factors that are summed: a ridge of one is then a thousand of them.
const SUMMED: f32 = 1e-3;
/// Tracks of the mean listener that a sum begins with, where it is pulled there.
const BEGINS_WITH: f32 = 1.0;

impl Settings {
    /// What listeners are folded in with, before that is settled, to a catalogue of so many tracks.
    pub fn fold_in(&self, tracks: usize) -> Loss {
        match self.method {
            Method::Als => self.loss,
            _ => Loss { unobserved: BEGINS_WITH / tracks.max(1) as f32, ridge: 1.0, exponent: 0.5 },
        }
    }
}

/// A training run that can be continued.
#[derive(Clone)]
pub struct Training<'a> {
    loss: Loss,
    state: State<'a>,
    solver: als::Trainer<'a>,
    /// Epochs so far.
    pub epochs: usize,
}

#[derive(Clone)]
enum State<'a> {
    /// Done at once.
    Still,
    Als,
    Contrast(Box<contrast::Trainer<'a>>),
}

impl<'a> Training<'a> {
    /// Starts; what takes no epochs is done with it. `settings.epochs` is not looked at.
    pub fn new(
        spectra: &mut Spectra<'a>,
        settings: &Settings,
        seed: u64,
    ) -> Result<Self, Diverged> {
        let ((by_user, by_item), dim) = (spectra.pairs, spectra.dim);
        let mut solver = als::Trainer::new(by_user, by_item, dim, seed);
        let state = match settings.method {
            Method::Als => State::Als,
            Method::Popularity => {
                solver.factors.items = summed(popularity(by_item, dim), dim);
                State::Still
            }
            Method::Spectral(degrees, shape) => {
                solver.factors.items = summed(spectra.of(degrees)?.factors(shape), dim);
                State::Still
            }
            Method::Contrast(degrees, shape, settings) => {
                let start = spectra.of(degrees)?.factors(shape);
                let trainer = contrast::Trainer::new(by_user, by_item, dim, start, settings, seed);
                State::Contrast(Box::new(trainer))
            }
        };
        Ok(Self { loss: settings.loss, state, solver, epochs: 0 })
    }

    /// One pass over the pairs; `stop` is asked on the way.
    pub fn epoch(&mut self, stop: &(impl Fn() -> bool + Sync)) {
        self.epochs += 1;
        match &mut self.state {
            State::Still => {}
            State::Als => self.solver.epoch(&self.loss, stop),
            State::Contrast(trainer) => trainer.epoch(stop),
        }
    }

    /// The factors as they stand, with what folds listeners in to them.
    pub fn solver(&mut self) -> &mut als::Trainer<'a> {
        if let State::Contrast(trainer) = &self.state {
            let dim = self.solver.factors.dim;
            self.solver.factors.items = summed(trainer.items.clone(), dim);
        }
        &mut self.solver
    }

    /// What [`Self::restore`] goes on from.
    fn kept(&self) -> Vec<u8> {
        let bytes = Bytes::default().whole(self.epochs as u64);
        match &self.state {
            State::Contrast(trainer) => trainer.kept(bytes),
            State::Still | State::Als => {
                bytes.reals(&self.solver.factors.items).reals(&self.solver.factors.users)
            }
        }
        .into_vec()
    }

    /// Goes on from what was kept of a run that was the same so far.
    fn restore(&mut self, mut kept: &[u8]) {
        let mut restored = self.clone();
        let all = (|| {
            restored.epochs = usize::try_from(whole(&mut kept)?).ok()?;
            match &mut restored.state {
                State::Contrast(trainer) => trainer.restore(&mut kept),
                State::Still | State::Als => {
                    reals(&mut kept, &mut restored.solver.factors.items)?;
                    reals(&mut kept, &mut restored.solver.factors.users)
                }
            }
        })();
        if all.is_some() && kept.is_empty() {
            *self = restored;
        }
    }

    /// The same, for good.
    pub fn into_solver(mut self) -> als::Trainer<'a> {
        self.solver();
        self.solver
    }
}

/// Epochs of ALS from earlier factors on, after which those from random ones on are no better (`segue-train`'s
/// example `held_out warm` measures it).
const WARM: usize = 2;

/// What ALS starts from. The other methods start anew: spectral factors take no epochs, and what contrastive ones are
/// multiplied by is not told by a model.
#[derive(Clone, Debug)]
pub enum Start<'a> {
    /// Chance.
    Anew,
    /// Chance that is the same for a track whatever others there are, told by its fingerprint: of two logs of which one
    /// has a little more the factors then differ by a little.
    ByTrack(Cow<'a, [u64]>),
    /// Earlier factors, `dim` reals a track, zeros for those that are new; that takes a part of the epochs.
    From(Vec<f32>),
}

/// Trains as `settings` have it.
pub fn train<'a>(
    pairs: (&'a Matrix, &'a Matrix),
    dim: usize,
    settings: &Settings,
    seed: u64,
    start: Start<'_>,
    progress: &Progress<'_>,
) -> Result<als::Trainer<'a>, TrainError> {
    let start = if settings.method == Method::Als { start } else { Start::Anew };
    let warm = matches!(start, Start::From(_));
    let epochs = if warm { settings.epochs.min(WARM) } else { settings.epochs };
    let mut spectra = Spectra::new(pairs, dim, seed);
    let mut training = Training::new(&mut spectra, settings, seed)?;
    let mut key = Key::of("factors").and_pairs(pairs.0).and(&(dim, settings, seed));
    match start {
        Start::Anew => {}
        Start::ByTrack(fingerprints) => {
            key = key.and(&fingerprints);
            let drawn = |&of| als::drawn(dim, &mut SplitMix64::new(of ^ seed)).collect::<Vec<_>>();
            training.solver.factors.items = fingerprints.iter().flat_map(drawn).collect();
        }
        Start::From(items) => {
            key = key.and_reals(&items);
            training.solver.factors.items = items;
            // Epochs improve rows from where they stand.
            training.solver.solve_users(&settings.loss, &|| progress.stopped());
        }
    }
    if let Some(kept) = progress.checkpoints.get(&key) {
        training.restore(&kept);
    }
    let mut kept = Instant::now();
    while training.epochs < epochs {
        training.epoch(&|| progress.stopped());
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        progress.count("training factors", training.epochs, epochs);
        if progress.checkpoints.are_due(kept) || training.epochs == epochs {
            progress.checkpoints.put(&key, || training.kept())?;
            kept = Instant::now();
        }
    }
    Ok(training.into_solver())
}

/// The factors that `model` has of tracks with these `ids`, `dim` reals each and zeros of those that it has
/// not; `None` where its factors are of another length.
pub fn earlier<'a>(
    model: &Model,
    ids: impl Iterator<Item = &'a str>,
    dim: usize,
) -> Option<Vec<f32>> {
    if model.dim() != dim {
        return None;
    }
    let mut items = Vec::new();
    for id in ids {
        items.resize(items.len() + dim, 0.0);
        let from = items.len() - dim;
        if let Some(row) = model.row(id) {
            model.decode(row, &mut items[from..]);
        }
    }
    Some(items)
}

/// Scaled so that folding in sums them.
fn summed(mut items: Vec<f32>, dim: usize) -> Vec<f32> {
    unit(&mut items, dim);
    items.iter_mut().for_each(|x| *x *= SUMMED.sqrt());
    items
}

/// One axis, along which a track stands by its listeners.
fn popularity(by_item: &Matrix, dim: usize) -> Vec<f32> {
    let mut items = vec![0.0; by_item.rows() * dim];
    let plays = by_item.positives().into_iter();
    items.chunks_exact_mut(dim).zip(plays).for_each(|(row, plays)| row[0] = plays as f32);
    items
}

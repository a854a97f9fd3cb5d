//! New tracks: factors from artist, album and tags for what nobody has heard yet.
//!
//! What ships is one more factor a track: a device ranks new tracks as it ranks all others, and nothing
//! in it knows that nobody had heard them. They are no part of what a listener left unheard: fold-in keeps
//! the Gram matrix that training had.
//!
//! The map is a linear mixed model ([`ridge`]); how much each circle is shrunk towards the wider one,
//! how much a listener more says of a track, and how large new factors are beside the others is chosen on
//! held-out tracks ([`choose`]), never typed in.

mod features;
mod held;
pub mod ridge;
mod search;

pub use features::{Common, Features, is_described};
pub use search::{Beneath, Gain, New, choose};

use crate::{
    Interrupted, TrainError,
    als::Factors,
    factors::{self, Settings, Start},
    matrix::Matrix,
    progress::Progress,
};
use segue_core::{catalogue::Track, model::Loss};
use serde::{Deserialize, Serialize};

/// How new tracks get their factors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shrinkage {
    /// λ of a tag, in tracks that are well known: an effect is halved that so many tracks tell of.
    pub tag: f64,
    /// λ of an artist.
    pub artist: f64,
    /// λ of an album.
    pub album: f64,
    /// κ: a track with m listeners counts m/(m + κ).
    pub trust: f64,
    /// What a factor is multiplied by: new tracks are not as popular as those that were heard.
    pub scale: f32,
}

impl Shrinkage {
    /// For logs too small to choose on: every effect is told by one track as well as by what is around
    /// it, every track by one listener.
    pub const CAUTIOUS: Self = Self { tag: 1.0, artist: 1.0, album: 1.0, trust: 1.0, scale: 1.0 };

    fn penalty(&self, kind: Common) -> f64 {
        match kind {
            // What everything is shrunk towards.
            Common::Catalogue => 0.0,
            Common::Tag => self.tag,
            Common::Artist => self.artist,
            Common::Album => self.album,
        }
    }

    /// Effects of all features, from the tracks that have listeners: so many each, 0 for new ones.
    pub fn effects(
        &self,
        features: &Features,
        factors: (&[f32], usize),
        listeners: &[usize],
    ) -> Vec<f32> {
        let weight = |&m: &usize| m as f64 / (m as f64 + self.trust);
        let weights: Vec<f64> = listeners.iter().map(weight).collect();
        let penalties: Vec<f64> = features.kinds().iter().map(|&kind| self.penalty(kind)).collect();
        ridge::effects(features, factors, &weights, &penalties)
    }
}

/// Writes into `factors` (`dim` reals a track) those of the tracks `new`, from what `listeners` have told of
/// the others.
pub fn fill(
    shrinkage: &Shrinkage,
    features: &Features,
    (factors, dim): (&mut [f32], usize),
    listeners: &[usize],
    new: &[usize],
) {
    let effects = shrinkage.effects(features, (factors, dim), listeners);
    for &track in new {
        let factor = &mut factors[track * dim..][..dim];
        ridge::predict(features, &effects, track, factor);
        factor.iter_mut().for_each(|x| *x *= shrinkage.scale);
    }
}

/// Gives those of `tracks` that nobody has `met` factors, where they have something in common with others; says
/// how many did. `listeners` has how many liked each track.
pub fn fill_unheard(
    shrinkage: &Shrinkage,
    tracks: &[Track],
    met: &[bool],
    listeners: &[usize],
    factors: &mut Factors,
) -> usize {
    let is_new = |&track: &usize| !met[track] && is_described(&tracks[track]);
    let new: Vec<usize> = (0..tracks.len()).filter(is_new).collect();
    if !new.is_empty() {
        let features = Features::new(tracks, met);
        let dim = factors.dim;
        fill(shrinkage, &features, (&mut factors.items, dim), listeners, &new);
    }
    new.len()
}

/// The rows of `width` that are `heard`.
fn of_heard<T: Copy>(all: &[T], width: usize, heard: &[bool]) -> Vec<T> {
    let rows = all.chunks_exact(width).zip(heard).filter(|(_, heard)| **heard);
    rows.flat_map(|(row, _)| row).copied().collect()
}

/// Trains on the columns of `by_user` that are `heard`, from what `start` has for all columns, listeners solved under
/// `fold_in`; the factors of the others are zero.
pub(crate) fn train_heard(
    by_user: &Matrix,
    heard: &[bool],
    dim: usize,
    (settings, fold_in, seed): (&Settings, &Loss, u64),
    start: Start<'_>,
    progress: &Progress<'_>,
) -> Result<Factors, TrainError> {
    let known = by_user.keeping(heard);
    let by_item = known.transposed();
    let start = match start {
        Start::Anew => Start::Anew,
        Start::ByTrack(all) => Start::ByTrack(of_heard(&all, 1, heard).into()),
        Start::From(all) => Start::From(of_heard(&all, dim, heard)),
    };
    let pairs = (&*known, &by_item);
    let mut trainer = factors::train(pairs, dim, settings, seed, start, progress)?;
    trainer.solve_users(fold_in, &|| progress.stopped());
    if progress.stopped() {
        return Err(Interrupted.into());
    }
    let Factors { users, items, .. } = trainer.factors;
    let mut rows = items.chunks_exact(dim);
    let mut all = vec![0.0; heard.len() * dim];
    for (to, _) in all.chunks_exact_mut(dim).zip(heard).filter(|(_, heard)| **heard) {
        rows.next().into_iter().for_each(|row| to.copy_from_slice(row));
    }
    Ok(Factors { dim, users, items: all })
}

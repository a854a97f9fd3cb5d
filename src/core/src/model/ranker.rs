//! The `ranker` section: what foretells whether a listener says yes to a track, and how much each of it counts.
//!
//! `[parameters, 32 bytes][worth of each kind f32 × 9][weights of order f32 × s][weights of odds f32 × s]`, each
//! padded with zeros to 16 bytes. [`crate::signals`] says what the s signals are, [`crate::verdicts`] what the
//! parameters are for. Two things are asked of the same signals: whether a listener says yes rather than no to
//! what they hear, and whether they hear it and say yes, by which tracks are ordered. What was heard at all
//! was chosen by taste, so that taste tells less of the first than of the second.

use bytemuck::{Pod, Zeroable};

use super::{ModelError, SectionKind};
use crate::{
    bytes::{Aligned, Reader, Writer},
    event::Kind,
    signals::{Signal, Signals},
};

const KIND: SectionKind = SectionKind::Ranker;
/// Largest weight: signals may be as small as fold-in shrinks scores.
const MAX_WEIGHT: f32 = 1e12;

/// How verdicts are taken, beside the signals' weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Recipe {
    /// k: verdicts are told apart along the first so many axes of the factors, 1 to 256.
    pub axes: u32,
    /// How far what is said of one track spreads to others: the tracks that all of a catalogue count as in
    /// speaking against it; 0 to 10⁶.
    pub spread: f32,
    /// The ridge, in mean squares of a component; above 0, to 10⁶.
    pub ridge: f32,
    /// Verdicts of a mean of zero that a listener is taken to have given before the first; 0 to 10⁶.
    pub prior: f32,
    /// The log-odds of a yes to a track of which nothing is known.
    pub log_odds: f32,
    /// What is added to the signals as `odds` weighs them: their sum is then the log-odds of a yes.
    pub bias: f32,
    /// Listeners and pairs of verdicts that the weights were learned from.
    pub learned_from: [u32; 2],
}

/// What each kind of event says: above 0 for yes, below for no, 0 for neither.
pub type Worth = [f32; Kind::ALL.len()];

/// The ranker, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Ranker<'a> {
    recipe: Recipe,
    worth: &'a Worth,
    order: &'a Signals,
    odds: &'a Signals,
}

/// What a `ranker` section is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RankerParts {
    /// How verdicts are taken.
    pub recipe: Recipe,
    /// What each kind of event says.
    pub worth: Worth,
    /// What signals count in the order of tracks, 0 for those that tell nothing; nothing but zeros where taste and
    /// what follows what alone order them.
    pub order: Signals,
    /// What they count in the log-odds of a yes.
    pub odds: Signals,
}

impl<'a> Ranker<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let (recipe, worth) = (*reader.one()?, reader.one()?);
        let (order, odds) = (reader.one()?, reader.one()?);
        reader.is_empty().then_some(Self { recipe, worth, order, odds })
    }

    /// How verdicts are taken.
    pub const fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What each kind of event says.
    pub const fn worth(&self) -> &'a Worth {
        self.worth
    }

    /// Whether tracks are ordered by signals; by taste and what follows what alone where not.
    pub fn orders(&self) -> bool {
        self.order.iter().any(|weight| *weight != 0.0)
    }

    /// What signals count in the order of tracks.
    pub const fn order(&self) -> &'a Signals {
        self.order
    }

    /// The same of one signal.
    pub const fn weight(&self, signal: Signal) -> f32 {
        self.order[signal as usize]
    }

    /// What signals count in the log-odds of a yes.
    pub const fn odds(&self) -> &'a Signals {
        self.odds
    }
}

pub(super) fn encode(parts: &RankerParts) -> Aligned {
    let mut writer = Writer::default();
    writer.array(&[parts.recipe]).array(&parts.worth);
    writer.array(&parts.order).array(&parts.odds);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], dim: usize) -> Result<(), ModelError> {
    let Ranker { recipe, worth, order, odds } =
        Ranker::new(bytes).ok_or(ModelError::Shape(KIND))?;
    let within = |x: f32, most: f32| (0.0..=most).contains(&x);
    let sound = (1..=dim).contains(&(recipe.axes as usize))
        && within(recipe.spread, 1e6)
        && (1e-6..=1e6).contains(&recipe.ridge)
        && within(recipe.prior, 1e6)
        && recipe.log_odds.abs() <= 100.0
        && recipe.bias.abs() <= MAX_WEIGHT
        && worth.iter().all(|x| x.abs() <= 1e4)
        && order.iter().chain(odds).all(|x| x.abs() <= MAX_WEIGHT);
    if sound { Ok(()) } else { Err(ModelError::value(KIND, "a parameter is out of range")) }
}

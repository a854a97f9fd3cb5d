//! The `ranker` section: what foretells whether a listener says yes to a track, and how much each of it counts.
//!
//! `[parameters, 64 bytes][worth of each kind f32 × 9][weights f32 × s]`, each padded with zeros to 16 bytes.
//! [`crate::signals`] says what the s signals are, [`crate::verdicts`] what the parameters are for.

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
/// Largest parameter.
const MOST: f32 = 1e6;

/// How far what is said of one track spreads to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Spread {
    /// The tracks that all of a catalogue count as in speaking against it; 0 to 10⁶.
    pub others: f32,
    /// The ridge on axes, in mean squares of a component; above 0, to 10⁶.
    pub ridge: f32,
    /// The ridge on tags, in verdicts; above 0, to 10⁶.
    pub tags: f32,
}

/// How verdicts are taken, beside the signals' weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Recipe {
    /// k: verdicts are told apart along the first so many axes of the factors, 1 to 256.
    pub axes: u32,
    /// Verdicts of a mean of zero that a listener is taken to have given before the first; 0 to 10⁶.
    pub prior: f32,
    /// The log-odds of a yes to a track of which nothing is known.
    pub log_odds: f32,
    /// What is added to the weighted signals: their sum is then the log-odds of a yes.
    pub bias: f32,
    /// Of all that the listener said.
    pub all: Spread,
    /// Of what they said in this sitting.
    pub sitting: Spread,
    /// Events after which a verdict of the sitting counts half; above 0, to 10⁶.
    pub half_life: f32,
    /// What a skip at the very end counts of one at the very start; 0 to 1.
    pub late: f32,
    /// Listeners and pairs of verdicts that the weights were learned from.
    pub learned_from: [u32; 2],
    /// Events after which a verdict of all that the listener said counts half; to 10⁶, 0 where it always counts whole.
    pub memory: f32,
}

/// What each kind of event says: above 0 for yes, below for no, 0 for neither.
pub type Worth = [f32; Kind::ALL.len()];

/// The ranker, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Ranker<'a> {
    recipe: Recipe,
    worth: &'a Worth,
    weights: &'a Signals,
}

/// What a `ranker` section is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RankerParts {
    /// How verdicts are taken.
    pub recipe: Recipe,
    /// What each kind of event says.
    pub worth: Worth,
    /// What signals count in the log-odds of a yes, 0 for those that tell nothing.
    pub weights: Signals,
}

impl<'a> Ranker<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let (recipe, worth, weights) = (*reader.one()?, reader.one()?, reader.one()?);
        reader.is_empty().then_some(Self { recipe, worth, weights })
    }

    /// How verdicts are taken.
    pub const fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What each kind of event says.
    pub const fn worth(&self) -> &'a Worth {
        self.worth
    }

    /// What signals count in the log-odds of a yes.
    pub const fn weights(&self) -> &'a Signals {
        self.weights
    }

    /// The same of one signal.
    pub const fn weight(&self, signal: Signal) -> f32 {
        self.weights[signal as usize]
    }
}

pub(super) fn encode(parts: &RankerParts) -> Aligned {
    let mut writer = Writer::default();
    writer.array(&[parts.recipe]).array(&parts.worth).array(&parts.weights);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], dim: usize) -> Result<(), ModelError> {
    let Ranker { recipe, worth, weights } = Ranker::new(bytes).ok_or(ModelError::Shape(KIND))?;
    let within = |x: f32, most: f32| (0.0..=most).contains(&x);
    let above = |x: f32| (1e-6..=MOST).contains(&x);
    let spreads = |by: Spread| within(by.others, MOST) && above(by.ridge) && above(by.tags);
    let sound = (1..=dim).contains(&(recipe.axes as usize))
        && within(recipe.prior, MOST)
        && recipe.log_odds.abs() <= 100.0
        && recipe.bias.abs() <= MAX_WEIGHT
        && spreads(recipe.all)
        && spreads(recipe.sitting)
        && above(recipe.half_life)
        && (recipe.memory == 0.0 || (1.0..=MOST).contains(&recipe.memory))
        && within(recipe.late, 1.0)
        && worth.iter().all(|x| x.abs() <= 1e4)
        && weights.iter().all(|x| x.abs() <= MAX_WEIGHT);
    if sound { Ok(()) } else { Err(ModelError::value(KIND, "a parameter is out of range")) }
}

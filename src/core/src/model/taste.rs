//! The `taste` section: what a device needs to solve for a listener.
//!
//! `[parameters, 32 bytes][responses, 16 bytes × 10][mean f32 × d][Gram f32 × d(d+1)/2]`
//!
//! The Gram matrix may be left out: it is then summed from the factors, which costs time but no
//! bytes.
//!
//! It is the listener side of the ridge system that training solves. With G = Σ vᵢvᵢᵀ over all n
//! tracks, a listener with evidence on the tracks S has the taste
//!
//! ```text
//! u = A⁻¹·(b₀ + Σ_S wᵢtᵢvᵢ)      A = αG + λ(|S⁺| + αn)^ν·I + Σ_S wᵢvᵢvᵢᵀ
//! ```
//!
//! where wᵢ and tᵢ are the weight and target of the evidence on track i, |S⁺| counts the tracks
//! with positive targets, and b₀ = τ·(αG + λ(αn)^ν·I)·m pulls towards the mean listener m. This is
//! implicit ALS (Hu, Koren and Volinsky, 2008) with the scaled regularisation of Rendle et al.,
//! "Revisiting the Performance of iALS on Item Recommendation Benchmarks" (2021). Read as a
//! posterior, it is Gaussian with mean u and precision A.

use alloc::vec::Vec;
use bytemuck::{Pod, Zeroable};

use super::{ModelError, SectionKind, factors::FactorsDigest, in_range};
use crate::{
    bytes::{Aligned, Reader, Writer},
    event::Kind,
    linalg::{Cholesky, add_diagonal, multiply, packed_len, power},
};

const KIND: SectionKind = SectionKind::Taste;
const MAX_WEIGHT: f32 = 1e4;
/// A pivot that falls below this share of its diagonal entry is not rounding's work.
const LEAST_PIVOT: f32 = -1e-3;

/// What one kind of event says about a track: that the listener's response to it is `target`, as
/// surely as `weight` observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Response {
    /// How many observations one event is worth, 0 to 10⁴.
    pub weight: f32,
    /// The response, 1 for "yes" and 0 for "no"; −100 to 100.
    pub target: f32,
    /// Held-out events of this kind that `weight` and `target` were chosen on; 0 where the log
    /// had too few and the definition of the kind stands: a yes or a no, seen once.
    pub learned_from: u32,
    /// Zero.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub reserved: u32,
}

/// What every kind of event says.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Responses {
    /// β: evidence repeated x times on one track counts 1 + β·log₂ x; 0 to 100.
    pub saturation: f32,
    #[cfg_attr(feature = "serde", serde(skip))]
    reserved: [u32; 3],
    /// One for each of [`Kind::ALL`].
    pub kinds: [Response; Kind::ALL.len()],
}

impl Default for Responses {
    /// The definition of each kind, before any was learned: a yes or a no, seen once. Being shown
    /// a track says nothing about it.
    fn default() -> Self {
        let kinds = Kind::ALL.map(|kind| match kind {
            Kind::Skip | Kind::Dislike => Response { weight: 1.0, ..Response::default() },
            Kind::Impression => Response::default(),
            _ => Response { weight: 1.0, target: 1.0, ..Response::default() },
        });
        Self { saturation: 0.0, reserved: [0; 3], kinds }
    }
}

impl Responses {
    /// What one kind says.
    pub const fn of(&self, kind: Kind) -> Response {
        self.kinds[kind as usize]
    }

    /// How much evidence of one kind on one track counts that adds up to `amount` events:
    /// proportional up to one, 1 + β·log₂ beyond.
    pub fn saturate(&self, amount: f32) -> f32 {
        if amount <= 1.0 { amount.max(0.0) } else { 1.0 + self.saturation * libm::log2f(amount) }
    }

    fn is_sound(&self) -> bool {
        let sound = |r: &Response| {
            (0.0..=MAX_WEIGHT).contains(&r.weight) && (-100.0..=100.0).contains(&r.target)
        };
        (0.0..=100.0).contains(&self.saturation) && self.kinds.iter().all(sound)
    }
}

/// What the loss of implicit ALS weighs, beside what was observed: the settings that training and
/// fold-in share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Loss {
    /// α, the weight of an unobserved pair; at least 0.
    pub unobserved: f32,
    /// λ, above 0.
    pub ridge: f32,
    /// ν, 0 to 2.
    pub exponent: f32,
}

impl Loss {
    /// λ(positive + αn)^ν: the ridge of a row with evidence on `positive` of `n` columns.
    pub fn ridge(&self, positive: f32, n: f32) -> f32 {
        let count = positive + self.unobserved * n;
        let power = if self.exponent == 1.0 { count } else { power(count, self.exponent) };
        // A ridge of nothing would leave the system singular where the Gram matrix is.
        (self.ridge * power).clamp(1e-6, super::MAX_REAL)
    }
}

#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
struct Parameters {
    dim: u32,
    loss: Loss,
    catalogue: f32,
    pull: f32,
    /// The `factors` section that this one belongs to.
    factors: [u32; 2],
}

/// What the `taste` section is made from.
#[derive(Clone, Debug)]
pub struct TasteParts {
    /// α, λ and ν.
    pub loss: Loss,
    /// n, the number of tracks in training.
    pub catalogue: f32,
    /// τ, 0 to 10: how far an unknown listener stands towards the mean listener.
    pub pull: f32,
    /// What each kind of event says.
    pub responses: Responses,
    /// m, the mean of the training listeners; its length is the dimension.
    pub mean: Vec<f32>,
    /// G of the factors as decoded, the packed lower triangle; `None` to have it summed from them
    /// where they are read.
    pub gram: Option<Vec<f32>>,
}

/// The listener side of the ridge system, read in place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taste<'a> {
    parameters: Parameters,
    responses: Responses,
    mean: &'a [f32],
    gram: &'a [f32],
}

/// Where the parameters name their factors.
const FACTORS: usize = core::mem::offset_of!(Parameters, factors);

impl<'a> Taste<'a> {
    /// Whether a section holds the Gram matrix itself.
    pub(super) fn has_gram(bytes: &'a [u8], dim: usize) -> bool {
        Self::new(bytes, dim, &[]).is_none_or(|taste| !taste.gram.is_empty())
    }

    /// Reads a section whose Gram matrix, where it has none of its own, is `gram`.
    pub(super) fn new(bytes: &'a [u8], dim: usize, gram: &'a [f32]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let parameters = *reader.one()?;
        let responses = *reader.one()?;
        let mean = reader.array(dim)?;
        let gram = if reader.is_empty() { gram } else { reader.array(packed_len(dim))? };
        reader.is_empty().then_some(Self { parameters, responses, mean, gram })
    }

    /// Validates a section for factors of `dim` components with the Gram matrix `gram`. O(d³/6).
    pub fn read(
        bytes: &'a [u8],
        dim: usize,
        gram: &'a [f32],
        factors: FactorsDigest,
    ) -> Result<Self, ModelError> {
        let taste = Self::new(bytes, dim, gram).ok_or(ModelError::Shape(KIND))?;
        let Self { parameters: p, responses, mean, gram } = taste;
        if p.dim as usize != dim || p.factors != factors.words() {
            return Err(ModelError::Mixed(KIND));
        }
        let within = |x: f32, low: f32, high: f32| (low..=high).contains(&x);
        let sound = within(p.loss.unobserved, 0.0, 1e3)
            && within(p.loss.ridge, 1e-9, 1e6)
            && within(p.loss.exponent, 0.0, 2.0)
            && within(p.catalogue, 0.0, 1e9)
            && within(p.pull, 0.0, 10.0);
        if !sound {
            return Err(ModelError::value(KIND, "a parameter is out of range"));
        }
        if !responses.is_sound() {
            return Err(ModelError::value(KIND, "a response is out of range"));
        }
        if !in_range(mean) || !in_range(gram) {
            return Err(ModelError::value(KIND, "a number is not finite or too large"));
        }
        // Every listener's precision is this one and something positive: what can be solved here
        // can be solved for all of them.
        let definite = Cholesky::default().factor(dim, |system| *system = taste.prior_precision());
        if definite.is_nan() || definite < LEAST_PIVOT {
            return Err(ModelError::value(KIND, "the Gram matrix is not one of real factors"));
        }
        Ok(taste)
    }

    /// What each kind of event says.
    pub const fn responses(&self) -> &Responses {
        &self.responses
    }

    /// α, λ and ν.
    pub const fn loss(&self) -> Loss {
        self.parameters.loss
    }

    /// τ, the pull towards the mean listener.
    pub const fn pull(&self) -> f32 {
        self.parameters.pull
    }

    /// m, the mean of the training listeners.
    pub const fn mean(&self) -> &'a [f32] {
        self.mean
    }

    /// λ(positive + αn)^ν: the ridge for a listener with evidence on `positive` tracks.
    pub fn ridge(&self, positive: f32) -> f32 {
        self.parameters.loss.ridge(positive, self.parameters.catalogue)
    }

    /// G, the packed lower triangle.
    pub const fn gram(&self) -> &'a [f32] {
        self.gram
    }

    /// αG, the packed lower triangle.
    pub fn unobserved_gram(&self, out: &mut Vec<f32>) {
        out.clear();
        out.extend(self.gram.iter().map(|g| g * self.parameters.loss.unobserved));
    }

    /// αG + λ(αn)^ν·I: the precision of a listener of whom nothing is known. O(d²).
    pub fn prior_precision(&self) -> Vec<f32> {
        let mut precision = Vec::new();
        self.unobserved_gram(&mut precision);
        add_diagonal(&mut precision, self.mean.len(), self.ridge(0.0));
        precision
    }

    /// b₀, the pull towards the mean listener. O(d²).
    pub fn prior_information(&self) -> Vec<f32> {
        let mut information = multiply(&self.prior_precision(), self.mean);
        information.iter_mut().for_each(|x| *x *= self.parameters.pull);
        information
    }
}

/// A section that was validated, for the section `factors`.
pub(super) fn encode_beside(section: &[u8], factors: FactorsDigest) -> Aligned {
    let mut bytes = Aligned::copy_of(section);
    if let Some(own) = bytes.as_mut_slice().get_mut(FACTORS..FACTORS + size_of::<[u32; 2]>()) {
        own.copy_from_slice(bytemuck::bytes_of(&factors.words()));
    }
    bytes
}

pub(super) fn encode(parts: &TasteParts, factors: FactorsDigest) -> Aligned {
    let parameters = Parameters {
        dim: parts.mean.len() as u32,
        loss: parts.loss,
        catalogue: parts.catalogue,
        pull: parts.pull,
        factors: factors.words(),
    };
    let mut writer = Writer::default();
    writer.array(&[parameters]).array(&[parts.responses]);
    writer.array(&parts.mean);
    if let Some(gram) = &parts.gram {
        writer.array(gram);
    }
    writer.finish()
}

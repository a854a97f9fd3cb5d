//! What training chose, kept beside the model in its file, so that the next one need not choose again.

use segue_core::model::{Loss, Responses, container};
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::{
    factors::Settings,
    ranker::rates,
    search::{Beside, Follow},
    side,
};

/// How a model was trained, as far as an update goes on from it; what a device needs of it is in the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// [`FORMAT`].
    format: u32,
    /// How factors are trained.
    pub settings: Settings,
    /// Of the first factors.
    pub seed: u64,
    /// What each kind of event says to training.
    pub responses: Responses,
    /// α, λ and ν that listeners are folded in with.
    pub fold_in: Loss,
    /// τ, the pull towards the mean listener.
    pub pull: f32,
    /// How coarsely factors are coded.
    pub coarseness: f32,
    /// What goes beside the factors.
    pub beside: Option<Beside>,
    /// What follows what.
    pub follow: Option<Follow>,
    /// How rates are pooled.
    pub rates: Option<rates::Shrinkage>,
    /// How tracks that nobody has heard get factors.
    pub new: Option<side::Shrinkage>,
}

/// The only format that this code reads and writes.
const FORMAT: u32 = 1;

/// Why an earlier model cannot be updated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// It does not say how it was trained.
    #[error(
        "the model does not say how it was trained: give the file that `segue train` wrote, not one put together from a registry"
    )]
    Missing,
    /// What it says is not a recipe.
    #[error("what the model says of how it was trained cannot be read: train it anew")]
    Malformed(#[from] serde_json::Error),
    /// Written by another version.
    #[error("the model was trained by another version of segue (recipe format {0}): train it anew")]
    Format(u32),
}

impl Recipe {
    /// That of a plan that was carried out.
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            format: FORMAT,
            settings: plan.settings,
            seed: plan.seed,
            responses: plan.responses,
            fold_in: plan.fold_in.loss,
            pull: plan.fold_in.pull,
            coarseness: plan.coarseness,
            beside: plan.beside,
            follow: plan.following.and_then(|following| following.follow),
            rates: plan.ranking.as_ref().filter(|it| it.ships).map(|it| it.shrinkage),
            new: plan.new.map(|new| new.shrinkage),
        }
    }

    /// Reads that of a model file, which was validated.
    pub fn read(file: &[u8]) -> Result<Self, RecipeError> {
        let notes = container::contents(file).map(|contents| contents.notes).unwrap_or_default();
        let note = notes.iter().find(|(kind, _)| *kind == container::RECIPE);
        let (_, json) = note.ok_or(RecipeError::Missing)?;
        let recipe: Self = serde_json::from_slice(json)?;
        if recipe.format == FORMAT { Ok(recipe) } else { Err(RecipeError::Format(recipe.format)) }
    }

    /// What [`Self::read`] reads.
    pub fn to_note(&self) -> Vec<u8> {
        // Numbers and names: there is nothing that JSON has no place for.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

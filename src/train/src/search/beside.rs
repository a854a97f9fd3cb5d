//! What goes beside the factors: which lists, and how much they weigh.

use serde::{Deserialize, Serialize};
use std::ops::Range;

use segue_core::{
    model::{Habits, Model, NeighbourParts},
    session::Session,
};

use super::{Settled, Task, race::keeping_up, spread::spread};
use crate::{
    Interrupted,
    als::Factors,
    assemble::whole_model,
    coding::{self, Coded},
    evaluate::{
        mean, paired,
        ranking::{Accuracy, Case, Measured, each},
    },
    links::Links,
    matrix::Matrix,
    neighbours::{Recipe, links},
    progress::Progress,
    steady::Moved,
};

/// Where the search starts: conditional probability, by listeners who each count as one.
const START: Recipe = Recipe { met: 0.75, recommended: 0.25, listener: 1.0 };
/// How far it steps along each power.
const STEP: f32 = 0.25;
/// What lists add, in units of how far apart taste sets tracks, tried first.
const SCALES: [f32; 6] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
/// Pairs a track, from the fewest.
const PAIRS: [f32; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
/// Of what the most pairs_each gain, the share that is enough.
const ENOUGH: f64 = 0.9;

/// Lists that go beside the factors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// How pairs are weighted.
    pub recipe: Recipe,
    /// Pairs a track, at most.
    pub pairs_each: f32,
    /// What the lists add to a track of a listener, in the mean; a yes is 1.
    pub scale: f32,
    /// What that gave on the validation cases.
    #[serde(skip)]
    pub accuracy: Accuracy,
}

impl Beside {
    /// The lists of the tracks of a log.
    pub fn neighbours(&self, by_user: &Matrix, by_item: &Matrix) -> NeighbourParts {
        let links = links(by_user, by_item, self.recipe);
        links.parts(most(self.pairs_each, by_item.rows()), self.scale, Habits::default())
    }

    /// The same after a version that had the pairs `old`, whose rows are where `moved` says.
    pub fn neighbours_after(
        &self,
        (old, moved): (&NeighbourParts, Moved<'_>),
        by_user: &Matrix,
        by_item: &Matrix,
    ) -> NeighbourParts {
        let links = links(by_user, by_item, self.recipe);
        links.parts_after(old, moved, most(self.pairs_each, by_item.rows()), self.scale)
    }
}

fn most(pairs_each: f32, tracks: usize) -> usize {
    (f64::from(pairs_each) * tracks as f64) as usize
}

/// Chooses what goes beside `factors`, which are folded in to as `settled`; `None` where nothing ranks
/// the validation cases better than without by more than a standard error.
pub fn beside(
    task: &Task<'_>,
    factors: &Factors,
    settled: &Settled,
    progress: &Progress<'_>,
) -> Result<Option<Beside>, Interrupted> {
    let stage = "choosing what goes with what";
    progress.stage(stage);
    let mut run = Run { task, coded: coding::fine(factors), settled, progress, stage, tried: 0 };
    let Some(model) = run.model(None) else { return Ok(None) };
    let meet = |session: &mut Session, case: &Case| {
        case.known.iter().for_each(|evidence| session.take(&model, evidence));
    };
    let spread = spread(&model, task.validation.iter(), meet);
    let scales = SCALES.map(|scale| scale * spread);
    let Some(mut best) = run.best_scale(START, &scales, &[])? else { return Ok(None) };
    for _ in 0..2 {
        let before = best.recipe;
        for vary in VARIATIONS {
            for step in [STEP, -STEP] {
                let mut recipe = best.recipe;
                vary(&mut recipe, step);
                let near = [0.5, 1.0, 2.0].map(|factor| best.scale * factor);
                let other = run.best_scale(recipe, &near, &best.each)?;
                if let Some(other) = other.filter(|other| other.objective > best.objective) {
                    best = other;
                    break;
                }
            }
        }
        if best.recipe == before {
            break;
        }
    }
    if !best.gains(settled) {
        return Ok(None);
    }
    run.fewest(&best).map(Some)
}

const VARIATIONS: [fn(&mut Recipe, f32); 3] = [
    |recipe, step| recipe.met = (recipe.met + step).max(0.0),
    |recipe, step| recipe.recommended = (recipe.recommended + step).max(0.0),
    |recipe, step| recipe.listener = (recipe.listener + step).max(0.0),
];

struct Candidate {
    recipe: Recipe,
    scale: f32,
    objective: f64,
    accuracy: Accuracy,
    each: Vec<f64>,
}

impl Candidate {
    fn gains(&self, settled: &Settled) -> bool {
        settled.each.len() == self.each.len() && paired(&self.each, &settled.each) > 1.0
    }
}

struct Run<'a, 't> {
    task: &'a Task<'t>,
    coded: Coded,
    settled: &'a Settled,
    progress: &'a Progress<'a>,
    stage: &'static str,
    tried: usize,
}

impl Run<'_, '_> {
    fn links(&self, recipe: Recipe) -> Links {
        links(self.task.by_user, self.task.by_item, recipe)
    }

    /// The best of `scales` that keeps up with the best so far, whose objectives are `best`.
    fn best_scale(
        &mut self,
        recipe: Recipe,
        scales: &[f32],
        best: &[f64],
    ) -> Result<Option<Candidate>, Interrupted> {
        let links = self.links(recipe);
        let [.., pairs_each] = PAIRS;
        let mut found: Option<Candidate> = None;
        for &scale in scales {
            let best = found.as_ref().map_or(best, |found| &found.each);
            let other = self.measure(&links, recipe, (pairs_each, scale), best)?;
            let better = |other: &Candidate| {
                found.as_ref().is_none_or(|found| other.objective > found.objective)
            };
            found = other.filter(better).or(found);
        }
        Ok(found)
    }

    /// The fewest pairs_each that gain about as much as the most do.
    fn fewest(&mut self, best: &Candidate) -> Result<Beside, Interrupted> {
        let &Candidate { recipe, scale, .. } = best;
        let links = self.links(recipe);
        let without = self.settled.accuracy.objective();
        let enough = without + ENOUGH * (best.objective - without);
        for pairs_each in PAIRS {
            let found = self.measure(&links, recipe, (pairs_each, scale), &[])?;
            let found = found.ok_or(Interrupted)?;
            if found.objective >= enough
                || most(pairs_each, self.task.by_item.rows()) >= links.len()
            {
                return Ok(Beside { recipe, pairs_each, scale, accuracy: found.accuracy });
            }
        }
        let [.., pairs_each] = PAIRS;
        Ok(Beside { recipe, pairs_each, scale, accuracy: best.accuracy })
    }

    /// `None` where it does not keep up with the `best`.
    fn measure(
        &mut self,
        links: &Links,
        recipe: Recipe,
        (pairs_each, scale): (f32, f32),
        best: &[f64],
    ) -> Result<Option<Candidate>, Interrupted> {
        if self.progress.stopped() {
            return Err(Interrupted);
        }
        let most = most(pairs_each, self.task.by_item.rows());
        let lists = links.parts(most, scale, Habits::default());
        let cases = self.task.validation;
        let model = self.model(Some(&lists));
        let ranked = |some: Range<usize>| {
            model.as_ref().map_or_else(Vec::new, |model| each(model, &cases[some]))
        };
        let each = keeping_up(best, cases.len(), ranked, Measured::objective);
        self.tried += 1;
        let candidate = each.map(|each| {
            let accuracy = Accuracy::mean(&each);
            let objective = accuracy.objective();
            let each = each.iter().map(Measured::objective).collect();
            Candidate { recipe, scale, objective, accuracy, each }
        });
        let objective =
            candidate.as_ref().map_or_else(|| mean(best), |candidate| candidate.objective);
        self.progress.step(self.stage, self.tried, objective);
        Ok(candidate)
    }

    fn model(&self, lists: Option<&NeighbourParts>) -> Option<Model> {
        let Task { fingerprints, .. } = self.task;
        whole_model(fingerprints, &self.coded, &self.settled.fold_in, lists).ok()
    }
}

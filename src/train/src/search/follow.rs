//! What follows what: how it is counted, how a sitting votes, and what taste has to say beside it.

use serde::{Deserialize, Serialize};
use std::ops::Range;

use segue_core::{
    bytes::Aligned,
    model::{Habits, Model, NeighbourParts, SectionKind, encode_neighbours},
    session::Session,
};

use super::{
    prepared::{Prepared, each, prepared},
    race::keeping_up,
    spread::spread,
};
use crate::{
    Interrupted, TrainError,
    evaluate::{
        mean,
        next::{Hits, Query, judged, worth},
        paired,
    },
    links::Links,
    progress::Progress,
    steady::Moved,
    transitions::{Recipe, SUPPORT, Sittings, links},
};

impl Follow {
    /// Where a search starts, of pairs that so many listeners have at least.
    pub fn start(support: u32) -> Self {
        Self { recipe: Recipe { support, ..START.recipe }, ..START }
    }
}

const START: Follow = Follow {
    recipe: Recipe {
        window: 20,
        gap: 1.0,
        back: 0.5,
        met: 0.75,
        recommended: 0.15,
        support: SUPPORT,
    },
    habits: Habits { recency: 1.0, agreement: 0.5, again: 1.0, stay: 0.0, back: 0.0 },
    scale: 1.0,
    pairs_each: 12.0,
};
/// Scales beside taste, in units of how far apart it sets tracks.
const SCALES: [f32; 5] = [0.1, 0.3, 3.0, 10.0, 30.0];
/// By how many standard errors a step must be better to be taken: of many that are tried some look
/// better by chance.
const NOTABLE: f64 = 0.5;
/// Pairs a track, from the fewest.
const PAIRS: [f32; 4] = [4.0, 8.0, 12.0, 16.0];
/// Of the accuracy with the most pairs, the share that is enough.
const ENOUGH: f64 = 0.998;

/// How the next track is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follow {
    /// How pairs are counted.
    pub recipe: Recipe,
    /// How a sitting votes.
    pub habits: Habits,
    /// What a play adds to the score of one that follows, in the mean; a yes is 1.
    pub scale: f32,
    /// Pairs a track, at most.
    pub pairs_each: f32,
}

impl Follow {
    /// The pairs of `sittings`.
    pub fn parts(
        &self,
        sittings: &Sittings,
        progress: &Progress<'_>,
    ) -> Result<NeighbourParts, Interrupted> {
        let links = links(sittings, self.recipe, &|| progress.stopped());
        if progress.stopped() { Err(Interrupted) } else { Ok(self.of(&links, sittings.tracks())) }
    }

    /// The same after a version that had the pairs `old`, whose rows are where `moved` says.
    pub fn parts_after(
        &self,
        (old, moved): (&NeighbourParts, Moved<'_>),
        sittings: &Sittings,
        progress: &Progress<'_>,
    ) -> Result<NeighbourParts, Interrupted> {
        let links = links(sittings, self.recipe, &|| progress.stopped());
        let most = self.most(sittings.tracks());
        let parts = || links.parts_after(old, moved, most, self.scale);
        if progress.stopped() { Err(Interrupted) } else { Ok(parts()) }
    }

    fn most(&self, tracks: usize) -> usize {
        (f64::from(self.pairs_each) * tracks as f64) as usize
    }

    /// `base` with the pairs of `sittings`, as many as take no more than `bytes`, and what is left of
    /// `self` then; `base` as it is where there is no room for any.
    pub fn within(
        mut self,
        bytes: usize,
        base: &Model,
        sittings: &Sittings,
        progress: &Progress<'_>,
    ) -> Result<(Self, Model), TrainError> {
        let links = links(sittings, self.recipe, &|| progress.stopped());
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        while self.pairs_each > 0.0 {
            let parts = self.of(&links, sittings.tracks());
            let model = with_transitions(base, &parts).ok_or(TrainError::Empty)?;
            let section = model.sections().find(|(id, _)| id.kind == SectionKind::Transitions);
            if section.is_none_or(|(_, taken)| taken.len() <= bytes) {
                return Ok((self, model));
            }
            self.pairs_each = (self.pairs_each - 1.0).max(0.0);
        }
        Ok((self, base.clone()))
    }

    fn of(&self, links: &Links, tracks: usize) -> NeighbourParts {
        links.parts(self.most(tracks), self.scale, self.habits)
    }
}

/// `base` with what follows what; `None` where that makes no valid section.
pub fn with_transitions(base: &Model, parts: &NeighbourParts) -> Option<Model> {
    let mut model = base.clone();
    let ids = model.ids_digest();
    let section: Aligned = encode_neighbours(ids, parts)?;
    model.add([(SectionKind::Transitions, section)]).ok()?;
    Some(model)
}

/// What was tried, and how well it did.
#[derive(Clone, Debug)]
pub struct Tried {
    /// How the next track is told.
    pub follow: Follow,
    /// How often it was right.
    pub hits: Hits,
    /// The same, query by query.
    pub(super) each: Vec<f64>,
}

/// Chooses, around `start`, how the next track of `queries` is told from `sittings` beside what `base`
/// knows of taste. The queries are in no particular order: what falls behind on the first ones is given up.
pub fn follow(
    base: &Model,
    sittings: &Sittings,
    queries: &[Query],
    start: Follow,
    progress: &Progress<'_>,
) -> Result<Tried, Interrupted> {
    let meet = |session: &mut Session, query: &Query| query.observe(base, session);
    let spread = spread(base, queries.iter(), meet);
    let queries = &prepared(base, queries);
    let mut run = Run { base, sittings, queries, progress, links: None, tried: 0 };
    let mut best = run.whole(Follow { scale: spread, ..start })?;
    for scale in SCALES {
        run.challenge(&mut best, Follow { scale: scale * spread, ..start })?;
    }
    for _ in 0..2 {
        let before = best.follow;
        for set in ADDITIONS {
            for added in ADDED {
                let mut other = best.follow;
                set(&mut other.habits, added);
                if other != best.follow {
                    run.challenge(&mut best, other)?;
                }
            }
        }
        for vary in VARIATIONS {
            for up in [true, false] {
                let mut climbs = true;
                while climbs {
                    let mut other = best.follow;
                    vary(&mut other, up);
                    climbs = other != best.follow && run.challenge(&mut best, other)?;
                }
            }
        }
        if best.follow == before {
            break;
        }
    }
    run.fewest(&best)
}

fn step(value: &mut f32, values: &[f32], up: bool) {
    let above = values.iter().copied().find(|&other| other > *value + 1e-4);
    let below = values.iter().copied().rev().find(|&other| other < *value - 1e-4);
    *value = if up { above } else { below }.unwrap_or(*value);
}

const POWERS: [f32; 10] = [0.0, 0.15, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0];
const SHARES: [f32; 8] = [0.0, 0.1, 0.25, 0.5, 0.7, 1.0, 1.4, 2.0];

/// What is added for what was heard, against what a play adds to the one that follows.
const ADDED: [f32; 11] = [0.0, 0.01, 0.03, 0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 10.0, 30.0];
const ADDITIONS: [fn(&mut Habits, f32); 2] =
    [|habits, added| habits.stay = added, |habits, added| habits.back = added];

/// Steps along each setting, those that need no new counts first.
const VARIATIONS: [fn(&mut Follow, bool); 9] = [
    |f, up| step(&mut f.habits.recency, &POWERS, up),
    |f, up| step(&mut f.habits.agreement, &POWERS, up),
    |f, up| step(&mut f.habits.again, &SHARES, up),
    |f, up| f.scale *= if up { 1.6 } else { 0.625 },
    |f, up| step(&mut f.recipe.gap, &POWERS, up),
    |f, up| step(&mut f.recipe.back, &SHARES[..6], up),
    |f, up| step(&mut f.recipe.met, &POWERS, up),
    |f, up| step(&mut f.recipe.recommended, &POWERS, up),
    |f, up| {
        let mut window = f.recipe.window as f32;
        step(&mut window, &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0], up);
        f.recipe.window = window as usize;
    },
];

struct Run<'a> {
    base: &'a Model,
    sittings: &'a Sittings,
    queries: &'a [Prepared<'a>],
    progress: &'a Progress<'a>,
    /// The last that were counted.
    links: Option<(Recipe, Links)>,
    tried: usize,
}

impl Run<'_> {
    fn challenge(&mut self, best: &mut Tried, other: Follow) -> Result<bool, Interrupted> {
        let Some(found) = self.measure(other, &best.each)? else { return Ok(false) };
        let better = paired(&found.each, &best.each) > NOTABLE;
        if better {
            *best = found;
        }
        Ok(better)
    }

    /// On all queries: beside nothing, nothing falls behind.
    fn whole(&mut self, follow: Follow) -> Result<Tried, Interrupted> {
        self.measure(follow, &[])?.ok_or(Interrupted)
    }

    /// `None` where it does not keep up with the `best`.
    fn measure(&mut self, follow: Follow, best: &[f64]) -> Result<Option<Tried>, Interrupted> {
        if self.progress.stopped() {
            return Err(Interrupted);
        }
        let stop = || self.progress.stopped();
        let known = self.links.take().filter(|(recipe, _)| *recipe == follow.recipe);
        let count = || links(self.sittings, follow.recipe, &stop);
        let links = known.map_or_else(count, |(_, links)| links);
        let parts = follow.of(&links, self.sittings.tracks());
        self.links = Some((follow.recipe, links));
        let model = with_transitions(self.base, &parts);
        let asked = |queries: Range<usize>| match &model {
            Some(model) => each(model, &self.queries[queries]),
            // Hopeless settings make no model: nothing is right.
            None => vec![[0.0; 4]; queries.len()],
        };
        let each = keeping_up(best, self.queries.len(), asked, worth);
        self.tried += 1;
        let tried = each.map(|each| {
            let (hits, each) = judged(&each);
            Tried { follow, hits, each }
        });
        let objective = tried.as_ref().map_or_else(|| mean(best), |tried| tried.hits.objective());
        self.progress.step("choosing what follows what", self.tried, objective);
        Ok(tried)
    }

    /// The fewest pairs with which about as much is right as with the most.
    fn fewest(&mut self, best: &Tried) -> Result<Tried, Interrupted> {
        let with = |pairs_each| Follow { pairs_each, ..best.follow };
        let [.., most] = PAIRS;
        let all = self.whole(with(most))?;
        for pairs_each in PAIRS {
            let found = self.whole(with(pairs_each))?;
            if found.hits.objective() >= ENOUGH * all.hits.objective() {
                return Ok(found);
            }
        }
        Ok(all)
    }
}

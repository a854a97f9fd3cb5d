//! What held-out listening chooses.

use segue_core::{
    model::{Loss, Responses},
    rng::SplitMix64,
};

use super::{
    Options,
    ranking::{Chosen, ranking},
};
use crate::{
    TrainError,
    als::Factors,
    assemble::{FoldIn, whole_model},
    coding,
    dataset::{Dataset, gather, new_favourites},
    evaluate::ranking::{Accuracy, Case},
    factors::{self, Method, Settings, Start},
    groups::Wanted,
    matrix::Matrix,
    progress::Progress,
    ranker::Ranking,
    responses::{Judge, Learned, Story, learn},
    search::{
        Attempts, Before, Beside, Following, Found, People, Settled, Task, beside, carried,
        coarseness, density, following, measured, people, search, settle,
    },
    shards,
    side::{self, Beneath, New},
};

/// Settings of the paper that [`crate::als`] follows, for logs too small to choose on.
const PUBLISHED: Settings = Settings {
    method: Method::Als,
    loss: Loss { unobserved: 0.03, ridge: 0.015, exponent: 1.0 },
    epochs: 16,
};
const SMALLEST_PULL: f32 = 0.001;
/// How coarsely to code factors where it cannot be seen what that costs.
const CAUTIOUS: f32 = 0.5;

/// Fewer listeners with held-out favourites than this choose nothing reliably.
const MIN_CASES: usize = 20;
/// More of them than this take as much longer as they are more, and narrow chance by the root of that.
const MOST_CASES: usize = 4000;

/// What to train, as held-out listening has it.
#[derive(Clone)]
pub(crate) struct Plan {
    pub settings: Settings,
    pub tried: Vec<Attempts>,
    /// Of the first factors.
    pub seed: u64,
    /// What each kind of event says to training; fold-in may have been found to differ.
    pub responses: Responses,
    pub fold_in: FoldIn,
    /// How coarsely the factors are coded.
    pub coarseness: f32,
    /// What goes beside the factors.
    pub beside: Option<Beside>,
    /// What the sittings tell of the next track.
    pub following: Option<Following>,
    /// How tastes lie among the clusters.
    pub people: Option<People>,
    /// What foretells a yes; `None` where there are too few noes to learn from.
    pub ranking: Option<Ranking>,
    /// How tracks that nobody has heard get factors; `None` where there are none.
    pub new: Option<New>,
    /// Of the pairs that this was chosen on; `None` where it was not.
    density: Option<f64>,
    pub validation: Option<Accuracy>,
    pub learned: Learned,
}

impl Plan {
    /// For logs too small to choose on.
    fn published(seed: u64) -> Self {
        let responses = Responses::default();
        Self {
            settings: PUBLISHED,
            tried: Vec::new(),
            seed,
            responses,
            fold_in: FoldIn { loss: PUBLISHED.loss, pull: SMALLEST_PULL, responses },
            coarseness: CAUTIOUS,
            beside: None,
            following: None,
            people: None,
            ranking: None,
            new: None,
            density: None,
            validation: None,
            learned: Learned::nothing(),
        }
    }

    /// The same for the pairs of a log of which what it was chosen on is a part.
    pub fn carried_to(mut self, by_user: &Matrix) -> Self {
        if let Some(from) = self.density {
            let to = density(by_user);
            for loss in [&mut self.settings.loss, &mut self.fold_in.loss] {
                *loss = carried(loss, from, to);
            }
            self.density = Some(to);
        }
        self
    }
}

/// Chooses settings and learns responses on held-out listening, where there is enough of it.
pub(crate) fn choose(
    dataset: &Dataset,
    options: &Options<'_>,
    progress: &Progress<'_>,
) -> Result<Plan, TrainError> {
    let listeners = options.effort.sample(dataset.len());
    let sample = dataset.sample(listeners, options.seed);
    let has_new = dataset.has_new();
    let before = |listener| sample.split_by_time(listener).0;
    let responses = Responses::default();
    let mut cases = cases(&sample, &responses);
    if cases.len() < MIN_CASES {
        let new = has_new.then_some(New::CAUTIOUS);
        return Ok(Plan { new, ..Plan::published(options.seed) });
    }
    SplitMix64::new(options.seed).shuffle(&mut cases);
    cases.truncate(MOST_CASES);
    let by_user = sample.matrix_of(before, &responses);
    let by_item = by_user.transposed();
    let task = Task {
        fingerprints: &sample.fingerprints,
        by_user: &by_user,
        by_item: &by_item,
        tracks: dataset.met().iter().filter(|met| **met).count(),
        validation: &cases,
        responses,
        dim: options.dim,
        seed: options.seed,
        head: shards::head(dataset.tracks.len(), options.head),
        effort: options.effort,
    };
    let Found { settings, seed, mut trainer, tried } = search(&task, progress)?;
    let loss = settings.fold_in(sample.tracks.len());
    let defined = settle(&task, &mut trainer, &loss, responses, progress)?;
    let coarseness = coarseness(&task, &trainer.factors, &settings.loss, &defined, progress)?;

    let story = |listener| {
        let (before, next) = sample.split_by_time(listener);
        Story { known: gather(before), next }
    };
    let stories = (0..sample.listeners()).map(story);
    let judge = Judge {
        fingerprints: &sample.fingerprints,
        coded: &coding::fine(&trainer.factors),
        fold_in: defined.fold_in,
    };
    let may_be = |responses: &Responses| {
        let fold_in = FoldIn { responses: *responses, ..defined.fold_in };
        !measured(&task, &trainer.factors, fold_in).is_worse_than(&defined)
    };
    let learned = learn(&judge, stories, may_be, progress)?;
    let under = sample.matrix_of(before, &learned.responses);
    let under = (under.transposed(), under);
    let mut own;
    let best = if learned.responses == responses {
        Best { learned, responses, settled: defined, factors: &trainer.factors, task }
    } else {
        // Under what was learned: the factors as they are, or trained under it too.
        let theirs = settle(&task, &mut trainer, &loss, learned.responses, progress)?;
        own = factors::train(
            (&under.1, &under.0),
            options.dim,
            &settings,
            seed,
            Start::Anew,
            progress,
        )?;
        let ours = settle(&task, &mut own, &loss, learned.responses, progress)?;
        let better = ours.accuracy.objective() > theirs.accuracy.objective();
        let settled = if better { &ours } else { &theirs };
        if settled.is_worse_than(&defined) {
            let learned = learned.discarded();
            // Settling under what was learned has moved the listeners.
            trainer.solve_users(&defined.fold_in.loss, &|| progress.stopped());
            Best { learned, responses, settled: defined, factors: &trainer.factors, task }
        } else if better {
            let task = Task { by_user: &under.1, by_item: &under.0, ..task };
            let responses = learned.responses;
            Best { learned, responses, settled: ours, factors: &own.factors, task }
        } else {
            Best { learned, responses, settled: theirs, factors: &trainer.factors, task }
        }
    };
    let beside = beside(&best.task, best.factors, &best.settled, progress)?;
    let accuracy = beside.map_or(best.settled.accuracy, |beside| beside.accuracy);
    let lists = beside.map(|found| found.neighbours(best.task.by_user, best.task.by_item));
    let (fine, fold_in) = (coding::fine(best.factors), &best.settled.fold_in);
    let base = whole_model(&sample.fingerprints, &fine, fold_in, lists.as_ref())?;
    let following = following(&sample, &base, options.seed, progress)?;
    let chosen = Chosen {
        settings: &settings,
        seed,
        dim: options.dim,
        responses: best.responses,
        fold_in,
        coarseness,
        beside,
        follow: following.and_then(|following| following.follow),
        density: density(best.task.by_user),
    };
    let ranking = ranking(dataset, &chosen, listeners, progress)?;
    let before = Before {
        dataset: &sample,
        factors: best.factors,
        positives: &best.task.by_item.positives(),
        base: &base,
    };
    let clusters = Wanted::of(dataset, options.clusters, options.after).count;
    let people = people(&before, clusters, options.seed, progress)?;
    let density = density(best.task.by_user);
    let beneath = Beneath {
        settings: &settings,
        density,
        seed,
        dim: options.dim,
        responses: &best.responses,
        fold_in: &best.settled.fold_in,
        beside,
    };
    let listeners = dataset.draw(listeners, options.seed);
    let new = has_new.then(|| side::choose(dataset, &listeners, &beneath, progress)).transpose()?;
    let heeded = settings.method.heeding_noes(best.settled.fold_in.responses);
    Ok(Plan {
        settings,
        tried,
        seed,
        responses: best.responses,
        fold_in: FoldIn { responses: heeded, ..best.settled.fold_in },
        coarseness,
        beside,
        following,
        people,
        ranking,
        new,
        density: Some(density),
        validation: Some(accuracy),
        learned: best.learned,
    })
}

/// What responses were found, and the factors that are best under them.
struct Best<'a> {
    learned: Learned,
    /// What the factors were trained under.
    responses: Responses,
    settled: Settled,
    factors: &'a Factors,
    task: Task<'a>,
}

/// One case for each listener whose latest events show that they came to like something new.
pub(crate) fn cases(sample: &Dataset, responses: &Responses) -> Vec<Case> {
    let case = |listener| {
        let (before, after) = sample.split_by_time(listener);
        let known = gather(before);
        let held_out = new_favourites(after, &known, responses);
        Case { known, held_out, missing: 0, repeats: false }
    };
    let cases = (0..sample.listeners()).map(case);
    cases.filter(|case| !case.held_out.is_empty()).collect()
}

//! `segue train`: the whole way from a dataset to the model that ships.

use segue_core::{
    event::Kind,
    model::{
        self, Loss, MAX_SHARDS, Model, NeighbourParts, Responses, SectionId, SectionKind, Shard,
    },
    rng::SplitMix64,
};

use crate::{
    Diverged, TrainError,
    als::Factors,
    assemble::{FoldIn, sharded, whole_model},
    coding::{self, Coded},
    dataset::{Dataset, gather, new_favourites},
    evaluate::ranking::{Accuracy, Case},
    factors::{self, Method, Settings},
    groups::{Groups, Wanted},
    links,
    matrix::Matrix,
    progress::Progress,
    responses::{Judge, Learned, Story, learn},
    search::{
        Attempts, Before, Beside, Effort, Following, Found, People, Settled, Task, beside, carried,
        coarseness, density, following, measured, people, search, settle,
    },
    shards::{self, Tracks},
    side::{self, Beneath, New},
};

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Components of a factor, 1 to 256.
    pub dim: usize,
    /// Taste clusters; `None` for √(tracks/2) up to 64.
    pub clusters: Option<usize>,
    /// Seed of everything random.
    pub seed: u64,
    /// How long to search for settings.
    pub effort: Effort,
    /// Tracks of the head; catalogues that have more are split. `None` for the usual.
    pub head: Option<usize>,
    /// An earlier model, which training goes on from, and whose taste clusters keep their numbers and, where
    /// they are still the same, their names; then there are as many as it has.
    pub after: Option<&'a Model>,
}

/// A model and how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// How the factors were trained.
    pub settings: Settings,
    /// What was tried for them, method by method; nothing where there was too little to choose on.
    pub tried: Vec<Attempts>,
    /// Accuracy on the latest events of a sample of listeners, of factors that were trained on what
    /// came before them; `None` where there was too little. Settings, fold-in and responses were
    /// chosen on these listeners, so it is optimistic; and it is not of the factors that ship,
    /// which have seen everything.
    pub validation: Option<Accuracy>,
    /// What the sittings were found to tell of the next track; `None` where there were too few. Chosen
    /// on the plays that it was measured on, so it is optimistic.
    pub following: Option<Following>,
    /// How tastes lie among the clusters, and what the people of a cluster finish; `None` where there was
    /// too little. Chosen on the listeners that it was measured on, so it is optimistic.
    pub people: Option<People>,
    /// How tracks that nobody had heard got factors; `None` where there were none.
    pub new: Option<New>,
    /// How many of them did.
    pub new_tracks: usize,
    /// What each kind of event was found to say.
    pub learned: Learned,
    /// Listeners that the model was trained on.
    pub listeners: usize,
    /// Events that it was trained on, by kind.
    pub events: [usize; Kind::ALL.len()],
}

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

/// Trains a model of `dataset`. Settings are chosen on a sample of whole listeners whose latest
/// events are held out; the model that ships has seen everything.
pub fn train(
    dataset: &Dataset,
    options: &Options<'_>,
    progress: &Progress<'_>,
) -> Result<Trained, TrainError> {
    let tracks = dataset.tracks.len();
    let clusters = Wanted::of(dataset, options.clusters, options.after).count;
    if shards::head(tracks, options.head).is_some() && clusters > MAX_SHARDS {
        return Err(TrainError::TooManyClusters { tracks });
    }
    let plan = choose(dataset, options, progress)?;
    let Fitted { plan, factors, by_item, neighbours, met, new_tracks } =
        fit(dataset, options.dim, plan, options.after, progress)?;
    progress.stage("finding what follows what");
    let follow = plan.following.and_then(|following| following.follow);
    let transitions =
        follow.map(|follow| follow.parts(&dataset.sittings(), progress)).transpose()?;
    progress.stage("coding factors");
    let in_head = shards::most_played(&by_item.positives(), shards::head(tracks, options.head));
    let loss = &plan.settings.loss;
    let coded = coding::compact(&factors, &by_item, loss, plan.coarseness, &in_head)?;
    let unmet: Vec<bool> = met.iter().map(|met| !met).collect();
    let coded = coded.with_new(&unmet);
    let lists = Lists { neighbours: neighbours.as_ref(), transitions: transitions.as_ref() };
    let groups = Groups::of(
        (dataset, &factors, &by_item.positives()),
        (options.clusters, options.after),
        plan.people.as_ref(),
        &in_head,
        options.seed,
        progress,
    )?;
    progress.stage("writing sections");
    let model = assemble(dataset, (&coded, &plan.fold_in, lists), &groups, &in_head)?;

    let mut events = [0; Kind::ALL.len()];
    dataset.events().iter().for_each(|event| events[event.kind as usize] += 1);
    let Plan { settings, tried, validation, following, people, new, learned, .. } = plan;
    let listeners = dataset.listeners();
    Ok(Trained {
        model,
        settings,
        tried,
        validation,
        following,
        people,
        new,
        new_tracks,
        learned,
        listeners,
        events,
    })
}

/// What goes beside the factors.
#[derive(Clone, Copy)]
struct Lists<'a> {
    neighbours: Option<&'a NeighbourParts>,
    transitions: Option<&'a NeighbourParts>,
}

/// What to train, as held-out listening has it.
#[derive(Clone)]
pub(crate) struct Plan {
    pub settings: Settings,
    tried: Vec<Attempts>,
    /// Of the first factors.
    pub seed: u64,
    /// What each kind of event says to training; fold-in may have been found to differ.
    pub responses: Responses,
    pub fold_in: FoldIn,
    /// How coarsely the factors are coded.
    pub coarseness: f32,
    /// What goes beside the factors.
    beside: Option<Beside>,
    /// What the sittings tell of the next track.
    following: Option<Following>,
    /// How tastes lie among the clusters.
    pub people: Option<People>,
    /// How tracks that nobody has heard get factors; `None` where there are none.
    pub new: Option<New>,
    /// Of the pairs that this was chosen on; `None` where it was not.
    density: Option<f64>,
    validation: Option<Accuracy>,
    learned: Learned,
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
            new: None,
            density: None,
            validation: None,
            learned: Learned::nothing(),
        }
    }

    /// The same for the pairs of a log of which what it was chosen on is a part.
    fn carried_to(mut self, by_user: &Matrix) -> Self {
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

/// Factors of a whole dataset.
pub(crate) struct Fitted {
    /// As it stands for this dataset.
    pub plan: Plan,
    pub factors: Factors,
    /// The pairs that they were trained on, tracks × listeners.
    pub by_item: Matrix,
    /// What goes beside them.
    pub neighbours: Option<NeighbourParts>,
    /// Which tracks have events; the others were no part of training.
    pub met: Vec<bool>,
    /// How many of those have factors all the same.
    pub new_tracks: usize,
}

/// Trains as `plan` has it, from the factors of the model on that this comes `after`, where there is one.
pub(crate) fn fit(
    dataset: &Dataset,
    dim: usize,
    plan: Plan,
    after: Option<&Model>,
    progress: &Progress<'_>,
) -> Result<Fitted, TrainError> {
    progress.stage("training factors");
    let by_user = dataset.matrix(&plan.responses);
    if !(0..by_user.rows()).any(|row| by_user.row(row).positive() > 0) {
        return Err(TrainError::Empty);
    }
    let met = dataset.met();
    let plan = plan.carried_to(&by_user.keeping(&met));
    let ids = dataset.tracks.iter().map(|track| track.track.as_str());
    let earlier = after.and_then(|model| factors::earlier(model, ids, dim));
    let how = (&plan.settings, &plan.fold_in.loss, plan.seed);
    let mut factors = side::train_heard(&by_user, &met, dim, how, earlier, progress)?;
    if !factors.are_finite() {
        return Err(Diverged.into());
    }
    let by_item = by_user.transposed();
    let new_tracks = plan.new.map_or(0, |New { shrinkage, .. }| {
        progress.stage("giving new tracks factors");
        side::fill_unheard(&shrinkage, &dataset.tracks, &met, &by_item.positives(), &mut factors)
    });
    progress.stage("finding what goes with what");
    let neighbours = plan.beside.map(|beside| beside.neighbours(&by_user, &by_item));
    Ok(Fitted { plan, factors, by_item, neighbours, met, new_tracks })
}

/// Every section of the model that ships.
fn assemble(
    dataset: &Dataset,
    (coded, fold_in, lists): (&Coded, &FoldIn, Lists<'_>),
    groups: &Groups,
    in_head: &[bool],
) -> Result<Model, TrainError> {
    let (dim, decoded) = (coded.mean.len(), coded.decoded());
    let expected = |factor: &[f32]| factor.iter().zip(&coded.mean).map(|(v, m)| v * m).sum();
    let popularity: Vec<f32> = decoded.chunks_exact(dim).map(expected).collect();
    let tracks = Tracks { popularity: &popularity, clusters: &groups.assignment };
    let plan = shards::plan(tracks, in_head);
    let (shards, mut sections) =
        sharded(&dataset.fingerprints, coded, fold_in, lists.neighbours, plan.as_ref());
    let transitions = lists.transitions.iter();
    sections.extend(
        transitions.flat_map(|all| links::sections(SectionKind::Transitions, all, &shards)),
    );
    for shard in &shards {
        let Shard { number, tracks, ids } = shard;
        let text = tracks.iter().map(|&track| &dataset.tracks[track]);
        let text = text.map(|t| (t.title.as_str(), t.artist.as_str(), t.duration_ms));
        let names: &[String] = if *number == 0 { &groups.names } else { &[] };
        let id = SectionId { shard: *number, kind: SectionKind::Text };
        sections.push((id, model::encode_text(*ids, text, names)));
        if *number == 0 {
            sections.extend(groups.sections(shard, &decoded, dim));
        }
    }
    Ok(Model::from_sections(sections)?)
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
        own = factors::train((&under.1, &under.0), options.dim, &settings, seed, None, progress)?;
        let ours = settle(&task, &mut own, &loss, learned.responses, progress)?;
        let better = ours.accuracy.objective() > theirs.accuracy.objective();
        let settled = if better { &ours } else { &theirs };
        if settled.is_worse_than(&defined) {
            let learned = learned.discarded();
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

//! `segue train`: the whole way from a dataset to the model that ships.

use segue_core::{
    event::Kind,
    model::{self, Model, Responses, SectionKind},
};

use crate::{
    Interrupted, TrainError,
    als::{Settings, Trainer},
    assemble::{Listener, cluster, default_clusters, ranking_sections},
    dataset::{Dataset, new_favourites},
    evaluate::ranking::{Accuracy, Case},
    naming::cluster_names,
    progress::Progress,
    responses::{Judge, Learned, Story, learn},
    search::{Choice, Effort, Task, search},
};

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Components of a factor, 1 to 256.
    pub dim: usize,
    /// Taste clusters; `None` for √(tracks/2) up to 64.
    pub clusters: Option<usize>,
    /// Seed of everything random.
    pub seed: u64,
    /// How long to search for settings.
    pub effort: Effort,
}

/// A model and how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Settings of the factors.
    pub settings: Settings,
    /// What was chosen on held-out listening; `None` where there was too little to choose on.
    pub choice: Option<Choice>,
    /// What each kind of event was found to say.
    pub learned: Learned,
    /// Listeners and events that the model was trained on.
    pub listeners: usize,
    /// Events of every kind, by kind.
    pub events: [usize; Kind::ALL.len()],
}

impl Trained {
    /// Accuracy on the listening that settings were chosen on.
    pub fn validation(&self) -> Option<Accuracy> {
        self.choice.as_ref().map(|choice| choice.validation)
    }
}

/// Settings of the paper that [`crate::als`] follows, for logs too small to choose on.
const PUBLISHED: Settings =
    Settings { dim: 64, unobserved: 0.03, ridge: 0.015, exponent: 1.0, epochs: 16 };
const SMALLEST_PULL: f32 = 0.001;

/// Fewer listeners with held-out favourites than this choose nothing reliably.
const MIN_CASES: usize = 20;

/// Trains a model of `dataset`. Settings are chosen on a sample of whole listeners whose latest
/// events are held out; the model that ships has seen everything.
pub fn train(
    dataset: &Dataset,
    options: &Options,
    progress: &Progress<'_>,
) -> Result<Trained, TrainError> {
    let (choice, learned) = choose(dataset, options, progress)?;
    let settings = choice
        .as_ref()
        .map_or(Settings { dim: options.dim, ..PUBLISHED }, |choice| choice.settings);
    let listener = Listener {
        responses: learned.responses,
        pull: choice.as_ref().map_or(SMALLEST_PULL, |choice| choice.pull),
    };

    progress.stage("training factors");
    let by_user = dataset.matrix(&learned.responses);
    if !(0..by_user.rows()).any(|row| by_user.row(row).positive() > 0) {
        return Err(TrainError::Empty);
    }
    let by_item = by_user.transposed();
    let seed = choice.as_ref().map_or(options.seed, |choice| choice.seed);
    let mut trainer = Trainer::new(&by_user, &by_item, options.dim, seed);
    for epoch in 0..settings.epochs {
        trainer.epoch(&settings, &|| progress.stopped());
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        progress.count("training factors", epoch + 1, settings.epochs);
    }

    let fold_in = choice.as_ref().map_or(settings, |choice| choice.fold_in);
    trainer.solve_users(&fold_in, &|| progress.stopped());
    if progress.stopped() {
        return Err(Interrupted.into());
    }

    progress.stage("clustering");
    let factors = trainer.factors;
    let count = options.clusters.unwrap_or_else(|| default_clusters(dataset.tracks.len()));
    let (centroids, assignment) = cluster(&factors.items, options.dim, count, options.seed);
    let names = cluster_names(dataset, &assignment, centroids.len() / options.dim);
    let mut sections = ranking_sections(&dataset.fingerprints, &factors, &fold_in, &listener);
    let ids = &dataset.fingerprints;
    sections.push((
        SectionKind::Clusters,
        model::encode_clusters(ids, options.dim, &centroids, &assignment),
    ));
    let tracks = dataset.tracks.iter();
    let text = tracks.map(|t| (title(t), t.artist.as_str(), t.duration_ms));
    sections.push((SectionKind::Text, model::encode_text(ids, text, &names)));

    let mut events = [0; Kind::ALL.len()];
    dataset.events().iter().for_each(|event| events[event.kind as usize] += 1);
    let listeners = dataset.listeners();
    let model = Model::from_sections(sections)?;
    Ok(Trained { model, settings, choice, learned, listeners, events })
}

/// A track without a title is shown by its id.
fn title(track: &segue_core::catalogue::Track) -> &str {
    if track.title.is_empty() { &track.track } else { &track.title }
}

/// Chooses settings and learns responses on held-out listening, where there is enough of it.
fn choose(
    dataset: &Dataset,
    options: &Options,
    progress: &Progress<'_>,
) -> Result<(Option<Choice>, Learned), TrainError> {
    let defined = Responses::default();
    let nothing = Learned { responses: defined, auc_defined: None, auc_learned: None };
    let sample = dataset.sample(options.effort.max_events, options.seed)?;
    let (head, tails) = sample.split_by_time();
    let known = |listener: usize| match listener < head.listeners() {
        true => head.evidence(listener),
        false => Vec::new(),
    };
    let cases: Vec<Case> = tails
        .iter()
        .enumerate()
        .map(|(listener, tail)| {
            let known = known(listener);
            let held_out = new_favourites(tail, &known, &defined);
            Case { known, held_out, missing: 0, repeats: false }
        })
        .filter(|case| !case.held_out.is_empty())
        .collect();
    if cases.len() < MIN_CASES {
        return Ok((None, nothing));
    }
    let by_user = head.matrix(&defined);
    let by_item = by_user.transposed();
    let task = Task {
        fingerprints: &head.fingerprints,
        by_user: &by_user,
        by_item: &by_item,
        validation: &cases,
        responses: defined,
        dim: options.dim,
        seed: options.seed,
        effort: options.effort,
    };
    let found = search(&task, progress)?;
    let stories: Vec<Story> = tails
        .into_iter()
        .enumerate()
        .map(|(listener, next)| Story { known: known(listener), next })
        .collect();
    let judge = Judge {
        fingerprints: &head.fingerprints,
        factors: &found.factors,
        settings: &found.choice.fold_in,
        pull: found.choice.pull,
    };
    let learned = learn(&judge, &stories, progress)?;
    Ok((Some(found.choice), learned))
}

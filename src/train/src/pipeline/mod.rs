//! `segue train`: the whole way from a dataset to the model that ships.

mod plan;
mod ranking;
mod recipe;
mod update;

use segue_core::{
    event::Kind,
    ids::Row,
    model::{
        self, MAX_SHARDS, Model, NeighbourParts, RankerParts, Rate, SectionId, SectionKind, Shard,
    },
};

pub(crate) use self::plan::{Plan, cases, choose};
pub use self::{
    recipe::{Recipe, RecipeError},
    update::{Updated, Updating, update},
};
use crate::{
    Diverged, TrainError, albums,
    als::Factors,
    assemble::{FoldIn, sharded},
    coding::{self, Coded},
    dataset::Dataset,
    evaluate::ranking::Accuracy,
    factors::{self, Settings, Start},
    groups::{Groups, Wanted},
    links,
    matrix::Matrix,
    progress::Progress,
    ranker::{Ranking, context, rates::Counts, tags::Tagged},
    responses::Learned,
    search::{Attempts, Effort, Following, People},
    shards::{self, Tracks},
    side::{self, New},
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
    /// What an update needs.
    pub recipe: Recipe,
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
    /// How their yes and no are foretold; `None` where they said no too seldom to learn from. Judged on listeners
    /// that the weights were not learned from.
    pub ranking: Option<Ranking>,
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

/// Events by which it is told what a context tells, where there are as many.
const CONTEXT_EVENTS: usize = 4_000_000;

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
    let ranking = plan.ranking.as_ref().filter(|ranking| ranking.ships).map(|ranking| {
        let of = |listener| dataset.of(listener);
        ranking.sections(&Counts::of(dataset, &ranking.parts.worth, of))
    });
    let parts = (&coded, &plan.fold_in, lists);
    let mut model = assemble(dataset, parts, &groups, ranking.as_ref(), &in_head)?;
    if let Some(shrink) = plan.ranking.as_ref().filter(|it| it.ships).and_then(|it| it.context) {
        let heard = dataset.sample(CONTEXT_EVENTS, options.seed);
        let row = |row: Row| model.row(&heard.tracks[row.index()].track);
        let context = context::effects(&heard, &model, row, |listener| heard.of(listener), shrink);
        model.add(context.map(|parts| (SectionKind::Context, model::encode_context(&parts))))?;
    }

    let recipe = Recipe::of(&plan);
    let mut events = [0; Kind::ALL.len()];
    dataset.events().iter().for_each(|event| events[event.kind as usize] += 1);
    let Plan { settings, tried, validation, following, people, ranking, new, learned, .. } = plan;
    let listeners = dataset.listeners();
    Ok(Trained {
        model,
        recipe,
        settings,
        tried,
        validation,
        following,
        people,
        ranking,
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
    let start = earlier.map_or(Start::ByTrack((&dataset.fingerprints).into()), Start::From);
    let how = (&plan.settings, &plan.fold_in.loss, plan.seed);
    let mut factors = side::train_heard(&by_user, &met, dim, how, start, progress)?;
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
    ranking: Option<&(Vec<Rate>, RankerParts)>,
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
    let albums = albums::numbers(&dataset.tracks);
    let tagged = Tagged::of(&dataset.tracks, &dataset.plays());
    // One name for each all the same, of no letters: bits are those of the head.
    let nameless = vec![String::new(); tagged.names.len()];
    for shard in &shards {
        let Shard { number, tracks, ids } = shard;
        let text = tracks.iter().map(|&track| &dataset.tracks[track]);
        let text = text.map(|t| (t.title.as_str(), t.artist.as_str(), t.duration_ms));
        let names: &[String] = if *number == 0 { &groups.names } else { &[] };
        let id = SectionId { shard: *number, kind: SectionKind::Text };
        sections.push((id, model::encode_text(*ids, text, names)));
        if let Some(albums) = &albums {
            let albums: Vec<u8> = tracks.iter().map(|&track| albums[track]).collect();
            let id = SectionId { shard: *number, kind: SectionKind::Albums };
            sections.push((id, model::encode_albums(*ids, &albums)));
        }
        if let Some((rates, _)) = ranking {
            if !tagged.is_empty() {
                let names: &[String] = if *number == 0 { &tagged.names } else { &nameless };
                let of: Vec<u64> = tracks.iter().map(|&track| tagged.of[track]).collect();
                let id = SectionId { shard: *number, kind: SectionKind::Tags };
                sections.push((id, model::encode_tags(*ids, &of, names)));
            }
            let rates: Vec<Rate> = tracks.iter().map(|&track| rates[track]).collect();
            let id = SectionId { shard: *number, kind: SectionKind::Rates };
            sections.push((id, model::encode_rates(*ids, &rates)));
        }
        if *number == 0 {
            sections.extend(groups.sections(shard, &decoded, dim));
        }
    }
    if let Some((_, parts)) = ranking {
        sections.push((SectionKind::Ranker.into(), model::encode_ranker(parts)));
    }
    Ok(Model::from_sections(sections)?)
}

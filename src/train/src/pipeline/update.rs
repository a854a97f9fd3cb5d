//! `segue train --update`: the next version of a model, which differs from it only where that is worth its bytes.
//!
//! Factors are trained whole, by the settings that the earlier training chose and from the same first factors, track by
//! track, so that they differ from the earlier ones by what the log has more and by nothing else. Turned to lie as those
//! did, they are coded in the same steps: a code changes where that is worth its bits. A bit is worth the most at which the
//! lists of listeners agree as far as the `budget` asks with those where every code changes that is nearer to the factors
//! elsewhere. Where these themselves tell the factors as trained worse than codes along axes and in steps of their own,
//! further than the budget allows, the old axes and steps do not fit any more, and a model is to be trained anew.
//!
//! What is counted stays where it would change by next to nothing ([`crate::steady`]). Centroids, what people finish,
//! weights of signals, what a moment tells, the mean listener and a Gram matrix that ships stay until then.

use std::collections::HashSet;

use rayon::prelude::*;
use segue_core::{
    bytes::Aligned,
    ids::Row,
    model::{
        self, Entry, FactorsDigest, IdsDigest, Model, NeighbourParts, SectionId, SectionKind, Taste,
    },
};

use super::Recipe;
use crate::{
    Diverged, TrainError, albums, als,
    assemble::{FoldIn, ranking_model},
    coding::{self, Base, Coded, Shared, Update},
    dataset::{Dataset, gather},
    evaluate::ranking::{Case, Scorer},
    factors::Start,
    matrix::Matrix,
    progress::Progress,
    ranker::{rates::Counts, tags::Tagged},
    side, steady,
};

/// Listeners whose lists are compared, at most.
const LISTENERS: usize = 1000;
/// Tracks of a list.
const LIST: usize = 20;
/// What a bit of a delta may cost at the least and at the most, in bits of the model, and prices that are tried.
const PRICES: (f32, f32) = (0.01, 100.0);
const STEPS: usize = 7;

/// How to update.
#[derive(Clone, Copy, Debug)]
pub struct Updating<'a> {
    /// The version before.
    pub base: &'a Model,
    /// How it was trained.
    pub recipe: &'a Recipe,
    /// How far lists are to agree with those where every code changes that is nearer elsewhere, 0 to 1.
    pub budget: f64,
}

/// The next version.
#[derive(Clone, Debug)]
pub struct Updated {
    /// The model; `None` where the old axes and steps are not enough.
    pub model: Option<Model>,
    /// Tracks that are new.
    pub new_tracks: usize,
    /// Tracks whose factors change.
    pub changed: usize,
    /// What a bit was worth; 0 where every code changes that is nearer elsewhere.
    pub price: f32,
    /// How far lists agree.
    pub agreement: Agreement,
    /// Listeners whose lists were compared.
    pub listeners: usize,
}

/// Shares of the best 20 of one model that are among the best 20 of another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Of a model where every code changes that is nearer elsewhere, among those of the next version.
    pub after: f64,
    /// The same of the version before, which knows nothing of new tracks.
    pub before: f64,
    /// The same of new tracks alone; 1 where they are in no list.
    pub new: f64,
    /// Of the factors as trained, among those of the next version.
    pub trained: f64,
    /// Among those where every code changes.
    pub every: f64,
    /// Among those of one that is coded whole, along its own axes and in its own steps.
    pub whole: f64,
}

/// Trains the next version of a model that was not split. Deterministic at any number of threads.
pub fn update(
    dataset: &Dataset,
    how: &Updating<'_>,
    progress: &Progress<'_>,
) -> Result<Updated, TrainError> {
    let Updating { base, recipe, budget } = *how;
    if !base.cells().is_empty() {
        return Err(TrainError::Split);
    }
    let before = Before::of(dataset, base);
    if !before.known.contains(&true) {
        return Err(TrainError::Strangers);
    }
    progress.stage("training factors");
    let by_user = dataset.matrix(&recipe.responses);
    if !(0..by_user.rows()).any(|row| by_user.row(row).positive() > 0) {
        return Err(TrainError::Empty);
    }
    let by_item = by_user.transposed();
    let met = dataset.met();
    let start = Start::ByTrack((&dataset.fingerprints).into());
    let settings = (&recipe.settings, &recipe.fold_in, recipe.seed);
    let dim = base.dim();
    let mut factors = side::train_heard(&by_user, &met, dim, settings, start, progress)?;
    if !factors.are_finite() {
        return Err(Diverged.into());
    }
    let positives = by_item.positives();
    recipe.new.inspect(|by| {
        side::fill_unheard(by, &dataset.tracks, &met, &positives, &mut factors);
    });
    let turned = als::aligned(&factors, &before.factors, &before.known);

    progress.stage("coding factors");
    let loss = &recipe.settings.loss;
    let whole = coding::compact(&factors, &by_item, loss, recipe.coarseness, &[])?;
    let shared = Shared::of(&turned, loss, base.steps());
    let old = Base { steps: base.steps(), codes: &before.codes, known: &before.known };
    let coder = Update::new(&turned, &by_item, loss, &shared, old);
    let lists = Lists::of(dataset, recipe, base.taste());
    let coded = |codes: Vec<i8>| before.coded(base, codes);
    let trained = lists.best(dataset, &coding::fine(&turned))?;
    let every = coder.codes(0.0);
    let wanted = lists.best(dataset, &coded(every.clone()))?;
    let old = lists.best(dataset, &coded(before.codes.clone()))?;
    let wanted_new = without(&wanted, &before.known);
    let mut told = Agreement {
        before: shared_of(&old, &wanted),
        whole: shared_of(&lists.best(dataset, &whole)?, &trained),
        every: shared_of(&wanted, &trained),
        ..Agreement::default()
    };
    let mut chosen = (0.0, every);
    (told.after, told.new, told.trained) = (1.0, 1.0, told.every);
    // Prices are halved in their logarithms between one that is low enough and one that is not.
    let (mut low, mut high) = PRICES;
    for step in 1..=STEPS {
        let price = (low * high).sqrt();
        let codes = coder.codes(price);
        let found = lists.best(dataset, &coded(codes.clone()))?;
        let after = shared_of(&found, &wanted);
        progress.step("coding factors", step, after);
        if after >= budget {
            told.after = after;
            told.new = shared_of(&found, &wanted_new);
            told.trained = shared_of(&found, &trained);
            chosen = (price, codes);
            low = price;
        } else {
            high = price;
        }
    }
    let (price, codes) = chosen;
    let rows = codes.chunks_exact(dim).zip(before.codes.chunks_exact(dim)).zip(&before.known);
    let mut updated = Updated {
        model: None,
        new_tracks: before.known.iter().filter(|known| !**known).count(),
        changed: rows.filter(|((new, old), known)| **known && new != old).count(),
        price,
        agreement: told,
        listeners: lists.cases.len(),
    };
    if told.every >= budget * told.whole {
        let next = Next { dataset, base, recipe, before: &before, codes: &codes };
        updated.model = Some(next.model((&by_user, &by_item), progress)?);
    }
    Ok(updated)
}

/// What the tracks of a log were before.
struct Before {
    /// Where each row of the model is here.
    moved: Vec<Option<u32>>,
    /// Where each track was.
    rows: Vec<Option<Row>>,
    known: Vec<bool>,
    codes: Vec<i8>,
    /// What the codes stand for.
    factors: Vec<f32>,
}

impl Before {
    fn of(dataset: &Dataset, base: &Model) -> Self {
        let dim = base.dim();
        let rows: Vec<Option<Row>> =
            dataset.tracks.iter().map(|track| base.row(&track.track)).collect();
        let mut moved = vec![None; base.len()];
        let mut codes = vec![0; rows.len() * dim];
        let mut factors = vec![0.0; rows.len() * dim];
        for (at, row) in rows.iter().enumerate().filter_map(|(at, row)| Some((at, (*row)?))) {
            moved[row.index()] = u32::try_from(at).ok();
            codes[at * dim..][..dim].copy_from_slice(&base.factors().row(row)[..dim]);
            base.decode(row, &mut factors[at * dim..][..dim]);
        }
        let known = rows.iter().map(Option::is_some).collect();
        Self { moved, rows, known, codes, factors }
    }

    fn coded(&self, base: &Model, codes: Vec<i8>) -> Coded {
        let mean = base.taste().mean().to_vec();
        let shifts = vec![0; self.known.len()];
        Coded { steps: base.steps().to_vec(), codes, shifts, mean, new: Vec::new() }
    }
}

/// Listeners whose lists are compared.
struct Lists {
    fold_in: FoldIn,
    cases: Vec<Case>,
}

impl Lists {
    fn of(dataset: &Dataset, recipe: &Recipe, taste: Taste<'_>) -> Self {
        let responses = *taste.responses();
        let fold_in = FoldIn { loss: taste.loss(), pull: taste.pull(), responses };
        let listeners = dataset.draw_listeners(LISTENERS, recipe.seed);
        let case = |listener| Case { known: gather(dataset.of(listener)), ..Case::default() };
        Self { fold_in, cases: listeners.into_iter().map(case).collect() }
    }

    fn best(&self, dataset: &Dataset, coded: &Coded) -> Result<Vec<HashSet<Row>>, TrainError> {
        let model = ranking_model(&dataset.fingerprints, coded, &self.fold_in)?;
        let cases: Vec<&Case> = self.cases.iter().collect();
        let lists = cases.par_chunks(16).flat_map(|cases| model.top(cases, LIST));
        Ok(lists.map(|list| list.into_iter().collect()).collect())
    }
}

/// Lists without the tracks that are known.
fn without(lists: &[HashSet<Row>], known: &[bool]) -> Vec<HashSet<Row>> {
    let new = |row: &Row| !known[row.index()];
    lists.iter().map(|list| list.iter().copied().filter(new).collect()).collect()
}

/// The share of what is `wanted` that was `found`; 1 where nothing is.
fn shared_of(found: &[HashSet<Row>], wanted: &[HashSet<Row>]) -> f64 {
    let pairs = || found.iter().zip(wanted);
    let same: usize = pairs().map(|(found, wanted)| found.intersection(wanted).count()).sum();
    let all: usize = pairs().map(|(_, wanted)| wanted.len()).sum();
    if all == 0 { 1.0 } else { same as f64 / all as f64 }
}

/// The next version on its way.
struct Next<'a> {
    dataset: &'a Dataset,
    base: &'a Model,
    recipe: &'a Recipe,
    before: &'a Before,
    codes: &'a [i8],
}

type Section = (SectionId, Aligned);

impl Next<'_> {
    /// Every section that the base has.
    fn model(
        &self,
        pairs: (&Matrix, &Matrix),
        progress: &Progress<'_>,
    ) -> Result<Model, TrainError> {
        progress.stage("writing sections");
        let Self { dataset, base, .. } = *self;
        let (ids, digest) = model::encode_ids_beside(&dataset.fingerprints, base);
        let factors = model::encode_factors(digest, base.steps(), self.codes);
        let of = FactorsDigest::of(factors.as_slice());
        let taste = model::encode_taste_beside(base, of);
        let mut sections = vec![
            (SectionKind::Ids.into(), ids),
            (SectionKind::Factors.into(), factors),
            (SectionKind::Taste.into(), taste),
        ];
        for kind in [SectionKind::Ranker, SectionKind::Context] {
            let kept = base.section(kind.into());
            sections.extend(kept.map(|bytes| (kind.into(), Aligned::copy_of(bytes))));
        }
        sections.extend(self.clusters(digest));
        sections.extend(self.text(digest));
        sections.extend(self.finished(digest));
        sections.extend(self.rates(digest));
        sections.extend(self.tags(digest));
        sections.extend(self.albums(digest));
        sections.extend(self.graphs(digest, pairs, progress)?);
        Ok(Model::from_sections(sections)?)
    }

    /// New tracks are of the cluster whose centroid is nearest in direction.
    fn clusters(&self, ids: IdsDigest) -> Option<Section> {
        let (clusters, dim) = (self.base.clusters()?, self.base.dim());
        let centroids: Vec<f32> = clusters.centroids().flatten().copied().collect();
        let steps = self.base.steps();
        let nearest = |codes: &[i8]| {
            let along = |centroid: &[f32]| -> f32 {
                let factor = codes.iter().zip(steps).map(|(&code, step)| f32::from(code) * step);
                factor.zip(centroid).map(|(x, c)| x * c).sum()
            };
            let best = centroids.chunks_exact(dim).map(along).zip(0_u16..);
            best.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, cluster)| cluster)
        };
        let of = |(row, codes): (&Option<Row>, &[i8])| {
            row.and_then(|row| clusters.of(row)).unwrap_or_else(|| nearest(codes))
        };
        let rows = self.before.rows.iter().zip(self.codes.chunks_exact(dim));
        let assignment: Vec<u16> = rows.map(of).collect();
        let section = model::encode_clusters(ids, dim, &centroids, &assignment);
        Some((SectionKind::Clusters.into(), section))
    }

    fn text(&self, ids: IdsDigest) -> Option<Section> {
        let text = self.base.text()?;
        let clusters = self.base.clusters().map_or(0, |clusters| clusters.len());
        let name = |cluster| text.cluster_name(cluster).unwrap_or_default().to_owned();
        let names: Vec<String> = (0..clusters).map(name).collect();
        let tracks = self.dataset.tracks.iter();
        let tracks = tracks.map(|t| (t.title.as_str(), t.artist.as_str(), t.duration_ms));
        Some((SectionKind::Text.into(), model::encode_text(ids, tracks, &names)))
    }

    fn finished(&self, ids: IdsDigest) -> Option<Section> {
        let lists = self.base.finished()?;
        let clusters = self.base.clusters().map_or(0, |clusters| clusters.len());
        let moved = |entry: &Entry| {
            let to = self.before.moved[entry.row().index()]?;
            Some(Entry::new(Row(to), entry.level()))
        };
        let moved: Vec<Vec<Entry>> =
            (0..clusters).map(|at| lists.of(at).iter().filter_map(moved).collect()).collect();
        let all: Vec<&[Entry]> = moved.iter().map(Vec::as_slice).collect();
        let tracks = self.dataset.tracks.len();
        let section = model::encode_finished(ids, tracks, lists.scale(), &all);
        Some((SectionKind::Finished.into(), section))
    }

    fn rates(&self, ids: IdsDigest) -> Option<Section> {
        let shrinkage = self.recipe.rates?;
        let ranker = self.base.ranker()?;
        let of = |listener| self.dataset.of(listener);
        let mut rates = Counts::of(self.dataset, ranker.worth(), of).rates(shrinkage);
        for (rate, row) in rates.iter_mut().zip(&self.before.rows) {
            let old = row.and_then(|row| self.base.track(row)?.rate());
            *rate = old.map_or(*rate, |old| steady::rate(old, *rate));
        }
        Some((SectionKind::Rates.into(), model::encode_rates(ids, &rates)))
    }

    fn tags(&self, ids: IdsDigest) -> Option<Section> {
        self.base.section(SectionKind::Tags.into())?;
        let names = (0..self.base.tags()).map(|tag| self.base.tag_name(tag).to_owned()).collect();
        let Tagged { names, of } = Tagged::named(&self.dataset.tracks, names);
        Some((SectionKind::Tags.into(), model::encode_tags(ids, &of, &names)))
    }

    fn albums(&self, ids: IdsDigest) -> Option<Section> {
        self.base.section(SectionKind::Albums.into())?;
        let earlier = |row: &Option<Row>| row.map(|row| self.base.album(row).unwrap_or(0));
        let earlier: Vec<Option<u8>> = self.before.rows.iter().map(earlier).collect();
        let numbers = albums::numbers_after(&self.dataset.tracks, &earlier);
        let numbers = numbers.unwrap_or_else(|| vec![0; earlier.len()]);
        Some((SectionKind::Albums.into(), model::encode_albums(ids, &numbers)))
    }

    fn graphs(
        &self,
        ids: IdsDigest,
        (by_user, by_item): (&Matrix, &Matrix),
        progress: &Progress<'_>,
    ) -> Result<Vec<Section>, TrainError> {
        let moved = &self.before.moved[..];
        let section = |kind: SectionKind, parts: &NeighbourParts| {
            model::encode_neighbours(ids, parts).map(|bytes| (kind.into(), bytes))
        };
        let mut sections = Vec::new();
        if let (Some(beside), Some(old)) = (self.recipe.beside, self.base.neighbours(0)) {
            progress.stage("finding what goes with what");
            let parts = beside.neighbours_after((&old.parts(), moved), by_user, by_item);
            sections.extend(section(SectionKind::Neighbours, &parts));
        }
        if let (Some(follow), Some(old)) = (self.recipe.follow, self.base.transitions(0)) {
            progress.stage("finding what follows what");
            let sittings = self.dataset.sittings();
            let parts = follow.parts_after((&old.parts(), moved), &sittings, progress)?;
            sections.extend(section(SectionKind::Transitions, &parts));
        }
        Ok(sections)
    }
}

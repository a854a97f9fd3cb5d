//! How the next track is told: chosen on what was held out.

use segue_core::{
    event::Kind,
    ids::Row,
    model::{Model, Responses},
    session::Evidence,
};

use super::{Hits, Next, Query, catalogue::Catalogue, hits, used};
use crate::{
    Interrupted, TrainError,
    als::Factors,
    assemble::{FoldIn, ranking_model, whole_model},
    coding::{compact, fine},
    evaluate::{paired, ranking::Case},
    factors::{self, Settings, Start},
    progress::Progress,
    search::{
        Beside, Effort, Follow, Found, Task, beside, carried, coarseness, density, follow, search,
        settle,
    },
};

/// Bytes a track that all of it may take.
const MOST_BYTES: usize = 48;

/// How much coarser than costs next to nothing the factors may be coded where that leaves room for more.
const COARSER: [f32; 3] = [1.0, 1.4, 2.0];
/// By how many standard errors one form of a model must be better than another.
const NOTABLE: f64 = 0.5;

/// What the held-out queries chose.
pub(super) struct Chosen {
    /// How the next track is told.
    pub follow: Follow,
    /// How well, of what was held out; `None` where that was nothing.
    pub valid: Option<Hits>,
    /// What has a say in it beside.
    pub taste: Option<Taste>,
}

/// Factors, and what goes with what, beside what follows what.
pub(super) struct Taste {
    pub settings: Settings,
    seed: u64,
    fold_in: FoldIn,
    coarseness: f32,
    pub beside: Option<Beside>,
    density: f64,
}

/// Chooses on `valid`, of what is `kept`.
pub(super) fn choose(
    next: &Next<'_>,
    part: &Catalogue<'_>,
    kept: &[&[String]],
    valid: &[Query],
    progress: &Progress<'_>,
) -> Result<Chosen, TrainError> {
    let start = Follow::start(next.support);
    if valid.is_empty() {
        return Ok(Chosen { follow: start, valid: None, taste: None });
    }
    let sittings = part.sittings(kept);
    let shipped = |follow: &Follow, base: &Model| -> Result<Shipped, TrainError> {
        let (_, model) = follow.within(room(base), base, &sittings, progress)?;
        let (valid, each) = hits(&model, valid);
        Ok(Shipped { follow: *follow, valid, each })
    };
    let blank = blank(part.fingerprints.as_slice())?;
    let alone = follow(&blank, &sittings, valid, start, progress)?;
    let alone = shipped(&alone.follow, &blank)?;

    let by_user = part.matrix(kept);
    let by_item = by_user.transposed();
    let heard = |&row: &u32| {
        let mut evidence = Evidence::new(Row(row));
        evidence.add(Kind::Play, 1.0);
        evidence
    };
    let case = |query: &Query| {
        let mut known = query.before.clone();
        known.sort_unstable();
        known.dedup();
        let new = query.next.filter(|next| known.binary_search(next).is_err());
        let held_out: Vec<Row> = new.into_iter().map(Row).collect();
        let known = known.iter().map(heard).collect();
        Case { known, held_out, missing: 0, repeats: false }
    };
    let cases: Vec<Case> =
        valid.iter().map(case).filter(|case| !case.held_out.is_empty()).collect();
    if cases.is_empty() {
        return Ok(Chosen::without_taste(alone));
    }
    let task = Task {
        fingerprints: &part.fingerprints,
        by_user: &by_user,
        by_item: &by_item,
        tracks: part.len(),
        validation: &cases,
        responses: Responses::default(),
        dim: next.dim,
        seed: next.seed,
        head: None,
        effort: Effort::of_sittings(by_user.len()).within(next.budget),
    };
    let Found { settings, seed, mut trainer, .. } = search(&task, progress)?;
    let loss = settings.fold_in(task.by_user.columns());
    let settled = settle(&task, &mut trainer, &loss, task.responses, progress)?;
    let fold_in = settled.fold_in;
    let goes_with = beside(&task, &trainer.factors, &settled, progress)?;
    let lists = goes_with.map(|beside| beside.neighbours(&by_user, &by_item));
    let factors = fine(&trainer.factors);
    let model = whole_model(&part.fingerprints, &factors, &fold_in, lists.as_ref())?;
    let both = follow(&model, &sittings, valid, alone.follow, progress)?;
    let coarseness = coarseness(&task, &trainer.factors, &settings.loss, &settled, progress)?;
    let form = |coarseness: f32, beside: Option<Beside>| -> Result<Form, TrainError> {
        let coded = compact(&trainer.factors, &by_item, &settings.loss, coarseness, &[])?;
        let lists = lists.as_ref().filter(|_| beside.is_some());
        let model = whole_model(&part.fingerprints, &coded, &fold_in, lists)?;
        Ok(Form { coarseness, beside, shipped: shipped(&both.follow, &model)? })
    };
    let Form { coarseness, beside, shipped } = best_form(form, coarseness, goes_with)?;
    if shipped.valid.objective() <= alone.valid.objective() {
        return Ok(Chosen::without_taste(alone));
    }
    let density = density(&by_user);
    let taste = Taste { settings, seed, fold_in, coarseness, beside, density };
    Ok(Chosen { follow: shipped.follow, valid: Some(shipped.valid), taste: Some(taste) })
}

/// In what form taste ships beside what follows what.
struct Form {
    coarseness: f32,
    beside: Option<Beside>,
    shipped: Shipped,
}

/// The best form, coarser than `coarseness` and without lists only where that is notably better: what one part
/// of the model takes is room that another has not.
fn best_form(
    make: impl Fn(f32, Option<Beside>) -> Result<Form, TrainError>,
    coarseness: f32,
    beside: Option<Beside>,
) -> Result<Form, TrainError> {
    let with = COARSER.map(|coarser| (coarser, beside));
    let without = COARSER.map(|coarser| (coarser, None)).into_iter().filter(|_| beside.is_some());
    let mut best = make(coarseness, beside)?;
    for (coarser, beside) in with.into_iter().chain(without).skip(1) {
        let other = make(coarser * coarseness, beside)?;
        if paired(&other.shipped.each, &best.shipped.each) > NOTABLE {
            best = other;
        }
    }
    Ok(best)
}

/// How the next track is told, and how well in the form that ships.
struct Shipped {
    follow: Follow,
    valid: Hits,
    /// What each query adds to the objective.
    each: Vec<f64>,
}

/// Bytes that are left beside `base`.
fn room(base: &Model) -> usize {
    (MOST_BYTES * base.len()).saturating_sub(used(base))
}

/// A model that knows nothing of taste.
fn blank(fingerprints: &[u64]) -> Result<Model, TrainError> {
    let factors = Factors { dim: 1, users: vec![0.0], items: vec![0.0; fingerprints.len()] };
    let loss = segue_core::model::Loss { unobserved: 1.0, ridge: 1.0, exponent: 1.0 };
    let fold_in = FoldIn { loss, pull: 1.0, responses: Responses::default() };
    Ok(ranking_model(fingerprints, &fine(&factors), &fold_in)?)
}

impl Chosen {
    fn without_taste(Shipped { follow, valid, .. }: Shipped) -> Self {
        Self { follow, valid: Some(valid), taste: None }
    }

    /// Everything that ships, of all sittings, and how many pairs of it there was room for.
    pub(super) fn model(
        &self,
        next: &Next<'_>,
        whole: &Catalogue<'_>,
        lines: &[Vec<String>],
        progress: &Progress<'_>,
    ) -> Result<(Follow, Model), TrainError> {
        let base = match &self.taste {
            None => blank(&whole.fingerprints)?,
            Some(taste) => taste.model(next, whole, lines, progress)?,
        };
        self.follow.within(room(&base), &base, &whole.sittings(lines), progress)
    }
}

impl Taste {
    fn model(
        &self,
        next: &Next<'_>,
        whole: &Catalogue<'_>,
        lines: &[Vec<String>],
        progress: &Progress<'_>,
    ) -> Result<Model, TrainError> {
        let by_user = whole.matrix(lines);
        let by_item = by_user.transposed();
        let loss = carried(&self.settings.loss, self.density, density(&by_user));
        let settings = Settings { loss, ..self.settings };
        let pairs = (&by_user, &by_item);
        let mut trainer =
            factors::train(pairs, next.dim, &settings, self.seed, Start::Anew, progress)?;
        let mut fold_in = self.fold_in;
        fold_in.loss = carried(&fold_in.loss, self.density, density(&by_user));
        trainer.solve_users(&fold_in.loss, &|| progress.stopped());
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        let coded = compact(&trainer.factors, &by_item, &loss, self.coarseness, &[])?;
        let lists = self.beside.map(|beside| beside.neighbours(&by_user, &by_item));
        Ok(whole_model(&whole.fingerprints, &coded, &fold_in, lists.as_ref())?)
    }
}

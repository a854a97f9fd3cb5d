//! What foretells a skip, learned on more of a log than settings are searched on: a skip says less than a like,
//! and there is only one set of weights to learn.

use segue_core::{
    model::{Model, Responses},
    rng::SplitMix64,
};

use super::cases;
use crate::{
    Interrupted, TrainError,
    assemble::{FoldIn, whole_model},
    coding,
    dataset::Dataset,
    evaluate::{
        paired,
        ranking::{Measured, each},
    },
    factors::{self, Settings},
    progress::Progress,
    ranker::{self, Ranking, rates::Counts, with_ranker},
    search::{Beside, Follow, carried, density, follows_better, with_transitions},
};

/// Events that it is learned from, where there are as many.
const EVENTS: usize = 400_000;

/// Listeners of whom the best tracks are looked at, at most.
const MOST_CASES: usize = 1000;
/// Standard errors by which an order is notably worse.
const NOTABLE: f64 = 1.0;

/// What was chosen for a sample of the log.
pub(super) struct Chosen<'a> {
    pub settings: &'a Settings,
    /// Of the first factors.
    pub seed: u64,
    pub dim: usize,
    /// What each kind of event says to training.
    pub responses: Responses,
    pub fold_in: &'a FoldIn,
    /// How coarsely factors are coded.
    pub coarseness: f32,
    pub beside: Option<Beside>,
    pub follow: Option<Follow>,
    /// Of the pairs that it was chosen on.
    pub density: f64,
}

/// Learns from whole listeners of `dataset`, with about as many events as were searched on, or more. `None`
/// where listeners say no too seldom.
pub(super) fn ranking(
    dataset: &Dataset,
    chosen: &Chosen<'_>,
    events: usize,
    progress: &Progress<'_>,
) -> Result<Option<Ranking>, TrainError> {
    let sample = dataset.sample(events.max(EVENTS), chosen.seed);
    if !ranker::is_told(&sample, chosen.seed) {
        return Ok(None);
    }
    progress.stage("training factors to foretell skips with");
    let before = |listener| sample.split_by_time(listener).0;
    let by_user = sample.matrix_of(before, &chosen.responses);
    let by_item = by_user.transposed();
    let loss = |of| carried(of, chosen.density, density(&by_user));
    let settings = Settings { loss: loss(&chosen.settings.loss), ..*chosen.settings };
    let fold_in = FoldIn { loss: loss(&chosen.fold_in.loss), ..*chosen.fold_in };
    let pairs = (&by_user, &by_item);
    let mut trainer = factors::train(pairs, chosen.dim, &settings, chosen.seed, None, progress)?;
    trainer.solve_users(&fold_in.loss, &|| progress.stopped());
    if progress.stopped() {
        return Err(Interrupted.into());
    }
    // As they ship: weights are of signals, and these of what codes are left.
    let coded =
        coding::compact(&trainer.factors, &by_item, &settings.loss, chosen.coarseness, &[])?;
    let lists = chosen.beside.map(|beside| beside.neighbours(&by_user, &by_item));
    let base = whole_model(&sample.fingerprints, &coded, &fold_in, lists.as_ref())?;
    let sittings = || sample.sittings_of(before);
    let transitions =
        chosen.follow.map(|follow| follow.parts(&sittings(), progress)).transpose()?;
    let whole = transitions.and_then(|parts| with_transitions(&base, &parts));
    let base = whole.as_ref().unwrap_or(&base);
    let mut found = ranker::learn(&sample, base, chosen.seed, progress)?;
    if let Some(ranking) = found.as_mut().filter(|ranking| ranking.orders) {
        let counts = Counts::of(&sample, &ranking.parts.worth, before);
        let (rates, parts) = ranking.sections(&counts);
        let ordered = with_ranker(base, &rates, &parts)?;
        ranking.orders = keeps_up(&ordered, base, &sample, chosen);
    }
    Ok(found)
}

/// Whether the best tracks of the catalogue in the order of a ranker are no notably worse than those of `base`: as
/// what listeners come to like, and as what they play next.
fn keeps_up(ordered: &Model, base: &Model, sample: &Dataset, chosen: &Chosen<'_>) -> bool {
    let mut cases = cases(sample, &chosen.responses);
    SplitMix64::new(chosen.seed).shuffle(&mut cases);
    cases.truncate(MOST_CASES);
    let [new, known] = [ordered, base]
        .map(|model| -> Vec<f64> { each(model, &cases).iter().map(Measured::objective).collect() });
    paired(&new, &known) > -NOTABLE && follows_better(sample, base, ordered, chosen.seed) > -NOTABLE
}

//! What foretells a skip, learned on more of a log than settings are searched on: a skip says less than a like,
//! and there is only one set of weights to learn.

use segue_core::model::Responses;

use crate::{
    Interrupted, TrainError,
    assemble::{FoldIn, whole_model},
    coding,
    dataset::Dataset,
    factors::{self, Settings, Start},
    progress::Progress,
    ranker::{self, Ranking},
    search::{Beside, Follow, carried, density, with_transitions},
};

/// Events that it is learned from, where there are as many.
const EVENTS: usize = 400_000;

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
    let mut trainer =
        factors::train(pairs, chosen.dim, &settings, chosen.seed, Start::Anew, progress)?;
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
    ranker::learn(&sample, base, chosen.seed, progress)
}

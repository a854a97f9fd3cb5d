//! What training that goes on from an earlier model reaches, epoch by epoch, beside training anew.

use super::ranking::{Accuracy, accuracy};
use crate::{
    TrainError, als,
    assemble::{FoldIn, ranking_model},
    coding,
    dataset::Dataset,
    factors::{self, Method, Settings, Start, Training},
    pipeline::{Options, cases, choose},
    progress::Progress,
    spectral::Spectra,
};

/// Accuracy after each epoch.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// From random factors on.
    pub anew: Vec<Accuracy>,
    /// From the factors of the earlier model on, as they ship.
    pub warm: Vec<Accuracy>,
    /// Of the earlier model itself.
    pub earlier: Accuracy,
}

/// Holds out the last fifth of each listener's events. Trains ALS on what was before, anew and from a model
/// on that knows all but the last `share` of that, and ranks for the same listeners after each epoch.
pub fn evaluate(
    dataset: &Dataset,
    options: &Options,
    share: f64,
    progress: &Progress<'_>,
) -> Result<Outcome, TrainError> {
    let past = dataset.past();
    let plan = choose(&past, options, progress)?;
    let responses = plan.responses;
    let cases = cases(dataset, &responses);
    let settings = Settings { method: Method::Als, ..plan.settings };
    let fold_in = FoldIn { loss: settings.loss, ..plan.fold_in };
    let judged = |items: &als::Factors| -> Result<Accuracy, TrainError> {
        let model = ranking_model(&dataset.fingerprints, &coding::fine(items), &fold_in)?;
        Ok(accuracy(&model, &cases))
    };
    let early = |listener: usize| {
        let events = past.of(listener);
        &events[..events.len() - (events.len() as f64 * share).round() as usize]
    };
    let before = past.matrix_of(early, &responses);
    let transposed = before.transposed();
    let pairs = (&before, &transposed);
    let trainer =
        factors::train(pairs, options.dim, &settings, options.seed, Start::Anew, progress)?;
    let earlier = judged(&trainer.factors)?;
    let coded =
        coding::compact(&trainer.factors, &transposed, &settings.loss, plan.coarseness, &[])?;

    let by_user = past.matrix(&responses);
    let by_item = by_user.transposed();
    let from = |start: Option<Vec<f32>>| -> Result<Vec<Accuracy>, TrainError> {
        let mut spectra = Spectra::new((&by_user, &by_item), options.dim, options.seed);
        let mut training = Training::new(&mut spectra, &settings, options.seed)?;
        if let Some(items) = start {
            let solver = training.solver();
            solver.factors.items = items;
            solver.solve_users(&settings.loss, &|| progress.stopped());
        }
        let each = (0..settings.epochs.max(1)).map(|_| {
            training.epoch(&|| progress.stopped());
            judged(&training.solver().factors)
        });
        each.collect()
    };
    Ok(Outcome { anew: from(None)?, warm: from(Some(coded.decoded()))?, earlier })
}

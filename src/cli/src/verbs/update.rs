//! `segue train --update`.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use segue_core::model::{Model, container, delta};
use segue_train::{
    TrainError,
    dataset::Dataset,
    pipeline::{Recipe, Updated, Updating, update},
    progress::Progress,
};
use serde_json::json;

use super::{read_file, shown};
use crate::{
    failure::{Done, Failure},
    output::write_whole,
    ui::{Ui, counted, grouped},
};

/// A share between 0 and 1.
pub fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "give a number between 0 and 1".to_owned())?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("give a number between 0 and 1".into())
    }
}

/// The version before.
pub struct Before {
    pub model: Model,
    recipe: Recipe,
    path: PathBuf,
}

impl Before {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let (model, file) = read_file(path)?;
        let recipe = Recipe::read(&file);
        let recipe = recipe.map_err(|error| Failure::during(path.display().to_string(), error))?;
        Ok(Self { model, recipe, path: path.to_owned() })
    }

    pub fn update(
        &self,
        dataset: &Dataset,
        budget: f64,
        progress: &Progress<'_>,
    ) -> Result<Updated, TrainError> {
        let how = Updating { base: &self.model, recipe: &self.recipe, budget };
        update(dataset, &how, progress)
    }

    /// Writes the next version and says what it is.
    pub fn finish(
        &self,
        next: &Model,
        updated: &Updated,
        (out, started): (&Path, Instant),
        ui: &Ui,
    ) -> Done {
        let note = self.recipe.to_note();
        let file = next.to_file_with(&[(container::RECIPE, &note)]);
        let whole = next.to_file().len();
        let delta = delta::between(&self.model, next, 0).map_or(whole, |delta| delta.len());
        write_whole(out, |to| Ok(to.write_all(&file)?))?;
        let (seconds, agreement) = (started.elapsed().as_secs_f64(), updated.agreement);
        let json = json!({
            "out": shown(out),
            "bytes": file.len(),
            "update_of": shown(&self.path),
            "delta_bytes": delta,
            "tracks": next.len(),
            "new_tracks": updated.new_tracks,
            "changed_tracks": updated.changed,
            "agreement": agreement.after,
            "agreement_before": agreement.before,
            "agreement_of_new_tracks": agreement.new,
            "agreement_with_trained": agreement.trained,
            "agreement_of_every_code_with_trained": agreement.every,
            "agreement_of_whole_with_trained": agreement.whole,
            "agreement_listeners": updated.listeners,
            "price": updated.price,
            "seconds": seconds,
        });
        let text = format!(
            "{}: the next version of {}, {}, {} new and {} changed, in {seconds:.1} s\n\
             a delta of {} bytes makes it of the one before, {:.1} times smaller than the {} of the model\n\
             first 20 tracks of {}: {:.2} % of those with every code that moves are among them, {:.2} % among those of\n  \
             the version before, and {:.2} % of the new tracks in them; of those by the factors as trained {:.2} %, by a model\n  \
             that is coded whole {:.2} %",
            shown(out),
            shown(&self.path),
            counted(next.len(), "track"),
            grouped(updated.new_tracks),
            grouped(updated.changed),
            grouped(delta),
            whole as f64 / delta.max(1) as f64,
            grouped(whole),
            counted(updated.listeners, "listener"),
            100.0 * agreement.after,
            100.0 * agreement.before,
            100.0 * agreement.new,
            100.0 * agreement.trained,
            100.0 * agreement.whole,
        );
        ui.finish(&json, &text)
    }
}

/// Why a model is trained anew.
pub fn drifted_text(updated: &Updated, budget: f64) -> String {
    format!(
        "the axes and steps of the earlier model have drifted: of the first 20 by the factors as trained {:.2} % are \
         among the first 20 along them, {:.2} % in a model with its own, and {:.2} % of that is asked for; a model is \
         trained anew",
        100.0 * updated.agreement.every,
        100.0 * updated.agreement.whole,
        100.0 * budget,
    )
}

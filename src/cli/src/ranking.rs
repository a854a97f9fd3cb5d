//! What foretells a yes, for people and for machines.

use std::fmt::Write as _;

use segue_train::ranker::{Ranking, Told};
use serde_json::{Map, Value, json};

use crate::ui::counted;

/// What was learned.
pub fn ranking_json(ranking: &Ranking) -> Value {
    let without = ranking.told.without.iter();
    let without = without.map(|(signal, auc)| (signal.name().to_owned(), json!(auc)));
    let reliability: Vec<Value> = ranking
        .reliability
        .iter()
        .map(|bin| json!({ "foretold": bin.foretold, "came": bin.came, "verdicts": bin.verdicts }))
        .collect();
    let [listeners, verdicts] = ranking.parts.recipe.learned_from;
    json!({
        "ships": ranking.ships,
        "auc": ranking.told.auc,
        "auc_by_taste": ranking.told.auc_of_taste,
        "gain": ranking.told.gain[0],
        "gain_half_interval": ranking.told.gain[1],
        "judged_on": ranking.told.listeners,
        "auc_without": without.collect::<Map<String, Value>>(),
        "calibration_error": ranking.calibration_error(),
        "reliability": reliability,
        "listeners": listeners,
        "verdicts": verdicts,
    })
}

/// The same in words: what each signal is worth, and how far off what is foretold is.
pub fn ranking_text(ranking: Option<&Ranking>) -> String {
    let Some(ranking) = ranking else {
        return "too few listeners said yes and no to tracks among their latest events to learn what \
                foretells it:\n  tracks are ranked by taste"
            .into();
    };
    let [listeners, verdicts] = ranking.parts.recipe.learned_from;
    let ships = match ranking.ships {
        false => "not notably more than taste alone, so none of it ships",
        true => "tracks are ordered by it",
    };
    let mut text = format!(
        "what foretells a yes, learned from {} of {}: auc, half by chance, of {} by weights of others:\n  \
         {ships}; {:.4} ±{:.4} more than by taste; the probability of a skip is off by {:.3} in the mean\n\n",
        counted(verdicts as usize, "verdict"),
        counted(listeners as usize, "listener"),
        counted(ranking.told.listeners, "listener"),
        ranking.told.gain[0],
        ranking.told.gain[1],
        ranking.calibration_error(),
    );
    // Writing to a string cannot fail.
    let mut line = |name: &str, auc: f64| {
        let _ = writeln!(text, "{name:<16}{auc:>8.4}");
    };
    let Told { auc, auc_of_taste, without, .. } = &ranking.told;
    line("all signals", *auc);
    line("taste alone", *auc_of_taste);
    for (signal, auc) in without {
        line(&format!("without {}", signal.name()), *auc);
    }
    text
}

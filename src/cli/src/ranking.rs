//! What foretells a yes, for people and for machines.

use std::fmt::Write as _;

use segue_core::signals::Signal;
use segue_train::ranker::{Ranking, Told};
use serde_json::{Map, Value, json};

use crate::ui::counted;

/// What was learned.
pub fn ranking_json(ranking: &Ranking) -> Value {
    let told = |told: &Told| {
        let without =
            told.without.iter().map(|(signal, auc)| (signal.name().to_owned(), json!(auc)));
        json!({
            "auc": told.auc,
            "auc_by_taste": told.auc_of_taste,
            "auc_without": without.collect::<Map<String, Value>>(),
        })
    };
    let reliability: Vec<Value> = ranking
        .reliability
        .iter()
        .map(|bin| json!({ "foretold": bin.foretold, "came": bin.came, "verdicts": bin.verdicts }))
        .collect();
    let [listeners, verdicts] = ranking.parts.recipe.learned_from;
    json!({
        "ships": ranking.ships,
        "orders": ranking.orders,
        "odds": told(&ranking.odds),
        "order": told(&ranking.order),
        "calibration_error": ranking.calibration_error(),
        "reliability": reliability,
        "listeners": listeners,
        "verdicts": verdicts,
    })
}

/// The same in words: what each signal is worth, and how far off what is foretold is.
pub fn ranking_text(ranking: Option<&Ranking>) -> String {
    let Some(ranking) = ranking else {
        return "too few listeners said yes and no to new tracks among their latest events to learn what \
                foretells it:\n  tracks are ranked by taste"
            .into();
    };
    let [listeners, verdicts] = ranking.parts.recipe.learned_from;
    let ships = match (ranking.ships, ranking.orders) {
        (false, _) => "not notably more than taste alone, so none of it ships",
        (true, false) => {
            "it foretells skips; taste and what follows what order tracks, which is no worse"
        }
        (true, true) => "it foretells skips and orders tracks",
    };
    let mut text = format!(
        "what foretells a yes: auc, half by chance, of {} by weights of others, on {}:\n  \
         {ships}; the probability of a skip is off by {:.3} in the mean\n\n\
         {:<16}{:>13}{:>22}\n",
        counted(listeners as usize, "listener"),
        counted(verdicts as usize, "verdict"),
        ranking.calibration_error(),
        "",
        "yes from no",
        "yes from all others",
    );
    // Writing to a string cannot fail.
    let mut line = |name: &str, [odds, order]: [Option<f64>; 2]| {
        let shown =
            |auc: Option<f64>| auc.map_or_else(|| "–".to_owned(), |auc| format!("{auc:.4}"));
        let _ = writeln!(text, "{name:<16}{:>13}{:>22}", shown(odds), shown(order));
    };
    let Ranking { odds, order, .. } = ranking;
    line("all signals", [Some(odds.auc), Some(order.auc)]);
    line("taste alone", [Some(odds.auc_of_taste), Some(order.auc_of_taste)]);
    for signal in Signal::ALL {
        let of =
            |told: &Told| told.without.iter().find(|(of, _)| *of == signal).map(|(_, auc)| *auc);
        let each = [of(odds), of(order)];
        if each != [None, None] {
            line(&format!("without {}", signal.name()), each);
        }
    }
    text
}

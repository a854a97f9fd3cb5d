//! `segue evaluate feedback`.

use clap::Args;
use segue_train::{
    evaluate::feedback::{Outcome, feedback as evaluate},
    search::Effort,
};
use serde_json::json;

use super::{detail::sure, learning::Learning};
use crate::{
    failure::Done,
    ranking::{ranking_json, ranking_text},
    ui::{Ui, counted},
    verbs::{Catalogue, train::EffortName},
};

/// Whether what listeners like is told from what they skip.
///
/// The last fifth of each listener's events is the test. A model is trained on what came before, and foretells a
/// yes to the tracks of the test for each listener as they were then, each at its own hour, place and mood where the
/// log tells these, or ranks them where it has not learned to:
/// the figure is the AUC of what they liked against what they skipped, in the mean over listeners who did both.
/// Beside it stands that of a model, and of listeners, from whose past all skips and dislikes were taken out.
/// Liked, saved and replayed tracks are liked; where the test has none of these, those played for half their
/// length or more. What stands behind
/// ± is half of a 95 % interval, by the bootstrap over listeners.
#[derive(Args)]
#[command(after_help = "Example:\n  segue evaluate feedback --events events.jsonl --json")]
pub struct FeedbackArguments {
    #[command(flatten)]
    learning: Learning,
    #[command(flatten)]
    catalogue: Catalogue,
    /// How long to search for settings.
    #[arg(long, value_enum, default_value = "quick")]
    effort: EffortName,
}

pub fn feedback(arguments: &FeedbackArguments, ui: &Ui) -> Done {
    let FeedbackArguments { learning, catalogue, effort } = arguments;
    let how = (Effort::from(*effort), None);
    let outcome = learning.measure(Some(catalogue), how, ui, evaluate)?;
    let Outcome { auc: [with, without], intervals, listeners, verdicts, by_plays, ranking } =
        outcome;
    let [liked, skipped] = verdicts;
    ui.finish(
        &json!({
            "auc": with,
            "auc_without_skips": without,
            "intervals": {
                "auc": intervals[0],
                "auc_without_skips": intervals[1],
                "gain": intervals[2],
            },
            "listeners": listeners,
            "liked": liked,
            "skipped": skipped,
            "liked_are_plays": by_plays,
            "ranker": ranking.as_ref().map(ranking_json),
        }),
        &format!(
            "auc                {}\nwithout skips      {}\ngain               {}\n\
             {}: {} against {}{}\n\n{}",
            sure(with, &intervals[0]),
            sure(without, &intervals[1]),
            sure(with - without, &intervals[2]),
            counted(listeners, "listener"),
            counted(liked, "liked track"),
            counted(skipped, "skipped one"),
            if by_plays { ", where a play of half a track or more is a like" } else { "" },
            ranking_text(ranking.as_ref()),
        ),
    )
}

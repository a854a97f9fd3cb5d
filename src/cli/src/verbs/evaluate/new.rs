//! `segue evaluate new`.

use std::fmt::Write as _;

use clap::Args;
use segue_train::{
    evaluate::unheard::{FIGURES, Outcome, Ranking, evaluate},
    search::Effort,
};
use serde_json::{Map, Value, json};

use super::{detail::sure, learning::Learning};
use crate::{
    failure::Done,
    ui::{Ui, counted},
    verbs::{Catalogue, new_tracks::new_json, train::EffortName},
};

/// How new tracks are ranked before anyone has heard them.
///
/// Holds whole tracks out of the log, of those that two listeners liked at least; they get factors from
/// artist, album and tags, and the listeners who liked them are folded in from the rest of what they heard,
/// by the engine that ships. Beside it, what needs no factors, and what the factors would be if other
/// listeners had heard the tracks. What stands behind ± is half of a 95 % interval, by the bootstrap over
/// listeners.
#[derive(Args)]
#[command(after_help = "Example:\n  segue evaluate new --events events.jsonl --catalogue \
                        catalogue.jsonl --json")]
pub struct NewArguments {
    #[command(flatten)]
    learning: Learning,
    #[command(flatten)]
    catalogue: Catalogue,
    /// The share of the tracks that is held out.
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    share: f64,
    /// How long to search for settings.
    #[arg(long, value_enum, default_value = "quick")]
    effort: EffortName,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "a share is above 0 and below 1".to_owned())
}

pub fn new(arguments: &NewArguments, ui: &Ui) -> Done {
    let NewArguments { learning, catalogue, share, effort } = arguments;
    let how = (Effort::from(*effort), None);
    let outcome = learning.measure(Some(catalogue), how, ui, |dataset, options, progress| {
        evaluate(dataset, options, *share, progress)
    })?;
    ui.finish(&to_json(&outcome), &to_text(&outcome))
}

fn to_json(outcome: &Outcome) -> Value {
    let ranking = |ranking: &Ranking| {
        let mut value = Map::new();
        let mut intervals = Map::new();
        let figures = FIGURES.iter().zip(ranking.figures.iter().zip(&ranking.intervals));
        for (name, (figure, ends)) in figures.take(ranking.count()) {
            value.insert((*name).to_owned(), json!(figure));
            intervals.insert((*name).to_owned(), json!(ends));
        }
        value.insert("intervals".to_owned(), intervals.into());
        (ranking.name.to_owned(), Value::Object(value))
    };
    json!({
        "held_out": outcome.held_out,
        "tracks": outcome.tracks,
        "listeners": outcome.listeners,
        "rankings": outcome.rankings.iter().map(ranking).collect::<Map<_, _>>(),
        "chosen": outcome.new.as_ref().map(|new| new_json(outcome.held_out, new)),
    })
}

fn to_text(outcome: &Outcome) -> String {
    const WIDTH: usize = 18;
    let names = outcome.rankings.iter().map(|ranking| ranking.name.len());
    let width = names.max().unwrap_or(0);
    let mut text = format!(
        "{} held out of {}; {} who liked one of them\n\n{:width$}",
        counted(outcome.held_out, "track"),
        counted(outcome.tracks, "track"),
        counted(outcome.listeners, "listener"),
        ""
    );
    FIGURES.iter().for_each(|name| {
        let _ = write!(text, "{name:>WIDTH$}");
    });
    for ranking in &outcome.rankings {
        let _ = write!(text, "\n{:width$}", ranking.name);
        let figures = ranking.figures.iter().zip(&ranking.intervals);
        for (&figure, interval) in figures.take(ranking.count()) {
            let _ = write!(text, "{:>WIDTH$}", sure(figure, interval));
        }
    }
    text
}

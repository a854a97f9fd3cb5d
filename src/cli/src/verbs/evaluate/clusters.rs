//! `segue evaluate clusters`.

use clap::Args;
use segue_train::{
    evaluate::stability::{Agreement, KNOWN, Stability, stability},
    search::Effort,
};
use serde_json::{Value, json};

use super::learning::Learning;
use crate::{
    failure::Done,
    ui::{Ui, counted},
};

/// How stable taste clusters are.
///
/// Trains factors from several seeds, and once without the latest 3 % of events, and says how far the
/// clusters agree by the adjusted Rand index: 1 where they are the same, 0 where they agree by chance.
/// Settings are chosen once. Clusters of a model that is trained again are found anew, and as `segue train
/// --after` finds them.
#[derive(Args)]
#[command(after_help = "Example:\n  segue evaluate clusters --events plays.tsv --seeds 3 --json")]
pub struct ClustersArguments {
    #[command(flatten)]
    learning: Learning,
    /// How many seeds to compare, from --seed on.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=64))]
    seeds: u64,
    /// Taste clusters [default: √(tracks/2), at most 64].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clusters: Option<u16>,
}

/// Measures, and says how stable they are.
pub fn clusters(arguments: &ClustersArguments, ui: &Ui) -> Done {
    let ClustersArguments { learning, seeds, clusters } = arguments;
    let how = (Effort::QUICK, *clusters);
    let found = learning.measure(None, how, ui, |dataset, options, progress| {
        stability(dataset, options, *seeds, progress)
    })?;
    let Stability { seeds, retrained, after, clusters, tracks } = found;
    let figures =
        |Agreement { all, known }: Agreement| -> Value { json!({ "all": all, "known": known }) };
    let index = |of: Option<f64>| of.map_or_else(|| "–".to_owned(), |of| format!("{of:.3}"));
    let line =
        |Agreement { all, known }: Agreement| format!("{:>9}{:>9}", index(all), index(known));
    ui.finish(
        &json!({
            "seeds": figures(seeds),
            "retrained": figures(retrained),
            "after": figures(after),
            "compared": arguments.seeds,
            "clusters": clusters,
            "tracks": tracks,
            "known_from": KNOWN,
        }),
        &format!(
            "adjusted Rand index      all    known\n\
             between {} seeds    {}\n\
             trained again      {}\n\
             the same, --after  {}\n\
             {} of {}; known are those that {KNOWN} listeners or more said yes to; trained again\n\
             with 3 % more events",
            arguments.seeds,
            line(seeds),
            line(retrained),
            line(after),
            counted(clusters, "taste cluster"),
            counted(tracks, "track"),
        ),
    )
}

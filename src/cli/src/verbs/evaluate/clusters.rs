//! `segue evaluate clusters`.

use std::path::PathBuf;

use clap::Args;
use segue_train::{
    evaluate::stability::{Agreement, KNOWN, Stability, stability},
    pipeline::Options,
    progress::Progress,
    search::Effort,
};
use serde_json::{Value, json};

use crate::{
    failure::Done,
    ui::{STOP, Ui, counted},
    verbs::{Catalogue, logs::Logs, search::Search},
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
    /// Listening logs, in the formats of `segue train`.
    #[arg(long, required = true, num_args = 1.., value_name = "LOG")]
    events: Vec<PathBuf>,
    /// Read a field from the column of this name: `--column track=song_id`; `--column mood=` leaves
    /// a field out.
    #[arg(long = "column", value_name = "FIELD=NAME", value_parser = crate::verbs::logs::column)]
    columns: Vec<String>,
    /// Count lines that cannot be read, and go on.
    #[arg(long)]
    skip_bad_lines: bool,
    /// How many seeds to compare.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=64))]
    seeds: u64,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    /// Taste clusters [default: √(tracks/2), at most 64].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clusters: Option<u16>,
    #[command(flatten)]
    search: Search,
    /// Seed of everything random, the first one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Measures, and says how stable they are.
pub fn clusters(arguments: &ClustersArguments, ui: &Ui) -> Done {
    ui.heed_interrupt(arguments.search.folder())?;
    let checkpoints = arguments.search.checkpoints()?;
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
    let logs = Logs {
        events: &arguments.events,
        catalogue: &Catalogue { catalogue: None },
        columns: &arguments.columns,
        skip_bad_lines: arguments.skip_bad_lines,
    };
    let dataset = logs.read(ui, &progress)?.dataset;
    let options = Options {
        dim: arguments.dim.into(),
        clusters: arguments.clusters.map(usize::from),
        seed: arguments.seed,
        effort: Effort::QUICK.within(arguments.search.budget()),
        head: None,
        after: None,
    };
    let found = stability(&dataset, &options, arguments.seeds, &progress)?;
    arguments.search.note_taken(&checkpoints, ui);
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

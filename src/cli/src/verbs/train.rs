//! `segue train`.

use std::{path::PathBuf, time::Instant};

use segue_core::{
    event::Kind,
    model::{Model, container},
};
use segue_train::{
    dataset::{Dataset, Reading},
    factors::Method,
    pipeline::{Options, Trained, train},
    progress::Progress,
    responses::Learned,
    search::{Attempts, Effort, Following, People},
};
use serde_json::{Value, json};

use super::update::{Before, drifted_text, share};
use super::{
    Catalogue,
    logs::Logs,
    new_tracks::{new_json, new_text},
    pairs, read_model,
    search::Search,
    shown,
};
use crate::{
    failure::Done,
    methods::{chosen_text, settings_json, tried_json, tried_table},
    output::{check, write_whole},
    ranking::{ranking_json, ranking_text},
    ui::{STOP, Ui, counted, grouped},
};

/// Train a model from listening logs.
///
/// Reads JSON Lines, TSV, CSV and Parquet, packed by gzip or Zstandard or not. Columns are
/// recognised by their names. Methods compete on each listener's latest events, held out: popularity,
/// spectral factors, linear autoencoders, implicit ALS and contrastive factors. The model that is written
/// has seen everything.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    segue train events.jsonl --catalogue catalogue.jsonl --out model.segue\n  \
    segue train plays.csv.gz --column user=listener --column at=started --out model.segue\n  \
    segue train events.parquet --effort full --budget 30 --checkpoints kept --out model.segue\n  \
    segue train events.jsonl --after model.segue --out next.segue\n  \
    segue train events.jsonl --update model.segue --out next.segue\n\n\
    Fields: user, track, at (required; seconds or milliseconds since 1970, or RFC 3339), id,\n\
    session, kind, skipped (true makes a play a skip), played_ms, duration_ms, play_ratio (0 to\n\
    1), region, tz_offset_min, device, source, mood, title, artist, album, tags; propensity and\n\
    candidates are for `segue evaluate replay` alone. Without a kind, an event is a play. Where a\n\
    row has no duration_ms, another one or the catalogue tells it.\n\n\
    Tracks of the catalogue that nobody has heard yet get factors from artist, album and tags, as\n\
    far as held-out tracks show that these tell; one of which it says none of the three stays out.")]
pub struct Arguments {
    /// Listening logs: files, folders of them, or a lake, also one such as s3://bucket/lake; `-` is standard input.
    #[arg(required = true, value_name = "EVENTS")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    days: super::logs::Days,
    #[command(flatten)]
    catalogue: Catalogue,
    /// Where the model goes.
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
    /// Read a field from the column of this name: `--column track=song_id`; `--column mood=` leaves
    /// a field out.
    #[arg(long = "column", value_name = "FIELD=NAME", value_parser = super::logs::column)]
    columns: Vec<String>,
    /// Count lines that cannot be read, and go on.
    #[arg(long)]
    skip_bad_lines: bool,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    /// Taste clusters [default: √(tracks/2), at most 64].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clusters: Option<u16>,
    /// An earlier model: training goes on from its factors where it has as many components and implicit ALS
    /// is chosen, and its taste clusters keep their numbers and, where they are still the same, their names.
    #[arg(long, value_name = "MODEL", conflicts_with = "clusters")]
    after: Option<PathBuf>,
    /// The version before: train as it was trained, and change it only where that is worth its bytes, so that
    /// a delta is small. Where that is not enough any more, a model is trained anew, after it.
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["after", "clusters", "dim", "head", "seed", "effort"])]
    update: Option<PathBuf>,
    /// How far the lists of listeners are to agree with those of a model of which everything is sent that changes.
    #[arg(long, value_name = "SHARE", default_value_t = 0.975, requires = "update", value_parser = share)]
    agreement: f64,
    /// Tracks, the most played, that a page loads first; the others go by taste cluster into shards
    /// [default: all, or 8192 of more than 100000].
    #[arg(long, value_name = "TRACKS", value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    head: Option<u32>,
    /// Leave out the tracks of the catalogue that nobody has heard.
    #[arg(long)]
    heard_only: bool,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long to search for settings.
    #[arg(long, value_enum, default_value = "quick")]
    effort: EffortName,
    #[command(flatten)]
    search: Search,
    /// Threads; the model is the same for any number [default: one a core].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum EffortName {
    /// A sample of listeners, about 100 epochs.
    Quick,
    /// Everything, about 500 epochs.
    Full,
}

impl From<EffortName> for Effort {
    fn from(name: EffortName) -> Self {
        match name {
            EffortName::Quick => Self::QUICK,
            EffortName::Full => Self::FULL,
        }
    }
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    ui.heed_interrupt(arguments.search.folder())?;
    let inputs = arguments.events.iter().chain(&arguments.catalogue.catalogue);
    let inputs = inputs.chain(&arguments.after).chain(&arguments.update);
    let checkpoints = arguments.search.checkpoints()?;
    check(&arguments.out, inputs.map(PathBuf::as_path))?;
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global()?;
    }
    let mut after = arguments.after.as_deref().map(read_model).transpose()?;
    if let Some(after) = &after {
        note_what_is_made_anew(after, arguments.dim.into(), ui);
    }
    let before = arguments.update.as_deref().map(Before::read).transpose()?;
    let started = Instant::now();
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
    let logs = Logs {
        events: &arguments.events,
        catalogue: &arguments.catalogue,
        columns: &arguments.columns,
        skip_bad_lines: arguments.skip_bad_lines,
        offers: false,
        days: arguments.days,
    };
    let Reading { dataset, summaries, .. } = logs.read(ui, &progress)?;
    let dataset = if arguments.heard_only { dataset.into_heard() } else { dataset };
    let mut dim = arguments.dim.into();
    if let Some(before) = before {
        let updated = before.update(&dataset, arguments.agreement, &progress)?;
        if let Some(next) = &updated.model {
            return before.finish(next, &updated, (&arguments.out, started), ui);
        }
        ui.note(&drifted_text(&updated, arguments.agreement));
        dim = before.model.dim();
        after = Some(before.model);
    }
    let options = Options {
        dim,
        clusters: arguments.clusters.map(usize::from),
        seed: arguments.seed,
        effort: Effort::from(arguments.effort).within(arguments.search.budget()),
        head: arguments.head.map(|tracks| tracks as usize),
        after: after.as_ref(),
    };
    let trained = train(&dataset, &options, &progress)?;
    arguments.search.note_taken(&checkpoints, ui);
    if let Some(after) = &after {
        note_what_went_on(after, &dataset, &trained, ui);
    }
    let note = trained.recipe.to_note();
    let file = trained.model.to_file_with(&[(container::RECIPE, &note)]);
    write_whole(&arguments.out, |out| Ok(out.write_all(&file)?))?;
    let seconds = started.elapsed().as_secs_f64();
    let bad: u64 = summaries.iter().map(|summary| summary.bad_lines).sum();
    ui.finish(
        &to_json(&trained, &shown(&arguments.out), file.len(), bad, seconds),
        &to_text(&trained, &shown(&arguments.out), file.len(), seconds),
    )
}

/// What of an earlier model a training cannot go on from.
fn note_what_is_made_anew(after: &Model, dim: usize, ui: &Ui) {
    if after.dim() != dim {
        ui.note(&format!(
            "the earlier model has {} components, these factors {dim}: they are trained anew; --dim {0} goes on \
             from its factors",
            after.dim()
        ));
    }
    if after.clusters().is_none() {
        let tracks = counted(after.len(), "track");
        ui.note(&format!(
            "the earlier model has no clusters for its {tracks}: they are found anew"
        ));
    }
}

/// Whether the factors went on from those of the earlier model.
fn note_what_went_on(after: &Model, dataset: &Dataset, trained: &Trained, ui: &Ui) {
    if after.dim() != trained.model.dim() {
        return;
    }
    if trained.settings.method == Method::Als {
        let known = dataset.tracks.iter().filter(|track| after.row(&track.track).is_some()).count();
        let (known, all) = (grouped(known), counted(dataset.tracks.len(), "track"));
        ui.note(&format!(
            "the factors of {known} of {all} went on from those of the earlier model"
        ));
    } else {
        ui.note(&format!(
            "the factors are trained anew: those of {} do not go on from earlier ones",
            trained.settings.method.name()
        ));
    }
}

fn to_json(trained: &Trained, out: &str, bytes: usize, bad_lines: u64, seconds: f64) -> Value {
    let responses: Vec<Value> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let r = trained.learned.responses.of(kind);
            json!({ "kind": kind.name(), "events": trained.events[kind as usize],
                    "weight": r.weight, "target": r.target, "learned_from": r.learned_from })
        })
        .collect();
    json!({
        "out": out,
        "bytes": bytes,
        "tracks": trained.model.len(),
        "listeners": trained.listeners,
        "bad_lines": bad_lines,
        "dim": trained.model.dim(),
        "clusters": trained.model.clusters().map(|c| c.len()),
        "method": trained.settings.method.name(),
        "settings": settings_json(&trained.settings),
        "tried": tried_json(&trained.tried),
        "settings_chosen_on": trained.validation.map(|a| a.listeners),
        "validation_recall@20": trained.validation.map(|a| a.recall_20),
        "validation_ndcg@20": trained.validation.map(|a| a.ndcg_20),
        "transitions": pairs(&trained.model),
        "new_tracks": trained.new.as_ref().map(|new| new_json(trained.new_tracks, new)),
        "next_p@20": trained.following.map(|f| f.with.hits_20),
        "next_mrr@20": trained.following.map(|f| f.with.mrr_20),
        "next_p@20_by_taste": trained.following.map(|f| f.without.hits_20),
        "next_mrr@20_by_taste": trained.following.map(|f| f.without.mrr_20),
        "transitions_chosen_on": trained.following.map(|f| f.with.queries),
        "also_finished_recall@20": trained.people.map(|p| p.recall_20[0]),
        "also_finished_recall@20_by_popularity": trained.people.map(|p| p.recall_20[1]),
        "also_finished_ships": trained.people.is_some_and(|p| p.recipe.is_some()),
        "auc_defined": trained.learned.auc_defined,
        "auc_learned": trained.learned.auc_learned,
        "responses_chosen_on": trained.learned.listeners,
        "responses": responses,
        "ranker": trained.ranking.as_ref().map(ranking_json),
        "seconds": seconds,
    })
}

fn to_text(trained: &Trained, out: &str, bytes: usize, seconds: f64) -> String {
    let events: usize = trained.events.iter().sum();
    format!(
        "{out}: {}, {}, {} bytes, from {} by {} in {seconds:.1} s\n{}\n{}{}\n{}\n{}",
        counted(trained.model.len(), "track"),
        counted(trained.model.clusters().map_or(0, |c| c.len()), "taste cluster"),
        grouped(bytes),
        counted(events, "event"),
        counted(trained.listeners, "listener"),
        validation_text(trained),
        trained.new.map(|new| new_text(trained.new_tracks, &new)).unwrap_or_default(),
        following_text(trained.following),
        people_text(trained.people),
        learned_text(&trained.learned) + "\n" + &ranking_text(trained.ranking.as_ref()),
    )
}

fn validation_text(trained: &Trained) -> String {
    let Some(accuracy) = trained.validation else {
        return "too few listeners to choose settings on: those of Rendle et al. (2021) are used"
            .into();
    };
    // Where listeners say no, what has no place for it does not compete.
    let spectral = |attempts: &Attempts| matches!(attempts.best.method, Method::Spectral(..));
    let alone = if trained.tried.iter().any(spectral) {
        ""
    } else {
        "  the others have no place for the noes of this log\n"
    };
    format!(
        "{}\n{alone}{}\nrecall@20 {:.4}, ndcg@20 {:.4}: the share of what listeners came to like in their latest \
         events\n  that was among the first 20 tracks for them, and how far up it was; on {}, \
         by factors\n  trained without these events (the settings were chosen on them, so \
         optimistic)",
        tried_table(&trained.tried, &trained.settings),
        chosen_text(&trained.settings),
        accuracy.recall_20,
        accuracy.ndcg_20,
        counted(accuracy.listeners, "listener"),
    )
}

fn following_text(following: Option<Following>) -> String {
    let Some(Following { without, with, follow }) = following else {
        return "too few sittings to tell from what follows what, so none of it ships".into();
    };
    if follow.is_none() {
        return format!(
            "what follows what tells no more of the next track than taste does, so none of it ships; \
             on {}",
            counted(with.queries, "play")
        );
    }
    format!(
        "next track: p@20 {:.4}, mrr@20 {:.4}, by taste alone {:.4} and {:.4}: the share of later \
         plays\n  that were among the first 20 tracks after those before them in the same sitting, \
         and how far up;\n  on {} (what follows what was weighed on them, so optimistic)",
        with.hits_20,
        with.mrr_20,
        without.hits_20,
        without.mrr_20,
        counted(with.queries, "play"),
    )
}

fn people_text(people: Option<People>) -> String {
    let Some(People { recipe, recall_20: [found, popular], listeners, .. }) = people else {
        return "too few listeners finished what was new to them to tell what people of a taste finish"
            .into();
    };
    let ships = if recipe.is_some() { "" } else { ", so none of it ships" };
    format!(
        "what people of a taste finish: recall@20 {found:.4}, by popularity {popular:.4}{ships}: the \
         share of what\n  listeners came to finish that was among the first 20; on {} (chosen on \
         them, so optimistic)",
        counted(listeners, "listener"),
    )
}

fn learned_text(learned: &Learned) -> String {
    let (Some(before), Some(after)) = (learned.auc_defined, learned.auc_learned) else {
        return "too few listeners skipped as well as finished tracks among their latest that were held out \
                to learn what a skip says: it\n  counts as one plain no"
            .into();
    };
    let listeners = learned.listeners;
    let said = match (after > before, after > 0.5) {
        (false, _) => "nothing was learned of skips and likes",
        (true, false) => "skips and likes tell nothing of other tracks in this log",
        (true, true) => "what skips and likes say was learned from the log",
    };
    let optimistic =
        if after > before { " (the weights were chosen on them, so optimistic)" } else { "" };
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let learned = if after > before { percent(after) + ", against " } else { String::new() };
    format!(
        "{said}: of two tracks new to a listener,\n  the one that they went on to finish or like \
         ranks above the one that they went on to skip in\n  {learned}{} of pairs where each \
         event counts as one plain yes or no, 50 % by chance; on\n  {}{optimistic}",
        percent(before),
        counted(listeners, "listener"),
    )
}

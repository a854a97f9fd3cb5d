//! `segue simulate`.

mod trial;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use segue_core::{event::Event, slate};
use segue_sim::{
    Config, World,
    trial::{Arm, UnknownArm},
};
use serde_json::json;

use super::shown;
use crate::{
    failure::{Done, Failure},
    output::{Prepared, cannot, check, prepare},
    ui::{STOP, Ui, counted, grouped},
};

/// Write the listening log of a simulated world.
///
/// Artists, tracks, listeners whose tastes drift, regions, devices, playlists, skips, a few tracks
/// that go viral and a genre that emerges: the same seed and sizes give the same log.
///
/// With --policy recommenders are tried on these listeners instead: a model is trained on the log, then listeners
/// come back, the recommender chooses what is played from what a plain service has on offer, and they react. What
/// the listeners share with the model, and what they do not, is told in ARCHITECTURE.md of its source.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  segue simulate --listeners 2000 --tracks 5000 --days 30 \
                        --seed 1 --out events.jsonl --catalogue catalogue.jsonl\n  \
                        segue simulate --policy all --worlds 5")]
pub struct Arguments {
    /// How many listeners.
    #[arg(long, default_value_t = Config::default().listeners, value_parser = clap::value_parser!(u32).range(1..))]
    listeners: u32,
    /// How many tracks.
    #[arg(long, default_value_t = Config::default().tracks, value_parser = clap::value_parser!(u32).range(1..))]
    tracks: u32,
    /// How many days.
    #[arg(long, default_value_t = Config::default().days, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    /// Any number.
    #[arg(long, default_value_t = Config::default().seed)]
    seed: u64,
    /// Where the events go, one JSON object a line.
    #[arg(long, value_name = "EVENTS", required_unless_present = "policy")]
    out: Option<PathBuf>,
    /// Where titles, artists and tags go, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// Where the truth goes that mining ought to find: what went viral, what emerged.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Recommenders to try, separated by commas: random, popularity, taste (the log alone), session (the sitting
    /// alone), full (both), chosen (full, with the choices below) and oracle (what nobody can know); or all.
    #[arg(long, value_name = "NAMES", value_parser = policies, conflicts_with_all = ["out", "catalogue", "truth", "explore"])]
    policy: Option<Policies>,
    /// How many worlds, each with its own model, the recommenders are tried in.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100), conflicts_with = "out")]
    worlds: u32,
    /// How many listeners of each world come back; all where there are fewer.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "out")]
    people: u32,
    /// Draw what is offered from about twenty tracks with known chances, and write an impression with these
    /// before what the listener does: a log for `segue evaluate replay`.
    #[arg(long)]
    explore: bool,
    #[command(flatten)]
    choices: Choices,
}

/// How the policy `chosen` chooses, beside scores; what is left out is as it is by default.
#[derive(Clone, Copy, clap::Args)]
struct Choices {
    /// Policy `chosen`: how much less alike the tracks of a queue are, 0 to 1.
    #[arg(long, default_value_t = slate::Options::default().diversity, value_parser = up_to::<1>, conflicts_with = "out")]
    diversity: f32,
    /// Policy `chosen`: places between two tracks of an artist.
    #[arg(long, default_value_t = slate::Options::default().artist_gap, conflicts_with = "out")]
    artist_gap: u8,
    /// Policy `chosen`: places between two tracks of an album.
    #[arg(long, default_value_t = slate::Options::default().album_gap, conflicts_with = "out")]
    album_gap: u8,
    /// Policy `chosen`: deviations of score that go off the artist that was just heard.
    #[arg(long, default_value_t = slate::Options::default().fatigue, value_parser = up_to::<1000>, conflicts_with = "out")]
    fatigue: f32,
    /// Policy `chosen`: how far the taste is drawn from what is known of it.
    #[arg(long, default_value_t = slate::Options::default().explore, value_parser = up_to::<1000>, conflicts_with = "out")]
    exploration: f32,
}

impl From<Choices> for slate::Options {
    fn from(choices: Choices) -> Self {
        let Choices { diversity, artist_gap, album_gap, fatigue, exploration: explore } = choices;
        Self { diversity, artist_gap, album_gap, fatigue, explore, ..Self::OFF }
    }
}

fn up_to<const MOST: u16>(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number| (0.0..=f32::from(MOST)).contains(number));
    number.ok_or_else(|| format!("give a number from 0 to {MOST}"))
}

#[derive(Clone)]
struct Policies(Vec<Arm>);

fn policies(names: &str) -> Result<Policies, UnknownArm> {
    if names == "all" {
        return Ok(Policies(Arm::ALL.to_vec()));
    }
    let mut all: Vec<Arm> = Vec::new();
    for name in names.split(',') {
        let arm: Arm = name.trim().parse()?;
        if !all.contains(&arm) {
            all.push(arm);
        }
    }
    Ok(Policies(all))
}

/// What is written, in this order: where the events are, all is.
#[derive(Clone, Copy)]
enum Part {
    Catalogue,
    Truth,
    Events,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    ui.heed_interrupt(None)?;
    let Arguments { listeners, tracks, days, seed, .. } = *arguments;
    let config = Config { listeners, tracks, days, seed, ..Config::default() };
    if let Some(Policies(policies)) = &arguments.policy {
        let Arguments { worlds, people, choices, .. } = *arguments;
        let plan = trial::Plan { config, policies, worlds, people, options: choices.into() };
        return trial::run(&plan, ui);
    }
    let parts = parts(arguments);
    for (at, (_, path)) in parts.iter().enumerate() {
        check(path, parts[..at].iter().map(|(_, other)| *other))?;
    }
    ui.say("building the world");
    let world = World::new(&config)?;
    let mut events = 0_usize;
    let mut count = |_: &Event| {
        events += 1;
        if events.is_multiple_of(100_000) {
            ui.say(&format!("writing events {}", grouped(events)));
        }
    };
    let mut prepared = Vec::new();
    for &(part, path) in &parts {
        prepared.extend(prepare(path, |out| match part {
            Part::Catalogue => lines(out, world.catalogue(), path),
            Part::Truth => serde_json::to_writer_pretty(out, &world.truth())
                .map_err(|error| cannot(path)(error.into())),
            Part::Events if arguments.explore => {
                let events = world.explored().map(|explored| explored.event);
                lines(out, events.inspect(&mut count), path)
            }
            Part::Events => lines(out, world.events().inspect(&mut count), path),
        })?);
    }
    // All of one world or none.
    prepared.into_iter().try_for_each(Prepared::take_place)?;
    let out = arguments.out.as_deref().map(shown).unwrap_or_default();
    ui.finish(
        &json!({ "events": events, "listeners": listeners, "tracks": tracks, "out": out }),
        &format!(
            "{} by {} in {out}",
            counted(events, "event"),
            counted(listeners as usize, "listener")
        ),
    )
}

/// Each part that was asked for, and where it goes.
fn parts(arguments: &Arguments) -> Vec<(Part, &Path)> {
    let catalogue = arguments.catalogue.as_deref().map(|path| (Part::Catalogue, path));
    let truth = arguments.truth.as_deref().map(|path| (Part::Truth, path));
    let events = arguments.out.as_deref().map(|path| (Part::Events, path));
    catalogue.into_iter().chain(truth).chain(events).collect()
}

/// Writes a part to `path`.
fn lines(
    out: &mut dyn Write,
    rows: impl Iterator<Item = impl serde::Serialize>,
    path: &Path,
) -> Done {
    for row in rows {
        serde_json::to_writer(&mut *out, &row).map_err(|error| cannot(path)(error.into()))?;
        out.write_all(b"\n").map_err(cannot(path))?;
        if STOP.load(Ordering::Relaxed) {
            return Err(Failure::from("interrupted; nothing was written".to_owned()));
        }
    }
    Ok(())
}

//! `segue simulate`.

use std::{io::Write, path::PathBuf, sync::atomic::Ordering};

use segue_sim::{Config, World};
use serde_json::json;

use super::{shown, write_whole};
use crate::{
    failure::{Done, Failure},
    ui::{STOP, Ui, counted, grouped},
};

/// Write the listening log of a simulated world.
///
/// Artists, tracks, listeners whose tastes drift, regions, devices, playlists, skips, a few tracks
/// that go viral and a genre that emerges: the same seed and sizes give the same log.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue simulate --listeners 2000 --tracks 5000 --days 30 \
                        --seed 1 --out events.jsonl --catalogue catalogue.jsonl")]
pub struct Arguments {
    /// How many listeners.
    #[arg(long, default_value_t = Config::default().listeners)]
    listeners: u32,
    /// How many tracks.
    #[arg(long, default_value_t = Config::default().tracks)]
    tracks: u32,
    /// How many days.
    #[arg(long, default_value_t = Config::default().days)]
    days: u32,
    /// Any number.
    #[arg(long, default_value_t = Config::default().seed)]
    seed: u64,
    /// Where the events go, one JSON object a line.
    #[arg(long, value_name = "EVENTS")]
    out: PathBuf,
    /// Where titles, artists and tags go, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// Where the truth goes that mining ought to find: what went viral, what emerged.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    ui.heed_interrupt()?;
    let Arguments { listeners, tracks, days, seed, .. } = *arguments;
    let config = Config { listeners, tracks, days, seed, ..Config::default() };
    ui.say("building the world");
    let world = World::new(&config)?;
    let mut events = 0_usize;
    write_whole(&arguments.out, |out| {
        lines(
            out,
            world.events().inspect(|_| {
                events += 1;
                if events.is_multiple_of(100_000) {
                    ui.say(&format!("writing events {}", grouped(events)));
                }
            }),
        )
    })?;
    if let Some(path) = &arguments.catalogue {
        write_whole(path, |out| lines(out, world.catalogue()))?;
    }
    if let Some(path) = &arguments.truth {
        write_whole(path, |out| Ok(serde_json::to_writer_pretty(out, &world.truth())?))?;
    }
    let out = shown(&arguments.out);
    ui.finish(
        &json!({ "events": events, "listeners": listeners, "tracks": tracks, "out": out }),
        &format!(
            "{} by {} in {out}",
            counted(events, "event"),
            counted(listeners as usize, "listener")
        ),
    )
}

fn lines(out: &mut dyn Write, rows: impl Iterator<Item = impl serde::Serialize>) -> Done {
    for row in rows {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
        if STOP.load(Ordering::Relaxed) {
            return Err(Failure::from("interrupted; nothing was written"));
        }
    }
    Ok(())
}

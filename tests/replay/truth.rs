//! An exploring log of the simulator, and what is true of the policies that are estimated from it.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::io::Write;

use segue_core::event::Event;
use segue_sim::{Config, World};
use segue_train::{
    dataset::{self, Reading},
    evaluate::replay::Outcome,
    log::Options,
    progress::Progress,
};

/// What was read of an exploring log, and what is true of each of its rows.
pub struct Explored {
    pub reading: Reading,
    /// Of an impression: the chance that each candidate would not have been skipped.
    enjoyed: Vec<Option<Vec<f32>>>,
}

/// Writes the exploring log of a world and reads it again.
pub fn explored(config: &Config) -> Explored {
    let mut enjoyed = Vec::new();
    let world = World::new(config).unwrap();
    let reading = read(world.explored().map(|row| {
        enjoyed.push(row.enjoyed);
        row.event
    }));
    Explored { reading, enjoyed }
}

/// What is read of a log that is written so.
pub fn read(events: impl Iterator<Item = Event>) -> Reading {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for event in events {
        writeln!(file, "{}", serde_json::to_string(&event).unwrap()).unwrap();
    }
    let options = Options { offers: true, ..Options::default() };
    dataset::read(&[file.path()], None, &options, &Progress::silent()).unwrap()
}

impl Explored {
    /// The share of the impressions of `outcome` with which listeners would have been content, had the target
    /// policy made them.
    pub fn value(&self, outcome: &Outcome) -> f64 {
        let of_one = |offer: usize, target: &[f64]| -> f64 {
            let place = self.reading.offers.all[offer].place;
            let enjoyed = self.enjoyed[usize::try_from(place).unwrap()].as_ref().unwrap();
            target.iter().zip(enjoyed).map(|(chance, enjoyed)| chance * f64::from(*enjoyed)).sum()
        };
        let each = outcome.judged.iter().map(|judged| of_one(judged.offer, &judged.target));
        each.sum::<f64>() / outcome.judged.len() as f64
    }
}

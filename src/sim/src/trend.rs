//! What changes over the period: tracks that go viral, and a genre that emerges.
//!
//! Both are functions of time and region that nothing in the log can change, so they are the
//! truth that mining is judged by.

use rand::{Rng, RngExt};

use crate::config::{Config, DAY_MS};
use crate::genre::Genre;
use crate::num::{chance, exp, exponential, sigmoid};
use crate::region::{REGIONS, Region};
use crate::world::TrackIndex;

/// How a trend reaches one region.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    /// How long after the lead region.
    pub lag_ms: i64,
    /// Size relative to the lead region, 0 to 1.
    pub strength: f32,
}

/// A track that goes viral.
#[derive(Clone, Debug)]
pub(crate) struct Viral {
    pub track: TrackIndex,
    pub lead: Region,
    /// Start of the rise and its peak in the lead region.
    pub start_ms: i64,
    pub peak_ms: i64,
    /// After the peak the level halves in this time.
    pub half_life_ms: i64,
    pub spread: [Spread; REGIONS],
}

impl Viral {
    /// How far the craze has got in a region: 0 before, 1 at the peak of the lead region.
    pub fn level(&self, region: Region, now_ms: i64) -> f32 {
        let Spread { lag_ms, strength } = self.spread[region.index()];
        let now = now_ms - lag_ms;
        if now < self.start_ms {
            0.0
        } else if now < self.peak_ms {
            let rise = (now - self.start_ms) as f32 / (self.peak_ms - self.start_ms) as f32;
            strength * rise * rise
        } else {
            let halvings = (now - self.peak_ms) as f32 / self.half_life_ms as f32;
            // What is left after so long is less than one listen.
            if halvings > 16.0 { 0.0 } else { strength * exp(-std::f32::consts::LN_2 * halvings) }
        }
    }
}

/// How many tracks go viral: about one in six days; none in a catalogue too small to tell.
pub(crate) fn viral_count(config: &Config) -> usize {
    if config.tracks < 50 { 0 } else { config.days.div_ceil(6).min(config.tracks / 50) as usize }
}

/// Draws the course of each viral track; `tracks` are those that will.
pub(crate) fn virals<R: Rng + ?Sized>(
    config: &Config,
    tracks: &[TrackIndex],
    rng: &mut R,
) -> Vec<Viral> {
    tracks.iter().map(|&track| viral(config, track, rng)).collect()
}

fn viral<R: Rng + ?Sized>(config: &Config, track: TrackIndex, rng: &mut R) -> Viral {
    let span = config.span_ms();
    // A craze takes days; in a short period its course is pressed into the period.
    let unit = (span / 10).min(3 * DAY_MS);
    let start_ms = config.start_ms + span / 5 + rng.random_range(0..span / 2);
    let lead = Region::draw(rng, |region| region.listeners());
    let spread = spread(lead, unit / 2, 2 * unit, 0.15..0.7, rng);
    Viral {
        track,
        lead,
        start_ms,
        peak_ms: start_ms + unit / 2 + rng.random_range(0..unit),
        half_life_ms: unit / 2 + rng.random_range(0..unit),
        spread,
    }
}

fn spread<R: Rng + ?Sized>(
    lead: Region,
    least_lag_ms: i64,
    most_lag_ms: i64,
    strengths: std::ops::Range<f32>,
    rng: &mut R,
) -> [Spread; REGIONS] {
    let mut all = [Spread::default(); REGIONS];
    for region in Region::all() {
        all[region.index()] = Spread {
            lag_ms: rng.random_range(least_lag_ms..most_lag_ms),
            strength: rng.random_range(strengths.clone()),
        };
    }
    all[lead.index()] = Spread { lag_ms: 0, strength: 1.0 };
    all
}

/// The genre that emerges.
#[derive(Clone, Debug)]
pub(crate) struct Emerging {
    pub parents: [Genre; 2],
    pub lead: Region,
    /// How many tracks of the catalogue belong to it.
    pub tracks: u32,
    /// When half of those in the lead region who ever will have taken to it.
    pub midpoint_ms: i64,
    /// Time constant of the logistic curve.
    pub width_ms: i64,
    spread: [Spread; REGIONS],
}

impl Emerging {
    /// Draws the course of the genre; `None` in a catalogue too small for one.
    pub fn new<R: Rng + ?Sized>(config: &Config, parents: [Genre; 2], rng: &mut R) -> Option<Self> {
        if config.tracks < 100 {
            return None;
        }
        let span = config.span_ms();
        let lead = Region::draw(rng, |region| region.listeners());
        Some(Self {
            parents,
            lead,
            tracks: (config.tracks / 40).max(4),
            midpoint_ms: config.start_ms + rng.random_range(span * 2 / 5..span / 2),
            width_ms: span / 12,
            spread: spread(lead, span / 50, span / 6, 0.5..0.95, rng),
        })
    }

    /// How far the genre has got in a region, 0 to 1: a logistic curve.
    pub fn level(&self, region: Region, now_ms: i64) -> f32 {
        let Spread { lag_ms, strength } = self.spread[region.index()];
        let lateness = now_ms - self.midpoint_ms - lag_ms;
        strength * sigmoid(lateness as f32 / self.width_ms as f32)
    }

    /// When a track of the genre comes out: some before the period, most in its first two thirds.
    pub fn release<R: Rng + ?Sized>(&self, config: &Config, rng: &mut R) -> i64 {
        if chance(rng, 0.2) {
            config.start_ms - (exponential(rng, 90.0) * DAY_MS as f32) as i64
        } else {
            config.start_ms + rng.random_range(0..config.span_ms() * 2 / 3)
        }
    }
}

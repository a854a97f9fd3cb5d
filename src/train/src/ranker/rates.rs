//! How many listeners say yes to each track, with those of its artist and of all behind where few said
//! anything.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use segue_core::{
    model::{Rate, Worth},
    session::Evidence,
    verdicts::Verdict,
};

use crate::dataset::{Dataset, Heard, gather};

/// Verdicts behind a track or an artist that are tried.
const BEHIND: [f64; 5] = [1.0, 3.0, 10.0, 30.0, 100.0];

/// Verdicts of the wider circle that a track, and an artist, is taken to have: an empirical Bayes prior of a
/// binomial (Morris, "Parametric Empirical Bayes Inference", 1983).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shrinkage {
    /// Of the artist, behind a track.
    pub artist: f64,
    /// Of all, behind an artist.
    pub all: f64,
}

/// What was said of something.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    yes: f64,
    all: f64,
}

impl Said {
    fn add(&mut self, Verdict { weight, yes }: Verdict) {
        self.yes += f64::from(weight * yes);
        self.all += f64::from(weight);
    }

    fn without(self, one: Self) -> Self {
        Self { yes: (self.yes - one.yes).max(0.0), all: (self.all - one.all).max(0.0) }
    }

    /// The share of yes, beside `behind` verdicts of which `share` are.
    fn share(&self, behind: f64, share: f64) -> f64 {
        if self.all + behind > 0.0 {
            (self.yes + behind * share) / (self.all + behind)
        } else {
            share
        }
    }
}

/// What listeners said, by track, by artist and in all.
#[derive(Clone, Debug)]
pub struct Counts {
    tracks: Vec<Said>,
    artists: Vec<Said>,
    artist_of: Vec<Option<u32>>,
    all: Said,
}

impl Counts {
    /// Of the events that `part` gives of each listener.
    pub fn of<'a>(
        dataset: &'a Dataset,
        worth: &Worth,
        part: impl Fn(usize) -> &'a [Heard],
    ) -> Self {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let artist_of: Vec<Option<u32>> = dataset
            .tracks
            .iter()
            .map(|track| {
                let next = numbers.len() as u32;
                let artist = track.artist.as_str();
                (!artist.is_empty()).then(|| *numbers.entry(artist).or_insert(next))
            })
            .collect();
        let mut counts = Self {
            tracks: vec![Said::default(); dataset.tracks.len()],
            artists: vec![Said::default(); numbers.len()],
            artist_of,
            all: Said::default(),
        };
        for listener in 0..dataset.listeners() {
            gather(part(listener)).iter().for_each(|evidence| counts.add(evidence, worth));
        }
        counts
    }

    fn add(&mut self, evidence: &Evidence, worth: &Worth) {
        let verdict = Verdict::of(evidence, worth, 0.0);
        let track = evidence.row.index();
        self.tracks[track].add(verdict);
        self.all.add(verdict);
        if let Some(artist) = self.artist_of[track] {
            self.artists[artist as usize].add(verdict);
        }
    }

    /// How much is behind, by the likelihood of each verdict beside all others: nothing but what is counted is
    /// looked at.
    pub fn shrinkage(&self) -> Shrinkage {
        let all = BEHIND.into_iter().flat_map(|artist| BEHIND.map(|all| Shrinkage { artist, all }));
        let measured = all.map(|by| (self.log_likelihood(by), by));
        let better = |a: (f64, Shrinkage), b: (f64, Shrinkage)| if b.0 > a.0 { b } else { a };
        let cautious = Shrinkage { artist: 10.0, all: 10.0 };
        measured.fold((f64::NEG_INFINITY, cautious), better).1
    }

    /// Of each verdict on a track, from the others.
    fn log_likelihood(&self, by: Shrinkage) -> f64 {
        let of = |track: usize, said: f64, yes: f64| {
            let one = Said { yes: yes * said.min(1.0), all: said.min(1.0) };
            let share = self.share_without(track, one, by);
            let likely = if yes > 0.0 { share } else { 1.0 - share };
            said * likely.max(1e-9).ln()
        };
        let each = self.tracks.iter().enumerate();
        each.map(|(track, said)| {
            let [yes, no] = [said.yes, said.all - said.yes];
            of(track, yes, 1.0) + of(track, no, 0.0)
        })
        .sum()
    }

    /// The share of yes to a track.
    pub fn share(&self, track: usize, by: Shrinkage) -> f64 {
        self.share_without(track, Said::default(), by)
    }

    /// The same where `one` of what was said of it had not been said.
    fn share_without(&self, track: usize, one: Said, by: Shrinkage) -> f64 {
        let all = self.all.without(one).share(1.0, 0.5);
        let (behind, share) = match self.artist_of[track] {
            None => (by.all, all),
            Some(artist) => {
                (by.artist, self.artists[artist as usize].without(one).share(by.all, all))
            }
        };
        self.tracks[track].without(one).share(behind, share)
    }

    /// The log-odds of a yes to a track of which nothing is known.
    pub fn unknown(&self) -> f32 {
        log_odds(self.all.share(1.0, 0.5))
    }

    /// One entry a track.
    pub fn rates(&self, by: Shrinkage) -> Vec<Rate> {
        (0..self.tracks.len())
            .map(|track| Rate {
                log_odds: log_odds(self.share(track, by)),
                plays: self.tracks[track].all.ln_1p() as f32,
            })
            .collect()
    }
}

fn log_odds(share: f64) -> f32 {
    let share = share.clamp(1e-6, 1.0 - 1e-6);
    (share / (1.0 - share)).ln() as f32
}

//! Whose events train: listeners of some standing, and of those who are new no more than so many.
//!
//! Whoever can send events can make up listeners. Two things bound what that is worth. A listener who heard fewer
//! different tracks than [`Standing::tracks`] tells nothing of taste, and does not count: a flood of events for one track
//! counts for nothing, however many are said to have heard it. And of those whose first event is later than the last round,
//! at most [`Standing::newcomers`] for each listener who was there before are drawn: so a flood of made-up listeners with
//! several tracks each is a bounded share of what is trained on, whatever its size. Whoever is left out for now is drawn
//! from again in the next round, when they are no newcomers any more.

use segue_core::rng::SplitMix64;

use crate::dataset::{Dataset, Heard};

/// Who counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Different tracks that a listener must have met.
    pub tracks: usize,
    /// Newcomers for each listener who was there before; all of them where nobody was.
    pub newcomers: f64,
}

impl Default for Standing {
    fn default() -> Self {
        Self { tracks: 3, newcomers: 0.5 }
    }
}

/// Who was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Listeners who met too few tracks.
    pub slight: usize,
    /// Newcomers who were not drawn.
    pub newcomers: usize,
}

impl Standing {
    /// The log without the events of those who do not count. Newcomers are those without an event until `since`,
    /// milliseconds since 1970.
    pub fn of(&self, dataset: &Dataset, since: i64, seed: u64) -> (Dataset, LeftOut) {
        let listeners = 0..dataset.listeners();
        let mut counts: Vec<bool> =
            listeners.clone().map(|listener| tracks(dataset.of(listener)) >= self.tracks).collect();
        let slight = counts.iter().filter(|counts| !**counts).count();
        let is_new = |listener: usize| dataset.of(listener).first().is_some_and(|e| e.at > since);
        let (mut new, before): (Vec<usize>, Vec<usize>) =
            listeners.filter(|&listener| counts[listener]).partition(|&listener| is_new(listener));
        let most = (before.len() as f64 * self.newcomers).ceil() as usize;
        let mut left = LeftOut { slight, newcomers: 0 };
        if !before.is_empty() && new.len() > most {
            SplitMix64::new(seed).shuffle(&mut new);
            left.newcomers = new.len() - most;
            new[most..].iter().for_each(|&listener| counts[listener] = false);
        }
        if left == LeftOut::default() {
            return (dataset.clone(), left);
        }
        (dataset.filtered(|event| counts[event.listener as usize]), left)
    }
}

/// How many different tracks.
fn tracks(events: &[Heard]) -> usize {
    let mut rows: Vec<u32> = events.iter().map(|event| event.row.0).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.len()
}

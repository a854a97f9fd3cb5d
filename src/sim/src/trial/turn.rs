//! A planted change of mood: how many events later the queue has followed.

use super::{
    Arm, Trial,
    arm::Device,
    sitting::{Visit, drawn},
};
use crate::{Mood, TrackIndex, num::mix};

/// Tracks that are heard before the mood turns, and after it.
pub const BEFORE: usize = 10;
/// See [`BEFORE`].
pub const AFTER: usize = 30;
/// Tracks of the queue that are looked at.
const QUEUE: usize = 10;
/// The number of the sitting, beyond those of [`Trial::run`].
const SITTING: u32 = 1000;

impl Trial<'_> {
    /// One sitting of a person under `arm` that nobody leaves, in which after [`BEFORE`] tracks the mood turns into the
    /// one that is the furthest from it. Nothing tells but what is skipped and played. For each number of events how
    /// well the next tracks of the queue fit the mood that comes, 0 to 1; fewer numbers where offers run out.
    pub fn turn(&self, person: usize, arm: Arm) -> Vec<f64> {
        let world = self.world;
        let person = &self.people[person];
        let mut device = Device::new(self, arm, person);
        let begin = (person.listener.clone(), person.next_ms);
        let mut visit = Visit::begin(world, person.number, SITTING, begin.0, begin.1);
        visit.situation.mood_said = false;
        let comes = opposite(visit.situation.mood);
        let mut fits = Vec::new();
        for place in 0..BEFORE + AFTER {
            if place == BEFORE {
                visit.situation.mood = comes;
            }
            let seed = mix(u64::from(person.number), place as u64);
            let queue = device.choose(&visit.offers, QUEUE, visit.now(), seed);
            let Some(&next) = queue.first() else { break };
            let fit = queue.iter().map(|&at| self.fit(visit.offers[at], comes)).sum::<f64>();
            fits.push(fit / queue.len() as f64);
            let track = visit.offers.remove(next);
            let rng = &mut drawn(world, person.number, SITTING, place as u32 + 1);
            let Visit { listener, situation, now_ms, .. } = &mut visit;
            let reaction = world.react(listener, track, situation, *now_ms, rng);
            let reaction = crate::Reaction { replay: false, ..reaction };
            *now_ms += i64::from(reaction.played_ms);
            listener.remember(world, situation, track, &reaction, *now_ms);
            device.hear(track, &reaction);
        }
        fits
    }

    fn fit(&self, track: TrackIndex, mood: Mood) -> f64 {
        f64::from(self.world.catalogue.track(track).affect.fit(mood.affect()))
    }
}

/// The mood that is the furthest from `mood`.
fn opposite(mood: Mood) -> Mood {
    let fit = |other: &Mood| other.affect().fit(mood.affect());
    Mood::ALL.into_iter().min_by(|a, b| fit(a).total_cmp(&fit(b))).unwrap_or(mood)
}

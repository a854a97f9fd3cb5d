//! One sitting: offers, choices, reactions.

use rand_pcg::Pcg64Mcg;

use super::{
    Arm, OFFERS, Person, SITTINGS, Tally, Trial,
    arm::{Device, Now},
};
use crate::{
    Listener, Policy, Situation, Source, TrackIndex, World,
    num::{generator, mix},
    world::purpose,
};

/// Most tracks of a sitting.
const LONGEST: u32 = 60;
/// Offers that are looked at for each that is taken, at most.
const TRIES: usize = 8;

/// A generator for a place in a sitting of a listener: the same for every arm.
pub(super) fn drawn(world: &World, person: u32, sitting: u32, place: u32) -> Pcg64Mcg {
    let of_person = mix(mix(world.config().seed, purpose::TRIAL), u64::from(person));
    generator(mix(of_person, u64::from(sitting)), u64::from(place))
}

/// How a listener comes back: their state, when, and what is on offer.
pub(super) struct Visit {
    pub listener: Listener,
    pub situation: Situation,
    pub now_ms: i64,
    pub offers: Vec<TrackIndex>,
}

impl Visit {
    /// Number `sitting` of `listener`, at `now_ms`.
    pub fn begin(
        world: &World,
        person: u32,
        sitting: u32,
        mut listener: Listener,
        now_ms: i64,
    ) -> Self {
        let rng = &mut drawn(world, person, sitting, 0);
        listener.advance(world, now_ms, rng);
        let situation = Situation::begin(&listener, now_ms, rng);
        let offers = offers(world, &listener, &situation, now_ms, rng);
        let situation = Situation { source: Source::Recommended, ..situation };
        Self { listener, situation, now_ms, offers }
    }

    pub fn now(&self) -> Now<'_> {
        Now { listener: &self.listener, situation: &self.situation, now_ms: self.now_ms }
    }

    /// The chance that the listener would not skip a track now.
    pub fn stays(&self, world: &World, track: TrackIndex) -> f32 {
        1.0 - world.skip_probability(&self.listener, track, &self.situation, self.now_ms)
    }
}

/// What a plain service has on offer in this situation, each track once.
fn offers(
    world: &World,
    listener: &Listener,
    situation: &Situation,
    now_ms: i64,
    rng: &mut Pcg64Mcg,
) -> Vec<TrackIndex> {
    let mut situation = situation.clone();
    let mut service = Policy::begin(world, listener, &mut situation, now_ms, rng);
    let mut seen = vec![false; world.config().tracks as usize];
    let mut offers = Vec::with_capacity(OFFERS);
    for _ in 0..OFFERS * TRIES {
        let track = service.offer(world, listener, &mut situation, now_ms, rng);
        if !std::mem::replace(&mut seen[track.index()], true) {
            offers.push(track);
        }
        if offers.len() == OFFERS {
            break;
        }
    }
    offers
}

impl Trial<'_> {
    /// All sittings of a person, by their place among those who come back, under `arm`.
    pub fn run(&self, person: usize, arm: Arm) -> Tally {
        let person = &self.people[person];
        let mut device = Device::new(self, arm, person);
        let mut tally = Tally::default();
        let mut listener = person.listener.clone();
        let mut heard = person.heard.clone();
        let mut now_ms = person.next_ms;
        for sitting in 1..=SITTINGS {
            let visit = Visit::begin(self.world, person.number, sitting, listener, now_ms);
            listener = self.sit(person, sitting, visit, &mut device, &mut heard, &mut tally);
            device.leave();
            // As if a sitting took an hour, so that all arms come back at the same time.
            let rng = &mut drawn(self.world, person.number, sitting, u32::MAX);
            now_ms = listener.next_session(now_ms + 3_600_000, rng);
        }
        tally
    }

    fn sit(
        &self,
        person: &Person,
        sitting: u32,
        mut visit: Visit,
        device: &mut Device<'_>,
        heard: &mut Vec<TrackIndex>,
        tally: &mut Tally,
    ) -> Listener {
        let world = self.world;
        tally.sittings += 1;
        let mut played: Vec<TrackIndex> = Vec::new();
        for place in 1..=LONGEST {
            let rng = &mut drawn(world, person.number, sitting, place);
            let again = visit.situation.again();
            let track = match again {
                Some(track) => track,
                None => {
                    let seed = mix(u64::from(person.number), u64::from(sitting));
                    let chosen = device.choose(&visit.offers, 1, visit.now(), seed);
                    let Some(&at) = chosen.first() else { break };
                    let stays = |&track: &TrackIndex| visit.stays(world, track);
                    let best = visit.offers.iter().map(stays).fold(0.0, f32::max);
                    tally.choices += 1;
                    tally.regret += f64::from(best - stays(&visit.offers[at]));
                    visit.offers.remove(at)
                }
            };
            let Visit { listener, situation, now_ms, .. } = &mut visit;
            let reaction = world.react(listener, track, situation, *now_ms, rng);
            *now_ms += i64::from(reaction.played_ms);
            listener.remember(world, situation, track, &reaction, *now_ms);
            device.hear(track, &reaction);
            if again.is_none() {
                tally.hear(&reaction, !heard.contains(&track));
                played.push(track);
                heard.push(track);
            } else {
                tally.listened_ms += i64::from(reaction.played_ms);
            }
            if reaction.leaves {
                break;
            }
        }
        tally.differ(world, &played);
        visit.listener
    }
}

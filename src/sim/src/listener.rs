//! A listener: who they are, what they like, how that drifts, and what they remember.

use rand::{Rng, RngExt};
use rand_pcg::Pcg64Mcg;

use crate::catalogue::era;
use crate::config::DAY_MS;
use crate::genre::{ESTABLISHED, GENRES, Genre};
use crate::mood::{LocalTime, MEAN_ACTIVITY, MOODS, Mood};
use crate::num::{
    chance, exp, exponential, generator, hashed_normal, hashed_unit, log_normal, mix, normal, pick,
    sigmoid, weighted,
};
use crate::react::Reaction;
use crate::region::Region;
use crate::situation::Situation;
use crate::world::{TrackIndex, World, purpose};

/// Most tracks that a listener keeps; the oldest give way.
const LIBRARY: usize = 48;

/// Listens that still tire.
const MEMORY: usize = 16;

/// Taste returns to its anchor with this time constant.
const RETURN_DAYS: f32 = 12.0;

/// How far taste strays from its anchor, as a standard deviation.
const STRAY: f32 = 0.35;

/// A listener falls for a new genre, and out of one, about this often.
const TURN_DAYS: f32 = 35.0;

/// One person: fixed traits, a taste that drifts, and a memory.
///
/// Affinities for sub-genres, scenes, artists and tracks are hashes of the listener's own seed, so
/// they take no memory and have no structure beyond the entity that they belong to.
#[derive(Clone, Debug)]
pub struct Listener {
    pub(crate) seed: u64,
    pub(crate) region: Region,
    pub(crate) tz_offset_min: i16,
    /// Mean number of sessions a day.
    sessions_per_day: f32,
    /// Mean number of tracks a session, if all goes well.
    pub(crate) stamina: f32,
    /// Hours by which the day runs late.
    lateness: f32,
    /// Liking of each genre in logits; the emerging genre is in [`Listener::taste_of`].
    taste: [f32; GENRES],
    /// Where each liking tends to.
    anchor: [f32; GENRES],
    /// Preferred [`era`] of recordings.
    pub(crate) era: f32,
    /// Liking of what everybody likes, in logits.
    pub(crate) mainstream: f32,
    /// Share of discoveries made outside of one's taste.
    pub(crate) curiosity: f32,
    /// Reluctance to skip, in logits.
    pub(crate) patience: f32,
    /// Readiness to say so.
    pub(crate) expressiveness: f32,
    drifted_ms: i64,
    library: Vec<TrackIndex>,
    disliked: Vec<TrackIndex>,
    /// The last listens, as a ring; `heard` counts all of them.
    memory: [Heard; MEMORY],
    heard: usize,
}

/// A listen that is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub track: TrackIndex,
    pub artist: u32,
    /// When it ended.
    at_ms: i64,
}

impl Heard {
    /// Hours since, not negative.
    pub fn hours_ago(self, now_ms: i64) -> f32 {
        (now_ms - self.at_ms).max(0) as f32 / 3_600_000.0
    }
}

/// What kind of thing an idiosyncratic affinity is for.
#[derive(Clone, Copy)]
pub(crate) enum Quirk {
    Sub = 1,
    Scene,
    Artist,
    Track,
    Mood,
    Adoption,
}

impl World {
    /// Listener `number` as they are when the period begins; always the same.
    ///
    /// Numbers from 0 to under [`crate::Config::listeners`] are those of the log (`u0`, `u1`, …);
    /// higher ones are further people of the same kind.
    pub fn listener(&self, number: u32) -> Listener {
        let mut rng = generator(mix(self.config().seed, purpose::LISTENERS), u64::from(number));
        let mut listener = Listener::new(self, &mut rng);
        listener.stock_library(self, &mut rng);
        listener
    }
}

impl Listener {
    fn new(world: &World, rng: &mut Pcg64Mcg) -> Self {
        let region = Region::draw(rng, Region::listeners);
        let anchor = anchor(world, region, rng);
        let mut taste = anchor;
        for liking in &mut taste {
            *liking += STRAY * normal(rng);
        }
        Self {
            seed: rng.random(),
            region,
            tz_offset_min: region.draw_zone(rng),
            sessions_per_day: log_normal(rng, 0.5, 0.8).clamp(0.04, 6.0),
            stamina: log_normal(rng, 11.0, 0.4).clamp(3.0, 60.0),
            lateness: 1.2 * normal(rng),
            taste,
            anchor,
            era: era(log_normal(rng, 9.0, 0.5)),
            mainstream: 0.5 * normal(rng),
            curiosity: (0.12 + 0.08 * normal(rng)).clamp(0.02, 0.4),
            patience: 0.55 * normal(rng),
            expressiveness: log_normal(rng, 1.0, 0.7).min(4.0),
            drifted_ms: world.config().start_ms,
            library: Vec::new(),
            disliked: Vec::new(),
            memory: [Heard { track: TrackIndex::new(0), artist: 0, at_ms: 0 }; MEMORY],
            heard: 0,
        }
    }

    /// Tracks kept before the period began: the best of a few of each, from genres that are liked.
    fn stock_library(&mut self, world: &World, rng: &mut Pcg64Mcg) {
        let now = world.config().start_ms;
        let weights: [f32; GENRES] = std::array::from_fn(|genre| exp(1.4 * self.taste[genre]));
        for _ in 0..rng.random_range(0..14) {
            let places = &world.catalogue.genres[weighted(rng, &weights)];
            let found: [_; 3] = std::array::from_fn(|_| world.catalogue.shelf.draw(places, rng));
            let liked = |track: &TrackIndex| world.affinity(self, *track, now);
            let best = found.into_iter().flatten().filter(|&track| world.is_out(track, now));
            if let Some(best) = best.max_by(|a, b| liked(a).total_cmp(&liked(b))) {
                self.keep(best);
            }
        }
    }

    /// Where the listener lives.
    pub fn region(&self) -> Region {
        self.region
    }

    /// Minutes to add to UTC for the listener's own time of day.
    pub fn tz_offset_min(&self) -> i16 {
        self.tz_offset_min
    }

    /// Tracks liked or saved and not yet displaced by later ones, oldest first.
    pub fn library(&self) -> &[TrackIndex] {
        &self.library
    }

    /// The name of each genre and how much it is liked now, in logits.
    pub fn taste<'a>(
        &'a self,
        world: &'a World,
        now_ms: i64,
    ) -> impl Iterator<Item = (&'a str, f32)> {
        Genre::all().map(move |genre| {
            (world.genres[genre.index()].name.as_str(), self.taste_of(world, genre, now_ms))
        })
    }

    pub(crate) fn taste_of(&self, world: &World, genre: Genre, now_ms: i64) -> f32 {
        match &world.emerging {
            Some(emerging) if genre == Genre::EMERGING => {
                let parents = emerging.parents.map(|parent| self.taste[parent.index()]);
                let openness = (0.4 + 0.18 * (parents[0] + parents[1]) / 2.0).clamp(0.05, 0.8);
                let reached = openness * emerging.level(self.region, now_ms);
                let threshold = hashed_unit(self.seed, Quirk::Adoption.key(0));
                -0.7 + 2.6 * ((reached - threshold) * 6.0).clamp(0.0, 1.0)
            }
            _ => self.taste[genre.index()],
        }
    }

    /// An idiosyncratic affinity of mean 0 and variance 1 that never changes.
    pub(crate) fn quirk(&self, kind: Quirk, index: usize) -> f32 {
        hashed_normal(self.seed, kind.key(index))
    }

    /// Lets taste drift up to `now_ms`: an Ornstein–Uhlenbeck process around an anchor that
    /// itself jumps now and then. Does nothing within six hours of the last drift.
    pub fn advance<R: Rng + ?Sized>(&mut self, world: &World, now_ms: i64, rng: &mut R) {
        let days = (now_ms - self.drifted_ms) as f32 / DAY_MS as f32;
        if days < 0.25 {
            return;
        }
        self.drifted_ms = now_ms;
        if chance(rng, 1.0 - exp(-days / TURN_DAYS)) {
            self.turn(world, rng);
        }
        let kept = exp(-days / RETURN_DAYS);
        let spread = STRAY * (1.0 - kept * kept).max(0.0).sqrt();
        for (liking, anchor) in self.taste.iter_mut().zip(self.anchor) {
            *liking = anchor + (*liking - anchor) * kept + spread * normal(rng);
        }
    }

    /// Falls for a genre, near to a favourite or common in the region, and tires of a favourite.
    fn turn<R: Rng + ?Sized>(&mut self, world: &World, rng: &mut R) {
        let by_liking: [f32; GENRES] = std::array::from_fn(|genre| exp(2.0 * self.anchor[genre]));
        let old = weighted(rng, &by_liking[..ESTABLISHED]);
        let near = &world.genres[old].near;
        let new = match pick(rng, near) {
            Some(&near) if chance(rng, 0.5) => near.index(),
            _ => weighted(rng, world.appeal(self.region)),
        };
        self.anchor[old] -= 0.9;
        self.anchor[new] = (self.anchor[new] + 1.6).min(2.2);
    }

    /// When the next session begins after `now_ms`: a Poisson process whose rate follows the
    /// listener's own clock and week.
    pub fn next_session<R: Rng + ?Sized>(&self, now_ms: i64, rng: &mut R) -> i64 {
        let mean_ms = DAY_MS as f32 * MEAN_ACTIVITY / self.sessions_per_day;
        let mut at_ms = now_ms + 20 * 60_000;
        // Thinning: the busiest hour has probability 1, so few tries are needed.
        for _ in 0..1_000 {
            at_ms += exponential(rng, mean_ms) as i64;
            if self.is_listening(at_ms, rng) {
                break;
            }
        }
        at_ms
    }

    /// Whether a session might begin at this time of day.
    pub(crate) fn is_listening<R: Rng + ?Sized>(&self, now_ms: i64, rng: &mut R) -> bool {
        chance(rng, self.local_time(now_ms).activity())
    }

    pub(crate) fn local_time(&self, now_ms: i64) -> LocalTime {
        let lateness_ms = (self.lateness * 3_600_000.0) as i64;
        LocalTime::at(now_ms, i64::from(self.tz_offset_min) * 60_000 - lateness_ms)
    }

    /// A mood that suits the hour and the person.
    pub(crate) fn draw_mood<R: Rng + ?Sized>(&self, now_ms: i64, rng: &mut R) -> Mood {
        let mut weights: [f32; MOODS] = self.local_time(now_ms).moods();
        for (index, weight) in weights.iter_mut().enumerate() {
            *weight *= exp(0.6 * self.quirk(Quirk::Mood, index));
        }
        Mood::draw(rng, &weights)
    }

    /// Takes in a reaction that ended at `now_ms`: memory, library, and the situation.
    pub fn remember(
        &mut self,
        world: &World,
        situation: &mut Situation,
        track: TrackIndex,
        reaction: &Reaction,
        now_ms: i64,
    ) {
        let artist = world.catalogue.track(track).artist;
        self.memory[self.heard % MEMORY] = Heard { track, artist, at_ms: now_ms };
        self.heard += 1;
        if reaction.like || reaction.save {
            self.keep(track);
        }
        if reaction.dislike {
            self.library.retain(|&kept| kept != track);
            push_bounded(&mut self.disliked, track);
        }
        situation.note(track, reaction);
    }

    fn keep(&mut self, track: TrackIndex) {
        if !self.keeps(track) {
            push_bounded(&mut self.library, track);
        }
    }

    pub(crate) fn keeps(&self, track: TrackIndex) -> bool {
        self.library.contains(&track)
    }

    pub(crate) fn dislikes(&self, track: TrackIndex) -> bool {
        self.disliked.contains(&track)
    }

    /// The last listens, in no order.
    pub(crate) fn recent(&self) -> &[Heard] {
        &self.memory[..self.heard.min(MEMORY)]
    }
}

impl Quirk {
    fn key(self, index: usize) -> u64 {
        ((self as u64) << 56) | index as u64
    }
}

fn push_bounded(list: &mut Vec<TrackIndex>, track: TrackIndex) {
    if list.len() == LIBRARY {
        list.remove(0);
    }
    list.push(track);
}

/// Likings to begin with: one to four favourite genres, something for their neighbours, and
/// indifference or worse for the rest.
fn anchor(world: &World, region: Region, rng: &mut Pcg64Mcg) -> [f32; GENRES] {
    let leanings = region.leanings();
    let appeal = world.appeal(region);
    let mut anchor: [f32; GENRES] =
        std::array::from_fn(|genre| -0.6 + 0.25 * leanings[genre].clamp(-1.0, 1.5));
    for liking in &mut anchor {
        *liking += 0.3 * normal(rng);
    }
    for _ in 0..1 + rng.random_range(0..4) {
        let favourite = weighted(rng, appeal);
        anchor[favourite] += 1.2 + 0.5 * sigmoid(normal(rng));
        for near in &world.genres[favourite].near {
            anchor[near.index()] += 0.3;
        }
    }
    anchor.map(|liking| liking.min(2.2))
}

//! The logging policy: what was on offer while the log was written.
//!
//! It stands for a plain streaming service with libraries, playlists, radio, charts and search.
//! None of it learns. A recommender that is tried on simulated listeners takes its place.

use rand::{Rng, RngExt};

use crate::genre::{GENRES, Genre};
use crate::listener::Listener;
use crate::num::{chance, exp, normal, pick, weighted};
use crate::shelf::Places;
use crate::situation::{Situation, Source};
use crate::world::{TrackIndex, World};

/// Chance that a session meets a track at the peak of its craze.
const CRAZE: f32 = 0.4;

/// What is on offer in one session.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How likely the listener turns to each genre, in this mood and this month.
    genres: [f32; GENRES],
    /// Place in the playlist at hand.
    next: usize,
    /// The track whose radio is on.
    seed: Option<TrackIndex>,
    /// A track in the middle of a craze, and after how many others it comes up.
    craze: Option<(TrackIndex, u32)>,
}

impl Policy {
    /// The offers for a session that begins now; chooses where tracks come from first.
    pub fn begin<R: Rng + ?Sized>(
        world: &World,
        listener: &Listener,
        situation: &mut Situation,
        now_ms: i64,
        rng: &mut R,
    ) -> Self {
        let genres = genre_weights(world, listener, situation, now_ms);
        let craze = craze(world, listener, now_ms, rng);
        let mut policy = Self { genres, next: 0, seed: None, craze };
        policy.turn_to(world, listener, situation, rng);
        policy
    }

    /// The next track, and where it comes from in `situation.source`.
    ///
    /// What the listener asked to hear again comes first. Otherwise tracks that were heard lately
    /// or disliked are avoided where possible. O(log n).
    pub fn offer<R: Rng + ?Sized>(
        &mut self,
        world: &World,
        listener: &Listener,
        situation: &mut Situation,
        now_ms: i64,
        rng: &mut R,
    ) -> TrackIndex {
        if let Some(track) = situation.again {
            return track;
        }
        if let Some((track, _)) = self.craze.take_if(|(_, after)| *after <= situation.heard) {
            situation.source = Source::Trending;
            return track;
        }
        let weary = situation.skips_in_a_row >= 3 && chance(rng, 0.4);
        let once = matches!(situation.source, Source::Search | Source::Trending);
        if weary || once || chance(rng, 0.04) {
            self.turn_to(world, listener, situation, rng);
        }
        for _ in 0..8 {
            let found = self.find(world, listener, situation, now_ms, rng);
            if let Some(track) = found
                && world.is_out(track, now_ms)
                && is_welcome(listener, track, now_ms)
            {
                return track;
            }
            if found.is_none() {
                self.turn_to(world, listener, situation, rng);
            }
        }
        situation.source = Source::Charts;
        let popular = world.catalogue.shelf.draw(&world.catalogue.shelf.all(), rng);
        popular.filter(|&track| world.is_out(track, now_ms)).unwrap_or(world.catalogue.evergreen)
    }

    fn turn_to<R: Rng + ?Sized>(
        &mut self,
        world: &World,
        listener: &Listener,
        situation: &mut Situation,
        rng: &mut R,
    ) {
        let own = listener.library().len();
        let (library, radio) = if own < 4 { (0.0, 0.12) } else { (0.24, 0.22) };
        situation.source = match weighted(rng, &[library, radio, 0.27, 0.13, 0.08, 0.06]) {
            0 => Source::Library,
            1 => Source::Radio,
            2 => self.choose_playlist(world, listener, situation, rng),
            3 => Source::Discover,
            4 => Source::Charts,
            _ => Source::Search,
        };
        self.seed = pick(rng, listener.library()).copied();
    }

    /// The best of a few playlists, most of them of genres that the listener turns to.
    fn choose_playlist<R: Rng + ?Sized>(
        &mut self,
        world: &World,
        listener: &Listener,
        situation: &Situation,
        rng: &mut R,
    ) -> Source {
        let lists = &world.playlists;
        let mut best: Option<(f32, usize)> = None;
        for _ in 0..3 {
            let of_genre = lists.of(self.genre(world, listener, rng));
            let range = if of_genre.is_empty() { 0..lists.all.len() } else { of_genre };
            if range.is_empty() {
                return Source::Discover;
            }
            let number = rng.random_range(range.start as u64..range.end as u64) as usize;
            let list = &lists.all[number];
            let fit = list.mood.map_or(0.5, |mood| mood.affect().fit(situation.mood.affect()));
            let worth = libm::logf(self.genres[list.genre.index()] + 1e-6) + fit + normal(rng);
            if best.is_none_or(|(most, _)| worth > most) {
                best = Some((worth, number));
            }
        }
        let Some((_, number)) = best else { return Source::Discover };
        // Half of the time from the top, otherwise from where it was left.
        let from_top = chance(rng, 0.5);
        let size = lists.all[number].tracks.len();
        self.next = if from_top { 0 } else { crate::num::below(rng, size) };
        // There are fewer playlists than tracks.
        Source::Playlist(number as u32)
    }

    /// A genre to look into: mostly one's own, now and then any that is common in the region.
    fn genre<R: Rng + ?Sized>(&self, world: &World, listener: &Listener, rng: &mut R) -> Genre {
        if chance(rng, listener.curiosity) {
            Genre::at(weighted(rng, world.appeal(listener.region)))
        } else {
            Genre::at(weighted(rng, &self.genres))
        }
    }

    fn find<R: Rng + ?Sized>(
        &mut self,
        world: &World,
        listener: &Listener,
        situation: &Situation,
        now_ms: i64,
        rng: &mut R,
    ) -> Option<TrackIndex> {
        let shelf = &world.catalogue.shelf;
        match situation.source {
            Source::Library => {
                let two = [(); 2].map(|()| pick(rng, listener.library()).copied());
                best_of(two, |track| world.appeal_now(listener, track, situation, now_ms))
            }
            Source::Playlist(number) => {
                let list = world.playlists.all.get(number as usize)?;
                self.next += 1;
                list.tracks.get(self.next - 1).copied()
            }
            Source::Radio => shelf.draw(&self.neighbourhood(world, listener, rng), rng),
            Source::Charts => {
                let genre = Genre::at(weighted(rng, &self.chart(world, listener, now_ms)));
                let places = &world.catalogue.genres[genre.index()];
                let two = [(); 2].map(|()| shelf.draw(places, rng));
                best_of(two, |track| world.catalogue.track(track).popularity)
            }
            Source::Search => {
                let artist = world.catalogue.track(self.seed?).artist;
                shelf.draw(&world.catalogue.artists[artist as usize].places, rng)
            }
            Source::Discover | Source::Trending | Source::Recommended => {
                let places = self.frontier(world, listener, rng)?;
                let three = [(); 3].map(|()| shelf.draw(&places, rng));
                best_of(three, |track| world.affinity(listener, track, now_ms) + normal(rng))
            }
        }
    }

    /// Around the track whose radio is on: its scene, its sub-genre or its genre.
    fn neighbourhood<R: Rng + ?Sized>(
        &self,
        world: &World,
        listener: &Listener,
        rng: &mut R,
    ) -> Places {
        let catalogue = &world.catalogue;
        let Some(seed) = self.seed else {
            return catalogue.genres[self.genre(world, listener, rng).index()].clone();
        };
        let artist = catalogue.artist_of(catalogue.track(seed));
        match rng.random::<f32>() {
            x if x < 0.5 => catalogue.scenes[artist.scene as usize].clone(),
            x if x < 0.85 => catalogue.sub(artist).clone(),
            _ => catalogue.genres[artist.genre.index()].clone(),
        }
    }

    /// A genre to look into, or the part of one of its sub-genres that is made at home.
    fn frontier<R: Rng + ?Sized>(
        &self,
        world: &World,
        listener: &Listener,
        rng: &mut R,
    ) -> Option<Places> {
        let catalogue = &world.catalogue;
        let genre = &catalogue.genres[self.genre(world, listener, rng).index()];
        if chance(rng, 0.3) {
            let example = catalogue.track(catalogue.shelf.draw(genre, rng)?);
            let local = catalogue.sub_from(catalogue.artist_of(example), listener.region);
            if !local.is_empty() {
                return Some(local.clone());
            }
        }
        Some(genre.clone())
    }

    /// What the region listens to, newcomers included.
    fn chart(&self, world: &World, listener: &Listener, now_ms: i64) -> [f32; GENRES] {
        let mut chart = *world.appeal(listener.region);
        let level = world.emergence(listener.region, now_ms);
        chart[Genre::EMERGING.index()] = 0.1 * level * chart.iter().sum::<f32>();
        chart
    }
}

fn genre_weights(
    world: &World,
    listener: &Listener,
    situation: &Situation,
    now_ms: i64,
) -> [f32; GENRES] {
    let level = world.emergence(listener.region, now_ms);
    std::array::from_fn(|index| {
        if world.catalogue.genres[index].is_empty() {
            return 0.0;
        }
        let genre = Genre::at(index);
        let supply = if genre == Genre::EMERGING { level } else { 1.0 };
        let mood = world.mood_fit[index][situation.mood as usize];
        supply * (0.15 + mood) * exp(1.4 * listener.taste_of(world, genre, now_ms))
    })
}

/// At most one of the crazes of the day comes up in a session.
fn craze<R: Rng + ?Sized>(
    world: &World,
    listener: &Listener,
    now_ms: i64,
    rng: &mut R,
) -> Option<(TrackIndex, u32)> {
    let mut left = rng.random::<f32>();
    for viral in &world.virals {
        left -= CRAZE * viral.level(listener.region, now_ms);
        if left < 0.0 {
            return Some((viral.track, rng.random_range(0..6)));
        }
    }
    None
}

/// Not disliked, and not heard in the last hour.
fn is_welcome(listener: &Listener, track: TrackIndex, now_ms: i64) -> bool {
    !listener.dislikes(track)
        && !listener.recent().iter().any(|it| it.track == track && it.hours_ago(now_ms) < 1.0)
}

fn best_of<const N: usize>(
    tracks: [Option<TrackIndex>; N],
    mut worth: impl FnMut(TrackIndex) -> f32,
) -> Option<TrackIndex> {
    let mut best: Option<(f32, TrackIndex)> = None;
    for track in tracks.into_iter().flatten() {
        let worth = worth(track);
        if best.is_none_or(|(most, _)| worth > most) {
            best = Some((worth, track));
        }
    }
    best.map(|(_, track)| track)
}

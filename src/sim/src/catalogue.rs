//! The catalogue: tracks on albums of artists, and where each kind of track lies on the shelf.

use std::collections::HashSet;
use std::ops::Range;

use rand::{Rng, RngExt};

use crate::artist::{Artist, voice};
use crate::config::{Config, DAY_MS};
use crate::genre::{
    AFROBEATS, ASIAN_POP, CLASSICAL, GENRES, Genre, HIP_HOP, HOUSE, LATIN, POP, Profile, RNB, SUBS,
};
use crate::mood::{Affect, Mood};
use crate::names::Grammar;
use crate::num::{below, chance, log_normal, normal, permutation};
use crate::region::{REGIONS, Region};
use crate::shelf::{Places, Shelf};
use crate::trend::Emerging;
use crate::world::TrackIndex;

const YEAR_DAYS: f32 = 365.25;

/// Genres whose artists like to be guests on each other's tracks.
const SOCIABLE: [Genre; 7] = [POP, HIP_HOP, HOUSE, RNB, LATIN, AFROBEATS, ASIAN_POP];

/// One track and what is true of it.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub title: Box<str>,
    /// Index of the artist.
    pub artist: u32,
    /// Index of the album.
    pub album: u32,
    pub mood: Mood,
    pub affect: Affect,
    pub duration_ms: u32,
    pub released_ms: i64,
    /// Years between the release and the start of the period; 0 for what comes out later.
    pub age: f32,
    /// Share of tracks that are less popular, 0 to 1.
    pub popularity: f32,
    /// [`era`] of the age.
    pub era: f32,
    /// How much anybody likes it more than the next track, in logits.
    pub quality: f32,
    /// Index of its craze, where it goes viral.
    pub viral: Option<u16>,
}

/// Every track, artist and album, and the shelf that they are drawn from.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    pub tracks: Vec<Track>,
    pub artists: Vec<Artist>,
    pub albums: Vec<Box<str>>,
    pub shelf: Shelf,
    /// Places of each genre.
    pub genres: Vec<Places>,
    /// Places of each sub-genre, and of each home region within it; see [`sub_index`].
    subs: Vec<Places>,
    homes: Vec<Places>,
    /// Places of each scene.
    pub scenes: Vec<Places>,
    /// A popular track that is out before the period begins.
    pub evergreen: TrackIndex,
}

/// The age of a recording in years on the scale that ears have for it, which is logarithmic.
pub(crate) fn era(age: f32) -> f32 {
    libm::log2f(age + 2.0)
}

/// A number for each sub-genre of each genre.
pub(crate) fn sub_index(genre: Genre, sub: u8) -> usize {
    genre.index() * SUBS + usize::from(sub)
}

impl Catalogue {
    pub fn track(&self, track: TrackIndex) -> &Track {
        &self.tracks[track.index()]
    }

    pub fn artist_of(&self, track: &Track) -> &Artist {
        &self.artists[track.artist as usize]
    }

    /// Places of all tracks of an artist's sub-genre.
    pub fn sub(&self, artist: &Artist) -> &Places {
        &self.subs[sub_index(artist.genre, artist.sub)]
    }

    /// Places of the tracks of an artist's sub-genre that come from `home`.
    pub fn sub_from(&self, artist: &Artist, home: Region) -> &Places {
        &self.homes[sub_index(artist.genre, artist.sub) * REGIONS + home.index()]
    }
}

/// Records the tracks of `artists`, which are in shelf order and have one place for each track.
pub(crate) fn catalogue<R: Rng + ?Sized>(
    config: &Config,
    genres: &[Profile],
    artists: Vec<Artist>,
    emerging: Option<&Emerging>,
    grammar: &Grammar,
    rng: &mut R,
) -> Catalogue {
    let studio = Studio { config, genres, emerging, grammar };
    let mut records = Records::default();
    for (index, artist) in artists.iter().enumerate() {
        // The number of artists is at most that of tracks.
        studio.record(index as u32, artist, &mut records, rng);
    }
    let Records { mut tracks, albums, .. } = records;
    invite_guests(&mut tracks, &artists, rng);
    let weights = track_weights(&artists, rng);
    set_popularity(&mut tracks, &weights);
    let (tracks, shelf) = shelve(tracks, &weights, rng);
    let evergreen = evergreen(&tracks);
    let mut catalogue = Catalogue {
        genres: ranges(&artists, GENRES, |artist| artist.genre.index()),
        subs: ranges(&artists, GENRES * SUBS, |artist| sub_index(artist.genre, artist.sub)),
        homes: ranges(&artists, GENRES * SUBS * REGIONS, |artist| {
            sub_index(artist.genre, artist.sub) * REGIONS + artist.home.index()
        }),
        scenes: ranges(&artists, artists.last().map_or(0, |last| last.scene as usize + 1), |a| {
            a.scene as usize
        }),
        tracks,
        artists,
        albums,
        shelf,
        evergreen,
    };
    // Something can be heard from the first moment on.
    let first = &mut catalogue.tracks[evergreen.index()];
    first.released_ms = first.released_ms.min(config.start_ms);
    catalogue
}

#[derive(Default)]
struct Records {
    /// In shelf order.
    tracks: Vec<Track>,
    albums: Vec<Box<str>>,
    titles: HashSet<String>,
}

struct Studio<'a> {
    config: &'a Config,
    genres: &'a [Profile],
    emerging: Option<&'a Emerging>,
    grammar: &'a Grammar,
}

impl Studio<'_> {
    /// All albums of one artist.
    fn record<R: Rng + ?Sized>(
        &self,
        index: u32,
        artist: &Artist,
        records: &mut Records,
        rng: &mut R,
    ) {
        let mut left = artist.places.len();
        while left > 0 {
            let single = artist.genre == Genre::EMERGING || chance(rng, 0.3);
            let size = if single { 1 } else { rng.random_range(4..=13).min(left) };
            left -= size;
            let released_ms = self.release(artist, left == 0, rng);
            // The number of albums is at most that of tracks.
            let album = records.albums.len() as u32;
            for _ in 0..size {
                let track = self.track(artist, &mut records.titles, rng);
                records.tracks.push(Track { artist: index, album, ..track });
            }
            let from = records.tracks.len() - size;
            for track in &mut records.tracks[from..] {
                track.released_ms = released_ms;
                let days = (self.config.start_ms - released_ms) as f32 / DAY_MS as f32;
                track.age = (days / YEAR_DAYS).max(0.0);
                track.era = era(track.age);
            }
            let title = &records.tracks[from].title;
            let own = size == 1 || (artist.genre != CLASSICAL && chance(rng, 0.3));
            records.albums.push(if own {
                title.clone()
            } else {
                self.grammar.expand("album", voice(artist, self.genres), rng).into()
            });
        }
    }

    fn release<R: Rng + ?Sized>(&self, artist: &Artist, latest: bool, rng: &mut R) -> i64 {
        if let (Genre::EMERGING, Some(emerging)) = (artist.genre, self.emerging) {
            return emerging.release(self.config, rng);
        }
        if latest && self.config.tracks > 1 && chance(rng, 0.06) {
            return self.config.start_ms + rng.random_range(0..self.config.span_ms());
        }
        let age = self.genres[artist.genre.index()].age;
        let days = log_normal(rng, age, 0.7).min(90.0) * YEAR_DAYS;
        self.config.start_ms - (days * DAY_MS as f32) as i64
    }

    fn track<R: Rng + ?Sized>(
        &self,
        artist: &Artist,
        titles: &mut HashSet<String>,
        rng: &mut R,
    ) -> Track {
        let genre = &self.genres[artist.genre.index()];
        let mood = Mood::draw(rng, &genre.moods);
        let Affect { valence, arousal } = mood.affect();
        let (median, spread) = genre.seconds;
        let seconds = log_normal(rng, median, spread).clamp(45.0, 1_500.0);
        let title = self.grammar.fresh("title", voice(artist, self.genres), titles, rng);
        Track {
            title: title.into(),
            artist: 0,
            album: 0,
            mood,
            affect: Affect {
                valence: valence + 0.15 * normal(rng),
                arousal: arousal + 0.15 * normal(rng),
            },
            duration_ms: (seconds * 1_000.0) as u32,
            released_ms: 0,
            age: 0.0,
            era: 0.0,
            popularity: 0.0,
            quality: 0.25 * normal(rng),
            viral: None,
        }
    }
}

/// Adds "(feat. …)" to some titles.
fn invite_guests<R: Rng + ?Sized>(tracks: &mut [Track], artists: &[Artist], rng: &mut R) {
    for track in tracks {
        let host = track.artist as usize;
        if SOCIABLE.contains(&artists[host].genre) && chance(rng, 0.09) {
            // Neighbours on the shelf are of the same or a related scene.
            let nearby = &artists[host.saturating_sub(20)..artists.len().min(host + 20)];
            let guest = &nearby[below(rng, nearby.len())];
            if guest.genre == artists[host].genre && guest.places != artists[host].places {
                track.title = format!("{} (feat. {})", track.title, guest.name).into();
            }
        }
    }
}

/// Popularity in shelf order: Zipf's law over artists and, flatter, over the tracks of each.
fn track_weights<R: Rng + ?Sized>(artists: &[Artist], rng: &mut R) -> Vec<f32> {
    let mut weights = Vec::new();
    for artist in artists {
        let ranks = permutation(rng, artist.places.end - artist.places.start);
        weights.extend(ranks.into_iter().map(|rank| {
            artist.weight * libm::powf(rank as f32 + 1.5, -1.0) * log_normal(rng, 1.0, 0.3)
        }));
    }
    weights
}

fn set_popularity(tracks: &mut [Track], weights: &[f32]) {
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]).then(a.cmp(&b)));
    let most = tracks.len().saturating_sub(1).max(1) as f32;
    for (rank, &place) in order.iter().enumerate() {
        let track = &mut tracks[place];
        track.popularity = rank as f32 / most;
        track.quality += 0.5 * (track.popularity - 0.5);
    }
}

/// Gives tracks their numbers in a random order, so that a number tells nothing about a track.
fn shelve<R: Rng + ?Sized>(
    tracks: Vec<Track>,
    weights: &[f32],
    rng: &mut R,
) -> (Vec<Track>, Shelf) {
    // At most `MAX_TRACKS`.
    let numbers = permutation(rng, tracks.len() as u32);
    let mut numbered: Vec<(u32, Track)> = numbers.iter().copied().zip(tracks).collect();
    numbered.sort_unstable_by_key(|&(number, _)| number);
    let shelf = Shelf::new(
        numbers.into_iter().map(TrackIndex::new).collect(),
        weights.iter().copied().map(f64::from),
    );
    (numbered.into_iter().map(|(_, track)| track).collect(), shelf)
}

/// The places of each value of `key`, by which the artists are ordered.
fn ranges(artists: &[Artist], keys: usize, key: impl Fn(&Artist) -> usize) -> Vec<Range<u32>> {
    let mut ranges: Vec<Range<u32>> = vec![0..0; keys];
    for artist in artists {
        let range = &mut ranges[key(artist)];
        if Range::is_empty(range) {
            *range = artist.places.clone();
        } else {
            range.end = artist.places.end;
        }
    }
    ranges
}

fn evergreen(tracks: &[Track]) -> TrackIndex {
    let old = |track: &Track| track.age > 0.0;
    let best = tracks
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| old(a).cmp(&old(b)).then(a.popularity.total_cmp(&b.popularity)));
    TrackIndex::new(best.map_or(0, |(index, _)| index as u32))
}

//! Artists: how many, of which genre, from where, in which scene, and how well known.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use crate::config::Config;
use crate::genre::{GENRES, Genre, LATIN, Profile};
use crate::names::{Grammar, Voice};
use crate::num::{below, chance, exp, log_normal, permutation, weighted};
use crate::region::Region;
use crate::shelf::Places;
use crate::trend::Emerging;

/// Someone who records tracks, all in one sub-genre.
#[derive(Clone, Debug)]
pub(crate) struct Artist {
    pub name: String,
    pub genre: Genre,
    /// Index into [`Profile::subs`].
    pub sub: u8,
    pub home: Region,
    /// A few artists of one sub-genre, mostly from one place, who attract the same people.
    pub scene: u32,
    /// Relative number of plays, by Zipf's law over all artists.
    pub weight: f32,
    pub places: Places,
}

/// Artists in shelf order, with as many places as the world has tracks.
pub(crate) fn artists<R: Rng + ?Sized>(
    config: &Config,
    genres: &[Profile],
    emerging: Option<&Emerging>,
    grammar: &Grammar,
    rng: &mut R,
) -> Vec<Artist> {
    let mut artists = recruit(config.tracks, genres, emerging, rng);
    artists.sort_by_key(|artist| (artist.genre, artist.sub, artist.home));
    form_scenes(&mut artists, rng);
    rank(&mut artists, rng);
    give_places(&mut artists);
    let mut used = HashSet::new();
    for artist in &mut artists {
        let voice = voice(artist, genres);
        artist.name = grammar.fresh("artist", voice, &mut used, rng);
    }
    artists
}

/// The words that fit an artist.
pub(crate) fn voice<'a>(artist: &Artist, genres: &'a [Profile]) -> Voice<'a> {
    let culture = artist.home.names();
    let portuguese = artist.genre == LATIN && culture == "pt";
    let style = if portuguese { "brazil" } else { genres[artist.genre.index()].style };
    Voice { style, culture }
}

fn recruit<R: Rng + ?Sized>(
    tracks: u32,
    genres: &[Profile],
    emerging: Option<&Emerging>,
    rng: &mut R,
) -> Vec<Artist> {
    let shares: [f32; GENRES] = std::array::from_fn(|genre| genres[genre].share);
    let new = emerging.map_or(0, |emerging| emerging.tracks);
    let mut left = tracks;
    let mut artists = Vec::new();
    while left > 0 {
        let (genre, median) = if left > tracks - new {
            (Genre::EMERGING, 4.0)
        } else {
            (Genre::at(weighted(rng, &shares)), 8.0)
        };
        let most = if left > tracks - new { left - (tracks - new) } else { left };
        // A float becomes an integer by saturation, which the bounds contain.
        let count = (log_normal(rng, median, 0.9) as u32).clamp(1, most.min(150));
        left -= count;
        let sub = below(rng, genres[genre.index()].subs.len()) as u8;
        let home = home(genre, emerging, rng);
        let name = String::new();
        artists.push(Artist { name, genre, sub, home, scene: 0, weight: 0.0, places: 0..count });
    }
    artists
}

fn home<R: Rng + ?Sized>(genre: Genre, emerging: Option<&Emerging>, rng: &mut R) -> Region {
    match emerging {
        Some(emerging) if genre == Genre::EMERGING && chance(rng, 0.6) => emerging.lead,
        _ => Region::draw(rng, |region| {
            region.listeners().sqrt() * exp(1.6 * region.leanings()[genre.index()])
        }),
    }
}

fn form_scenes<R: Rng + ?Sized>(artists: &mut [Artist], rng: &mut R) {
    let mut scene = 0;
    let mut room = 0;
    let mut last = None;
    for artist in artists {
        let kind = (artist.genre, artist.sub);
        if room == 0 || last != Some(kind) {
            scene += u32::from(last.is_some());
            room = rng.random_range(5..=12);
            last = Some(kind);
        }
        room -= 1;
        artist.scene = scene;
    }
}

fn rank<R: Rng + ?Sized>(artists: &mut [Artist], rng: &mut R) {
    // The number of artists is at most that of tracks.
    let ranks = permutation(rng, artists.len() as u32);
    for (artist, rank) in artists.iter_mut().zip(ranks) {
        artist.weight = libm::powf(rank as f32 + 4.0, -1.1);
    }
}

fn give_places(artists: &mut [Artist]) {
    let mut next = 0;
    for artist in artists {
        artist.places = next..next + artist.places.end;
        next = artist.places.end;
    }
}

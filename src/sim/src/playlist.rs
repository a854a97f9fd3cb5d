//! Playlists that an editor made, of one sub-genre and often for one mood.

use rand::{Rng, RngExt};

use crate::catalogue::Catalogue;
use crate::genre::{GENRES, Genre, Profile};
use crate::mood::Mood;
use crate::names::title_case;
use crate::num::{chance, pick};
use crate::world::TrackIndex;

/// A list of tracks with a theme.
#[derive(Clone, Debug)]
pub(crate) struct Playlist {
    pub title: String,
    pub genre: Genre,
    pub mood: Option<Mood>,
    pub tracks: Vec<TrackIndex>,
}

/// Playlists in the order of their genres.
#[derive(Clone, Debug)]
pub(crate) struct Playlists {
    pub all: Vec<Playlist>,
    /// The first playlist of each genre and, last, the number of playlists.
    starts: [usize; GENRES + 1],
}

impl Playlists {
    /// Makes about one playlist for sixty tracks, most of them of popular sub-genres.
    pub fn new<R: Rng + ?Sized>(catalogue: &Catalogue, genres: &[Profile], rng: &mut R) -> Self {
        let count = catalogue.tracks.len().div_ceil(60);
        let mut all: Vec<Playlist> =
            (0..count).filter_map(|_| playlist(catalogue, genres, rng)).collect();
        all.sort_by_key(|list| list.genre);
        let starts =
            std::array::from_fn(|genre| all.partition_point(|list| list.genre.index() < genre));
        Self { all, starts }
    }

    /// The numbers of the playlists of one genre.
    pub fn of(&self, genre: Genre) -> std::ops::Range<usize> {
        self.starts[genre.index()]..self.starts[genre.index() + 1]
    }
}

fn playlist<R: Rng + ?Sized>(
    catalogue: &Catalogue,
    genres: &[Profile],
    rng: &mut R,
) -> Option<Playlist> {
    let seed = catalogue.track(catalogue.shelf.draw(&catalogue.shelf.all(), rng)?);
    let artist = catalogue.artist_of(seed);
    let profile = &genres[artist.genre.index()];
    let mood = chance(rng, 0.6).then_some(seed.mood);
    let size = rng.random_range(20..=60);
    let mut tracks = Vec::with_capacity(size);
    for _ in 0..4 * size {
        let whole_genre = chance(rng, 0.15);
        let places = if whole_genre {
            &catalogue.genres[artist.genre.index()]
        } else {
            catalogue.sub(artist)
        };
        let found = catalogue.shelf.draw(places, rng)?;
        let fit = mood.map_or(1.0, |mood| catalogue.track(found).affect.fit(mood.affect()));
        if chance(rng, fit) && !tracks.contains(&found) {
            tracks.push(found);
        }
        if tracks.len() == size {
            break;
        }
    }
    let sub = &profile.subs[usize::from(artist.sub)];
    let title = title(sub, mood, rng);
    (!tracks.is_empty()).then_some(Playlist { title, genre: artist.genre, mood, tracks })
}

fn title<R: Rng + ?Sized>(sub: &str, mood: Option<Mood>, rng: &mut R) -> String {
    let text = if let Some(mood) = mood {
        let mood = mood.name();
        match rng.random_range(0..3) {
            0 => format!("{mood} {sub}"),
            1 => format!("{sub}: {mood} hours"),
            _ => format!("feeling {mood}: {sub}"),
        }
    } else {
        let word =
            ["essentials", "now", "classics", "deep cuts", "favourites", "discoveries", "radio"];
        format!("{sub} {}", pick(rng, &word).copied().unwrap_or_default())
    };
    title_case(&text)
}

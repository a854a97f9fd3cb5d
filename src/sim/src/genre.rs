//! The genres of the world, and the one that will emerge.

use rand::{Rng, RngExt};

use crate::mood::MOODS;
use crate::num::{below, pick};

/// Genres that exist from the beginning.
pub(crate) const ESTABLISHED: usize = TABLE.len();

/// All genres: the established ones and, last, the one that emerges.
pub(crate) const GENRES: usize = ESTABLISHED + 1;

/// Most sub-genres of one genre.
pub(crate) const SUBS: usize = 4;

/// Index of a genre, below [`GENRES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Genre(u8);

impl Genre {
    /// The genre that emerges over the period.
    pub const EMERGING: Self = Self(ESTABLISHED as u8);

    pub fn all() -> impl Iterator<Item = Self> {
        (0..GENRES as u8).map(Self)
    }

    /// The genre with the given index, or the emerging one beyond.
    pub fn at(index: usize) -> Self {
        u8::try_from(index).map_or(Self::EMERGING, |index| Self(index.min(Self::EMERGING.0)))
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

pub(crate) const POP: Genre = Genre(0);
pub(crate) const ROCK: Genre = Genre(1);
pub(crate) const HIP_HOP: Genre = Genre(2);
pub(crate) const ELECTRONIC: Genre = Genre(3);
pub(crate) const HOUSE: Genre = Genre(4);
pub(crate) const RNB: Genre = Genre(5);
pub(crate) const JAZZ: Genre = Genre(6);
pub(crate) const CLASSICAL: Genre = Genre(7);
pub(crate) const FOLK: Genre = Genre(8);
pub(crate) const METAL: Genre = Genre(9);
pub(crate) const LATIN: Genre = Genre(10);
pub(crate) const AMBIENT: Genre = Genre(11);
pub(crate) const COUNTRY: Genre = Genre(12);
pub(crate) const REGGAE: Genre = Genre(13);
pub(crate) const AFROBEATS: Genre = Genre(14);
pub(crate) const ASIAN_POP: Genre = Genre(15);
pub(crate) const INDIE: Genre = Genre(16);
pub(crate) const SOUL: Genre = Genre(17);

/// What is typical of a genre.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub name: String,
    /// One to [`SUBS`] names.
    pub subs: Vec<String>,
    /// The section of the name grammar that fits.
    pub style: &'static str,
    /// Relative number of artists, and of people who like it.
    pub share: f32,
    /// How common each mood is among its tracks.
    pub moods: [f32; MOODS],
    /// Median length of a track and spread of its logarithm.
    pub seconds: (f32, f32),
    /// Median age of a recording in years.
    pub age: f32,
    /// Genres whose listeners often like this one too.
    pub near: Vec<Genre>,
}

struct Row {
    name: &'static str,
    subs: &'static [&'static str],
    style: &'static str,
    share: f32,
    moods: [f32; MOODS],
    seconds: (f32, f32),
    age: f32,
    near: &'static [Genre],
}

/// Moods are in the order calm, focus, happy, energetic, party, romantic, melancholic, dark,
/// dreamy.
static TABLE: [Row; 18] = [
    Row {
        name: "pop",
        subs: &["dance pop", "synth-pop", "bedroom pop", "pop ballad"],
        style: "pop",
        share: 1.5,
        moods: [0.6, 0.3, 3.0, 2.0, 2.2, 2.0, 1.6, 0.3, 0.9],
        seconds: (195.0, 0.16),
        age: 5.0,
        near: &[RNB, INDIE, HOUSE],
    },
    Row {
        name: "rock",
        subs: &["classic rock", "alternative rock", "garage rock", "post-rock"],
        style: "rock",
        share: 1.3,
        moods: [0.4, 0.3, 1.2, 3.2, 1.0, 0.7, 1.8, 2.0, 0.6],
        seconds: (238.0, 0.24),
        age: 19.0,
        near: &[INDIE, METAL, COUNTRY],
    },
    Row {
        name: "hip-hop",
        subs: &["boom bap", "trap", "conscious hip-hop", "lo-fi hip-hop"],
        style: "hip-hop",
        share: 1.5,
        moods: [0.8, 1.4, 0.8, 2.8, 2.0, 0.4, 1.2, 2.6, 0.6],
        seconds: (178.0, 0.20),
        age: 5.0,
        near: &[RNB, REGGAE, AFROBEATS],
    },
    Row {
        name: "electronic",
        subs: &["synthwave", "downtempo", "drum and bass", "breakbeat"],
        style: "electronic",
        share: 0.9,
        moods: [0.8, 2.2, 0.8, 3.0, 1.6, 0.2, 0.6, 1.8, 1.8],
        seconds: (255.0, 0.26),
        age: 8.0,
        near: &[HOUSE, AMBIENT, INDIE],
    },
    Row {
        name: "house",
        subs: &["deep house", "tech house", "disco house"],
        style: "house",
        share: 0.8,
        moods: [0.5, 1.2, 1.6, 2.8, 3.4, 0.5, 0.2, 0.8, 0.6],
        seconds: (305.0, 0.28),
        age: 5.0,
        near: &[ELECTRONIC, POP, SOUL],
    },
    Row {
        name: "r&b",
        subs: &["contemporary r&b", "neo-soul", "quiet storm"],
        style: "r&b",
        share: 0.9,
        moods: [1.6, 0.4, 1.0, 0.7, 0.9, 3.6, 1.4, 0.6, 1.4],
        seconds: (215.0, 0.19),
        age: 9.0,
        near: &[SOUL, HIP_HOP, POP],
    },
    Row {
        name: "jazz",
        subs: &["bebop", "cool jazz", "modal jazz", "vocal jazz"],
        style: "jazz",
        share: 0.6,
        moods: [2.4, 2.2, 1.2, 0.6, 0.4, 2.2, 1.4, 0.3, 1.0],
        seconds: (310.0, 0.36),
        age: 34.0,
        near: &[SOUL, CLASSICAL, LATIN],
    },
    Row {
        name: "classical",
        subs: &["romantic era", "baroque", "minimalism", "chamber music"],
        style: "classical",
        share: 0.55,
        moods: [2.8, 3.0, 0.6, 0.6, 0.05, 1.2, 2.0, 0.9, 1.4],
        seconds: (345.0, 0.50),
        age: 21.0,
        near: &[AMBIENT, JAZZ],
    },
    Row {
        name: "folk",
        subs: &["indie folk", "singer-songwriter", "celtic folk"],
        style: "folk",
        share: 0.7,
        moods: [2.6, 0.9, 1.2, 0.3, 0.1, 1.4, 3.0, 0.3, 1.4],
        seconds: (222.0, 0.21),
        age: 13.0,
        near: &[COUNTRY, INDIE],
    },
    Row {
        name: "metal",
        subs: &["doom metal", "black metal", "progressive metal", "thrash metal"],
        style: "metal",
        share: 0.6,
        moods: [0.05, 0.3, 0.1, 3.2, 0.3, 0.05, 0.9, 4.2, 0.2],
        seconds: (292.0, 0.34),
        age: 14.0,
        near: &[ROCK],
    },
    Row {
        name: "latin",
        subs: &["reggaeton", "salsa", "bachata", "bossa nova"],
        style: "latin",
        share: 1.1,
        moods: [0.7, 0.2, 2.6, 2.0, 3.0, 2.4, 0.9, 0.2, 0.4],
        seconds: (208.0, 0.18),
        age: 7.0,
        near: &[POP, REGGAE, AFROBEATS],
    },
    Row {
        name: "ambient",
        subs: &["drone", "space ambient", "neoclassical"],
        style: "ambient",
        share: 0.4,
        moods: [3.4, 2.6, 0.05, 0.02, 0.01, 0.3, 0.9, 0.6, 3.4],
        seconds: (300.0, 0.48),
        age: 8.0,
        near: &[CLASSICAL, ELECTRONIC],
    },
    Row {
        name: "country",
        subs: &["outlaw country", "bluegrass", "country pop", "americana"],
        style: "country",
        share: 0.7,
        moods: [1.2, 0.2, 2.6, 1.6, 1.2, 1.4, 2.0, 0.3, 0.4],
        seconds: (207.0, 0.16),
        age: 12.0,
        near: &[FOLK, ROCK],
    },
    Row {
        name: "reggae",
        subs: &["roots reggae", "dub", "dancehall"],
        style: "reggae",
        share: 0.45,
        moods: [2.4, 0.5, 2.8, 1.2, 1.8, 0.8, 0.4, 0.4, 1.0],
        seconds: (228.0, 0.20),
        age: 18.0,
        near: &[AFROBEATS, HIP_HOP, LATIN],
    },
    Row {
        name: "afrobeats",
        subs: &["afropop", "amapiano", "highlife"],
        style: "afrobeats",
        share: 0.7,
        moods: [0.7, 0.3, 3.0, 2.0, 3.2, 1.6, 0.3, 0.2, 0.5],
        seconds: (204.0, 0.24),
        age: 3.5,
        near: &[RNB, HIP_HOP, REGGAE],
    },
    Row {
        name: "asian pop",
        subs: &["k-pop", "j-pop", "city pop"],
        style: "asian pop",
        share: 0.8,
        moods: [0.6, 0.4, 3.0, 2.4, 2.0, 1.8, 1.2, 0.4, 1.2],
        seconds: (203.0, 0.15),
        age: 5.0,
        near: &[POP, RNB],
    },
    Row {
        name: "indie",
        subs: &["dream pop", "shoegaze", "indie rock", "math rock"],
        style: "indie",
        share: 0.9,
        moods: [0.9, 0.8, 1.2, 1.4, 0.6, 0.9, 2.2, 0.9, 3.0],
        seconds: (226.0, 0.22),
        age: 9.0,
        near: &[ROCK, FOLK, ELECTRONIC],
    },
    Row {
        name: "soul",
        subs: &["funk", "northern soul", "disco"],
        style: "soul",
        share: 0.6,
        moods: [0.7, 0.2, 2.8, 1.8, 2.4, 2.4, 0.9, 0.1, 0.4],
        seconds: (214.0, 0.22),
        age: 32.0,
        near: &[RNB, JAZZ, HOUSE],
    },
];

/// Pairs that an emerging genre may blend; it takes the name style of the first.
const BLENDS: [[Genre; 2]; 8] = [
    [ELECTRONIC, AFROBEATS],
    [INDIE, HOUSE],
    [ELECTRONIC, FOLK],
    [RNB, AMBIENT],
    [HIP_HOP, METAL],
    [POP, REGGAE],
    [INDIE, LATIN],
    [ELECTRONIC, SOUL],
];

const NAME_HEADS: [&str; 12] = [
    "glass", "tide", "ember", "halo", "velvet", "chrome", "static", "moss", "neon", "pollen",
    "mirror", "amber",
];

const NAME_TAILS: [&str; 8] = ["wave", "core", "step", "gaze", "drift", "bloom", "tone", "hall"];

/// The genres of one world, by [`Genre::index`], and the parents of the emerging one.
pub(crate) fn profiles<R: Rng + ?Sized>(rng: &mut R) -> (Vec<Profile>, [Genre; 2]) {
    let mut profiles: Vec<Profile> = TABLE.iter().map(Row::profile).collect();
    let parents = BLENDS[below(rng, BLENDS.len())];
    let child = blend(&profiles, parents, rng);
    profiles.push(child);
    (profiles, parents)
}

impl Row {
    fn profile(&self) -> Profile {
        Profile {
            name: self.name.to_owned(),
            subs: self.subs.iter().map(|&name| name.to_owned()).collect(),
            style: self.style,
            share: self.share,
            moods: self.moods,
            seconds: self.seconds,
            age: self.age,
            near: self.near.to_vec(),
        }
    }
}

fn blend<R: Rng + ?Sized>(profiles: &[Profile], parents: [Genre; 2], rng: &mut R) -> Profile {
    let [a, b] = parents.map(|parent| &profiles[parent.index()]);
    let head = pick(rng, &NAME_HEADS).copied().unwrap_or_default();
    let tail = pick(rng, &NAME_TAILS).copied().unwrap_or_default();
    let name = format!("{head}{tail}");
    let mut moods = a.moods;
    for (mine, other) in moods.iter_mut().zip(b.moods) {
        *mine = (*mine + other) / 2.0 * rng.random_range(0.6..1.4);
    }
    Profile {
        subs: vec![name.clone()],
        name,
        style: a.style,
        share: 0.0,
        moods,
        seconds: ((a.seconds.0 + b.seconds.0) / 2.0, 0.2),
        age: 0.3,
        near: parents.to_vec(),
    }
}

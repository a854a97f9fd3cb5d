//! Regions: who lives where, in which time zone, with which devices and leanings.

use rand::Rng;

use crate::genre::{
    AFROBEATS, AMBIENT, ASIAN_POP, CLASSICAL, COUNTRY, ELECTRONIC, FOLK, GENRES, Genre, HIP_HOP,
    HOUSE, INDIE, JAZZ, LATIN, METAL, POP, REGGAE, RNB, ROCK, SOUL,
};
use crate::num::weighted;

/// Number of regions.
pub(crate) const REGIONS: usize = TABLE.len();

/// A country; index into the table of countries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region(u8);

/// What a listener listens with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Device {
    Phone,
    Desktop,
    Speaker,
    Car,
    Tv,
}

impl Device {
    const ALL: [Self; 5] = [Self::Phone, Self::Desktop, Self::Speaker, Self::Car, Self::Tv];

    /// The name used in `context.device`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Desktop => "desktop",
            Self::Speaker => "speaker",
            Self::Car => "car",
            Self::Tv => "tv",
        }
    }

    /// What keeps a hand from the skip button, in logits of the chance to skip.
    pub(crate) const fn reluctance(self) -> f32 {
        match self {
            Self::Phone => 0.0,
            Self::Desktop => 0.15,
            Self::Speaker => 0.6,
            Self::Car => 0.3,
            Self::Tv => 0.5,
        }
    }
}

struct Row {
    code: &'static str,
    /// Relative number of listeners.
    listeners: f32,
    /// Standard-time offsets in minutes, with the share of people who live there.
    zones: &'static [(i16, f32)],
    /// The word lists that hold its people's names.
    names: &'static str,
    /// Relative use of each [`Device`].
    devices: [f32; 5],
    /// Genres liked more (or less) than elsewhere, in logits.
    leanings: &'static [(Genre, f32)],
}

static TABLE: [Row; 14] = [
    Row {
        code: "US",
        listeners: 0.23,
        zones: &[(-300, 0.48), (-360, 0.29), (-420, 0.07), (-480, 0.16)],
        names: "en",
        devices: [5.0, 2.0, 1.6, 1.8, 0.5],
        leanings: &[(HIP_HOP, 0.5), (COUNTRY, 1.1), (ROCK, 0.2), (RNB, 0.4), (ASIAN_POP, -0.5)],
    },
    Row {
        code: "BR",
        listeners: 0.12,
        zones: &[(-180, 0.92), (-240, 0.08)],
        names: "pt",
        devices: [7.0, 1.4, 0.5, 0.8, 0.6],
        leanings: &[(LATIN, 1.3), (COUNTRY, 0.2), (SOUL, 0.2), (FOLK, -0.4)],
    },
    Row {
        code: "GB",
        listeners: 0.08,
        zones: &[(0, 1.0)],
        names: "en",
        devices: [5.0, 2.2, 1.8, 1.0, 0.4],
        leanings: &[(INDIE, 0.5), (ELECTRONIC, 0.5), (HOUSE, 0.4), (LATIN, -0.8), (COUNTRY, -0.8)],
    },
    Row {
        code: "DE",
        listeners: 0.08,
        zones: &[(60, 1.0)],
        names: "de",
        devices: [4.6, 2.6, 1.6, 1.2, 0.5],
        leanings: &[(ELECTRONIC, 0.8), (METAL, 0.7), (CLASSICAL, 0.5), (LATIN, -0.7)],
    },
    Row {
        code: "FR",
        listeners: 0.06,
        zones: &[(60, 1.0)],
        names: "fr",
        devices: [5.0, 2.2, 1.1, 0.9, 0.5],
        leanings: &[(HIP_HOP, 0.6), (HOUSE, 0.6), (JAZZ, 0.3), (AFROBEATS, 0.5), (COUNTRY, -1.5)],
    },
    Row {
        code: "ES",
        listeners: 0.04,
        zones: &[(60, 0.95), (0, 0.05)],
        names: "es",
        devices: [5.6, 1.8, 0.9, 0.9, 0.6],
        leanings: &[(LATIN, 1.2), (ROCK, 0.1), (COUNTRY, -1.5)],
    },
    Row {
        code: "SE",
        listeners: 0.03,
        zones: &[(60, 1.0)],
        names: "se",
        devices: [4.8, 2.4, 1.8, 0.9, 0.4],
        leanings: &[(POP, 0.5), (METAL, 0.7), (FOLK, 0.4), (LATIN, -0.8), (COUNTRY, -0.6)],
    },
    Row {
        code: "JP",
        listeners: 0.08,
        zones: &[(540, 1.0)],
        names: "jp",
        devices: [6.0, 1.8, 0.6, 0.5, 0.4],
        leanings: &[(ASIAN_POP, 1.8), (JAZZ, 0.6), (ROCK, 0.2), (LATIN, -1.4), (COUNTRY, -1.6)],
    },
    Row {
        code: "KR",
        listeners: 0.04,
        zones: &[(540, 1.0)],
        names: "kr",
        devices: [6.6, 1.8, 0.5, 0.5, 0.4],
        leanings: &[(ASIAN_POP, 1.9), (RNB, 0.5), (HIP_HOP, 0.3), (LATIN, -1.4), (COUNTRY, -1.8)],
    },
    Row {
        code: "IN",
        listeners: 0.09,
        zones: &[(330, 1.0)],
        names: "in",
        devices: [8.0, 1.0, 0.5, 0.5, 0.6],
        leanings: &[(POP, 0.7), (CLASSICAL, 0.5), (AMBIENT, 0.3), (COUNTRY, -1.6), (METAL, -0.3)],
    },
    Row {
        code: "MX",
        listeners: 0.08,
        zones: &[(-360, 0.88), (-420, 0.12)],
        names: "es",
        devices: [6.4, 1.5, 0.7, 0.9, 0.6],
        leanings: &[(LATIN, 1.6), (ROCK, 0.3), (POP, 0.2), (AFROBEATS, -0.8)],
    },
    Row {
        code: "NG",
        listeners: 0.03,
        zones: &[(60, 1.0)],
        names: "ng",
        devices: [9.0, 0.7, 0.3, 0.5, 0.3],
        leanings: &[
            (AFROBEATS, 2.1),
            (HIP_HOP, 0.5),
            (REGGAE, 0.5),
            (METAL, -1.2),
            (COUNTRY, -0.6),
        ],
    },
    Row {
        code: "ZA",
        listeners: 0.02,
        zones: &[(120, 1.0)],
        names: "za",
        devices: [7.6, 1.2, 0.5, 0.9, 0.4],
        leanings: &[(AFROBEATS, 1.4), (HOUSE, 1.1), (JAZZ, 0.3), (LATIN, -1.0)],
    },
    Row {
        code: "AU",
        listeners: 0.02,
        zones: &[(600, 0.78), (570, 0.09), (480, 0.13)],
        names: "en",
        devices: [5.0, 2.2, 1.5, 1.5, 0.4],
        leanings: &[(INDIE, 0.6), (ROCK, 0.5), (ELECTRONIC, 0.3), (LATIN, -1.0)],
    },
];

impl Region {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..REGIONS as u8).map(Self)
    }

    /// A region in proportion to where listeners live, each count raised to `power`.
    pub(crate) fn draw<R: Rng + ?Sized>(rng: &mut R, weight: impl Fn(Self) -> f32) -> Self {
        let weights: [f32; REGIONS] = std::array::from_fn(|index| weight(Self(index as u8)));
        Self(weighted(rng, &weights) as u8)
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    fn row(self) -> &'static Row {
        &TABLE[self.index()]
    }

    /// ISO 3166-1 alpha-2.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// Relative number of listeners.
    pub(crate) fn listeners(self) -> f32 {
        self.row().listeners
    }

    pub(crate) fn names(self) -> &'static str {
        self.row().names
    }

    /// Minutes to add to UTC for one of its inhabitants. Summer time is not observed.
    pub(crate) fn draw_zone<R: Rng + ?Sized>(self, rng: &mut R) -> i16 {
        let zones = self.row().zones;
        let weights: Vec<f32> = zones.iter().map(|&(_, share)| share).collect();
        zones[weighted(rng, &weights)].0
    }

    pub(crate) fn draw_device<R: Rng + ?Sized>(self, rng: &mut R) -> Device {
        Device::ALL[weighted(rng, &self.row().devices)]
    }

    /// How much more each genre is liked here than elsewhere, in logits.
    pub(crate) fn leanings(self) -> [f32; GENRES] {
        let mut all = [0.0; GENRES];
        for &(genre, lean) in self.row().leanings {
            all[genre.index()] = lean;
        }
        all
    }
}

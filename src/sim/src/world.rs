//! The world: everything that is so before anybody listens.

use segue_core::catalogue::Track as CatalogueTrack;

use crate::artist::artists;
use crate::catalogue::{Catalogue, Track, catalogue};
use crate::config::{Config, ConfigError};
use crate::genre::{GENRES, Genre, Profile, profiles};
use crate::log::Events;
use crate::mood::{MOODS, Mood};
use crate::names::Grammar;
use crate::num::{exp, generator, push_digits};
use crate::playlist::Playlists;
use crate::region::Region;
use crate::slate::{Explored, Slate};
use crate::trend::{Emerging, Viral, viral_count, virals};

/// Purposes of the generators that a seed gives rise to.
pub(crate) mod purpose {
    pub const GENRES: u64 = 1;
    pub const ARTISTS: u64 = 2;
    pub const TRACKS: u64 = 3;
    pub const TRENDS: u64 = 4;
    pub const PLAYLISTS: u64 = 5;
    pub const LOG: u64 = 6;
    pub const LISTENERS: u64 = 7;
    pub const TRIAL: u64 = 8;
}

/// A track of one [`World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackIndex(u32);

impl TrackIndex {
    pub(crate) const fn new(index: u32) -> Self {
        Self(index)
    }

    /// From 0 to under [`Config::tracks`]; the place in [`World::catalogue`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The id in events and in the catalogue, such as `t000123`.
    pub fn id(self) -> String {
        let mut id = String::with_capacity(8);
        id.push('t');
        push_digits::<10>(&mut id, self.0.into(), 6);
        id
    }
}

/// A catalogue, the trends that will come, and the laws by which listeners like and listen.
///
/// It never changes: what changes is in [`crate::Listener`] and [`crate::Situation`]. Takes about
/// 250 bytes a track.
#[derive(Clone, Debug)]
pub struct World {
    config: Config,
    pub(crate) genres: Vec<Profile>,
    pub(crate) catalogue: Catalogue,
    pub(crate) playlists: Playlists,
    pub(crate) virals: Vec<Viral>,
    pub(crate) emerging: Option<Emerging>,
    /// How many people like each genre, relative to each other, by region.
    appeal: Vec<[f32; GENRES]>,
    /// How often tracks of each genre suit each mood.
    pub(crate) mood_fit: Vec<[f32; MOODS]>,
}

impl World {
    /// Builds the world of a seed: about a second for 100,000 tracks.
    ///
    /// # Errors
    /// Those of [`Config::validate`].
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.validate()?;
        let seed = config.seed;
        let grammar = Grammar::standard();
        let (genres, parents) = profiles(&mut generator(seed, purpose::GENRES));
        let mut trends = generator(seed, purpose::TRENDS);
        let emerging = Emerging::new(config, parents, &mut trends);
        let mut rng = generator(seed, purpose::ARTISTS);
        let artists = artists(config, &genres, emerging.as_ref(), &grammar, &mut rng);
        let mut rng = generator(seed, purpose::TRACKS);
        let mut catalogue =
            catalogue(config, &genres, artists, emerging.as_ref(), &grammar, &mut rng);
        let chosen = unknowns(config, &catalogue, &mut trends);
        let virals = virals(config, &chosen, &mut trends);
        for (index, viral) in (0..).zip(&virals) {
            catalogue.tracks[viral.track.index()].viral = Some(index);
        }
        let playlists =
            Playlists::new(&catalogue, &genres, &mut generator(seed, purpose::PLAYLISTS));
        Ok(Self {
            config: config.clone(),
            appeal: Region::all().map(|region| appeal(&genres, &catalogue, region)).collect(),
            mood_fit: genres.iter().map(mood_fit).collect(),
            genres,
            catalogue,
            playlists,
            virals,
            emerging,
        })
    }

    /// What the world was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Every track, in the order of [`TrackIndex`]; tags are genre, sub-genre and moods.
    pub fn catalogue(&self) -> impl Iterator<Item = CatalogueTrack> + '_ {
        self.tracks().map(|track| self.entry(track))
    }

    /// The log of the whole period in the order of time, made as it is read.
    ///
    /// Memory is about 0.9 kB a listener, whatever the number of events. Every call gives the same
    /// events.
    pub fn events(&self) -> Events<'_> {
        Events::new(self, false)
    }

    /// The same by a service that explores, beside what is true of it: wherever the listener asks for nothing,
    /// it draws one track of about twenty that the [`crate::Policy`] offers, by popularity and now and then
    /// uniformly, and an impression with propensity and candidates goes before what the listener does.
    ///
    /// It is another log than that of [`World::events`], of the same listeners. Twenty times its cost.
    pub fn explored(&self) -> impl Iterator<Item = Explored> + '_ {
        let mut events = Events::new(self, true);
        let next = move || {
            let (event, slate) = events.advance()?;
            Some(Explored { event, enjoyed: slate.as_ref().map(Slate::enjoyed) })
        };
        std::iter::from_fn(next)
    }

    /// Every track.
    pub fn tracks(&self) -> impl Iterator<Item = TrackIndex> + use<> {
        (0..self.config.tracks).map(TrackIndex::new)
    }

    /// The track with an id such as `t000123`.
    pub fn find(&self, id: &str) -> Option<TrackIndex> {
        let track = TrackIndex::new(id.strip_prefix('t')?.parse().ok()?);
        (track.0 < self.config.tracks && track.id() == id).then_some(track)
    }

    fn entry(&self, index: TrackIndex) -> CatalogueTrack {
        let track = self.catalogue.track(index);
        CatalogueTrack {
            track: index.id(),
            title: track.title.to_string(),
            artist: self.catalogue.artist_of(track).name.clone(),
            album: self.catalogue.albums[track.album as usize].to_string(),
            duration_ms: track.duration_ms,
            tags: self.tags(track),
        }
    }

    fn tags(&self, track: &Track) -> Vec<String> {
        let artist = self.catalogue.artist_of(track);
        let genre = &self.genres[artist.genre.index()];
        // A genre too young to have sub-genres is filed with where it came from.
        let second = match &self.emerging {
            Some(emerging) if artist.genre == Genre::EMERGING => {
                self.genres[emerging.parents[0].index()].name.clone()
            }
            _ => genre.subs[usize::from(artist.sub)].clone(),
        };
        let also = track.mood.second_at(track.affect, &genre.moods);
        let moods = [track.mood, also].map(|mood| mood.name().into());
        [genre.name.clone(), second].into_iter().chain(moods).collect()
    }

    /// How far the emerging genre has got in a region, 0 to 1.
    pub(crate) fn emergence(&self, region: Region, now_ms: i64) -> f32 {
        self.emerging.as_ref().map_or(0.0, |emerging| emerging.level(region, now_ms))
    }

    /// How many people of a region like each established genre, relative to each other.
    pub(crate) fn appeal(&self, region: Region) -> &[f32; GENRES] {
        &self.appeal[region.index()]
    }

    /// Whether a track can be heard yet.
    pub(crate) fn is_out(&self, track: TrackIndex, now_ms: i64) -> bool {
        self.catalogue.track(track).released_ms <= now_ms
    }
}

/// Tracks of no great fame that are out before the period: those that may go viral.
fn unknowns(
    config: &Config,
    catalogue: &Catalogue,
    rng: &mut rand_pcg::Pcg64Mcg,
) -> Vec<TrackIndex> {
    let count = viral_count(config);
    let mut chosen = Vec::with_capacity(count);
    for _ in 0..64 * count {
        let index = TrackIndex::new(crate::num::below(rng, catalogue.tracks.len()) as u32);
        let track = catalogue.track(index);
        let unknown = (0.2..0.75).contains(&track.popularity) && track.age > 0.0;
        let established = catalogue.artist_of(track).genre != Genre::EMERGING;
        if unknown && established && !chosen.contains(&index) {
            chosen.push(index);
        }
        if chosen.len() == count {
            break;
        }
    }
    chosen
}

fn appeal(genres: &[Profile], catalogue: &Catalogue, region: Region) -> [f32; GENRES] {
    let leanings = region.leanings();
    std::array::from_fn(|genre| {
        if catalogue.genres[genre].is_empty() {
            0.0
        } else {
            // The emerging genre has no share: what appeal it has grows with time.
            genres[genre].share * exp(leanings[genre])
        }
    })
}

fn mood_fit(genre: &Profile) -> [f32; MOODS] {
    let total: f32 = genre.moods.iter().sum();
    Mood::ALL.map(|wanted| {
        let fits = Mood::ALL.into_iter().zip(genre.moods);
        fits.map(|(mood, share)| share * mood.affect().fit(wanted.affect())).sum::<f32>() / total
    })
}

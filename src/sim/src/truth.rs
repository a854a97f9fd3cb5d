//! What is true of a world, for those who want to know whether it can be found in its log.

use serde::Serialize;

use crate::genre::Genre;
use crate::region::Region;
use crate::world::{TrackIndex, World};

/// The truth about a world. Serialises to one JSON object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truth {
    /// Start of the period, in milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// The first millisecond after it.
    pub end_ms: i64,
    /// Tracks that went viral, in the order of their start; none below 50 tracks.
    pub viral: Vec<ViralTruth>,
    /// The genre that emerged; none below 100 tracks.
    pub emerging: Option<EmergingTruth>,
    /// Every track, in the order of the catalogue.
    pub tracks: Vec<TrackTruth>,
    /// The editor's playlists; number n is the source `playlist:n`.
    pub playlists: Vec<PlaylistTruth>,
}

/// A track that went viral: nothing before the start, then a quadratic rise to the peak, then
/// exponential decay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ViralTruth {
    /// Its id.
    pub track: String,
    /// Where it began, ISO 3166-1 alpha-2.
    pub lead_region: String,
    /// Start of the rise in the lead region.
    pub start_ms: i64,
    /// Its peak there.
    pub peak_ms: i64,
    /// Time in which the level halves after the peak.
    pub half_life_ms: i64,
    /// The lead region and the others, strongest first.
    pub regions: Vec<SpreadTruth>,
}

/// How a trend reached one region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpreadTruth {
    /// ISO 3166-1 alpha-2.
    pub region: String,
    /// How long after the lead region.
    pub lag_ms: i64,
    /// Height of the peak relative to the lead region, 0 to 1.
    pub strength: f32,
}

/// The genre that emerged, along a logistic curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EmergingTruth {
    /// Its name, which is also the first tag of its tracks.
    pub genre: String,
    /// The two genres that it blends.
    pub parents: Vec<String>,
    /// Where it began.
    pub lead_region: String,
    /// The middle of the curve in the lead region.
    pub midpoint_ms: i64,
    /// The time constant of the curve.
    pub width_ms: i64,
    /// The ids of its tracks.
    pub tracks: Vec<String>,
}

/// One track.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrackTruth {
    /// Its id.
    pub track: String,
    /// Number of the artist.
    pub artist: u32,
    /// Name of the genre.
    pub genre: String,
    /// Name of the sub-genre.
    pub sub_genre: String,
    /// Number of the scene: a few artists whom the same people like. No tag tells it.
    pub scene: u32,
    /// Where the artist is at home.
    pub region: String,
    /// The mood that fits best.
    pub mood: String,
    /// On the plane of affect, about −1 to 1.
    pub valence: f32,
    /// On the plane of affect, about −1 to 1.
    pub arousal: f32,
    /// When it came out, which may be within the period.
    pub released_ms: i64,
    /// Share of tracks that were made to be less popular, 0 to 1.
    pub popularity: f32,
}

/// One playlist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaylistTruth {
    /// The name of the source in events.
    pub source: String,
    /// What it is called.
    pub title: String,
    /// Name of the genre.
    pub genre: String,
    /// The mood that it is for, if any.
    pub mood: Option<String>,
    /// The ids of its tracks, in order.
    pub tracks: Vec<String>,
}

impl World {
    /// What is true of this world, copied out: O(tracks) time and memory.
    pub fn truth(&self) -> Truth {
        let mut viral: Vec<ViralTruth> = self.viral_truth().collect();
        viral.sort_by_key(|viral| viral.start_ms);
        Truth {
            start_ms: self.config().start_ms,
            end_ms: self.config().end_ms(),
            viral,
            emerging: self.emerging_truth(),
            tracks: self.tracks().map(|track| self.track_truth(track)).collect(),
            playlists: self.playlist_truth().collect(),
        }
    }

    fn genre_name(&self, genre: Genre) -> String {
        self.genres[genre.index()].name.clone()
    }

    fn viral_truth(&self) -> impl Iterator<Item = ViralTruth> {
        self.virals.iter().map(|viral| {
            let mut regions: Vec<SpreadTruth> = Region::all()
                .zip(viral.spread)
                .map(|(region, spread)| SpreadTruth {
                    region: region.code().into(),
                    lag_ms: spread.lag_ms,
                    strength: spread.strength,
                })
                .collect();
            regions.sort_by(|a, b| b.strength.total_cmp(&a.strength));
            ViralTruth {
                track: viral.track.id(),
                lead_region: viral.lead.code().into(),
                start_ms: viral.start_ms,
                peak_ms: viral.peak_ms,
                half_life_ms: viral.half_life_ms,
                regions,
            }
        })
    }

    fn emerging_truth(&self) -> Option<EmergingTruth> {
        let emerging = self.emerging.as_ref()?;
        let of_genre = |track: &TrackIndex| {
            let track = self.catalogue.track(*track);
            self.catalogue.artist_of(track).genre == Genre::EMERGING
        };
        Some(EmergingTruth {
            genre: self.genre_name(Genre::EMERGING),
            parents: emerging.parents.map(|parent| self.genre_name(parent)).into(),
            lead_region: emerging.lead.code().into(),
            midpoint_ms: emerging.midpoint_ms,
            width_ms: emerging.width_ms,
            tracks: self.tracks().filter(of_genre).map(TrackIndex::id).collect(),
        })
    }

    fn track_truth(&self, index: TrackIndex) -> TrackTruth {
        let track = self.catalogue.track(index);
        let artist = self.catalogue.artist_of(track);
        TrackTruth {
            track: index.id(),
            artist: track.artist,
            genre: self.genre_name(artist.genre),
            sub_genre: self.genres[artist.genre.index()].subs[usize::from(artist.sub)].clone(),
            scene: artist.scene,
            region: artist.home.code().into(),
            mood: track.mood.name().into(),
            valence: track.affect.valence,
            arousal: track.affect.arousal,
            released_ms: track.released_ms,
            popularity: track.popularity,
        }
    }

    fn playlist_truth(&self) -> impl Iterator<Item = PlaylistTruth> {
        self.playlists.all.iter().zip(0..).map(|(list, number)| PlaylistTruth {
            source: crate::Source::Playlist(number).name(),
            title: list.title.clone(),
            genre: self.genre_name(list.genre),
            mood: list.mood.map(|mood| mood.name().into()),
            tracks: list.tracks.iter().map(|track| track.id()).collect(),
        })
    }
}

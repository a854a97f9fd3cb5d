//! The `text` section: what a person reads.
//!
//! `[prefix][artists u32, clusters u32, bytes u32, zero u32][artist of each row u32 × n]`
//! `[duration of each row, ms u32 × n][offsets u32 × (n + artists + clusters + 1)][UTF-8]`.
//! Strings lie end to end: titles in row order, artists, names of clusters.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use bytemuck::{Pod, Zeroable};

use super::{
    MAX_CLUSTERS, ModelError, Prefix, SectionKind, Shape, ascends, ids::IdsDigest, prefix,
};
use crate::{
    bytes::{Aligned, Reader, Writer},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Text;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Counts {
    artists: u32,
    clusters: u32,
    bytes: u32,
    zero: u32,
}

/// Names, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    artists: usize,
    clusters: usize,
    artist_of: &'a [u32],
    durations: &'a [u32],
    offsets: &'a [u32],
    strings: &'a [u8],
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let rows = reader.one::<Prefix>()?.rows as usize;
        let counts = *reader.one::<Counts>()?;
        let (artists, clusters) = (counts.artists as usize, counts.clusters as usize);
        let artist_of = reader.array(rows)?;
        let durations = reader.array(rows)?;
        let count = rows.checked_add(artists)?.checked_add(clusters)?;
        let offsets = reader.array(count.checked_add(1)?)?;
        let strings = reader.array(counts.bytes as usize)?;
        reader.is_empty().then_some(Self {
            artists,
            clusters,
            artist_of,
            durations,
            offsets,
            strings,
        })
    }

    /// The title of a row; empty where unknown.
    pub fn title(&self, row: Row) -> &'a str {
        self.string(row.index())
    }

    /// The artist of a row; empty where unknown.
    pub fn artist(&self, row: Row) -> &'a str {
        self.artist_name(self.artist_index(row))
    }

    /// The artist of a row as a number, dense from 0; equal numbers are the same artist.
    pub fn artist_index(&self, row: Row) -> u32 {
        self.artist_of.get(row.index()).copied().unwrap_or_default()
    }

    /// The same where the artist has a name.
    pub fn named_artist(&self, row: Row) -> Option<u32> {
        let artist = *self.artist_of.get(row.index())?;
        let at = self.artist_of.len().saturating_add(artist as usize);
        let bounds = self.offsets.get(at).zip(self.offsets.get(at + 1))?;
        (bounds.0 < bounds.1).then_some(artist)
    }

    /// The name of an artist.
    pub fn artist_name(&self, artist: u32) -> &'a str {
        self.string(self.artist_of.len().saturating_add(artist as usize))
    }

    /// The length of a row's track in milliseconds; 0 where unknown.
    pub fn duration_ms(&self, row: Row) -> u32 {
        self.durations.get(row.index()).copied().unwrap_or_default()
    }

    /// Names of clusters in the order of [`super::Clusters`]; there may be none.
    pub fn cluster_name(&self, cluster: usize) -> Option<&'a str> {
        let index =
            (cluster < self.clusters).then(|| self.artist_of.len() + self.artists + cluster)?;
        Some(self.string(index)).filter(|name| !name.is_empty())
    }

    fn string(&self, index: usize) -> &'a str {
        let bounds = self.offsets.get(index).zip(self.offsets.get(index + 1));
        bounds
            .and_then(|(&from, &to)| self.strings.get(from as usize..to as usize))
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

pub(super) fn encode<'a>(
    ids: IdsDigest,
    tracks: impl Iterator<Item = (&'a str, &'a str, u32)>,
    clusters: &[String],
) -> Aligned {
    let mut artists: Vec<&str> = Vec::new();
    let mut index_of: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut artist_of, mut durations) = (Vec::new(), Vec::new());
    let (mut strings, mut offsets) = (String::new(), Vec::from([0_u32]));
    let mut push = |text: &str, strings: &mut String| {
        strings.push_str(text);
        offsets.push(strings.len() as u32);
    };
    for (title, artist, duration) in tracks {
        push(title, &mut strings);
        durations.push(duration);
        artist_of.push(*index_of.entry(artist).or_insert_with(|| {
            artists.push(artist);
            artists.len() as u32 - 1
        }));
    }
    for text in artists.iter().copied().chain(clusters.iter().map(String::as_str)) {
        push(text, &mut strings);
    }
    let counts = Counts {
        artists: artists.len() as u32,
        clusters: clusters.len() as u32,
        bytes: strings.len() as u32,
        zero: 0,
    };
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: artist_of.len() as u32, width: counts.artists, ids: ids.0 }]);
    writer.array(&[counts]).array(&artist_of).array(&durations);
    writer.array(&offsets).array(strings.as_bytes());
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    let (width, _) = prefix(KIND, bytes, shape, 1..=shape.rows)?;
    let text = Text::new(bytes).ok_or(ModelError::Shape(KIND))?;
    if text.artists != width || text.clusters > MAX_CLUSTERS {
        return Err(ModelError::Limit(KIND));
    }
    if text.artist_of.iter().any(|&artist| artist as usize >= width) {
        return Err(ModelError::value(KIND, "a track has an artist that does not exist"));
    }
    let ends = (text.offsets.first(), text.offsets.last());
    let whole = ends == (Some(&0), Some(&(text.strings.len() as u32)));
    let strings = core::str::from_utf8(text.strings)
        .map_err(|_| ModelError::value(KIND, "the strings are not UTF-8"))?;
    let cut = |&offset: &u32| !strings.is_char_boundary(offset as usize);
    if !whole || !ascends(text.offsets) || text.offsets.iter().any(cut) {
        return Err(ModelError::value(KIND, "offsets do not lie on the strings"));
    }
    Ok(())
}

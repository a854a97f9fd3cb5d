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
    bytes::{Aligned, Writer, number, padded},
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
    bytes: &'a [u8],
    rows: usize,
}

/// Where the artists of rows start.
const START: usize = size_of::<Prefix>() + size_of::<Counts>();

impl<'a> Text<'a> {
    /// Reads the section of so many rows, which was validated.
    #[inline]
    pub(super) const fn new(bytes: &'a [u8], rows: usize) -> Self {
        Self { bytes, rows }
    }

    /// How many artists and clusters there are.
    fn counts(&self) -> [usize; 2] {
        const FIRST: usize = size_of::<Prefix>() / size_of::<u32>();
        let count = |at| number::<u32>(self.bytes, 0, FIRST + at).unwrap_or_default() as usize;
        [count(0), count(1)]
    }

    /// How many artists there are.
    pub(super) fn artists(&self) -> usize {
        self.counts()[0]
    }

    /// How many clusters have names here.
    pub(super) fn clusters(&self) -> usize {
        self.counts()[1]
    }

    /// The bytes of one number for each row.
    const fn column(&self) -> usize {
        padded(self.rows * size_of::<u32>())
    }

    /// Where the strings start.
    fn strings(&self) -> usize {
        let [artists, clusters] = self.counts();
        let count = self.rows + artists + clusters + 1;
        self.offsets() + padded(count * size_of::<u32>())
    }

    const fn offsets(&self) -> usize {
        START + 2 * self.column()
    }

    /// From where to where a string lies.
    #[inline]
    fn bounds(&self, index: usize) -> Option<[usize; 2]> {
        let at = |index| Some(number::<u32>(self.bytes, self.offsets(), index)? as usize);
        Some([at(index)?, at(index + 1)?])
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
        self.credited(row).unwrap_or_default()
    }

    #[inline]
    fn credited(&self, row: Row) -> Option<u32> {
        number(self.bytes, START, row.index()).filter(|_| row.index() < self.rows)
    }

    /// The same where the artist has a name.
    pub fn named_artist(&self, row: Row) -> Option<u32> {
        let artist = self.credited(row)?;
        let [from, to] = self.bounds(self.rows + artist as usize)?;
        (from < to).then_some(artist)
    }

    /// The name of an artist.
    pub fn artist_name(&self, artist: u32) -> &'a str {
        self.string(self.rows.saturating_add(artist as usize))
    }

    /// The length of a row's track in milliseconds; 0 where unknown.
    pub fn duration_ms(&self, row: Row) -> u32 {
        let known = number(self.bytes, START + self.column(), row.index());
        known.filter(|_| row.index() < self.rows).unwrap_or_default()
    }

    /// Names of clusters in the order of [`super::Clusters`]; there may be none.
    pub fn cluster_name(&self, cluster: usize) -> Option<&'a str> {
        let [artists, clusters] = self.counts();
        let index = (cluster < clusters).then(|| self.rows + artists + cluster)?;
        Some(self.string(index)).filter(|name| !name.is_empty())
    }

    fn string(&self, index: usize) -> &'a str {
        core::str::from_utf8(self.string_bytes(index)).unwrap_or_default()
    }

    /// The bytes of a string, which are UTF-8.
    fn string_bytes(&self, index: usize) -> &'a [u8] {
        let strings = self.bytes.get(self.strings()..);
        let bytes = strings.zip(self.bounds(index)).and_then(|(all, [from, to])| all.get(from..to));
        bytes.unwrap_or_default()
    }

    /// Bytes of the section.
    pub(super) const fn section_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of the title of a row.
    pub(super) fn title_bytes(&self, row: Row) -> &'a [u8] {
        self.string_bytes(row.index())
    }
}

/// Strings that lie end to end.
#[derive(Default)]
pub(super) struct Strings {
    pub bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Strings {
    /// Appends one; `None` where there is no memory for it.
    pub fn push(&mut self, text: &[u8]) -> Option<()> {
        self.bytes.try_reserve(text.len()).ok()?;
        self.bytes.extend_from_slice(text);
        self.close()
    }

    /// Makes room for so many strings of so many bytes; `None` where there is no memory for them.
    pub fn reserve(&mut self, strings: usize, bytes: usize) -> Option<()> {
        self.bytes.try_reserve(bytes).ok()?;
        self.ends.try_reserve(strings).ok()
    }

    /// Makes one of the bytes since the last.
    pub fn close(&mut self) -> Option<()> {
        self.ends.try_reserve(1).ok()?;
        self.ends.push(u32::try_from(self.bytes.len()).ok()?);
        Some(())
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
    let mut strings = Strings::default();
    for (title, artist, duration) in tracks {
        strings.push(title.as_bytes());
        durations.push(duration);
        artist_of.push(*index_of.entry(artist).or_insert_with(|| {
            artists.push(artist);
            artists.len() as u32 - 1
        }));
    }
    for text in artists.iter().copied().chain(clusters.iter().map(String::as_str)) {
        strings.push(text.as_bytes());
    }
    lay_out(ids, &artist_of, &durations, [artists.len(), clusters.len()], &strings)
}

/// Lays out so many artists and clusters, whose names follow the titles.
pub(super) fn lay_out(
    ids: IdsDigest,
    artist_of: &[u32],
    durations: &[u32],
    [artists, clusters]: [usize; 2],
    Strings { bytes, ends }: &Strings,
) -> Aligned {
    let [artists, clusters, len] = [artists, clusters, bytes.len()].map(|count| count as u32);
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: artist_of.len() as u32, width: artists, ids: ids.0 }]);
    writer.array(&[Counts { artists, clusters, bytes: len, zero: 0 }]);
    writer.array(artist_of).array(durations);
    writer.array(&[&[0], &ends[..]].concat()).array(bytes);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    let (width, mut reader) = prefix(KIND, bytes, shape, 1..=shape.rows)?;
    let counts: Counts = *reader.one().ok_or(ModelError::Shape(KIND))?;
    let (artists, clusters) = (counts.artists as usize, counts.clusters as usize);
    if artists != width || clusters > MAX_CLUSTERS {
        return Err(ModelError::Limit(KIND));
    }
    let mut array = |len| reader.array::<u32>(len).ok_or(ModelError::Shape(KIND));
    let (artist_of, _) = (array(shape.rows)?, array(shape.rows)?);
    let offsets = array(shape.rows + artists + clusters + 1)?;
    let strings = reader.array::<u8>(counts.bytes as usize).filter(|_| reader.is_empty());
    let strings = strings.ok_or(ModelError::Shape(KIND))?;
    if artist_of.iter().any(|&artist| artist as usize >= width) {
        return Err(ModelError::value(KIND, "a track has an artist that does not exist"));
    }
    let ends = (offsets.first(), offsets.last());
    let whole = ends == (Some(&0), Some(&(strings.len() as u32)));
    let strings = core::str::from_utf8(strings)
        .map_err(|_| ModelError::value(KIND, "the strings are not UTF-8"))?;
    let cut = |&offset: &u32| !strings.is_char_boundary(offset as usize);
    if !whole || !ascends(offsets) || offsets.iter().any(cut) {
        return Err(ModelError::value(KIND, "offsets do not lie on the strings"));
    }
    Ok(())
}

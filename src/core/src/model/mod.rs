//! The model: sections of bytes, validated once; the factors are decoded, the rest read in place.
//!
//! | section | holds | bytes |
//! |---|---|---|
//! | `ids` | fingerprints of the tracks, ascending | 4.3 a track |
//! | `factors` | item factors, entropy-coded | 5 to 15 a track |
//! | `taste` | what fold-in needs: prior, ridge, worth of each kind of evidence | 4d + … |
//! | `clusters` | centroids and each track's cluster | 2 a track |
//! | `text` | titles, artists, durations, names of clusters | as the names are |
//! | `neighbours` | tracks that go with each track | 1 to 8 a track |
//! | `transitions` | tracks that follow each track | 5 to 40 a track |
//! | `finished` | what the listeners of each cluster finish more than others | 4 an entry |
//! | `rates` | how many said yes and no to each track | 2 a track |
//! | `ranker` | what foretells a yes, and how much it counts | 192 |
//! | `albums` | which tracks of an artist are of one album | 1 a track |
//! | `tags` | what tracks are said to be, such as genres and moods | 8 a track |
//! | `context` | what listeners say at an hour, on a device, in a mood | some thousands in all |
//! | `shards` | of a catalogue that was split: its shards, and what stands for them | 20 to 50 thousand in all |
//! | `cells` | of such a catalogue: which shard has a track | 1.6 a track |
//!
//! The first three are required. Each section that has one entry a track starts with a prefix
//! that names the `ids` section it belongs to, so that sections of different versions are never
//! read together.
//!
//! **Invariant:** a [`Model`] exists only if every section passed validation; no accessor of a
//! model can fail or panic, whatever bytes it was made from.

mod albums;
mod clusters;
pub mod container;
mod context;
pub mod delta;
mod encode;
mod error;
mod factors;
mod finished;
mod ids;
mod neighbours;
mod part;
mod ranker;
mod rates;
mod section;
mod split;
mod tags;
mod tail;
mod taste;
mod text;
mod track;

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

pub use albums::Albums;
pub use clusters::Clusters;
pub use context::{ContextParts, Contexts, MAX_VALUES};
pub use encode::{
    encode_albums, encode_clusters, encode_context, encode_factors, encode_finished, encode_ids,
    encode_ids_beside, encode_neighbours, encode_ranker, encode_ranking, encode_rates, encode_tags,
    encode_taste, encode_taste_beside, encode_text,
};
pub use error::ModelError;
pub use factors::{Factors, FactorsDigest, fine_steps, quantise};
pub use finished::{Entry, Finished};
pub use ids::{Ids, IdsDigest, Stem};
pub use neighbours::{Habits, MAX_WEIGHT, Neighbour, NeighbourParts, Neighbours, popularity_class};
pub use ranker::{Ranker, RankerParts, Recipe, Spread, Worth};
pub use rates::{Rate, Rates};
pub use section::{SectionId, SectionKind};
pub use split::{Shard, Sharded, Split, encode_split};
pub use tags::{MAX_TAGS, Tags};
pub use tail::FINE_BITS;
pub use taste::{Loss, Response, Responses, Taste, TasteParts};
pub use text::Text;
pub use track::Track;

use crate::{
    bytes::Aligned,
    ids::{ABSENT, Row, fingerprint},
    kernel::Shelf,
};
use part::{Part, Sections};
use section::{Prefix, Shape, ascends, in_range, prefix, prefix_of};
use tail::Tail;

/// Most tracks in one shard.
pub const MAX_ROWS: usize = 1 << 24;
/// Most shards beside the head.
pub const MAX_SHARDS: usize = 254;
/// Most cells that the tracks beside the head are grouped into.
pub const MAX_CELLS: usize = 1 << 16;
/// Most components of a factor. The 32-bit score of an int8 row cannot overflow below it.
pub const MAX_DIM: usize = 256;
/// Most clusters in one model.
pub const MAX_CLUSTERS: usize = 4096;
/// Largest magnitude of any real number in a model, so that no sum of a session can overflow.
pub const MAX_REAL: f32 = 1e6;

/// A validated model.
#[derive(Clone, Debug)]
pub struct Model {
    head: Part,
    /// Empty where the `taste` section has its own.
    gram: Vec<f32>,
    tail: Option<Tail>,
    /// How often sections were added.
    revision: u32,
}

impl Model {
    /// Reads a whole model file. Cost: a copy, a pass, and decoding the factors.
    pub fn from_file(file: &[u8]) -> Result<Self, ModelError> {
        Self::from_sections(container::load(file)?)
    }

    /// Takes sections that arrived one by one. They are validated in the order of
    /// [`SectionKind::ALL`], shard by shard, whatever order they come in. Of a catalogue that was
    /// split the head is enough.
    pub fn from_sections<S: Into<SectionId>>(
        sections: impl IntoIterator<Item = (S, Aligned)>,
    ) -> Result<Self, ModelError> {
        Self::of_parts(Vec::new(), sections)
    }

    /// The same, of which some shards are made already.
    fn of_parts<S: Into<SectionId>>(
        made: Vec<(u8, Part)>,
        sections: impl IntoIterator<Item = (S, Aligned)>,
    ) -> Result<Self, ModelError> {
        let (mut rest, shards) = sorted(sections)?;
        let (heads, others): (Vec<_>, Vec<_>) =
            made.into_iter().partition(|(shard, _)| *shard == 0);
        let mut late = Sections::default();
        let mut head = match heads.into_iter().next() {
            Some((_, head)) => {
                core::mem::swap(&mut late, &mut rest);
                head
            }
            None => {
                if let Some(cells) = rest.take(SectionKind::Cells) {
                    late.put(SectionKind::Cells, cells)?;
                }
                Part::read(rest)?
            }
        };
        let dim = head.shape.dim;
        let has_gram = Taste::has_gram(head.sections.require(SectionKind::Taste)?, dim);
        let gram = if has_gram { Vec::new() } else { head.factors_mut().gram() };
        let taste = head.sections.require(SectionKind::Taste)?;
        Taste::read(taste, dim, &gram, head.factors().section())?;
        let tail = head.sections.get(SectionKind::Shards);
        let mut tail = tail.map(|bytes| Tail::read(bytes, &head)).transpose()?;
        if let (Some(cells), Some(tail)) = (late.take(SectionKind::Cells), &mut tail) {
            tail.add_cells(cells)?;
        }
        for (number, part) in others {
            let tail = tail.as_mut().ok_or(ModelError::Missing(SectionKind::Shards))?;
            tail.put(number, part)?;
        }
        let mut model = Self { head, gram, tail, revision: 0 };
        model.take_in(late, shards)?;
        Ok(model)
    }

    /// Takes in what was not here yet of the same version: cells, names, shards. Where it fails,
    /// what was taken in before the error stays; it is sound by itself.
    pub fn add<S: Into<SectionId>>(
        &mut self,
        sections: impl IntoIterator<Item = (S, Aligned)>,
    ) -> Result<(), ModelError> {
        let (late, shards) = sorted(sections)?;
        self.revision = self.revision.wrapping_add(1);
        self.take_in(late, shards)
    }

    fn take_in(&mut self, late: Sections, shards: Shards) -> Result<(), ModelError> {
        for (kind, bytes) in late.into_all() {
            match (kind, &mut self.tail) {
                (SectionKind::Cells, Some(tail)) => tail.add_cells(bytes)?,
                (SectionKind::Cells, None) => Err(ModelError::Missing(SectionKind::Shards))?,
                _ => self.head.add(kind, bytes)?,
            }
        }
        for (number, sections) in shards {
            let tail = self.tail.as_mut().ok_or(ModelError::Missing(SectionKind::Shards))?;
            let added = match tail.part_mut(number) {
                Some(part) => sections.into_all().try_for_each(|(kind, b)| part.add(kind, b)),
                None => tail.add(number, sections),
            };
            added.map_err(|source| ModelError::Shard { number, source: Box::new(source) })?;
        }
        Ok(())
    }

    /// Tells what is here from what was here before sections were added.
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// The model as one file, of what is here.
    pub fn to_file(&self) -> Vec<u8> {
        self.to_file_with(&[])
    }

    /// The same with notes, which ascend by kind.
    pub fn to_file_with(&self, notes: &[(u32, &[u8])]) -> Vec<u8> {
        let sections: Vec<_> = self.sections().collect();
        let sections: Vec<_> = sections.iter().map(|(id, bytes)| (*id, &bytes[..])).collect();
        container::join_with(&sections, notes)
    }

    /// A section that is here as it was sent: one that a delta made is not.
    pub fn section(&self, id: SectionId) -> Option<&[u8]> {
        if id.kind == SectionKind::Cells {
            return self.tail.as_ref().and_then(Tail::cells);
        }
        self.part_of(id.shard)?.sections.get(id.kind)
    }

    /// A section as it would be sent, coded anew where a delta made it.
    pub fn encoded(&self, id: SectionId) -> Option<Cow<'_, [u8]>> {
        if id.kind == SectionKind::Cells {
            return self.section(id).map(Cow::Borrowed);
        }
        self.part_of(id.shard)?.encoded(id.kind)
    }

    /// The sections that are here, in file order; those that deltas made are coded anew.
    pub fn sections(&self) -> impl Iterator<Item = (SectionId, Cow<'_, [u8]>)> {
        let cells = self.tail.as_ref().and_then(Tail::cells);
        let cells = cells.map(|bytes| (SectionKind::Cells.into(), Cow::Borrowed(bytes)));
        // The head's own kinds are numbered on both sides of it.
        let (early, late) = SectionKind::ALL.split_at(SectionKind::Cells.place());
        let shards = self.tail.iter().flat_map(Tail::parts);
        let shards = shards.flat_map(|(shard, part)| named(shard, part, &SectionKind::ALL));
        named(0, &self.head, early).chain(cells).chain(named(0, &self.head, late)).chain(shards)
    }

    /// What further sections of the head are numbered by.
    pub const fn ids_digest(&self) -> IdsDigest {
        self.head.shape.ids
    }

    /// Number of tracks that are here.
    pub fn len(&self) -> usize {
        self.parts().map(|(_, part)| part.shape.rows).sum()
    }

    /// Whether the catalogue is empty; it never is.
    pub const fn is_empty(&self) -> bool {
        self.head.shape.rows == 0
    }

    /// Number of tracks of the whole catalogue, here or not.
    pub fn catalogue(&self) -> usize {
        self.head.shape.rows + self.tail.as_ref().map_or(0, Tail::tracks)
    }

    /// Number of components of a factor.
    pub const fn dim(&self) -> usize {
        self.head.shape.dim
    }

    /// Whether there is such a row: a track that is here, or a cell.
    #[inline]
    pub fn has(&self, row: Row) -> bool {
        self.track(row).is_some() || self.mean(row).is_some()
    }

    /// Every track that is here.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.parts().flat_map(|(shard, part)| {
            (0..part.shape.rows as u32).map(move |place| Row::new(shard, place))
        })
    }

    /// The row of the caller's track id, if the model knows it: that of its cell where the track
    /// is not here. O(1).
    pub fn row(&self, track: &str) -> Option<Row> {
        let fingerprint = fingerprint(track);
        let head = self.head.ids().find(fingerprint);
        head.or_else(|| self.tail.as_ref()?.row(fingerprint))
    }

    /// What is held of the fingerprint of a track that is here.
    pub fn stem(&self, row: Row) -> Option<Stem> {
        let part = self.part(row).filter(|part| row.index() < part.shape.rows)?;
        Some(part.ids().stem(Row(row.index() as u32)))
    }

    /// The row of the only track here whose fingerprint agrees with `stem`.
    pub fn find_stem(&self, stem: Stem) -> Option<Row> {
        self.parts().find_map(|(shard, part)| Some(part.ids().find_stem(stem)?.of(shard)))
    }

    /// The shard of a row: its own, or that of the absent tracks that it stands for; `None` where
    /// there is no such row.
    pub fn shard_of(&self, row: Row) -> Option<u8> {
        match row.shard() {
            ABSENT => self.cells().get(row.index()).copied(),
            shard => self.codes(row).map(|_| shard),
        }
    }

    /// The shard of each cell of absent tracks; empty where the catalogue was not split.
    pub fn cells(&self) -> &[u8] {
        self.tail.as_ref().map_or(&[], Tail::shard_of)
    }

    /// Whether a shard has tracks that are not here.
    pub fn is_absent(&self, shard: u8) -> bool {
        self.tail.as_ref().is_some_and(|tail| tail.is_absent(shard))
    }

    /// The item factors of the head: of all tracks, where the catalogue was not split.
    pub const fn factors(&self) -> &Factors {
        self.head.factors()
    }

    /// The item factors of every shard that is here.
    pub fn shelves(&self) -> impl Iterator<Item = Shelf<'_>> {
        let shelf =
            |(shard, part)| Shelf { shard, shift: self.shift(shard), factors: Part::factors(part) };
        self.parts().map(shelf)
    }

    /// The steps that codes count; those of the head may count 2 to the [`Model::shift`] of them.
    pub fn steps(&self) -> &[f32] {
        self.tail.as_ref().map_or(self.factors().steps(), Tail::steps)
    }

    /// A code of a shard counts 2 to this of the [`Model::steps`].
    #[inline]
    pub fn shift(&self, shard: u8) -> u32 {
        self.tail.as_ref().filter(|_| shard == 0).map_or(0, Tail::shift)
    }

    /// The codes of a track's factor; `None` where it is not here.
    pub fn codes(&self, row: Row) -> Option<&[i8]> {
        self.track(row).map(Track::codes)
    }

    /// The codes of the mean factor of a cell, in whole steps, and of what is left of it, in steps of
    /// 2⁻⁷; `None` where the row is not that of a cell.
    pub fn mean(&self, row: Row) -> Option<[&[i8]; 2]> {
        let tail = self.tail.as_ref().filter(|_| row.is_estimate())?;
        tail.mean(row.index())
    }

    /// Largest unit of the sketches of any part, here or not.
    pub fn unit(&self) -> u16 {
        self.tail.as_ref().map_or(self.factors().sketch().unit(), Tail::unit)
    }

    /// Writes the factor of a row to `out`, `dim` reals: of its track, or the mean of its cell; nothing
    /// where there is no such row.
    pub fn decode(&self, row: Row, out: &mut [f32]) {
        let fine = 1.0 / (1 << FINE_BITS) as f32;
        let count = (1 << self.shift(row.shard())) as f32;
        let (whole, left) = match (self.codes(row), self.mean(row)) {
            (Some(codes), _) => (codes, &[][..]),
            (_, Some([whole, left])) => (whole, left),
            _ => return,
        };
        let left = left.iter().map(|&code| f32::from(code) * fine).chain(core::iter::repeat(0.0));
        let codes = whole.iter().map(|&code| f32::from(code) * count).zip(left);
        for ((out, step), (whole, left)) in out.iter_mut().zip(self.steps()).zip(codes) {
            *out = (whole + left) * step;
        }
    }

    /// The listener side of the ridge system.
    pub fn taste(&self) -> Taste<'_> {
        let taste = self.head.section(SectionKind::Taste);
        Taste::new(taste, self.dim(), &self.gram).unwrap_or_default()
    }

    /// The tracks that go with those of a shard that is here, where the model says so.
    pub fn neighbours(&self, shard: u8) -> Option<&Neighbours> {
        self.part(Row::new(shard, 0))?.neighbours()
    }

    /// The tracks that follow those of a shard that is here, where the model says so.
    pub fn transitions(&self, shard: u8) -> Option<&Neighbours> {
        self.part(Row::new(shard, 0))?.transitions()
    }

    /// Taste clusters, where the model has them: those of the head's tracks.
    pub fn clusters(&self) -> Option<Clusters<'_>> {
        self.head.clusters()
    }

    /// The taste cluster of a row, where the model has clusters. Cluster c has its other tracks in
    /// shard c + 1.
    pub fn cluster_of(&self, row: Row) -> Option<u16> {
        let clusters = self.clusters()?;
        let cluster = match self.shard_of(row)? {
            0 => clusters.of(row)?,
            shard => u16::from(shard) - 1,
        };
        (usize::from(cluster) < clusters.len()).then_some(cluster)
    }

    /// What the listeners of each cluster finish, where the model says so.
    pub fn finished(&self) -> Option<Finished<'_>> {
        Finished::new(self.head.sections.get(SectionKind::Finished)?)
    }

    /// What foretells a yes, where the model says so.
    pub fn ranker(&self) -> Option<Ranker<'_>> {
        Ranker::new(self.head.sections.get(SectionKind::Ranker)?)
    }

    /// What a context tells of a yes, where the model says so and of as many features as verdicts have.
    pub fn contexts(&self) -> Option<Contexts<'_>> {
        let contexts = Contexts::new(self.head.sections.get(SectionKind::Context)?)?;
        let axes = self.ranker()?.recipe().axes as usize;
        Some(contexts).filter(|contexts| contexts.width() == axes + self.tags())
    }

    /// Number of tags that the model knows.
    pub fn tags(&self) -> usize {
        self.head.sections.get(SectionKind::Tags).map_or(0, tags::count)
    }

    /// The name of a tag; empty where there is no such tag.
    pub fn tag_name(&self, tag: usize) -> &str {
        self.head.tags().map_or("", |tags| tags.name(tag))
    }

    /// The tags of a track, a bit each; none where it is not here or the model has no tags.
    pub fn tags_of(&self, row: Row) -> u64 {
        self.track(row).map_or(0, Track::tags)
    }

    /// What all listeners say to a track, where it is here and the model says so.
    pub fn rate(&self, row: Row) -> Option<Rate> {
        self.track(row)?.rate()
    }

    /// Names to show, where the model has them: of the head's tracks, and of all clusters.
    pub fn text(&self) -> Option<Text<'_>> {
        self.head.text()
    }

    /// The names of the shard of `row`, with the row's number there.
    pub fn text_of(&self, row: Row) -> Option<(Text<'_>, Row)> {
        Some((self.part(row)?.text()?, Row(row.index() as u32)))
    }

    /// The artist of a row; empty where it is that of a cell or nobody is named.
    pub fn artist_of(&self, row: Row) -> &str {
        self.text_of(row).map_or("", |(text, row)| text.artist(row))
    }

    /// The number of the album of a row among those of its artist, from 1; `None` where it is not known.
    pub fn album(&self, row: Row) -> Option<u8> {
        self.part(row)?.albums()?.of(row)
    }

    /// Artist and album of a row, as numbers that are the same in every shard, equal where these are; 0 where the row is
    /// that of a cell or they are not named.
    pub fn credits(&self, row: Row) -> [u64; 2] {
        let name = self.artist_of(row);
        if name.is_empty() {
            return [0; 2];
        }
        let artist = fingerprint(name);
        let album = self.album(row);
        [artist, album.map_or(0, |number| artist.wrapping_add(number.into()))]
    }

    /// The shards that are here.
    fn parts(&self) -> impl Iterator<Item = (u8, &Part)> {
        core::iter::once((0, &self.head)).chain(self.tail.iter().flat_map(Tail::parts))
    }

    /// The shard of a track that is here.
    #[inline]
    fn part(&self, row: Row) -> Option<&Part> {
        self.part_of(row.shard())
    }

    fn part_of(&self, shard: u8) -> Option<&Part> {
        match shard {
            0 => Some(&self.head),
            shard => self.tail.as_ref()?.part(shard),
        }
    }
}

/// The sections of a shard with their names.
fn named<'a>(
    shard: u8,
    part: &'a Part,
    kinds: &'a [SectionKind],
) -> impl Iterator<Item = (SectionId, Cow<'a, [u8]>)> {
    kinds.iter().filter_map(move |&kind| Some((SectionId { shard, kind }, part.encoded(kind)?)))
}

/// Those of the head, and those of each other shard.
fn sorted<S: Into<SectionId>>(
    sections: impl IntoIterator<Item = (S, Aligned)>,
) -> Result<(Sections, Shards), ModelError> {
    let mut head = Sections::default();
    let mut shards = Shards::new();
    for (id, bytes) in sections {
        let SectionId { shard, kind } = id.into();
        let known = shards.iter_mut().find(|(number, _)| *number == shard);
        match (shard, known) {
            (0, _) => head.put(kind, bytes)?,
            (_, Some((_, sections))) => sections.put(kind, bytes)?,
            (_, None) => {
                let mut sections = Sections::default();
                sections.put(kind, bytes)?;
                shards.push((shard, sections));
            }
        }
    }
    Ok((head, shards))
}

/// Sections of shards, with their numbers.
type Shards = Vec<(u8, Sections)>;

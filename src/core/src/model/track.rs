//! A track that is here.

use super::{Model, Part, Rate};
use crate::ids::Row;

/// A track that is here, looked up once for all that is asked of it.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a> {
    part: &'a Part,
    shard: u8,
    shift: u32,
    /// In its shard.
    place: Row,
}

impl Model {
    /// The track of a row; `None` where it is not here. O(1).
    #[inline]
    pub fn track(&self, row: Row) -> Option<Track<'_>> {
        let (part, shard) = (self.part(row)?, row.shard());
        let place = Row(row.index() as u32);
        let track = Track { part, shard, shift: self.shift(shard), place };
        (place.index() < part.shape.rows).then_some(track)
    }
}

impl<'a> Track<'a> {
    /// The codes of its factor.
    #[inline]
    pub fn codes(self) -> &'a [i8] {
        self.part.factors().row(self.place)
    }

    /// A code counts 2 to this of the [`Model::steps`].
    #[inline]
    pub const fn shift(self) -> u32 {
        self.shift
    }

    /// What all listeners say to it, where the model says so.
    #[inline]
    pub fn rate(self) -> Option<Rate> {
        self.part.rates()?.of(self.place)
    }

    /// Its tags, a bit each; none where the model has no tags.
    #[inline]
    pub fn tags(self) -> u64 {
        self.part.tags_of(self.place)
    }

    /// Tells its artist from others: `None` where the model has no name of one. An artist whose tracks are in several
    /// shards is another one in each.
    #[inline]
    pub fn artist_key(self) -> Option<u64> {
        let artist = self.part.text()?.named_artist(self.place)?;
        Some(u64::from(self.shard) << 32 | u64::from(artist))
    }
}

//! The `albums` section: which tracks of an artist are of one album, `[prefix][number u8 × n]`.
//!
//! A number is that of the album among those of its artist, over all shards, from 1; 0 is a track whose album is
//! not known. It means nothing without the artist, whom `text` has.

use super::{ModelError, Prefix, SectionKind, Shape, ids::IdsDigest, prefix};
use crate::{
    bytes::{Aligned, Writer},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Albums;
/// Bytes a row.
const WIDTH: usize = 1;

/// The albums of the tracks of a shard, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Albums<'a>(&'a [u8]);

impl<'a> Albums<'a> {
    /// Reads a section that was validated.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        bytes.get(size_of::<Prefix>()..).map(Self)
    }

    /// The number of the album of a row of the shard among those of its artist, from 1; `None` where it is not known
    /// or there is no such row.
    pub fn of(&self, row: Row) -> Option<u8> {
        self.0.get(row.index()).copied().filter(|&number| number > 0)
    }
}

pub(super) fn encode(ids: IdsDigest, numbers: &[u8]) -> Aligned {
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: numbers.len() as u32, width: WIDTH as u32, ids: ids.0 }]);
    writer.array(numbers);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    let (_, mut reader) = prefix(KIND, bytes, shape, WIDTH..=WIDTH)?;
    let numbers = reader.array::<u8>(shape.rows).filter(|_| reader.is_empty());
    numbers.map(drop).ok_or(ModelError::Shape(KIND))
}

//! The `tags` section: what tracks are said to be, such as their genres and moods.
//!
//! `[prefix][tags of each row u64 × n][offsets u32 × (tags + 1)][UTF-8]`: bit b of a row is set where the track has
//! tag b. The names lie end to end; a shard beside the head has none, and its bits are those of the head.

use alloc::{string::String, vec::Vec};

use super::{ModelError, Prefix, SectionKind, Shape, ascends, ids::IdsDigest, prefix};
use crate::{
    bytes::{Aligned, Reader, Writer, number},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Tags;
/// Most tags of a model.
pub const MAX_TAGS: usize = u64::BITS as usize;

/// What the tracks of a shard are said to be, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Tags<'a> {
    of: &'a [u64],
    offsets: &'a [u32],
    names: &'a [u8],
}

impl<'a> Tags<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let Prefix { rows, width, .. } = *reader.one::<Prefix>()?;
        let of = reader.array(rows as usize)?;
        let offsets: &[u32] = reader.array((width as usize).checked_add(1)?)?;
        let names = reader.array(*offsets.last()? as usize)?;
        reader.is_empty().then_some(Self { of, offsets, names })
    }

    /// Number of tags.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of a tag; empty where there is no such tag.
    pub fn name(&self, tag: usize) -> &'a str {
        let bounds = self.offsets.get(tag).zip(self.offsets.get(tag + 1));
        let name = bounds.and_then(|(&from, &to)| self.names.get(from as usize..to as usize));
        name.and_then(|name| core::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

/// Number of tags in the bytes of the section.
#[inline]
pub(super) fn count(bytes: &[u8]) -> usize {
    number::<u32>(bytes, 0, 1).unwrap_or_default() as usize
}

/// The tags of a row in the bytes of the section, a bit each.
#[inline]
pub(super) fn of(bytes: &[u8], row: Row) -> u64 {
    number(bytes, size_of::<Prefix>(), row.index()).unwrap_or_default()
}

/// At most [`MAX_TAGS`] names; bits beyond them are left out.
pub(super) fn encode(ids: IdsDigest, of: &[u64], names: &[String]) -> Aligned {
    let names = &names[..names.len().min(MAX_TAGS)];
    let mut offsets = Vec::from([0_u32]);
    let mut text = String::new();
    for name in names {
        text.push_str(name);
        offsets.push(text.len() as u32);
    }
    let known = all(names.len());
    let of: Vec<u64> = of.iter().map(|bits| bits & known).collect();
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: of.len() as u32, width: names.len() as u32, ids: ids.0 }]);
    writer.array(&of).array(&offsets).array(text.as_bytes());
    writer.finish()
}

/// The bits of so many tags.
const fn all(tags: usize) -> u64 {
    match tags {
        MAX_TAGS.. => u64::MAX,
        tags => (1 << tags) - 1,
    }
}

pub(super) fn validate(bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    prefix(KIND, bytes, shape, 1..=MAX_TAGS)?;
    let tags = Tags::new(bytes).ok_or(ModelError::Shape(KIND))?;
    if tags.of.iter().any(|bits| bits & !all(tags.len()) != 0) {
        return Err(ModelError::value(KIND, "a track has a tag that does not exist"));
    }
    let names = core::str::from_utf8(tags.names)
        .map_err(|_| ModelError::value(KIND, "the names are not UTF-8"))?;
    let cut = |&offset: &u32| !names.is_char_boundary(offset as usize);
    if tags.offsets[0] != 0 || !ascends(tags.offsets) || tags.offsets.iter().any(cut) {
        return Err(ModelError::value(KIND, "offsets do not lie on the names"));
    }
    Ok(())
}

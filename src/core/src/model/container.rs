//! The model file: a header, a table of sections, the sections.
//!
//! ```text
//! offset  size  content                                              all little-endian
//!      0    16  label, "segue-model" and zero bytes
//!     16     4  format version, 2
//!     20     4  number of sections s, 1 to 1024
//!     24     8  zero
//!     32  32·s  table: kind u32, shard u32, offset u64, length u64, XXH64 of the section u64
//!  32+32s    8  XXH64 of all bytes before it
//!             …  sections, each at a multiple of 16, in table order: by shard, then by kind, zero bytes between
//! ```
//!
//! A kind from 2¹⁶ on is a note: what those who train the model keep in its file for themselves. A device passes it
//! over, and a registry does not get it.
//!
//! Validated in this order: label, format version, table, header checksum, extent of the file,
//! then each section's place and checksum. Any bytes give a model or an error, never a panic.

use alloc::vec::Vec;
use xxhash_rust::xxh64::xxh64;

use super::{ModelError, SectionId, SectionKind};
use crate::bytes::{ALIGN, Aligned};

/// The format version that this code reads and writes.
pub const FORMAT: u32 = 2;

/// What every model file starts with.
pub const LABEL: [u8; 16] = *b"segue-model\0\0\0\0\0";
const HEADER: usize = 32;
const ENTRY: usize = 32;
const MAX_SECTIONS: usize = 1024;
/// The first kind that is a note.
const NOTES: u32 = 1 << 16;

/// How a model was trained, for those who train the next one.
pub const RECIPE: u32 = NOTES + 1;

/// What a model file holds, in file order.
#[derive(Clone, Debug, Default)]
pub struct Contents<'a> {
    /// What a device reads.
    pub sections: Vec<(SectionId, &'a [u8])>,
    /// What it passes over, by kind.
    pub notes: Vec<(u32, &'a [u8])>,
}

/// Splits a model file into its sections, in file order, without copying.
///
/// Cost: one pass over the bytes, for the checksums.
pub fn split(file: &[u8]) -> Result<Vec<(SectionId, &[u8])>, ModelError> {
    Ok(contents(file)?.sections)
}

/// The same with notes.
pub fn contents(file: &[u8]) -> Result<Contents<'_>, ModelError> {
    if file.get(..16) != Some(&LABEL) {
        return Err(ModelError::NotAModel);
    }
    let format = u32_at(file, 16)?;
    if format != FORMAT {
        return Err(ModelError::Format(format));
    }
    let count = u32_at(file, 20)? as usize;
    if !(1..=MAX_SECTIONS).contains(&count) || u64_at(file, 24)? != 0 {
        return Err(ModelError::Header);
    }
    let header_len = HEADER + ENTRY * count;
    let header = file.get(..header_len).ok_or(ModelError::Truncated)?;
    if u64_at(file, header_len)? != xxh64(header, 0) {
        return Err(ModelError::Header);
    }
    let mut contents = Contents::default();
    let mut end = header_len + 8;
    for index in 0..count {
        let entry = HEADER + ENTRY * index;
        let code = u32_at(file, entry)?;
        let offset = to_usize(u64_at(file, entry + 8)?)?;
        let length = to_usize(u64_at(file, entry + 16)?)?;
        let shard = u8::try_from(u32_at(file, entry + 4)?).map_err(|_| ModelError::Header)?;
        if offset != end.next_multiple_of(ALIGN) {
            return Err(ModelError::Header);
        }
        let padding = file.get(end..offset).ok_or(ModelError::Truncated)?;
        end = offset.checked_add(length).ok_or(ModelError::Header)?;
        let section = file.get(offset..end).ok_or(ModelError::Truncated)?;
        let sound =
            padding.iter().all(|&b| b == 0) && xxh64(section, 0) == u64_at(file, entry + 24)?;
        // Each in order, so that none is there twice.
        if code >= NOTES {
            let taken = contents.notes.last().is_some_and(|(earlier, _)| *earlier >= code);
            if taken || !sound || shard != 0 {
                return Err(ModelError::Header);
            }
            contents.notes.push((code, section));
            continue;
        }
        let kind = SectionKind::from_code(code).ok_or(ModelError::Header)?;
        let id = SectionId { shard, kind };
        if contents.sections.last().is_some_and(|(earlier, _)| *earlier >= id)
            || !contents.notes.is_empty()
        {
            return Err(ModelError::Header);
        }
        if !sound {
            return Err(ModelError::Checksum(kind));
        }
        contents.sections.push((id, section));
    }
    if end != file.len() { Err(ModelError::Trailing(file.len() - end)) } else { Ok(contents) }
}

/// Lays `sections` out as a model file; they ascend by shard, then by kind.
pub fn join<S: Copy + Into<SectionId>>(sections: &[(S, &[u8])]) -> Vec<u8> {
    join_with(sections, &[])
}

/// The same with notes, which ascend by kind.
pub fn join_with<S: Copy + Into<SectionId>>(
    sections: &[(S, &[u8])],
    notes: &[(u32, &[u8])],
) -> Vec<u8> {
    let named = sections.iter().map(|&(id, bytes)| {
        let SectionId { shard, kind } = id.into();
        (kind as u32, shard, bytes)
    });
    let all: Vec<(u32, u8, &[u8])> =
        named.chain(notes.iter().map(|&(code, bytes)| (code, 0, bytes))).collect();
    let mut file = Vec::new();
    file.extend_from_slice(&LABEL);
    file.extend_from_slice(&FORMAT.to_le_bytes());
    file.extend_from_slice(&(all.len() as u32).to_le_bytes());
    file.extend_from_slice(&0_u64.to_le_bytes());
    let mut end = HEADER + ENTRY * all.len() + 8;
    for &(code, shard, bytes) in &all {
        let offset = end.next_multiple_of(ALIGN);
        end = offset + bytes.len();
        file.extend_from_slice(&code.to_le_bytes());
        file.extend_from_slice(&u32::from(shard).to_le_bytes());
        for number in [offset as u64, bytes.len() as u64, xxh64(bytes, 0)] {
            file.extend_from_slice(&number.to_le_bytes());
        }
    }
    let checksum = xxh64(&file, 0);
    file.extend_from_slice(&checksum.to_le_bytes());
    for (_, _, bytes) in all {
        file.resize(file.len().next_multiple_of(ALIGN), 0);
        file.extend_from_slice(bytes);
    }
    file
}

/// Copies each section of a model file to aligned memory.
pub(super) fn load(file: &[u8]) -> Result<Vec<(SectionId, Aligned)>, ModelError> {
    Ok(split(file)?.into_iter().map(|(id, bytes)| (id, Aligned::copy_of(bytes))).collect())
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, ModelError> {
    let word = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    word.map(u32::from_le_bytes).ok_or(ModelError::Truncated)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, ModelError> {
    let word = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
    word.map(u64::from_le_bytes).ok_or(ModelError::Truncated)
}

fn to_usize(value: u64) -> Result<usize, ModelError> {
    usize::try_from(value).map_err(|_| ModelError::Header)
}

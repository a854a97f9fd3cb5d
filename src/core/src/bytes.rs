//! Bytes that start on a 16-byte boundary, so that sections are read in place as numbers.

use alloc::{vec, vec::Vec};
use bytemuck::{Pod, Zeroable};

#[cfg(target_endian = "big")]
compile_error!(
    "sections are little-endian and read in place: big-endian targets are not supported"
);

/// Alignment of every section, in bytes; one SIMD register.
pub const ALIGN: usize = 16;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(16))]
struct Block([u8; ALIGN]);

/// An owned byte buffer aligned to [`ALIGN`].
#[derive(Clone, Default)]
pub struct Aligned {
    blocks: Vec<Block>,
    len: usize,
}

impl Aligned {
    /// A buffer of `len` zero bytes.
    pub fn zeroed(len: usize) -> Self {
        Self { blocks: vec![Block([0; ALIGN]); len.div_ceil(ALIGN)], len }
    }

    /// The same, or `None` where there is no memory for it.
    pub fn try_zeroed(len: usize) -> Option<Self> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(len.div_ceil(ALIGN)).ok()?;
        blocks.resize(len.div_ceil(ALIGN), Block([0; ALIGN]));
        Some(Self { blocks, len })
    }

    /// A copy of `bytes`.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut aligned = Self::zeroed(bytes.len());
        aligned.as_mut_slice().copy_from_slice(bytes);
        aligned
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.len]
    }

    /// The bytes, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.blocks)[..self.len]
    }
}

impl core::fmt::Debug for Aligned {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Aligned({} bytes)", self.len)
    }
}

/// Bytes that an array of so many takes, padded as [`Writer`] pads it.
pub const fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGN)
}

/// The number at `index` of an array that starts at byte `start`; `None` where `bytes` end before it does. What is
/// looked up for each track that is ranked is read so, and not by a [`Reader`], which has to find the start first.
/// Start and index are those of a section that was validated, so that they do not overflow.
#[inline]
pub fn number<T: Pod>(bytes: &[u8], start: usize, index: usize) -> Option<T> {
    let at = start + index * size_of::<T>();
    bytes.get(at..at + size_of::<T>()).map(bytemuck::pod_read_unaligned)
}

/// Appends numbers to a section under construction, padding each array to [`ALIGN`].
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Appends `values` and zero bytes up to the next boundary.
    pub fn array<T: Pod>(&mut self, values: &[T]) -> &mut Self {
        self.0.extend_from_slice(bytemuck::cast_slice(values));
        self.0.resize(self.0.len().next_multiple_of(ALIGN), 0);
        self
    }

    /// The finished section.
    pub fn finish(&self) -> Aligned {
        Aligned::copy_of(&self.0)
    }
}

/// Takes arrays off the front of a section, in the order that [`Writer`] laid them.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads `bytes` from its start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `len` numbers, or `None` where the bytes are too few or not aligned.
    pub fn array<T: Pod>(&mut self, len: usize) -> Option<&'a [T]> {
        let bytes = len.checked_mul(size_of::<T>())?;
        let padded = bytes.checked_next_multiple_of(ALIGN)?;
        let (head, rest) = self.0.split_at_checked(padded)?;
        self.0 = rest;
        bytemuck::try_cast_slice(&head[..bytes]).ok()
    }

    /// The next number.
    pub fn one<T: Pod>(&mut self) -> Option<&'a T> {
        self.array(1)?.first()
    }

    /// What has not been taken.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether every byte has been taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

//! Entropy coding: one description of each format, both of its directions.

pub(crate) mod counts;
pub(crate) mod golomb;
pub mod pairs;
pub mod patch;
pub mod range;
pub mod rows;

/// Why coded bytes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// They are too few or too many.
    Length,
    /// There is no memory for what they hold.
    Memory,
}

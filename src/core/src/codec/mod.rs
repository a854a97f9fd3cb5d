//! Entropy coding: one description of each format, both of its directions.

pub mod range;
pub mod rows;

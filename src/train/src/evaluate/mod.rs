//! The fixed protocols that figures come from.

pub mod ranking;
pub mod split;

//! Exp-Golomb codes of order 0, whose prefix is learned.

use super::range::{Bit, Coder};

/// The code of numbers below 2^(`BITS` + 1) − 1.
#[derive(Clone, Copy, Debug)]
pub struct Golomb<const BITS: usize>([Bit; BITS]);

impl<const BITS: usize> Default for Golomb<BITS> {
    fn default() -> Self {
        Self([Bit::default(); BITS])
    }
}

impl<const BITS: usize> Golomb<BITS> {
    /// Codes a number.
    #[inline(always)]
    pub fn code(&mut self, coder: &mut impl Coder, value: u32) -> u32 {
        let wanted = (value + 1).ilog2();
        let mut bits = 0;
        for context in &mut self.0 {
            if !coder.bit(wanted > bits, context) {
                break;
            }
            bits += 1;
        }
        let low = coder.raw((value + 1) & !(u32::MAX << bits), bits);
        (1 << bits | low) - 1
    }
}

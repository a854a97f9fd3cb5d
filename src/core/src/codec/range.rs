//! A binary adaptive range coder.
//!
//! Martin, "Range encoding" (1979), in the carry-propagating form of LZMA, with 64 bits of state
//! and 32 bits of output at a time. A symbol of probability p costs −log₂ p bits, up to one part in
//! 2¹⁵. Probabilities are [`Bit`]s, which learn from what they code.

use alloc::vec::Vec;

/// The scale of a probability for the coder: 1 is 2¹⁶.
const SCALE: u32 = 16;
/// Below this the coder shifts 32 bits in or out.
const BOTTOM: u64 = 1 << 32;

/// How probable a one is, learned: the mean of what was seen, which forgets slowly once it has
/// seen [`Bit::MEMORY`] bits.
///
/// One word: the probability, scaled by 2²⁴, above the number of bits seen, up to
/// [`Bit::MEMORY`].
#[derive(Clone, Copy, Debug)]
pub struct Bit(u32);

impl Default for Bit {
    fn default() -> Self {
        Self::new(1 << (Self::PRECISION - 1), 0)
    }
}

impl Bit {
    const PRECISION: u32 = 24;
    /// Rows of a catalogue come in no order, so old bits are as telling as new ones.
    const MEMORY: u32 = 254;
    /// The step after n bits, 1/(n + 3/2) as in the estimator of Krichevsky and Trofimov (1981),
    /// scaled by 2¹⁶; as long as a byte can count, so that no index is out of bounds.
    const STEP: [u16; 256] = {
        let mut steps = [0; 256];
        let mut n = 0;
        while n < steps.len() {
            steps[n] = ((1 << 17) / (2 * n + 3)) as u16;
            n += 1;
        }
        steps
    };

    const fn new(one: u32, seen: u32) -> Self {
        Self(one << (u32::BITS - Self::PRECISION) | seen)
    }

    /// Probability of a one, scaled by 2¹⁶; at least 2⁻¹⁵ away from 0 and 1.
    #[inline]
    fn one(self) -> u32 {
        (self.0 >> (u32::BITS - SCALE)).clamp(2, (1 << SCALE) - 2)
    }

    /// Learns from one bit.
    #[inline]
    pub(crate) fn learn(&mut self, bit: bool) {
        let (one, seen) = (self.0 >> (u32::BITS - Self::PRECISION), self.0 as u8);
        let step = u64::from(Self::STEP[usize::from(seen)]);
        let distance = if bit { (1 << Self::PRECISION) - one } else { one };
        let moved = ((u64::from(distance) * step) >> 16) as u32;
        let one = if bit { one + moved } else { one - moved };
        let seen = u32::from(seen);
        *self = Self::new(one, seen + u32::from(seen < Self::MEMORY));
    }

    /// What coding `bit` costs, in bits.
    pub fn cost(self, bit: bool) -> f32 {
        let p = self.one();
        let p = if bit { p } else { (1 << SCALE) - p };
        16.0 - libm::log2f(p as f32)
    }
}

/// What codes bits: an encoder writes what it is given, a decoder gives what it reads.
///
/// One function generic over `Coder` is both directions of a format, so the two cannot differ.
pub trait Coder {
    /// Whether it is given what to code, and does not say it.
    const WRITES: bool = true;

    /// Codes one bit under an adaptive probability.
    fn bit(&mut self, bit: bool, context: &mut Bit) -> bool;

    /// The same, for a bit that is about as likely as not: one on which a branch would be wrong every
    /// other time.
    fn even_bit(&mut self, bit: bool, context: &mut Bit) -> bool {
        self.bit(bit, context)
    }

    /// Codes the low `count` ≤ 32 bits of `value`, each as probable as not.
    fn raw(&mut self, value: u32, count: u32) -> u32;

    /// Codes one of several symbols that share 0..`total` between them. `locate` gives the start
    /// and the length of a symbol's share: of the symbol to write, or of the one whose share holds
    /// the number that was read.
    fn share(&mut self, total: u32, locate: impl FnOnce(Option<u32>) -> (u32, u32));

    /// Whether more was read than there is: whatever follows is made up.
    fn is_past_end(&self) -> bool {
        false
    }
}

/// A coder that is called where others are built in: what codes little need not be fast, and each copy of a coder is some
/// hundred bytes of the module.
#[derive(Debug, Default)]
pub struct Called<C>(pub C);

impl<C: Coder> Coder for Called<C> {
    const WRITES: bool = C::WRITES;

    #[inline(never)]
    fn bit(&mut self, bit: bool, context: &mut Bit) -> bool {
        self.0.bit(bit, context)
    }

    #[inline(never)]
    fn raw(&mut self, value: u32, count: u32) -> u32 {
        self.0.raw(value, count)
    }

    fn share(&mut self, total: u32, locate: impl FnOnce(Option<u32>) -> (u32, u32)) {
        self.0.share(total, locate);
    }

    fn is_past_end(&self) -> bool {
        self.0.is_past_end()
    }
}

/// Writes bits.
#[derive(Debug)]
pub struct Encoder {
    low: u64,
    range: u64,
    /// Words that are final but for a carry.
    words: Vec<u32>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { low: 0, range: u64::MAX, words: Vec::new() }
    }
}

impl Encoder {
    /// The bytes of all that was coded, a whole number of 32-bit words.
    pub fn finish(mut self) -> Vec<u8> {
        // Any number from low to low + range − 1 will do, and one of them ends in 32 zeros.
        let (value, carry) = self.low.overflowing_add(BOTTOM - 1);
        if carry {
            self.carry();
        }
        self.words.push((value >> 32) as u32);
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn narrow(&mut self, from: u64, range: u64) {
        let (low, carry) = self.low.overflowing_add(from);
        if carry {
            self.carry();
        }
        self.low = low;
        self.range = range;
        if range < BOTTOM {
            self.words.push((low >> 32) as u32);
            self.low = low << 32;
            self.range = range << 32;
        }
    }

    fn carry(&mut self) {
        for word in self.words.iter_mut().rev() {
            *word = word.wrapping_add(1);
            if *word != 0 {
                break;
            }
        }
    }
}

impl Coder for Encoder {
    fn bit(&mut self, bit: bool, context: &mut Bit) -> bool {
        let ones = (self.range >> SCALE) * u64::from(context.one());
        if bit {
            self.narrow(0, ones);
        } else {
            self.narrow(ones, self.range - ones);
        }
        context.learn(bit);
        bit
    }

    fn raw(&mut self, value: u32, count: u32) -> u32 {
        if count > 0 {
            let unit = self.range >> count;
            self.narrow(unit * u64::from(value), unit);
        }
        value
    }

    fn share(&mut self, total: u32, locate: impl FnOnce(Option<u32>) -> (u32, u32)) {
        let unit = self.range / u64::from(total.max(1));
        let (from, len) = locate(None);
        self.narrow(unit * u64::from(from), unit * u64::from(len));
    }
}

/// Reads bits. Any bytes decode to something; what follows their end reads as zeros.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    /// What was read, less the low end of the range.
    offset: u64,
    range: u64,
    bytes: &'a [u8],
    /// Words read that were not there.
    missing: usize,
}

impl<'a> Decoder<'a> {
    /// Reads `bytes` from their start.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { offset: 0, range: u64::MAX, bytes, missing: 0 };
        let high = decoder.word();
        decoder.offset = (high << 32) | decoder.word();
        decoder
    }

    /// Whether just as much was decoded as the bytes hold.
    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty() && self.missing == 1
    }

    #[inline]
    fn word(&mut self) -> u64 {
        if let Some((word, rest)) = self.bytes.split_first_chunk() {
            self.bytes = rest;
            u64::from(u32::from_le_bytes(*word))
        } else {
            self.missing += 1;
            0
        }
    }

    #[inline]
    fn narrow(&mut self, from: u64, range: u64) {
        self.offset -= from;
        self.range = range;
        if range < BOTTOM {
            self.range = range << 32;
            self.offset = (self.offset << 32) | self.word();
        }
    }
}

impl Coder for Decoder<'_> {
    const WRITES: bool = false;

    /// An encoder leaves out one word of zeros.
    fn is_past_end(&self) -> bool {
        self.missing > 1
    }

    #[inline]
    fn bit(&mut self, _: bool, context: &mut Bit) -> bool {
        let ones = (self.range >> SCALE) * u64::from(context.one());
        let bit = self.offset < ones;
        if bit {
            self.narrow(0, ones);
        } else {
            self.narrow(ones, self.range - ones);
        }
        context.learn(bit);
        bit
    }

    #[inline]
    fn even_bit(&mut self, _: bool, context: &mut Bit) -> bool {
        let ones = (self.range >> SCALE) * u64::from(context.one());
        let bit = self.offset < ones;
        let (from, range) = if bit { (0, ones) } else { (ones, self.range - ones) };
        self.narrow(from, range);
        context.learn(bit);
        bit
    }

    #[inline]
    fn raw(&mut self, _: u32, count: u32) -> u32 {
        if count == 0 {
            return 0;
        }
        let unit = self.range >> count;
        let value = (self.offset / unit).min((1_u64 << count) - 1);
        self.narrow(unit * value, unit);
        value as u32
    }

    fn share(&mut self, total: u32, locate: impl FnOnce(Option<u32>) -> (u32, u32)) {
        let total = u64::from(total.max(1));
        let unit = self.range / total;
        let value = (self.offset / unit).min(total - 1);
        let (from, len) = locate(Some(value as u32));
        self.narrow(unit * u64::from(from), unit * u64::from(len));
    }
}

/// Counts bits, without writing any. Contexts stay as they are.
#[derive(Debug, Default)]
pub struct Cost {
    /// Bits so far.
    pub bits: f32,
}

impl Coder for Cost {
    fn bit(&mut self, bit: bool, context: &mut Bit) -> bool {
        self.bits += context.cost(bit);
        bit
    }

    fn raw(&mut self, value: u32, count: u32) -> u32 {
        self.bits += count as f32;
        value
    }

    fn share(&mut self, total: u32, locate: impl FnOnce(Option<u32>) -> (u32, u32)) {
        self.bits += libm::log2f(total.max(1) as f32 / locate(None).1.max(1) as f32);
    }
}

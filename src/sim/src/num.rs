//! Draws, hashes and curves.
//!
//! Everything here is IEEE arithmetic, `libm` in Rust, or integers, so that results do not depend
//! on the platform's mathematical library.

use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;

/// A generator for one named purpose, independent of those for other purposes.
pub(crate) fn generator(seed: u64, purpose: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(mix(seed, purpose))
}

/// A 64-bit hash of two numbers (the finaliser of SplitMix64; Steele, Lea and Flood, 2014).
pub(crate) fn mix(seed: u64, value: u64) -> u64 {
    let mut z = seed ^ value.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in [0, 1) that is fixed for the pair.
pub(crate) fn hashed_unit(seed: u64, value: u64) -> f32 {
    (mix(seed, value) >> 40) as f32 / 16_777_216.0
}

/// A number of mean 0, variance 1 and nearly normal shape that is fixed for the pair: the sum of
/// four uniform numbers, so within ±3.5. Takes no memory, whatever the number of pairs.
pub(crate) fn hashed_normal(seed: u64, value: u64) -> f32 {
    let bits = mix(seed, value);
    let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xFFFF).sum();
    (sum as f32 / 65_536.0 - 2.0) * 1.732_050_8
}

pub(crate) fn exp(x: f32) -> f32 {
    libm::expf(x)
}

pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `true` with probability `p`.
pub(crate) fn chance<R: Rng + ?Sized>(rng: &mut R, p: f32) -> bool {
    rng.random::<f32>() < p
}

pub(crate) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f32 {
    rng.sample(StandardNormal)
}

/// Log-normal by its median and the standard deviation of its logarithm.
pub(crate) fn log_normal<R: Rng + ?Sized>(rng: &mut R, median: f32, sigma: f32) -> f32 {
    median * exp(sigma * normal(rng))
}

pub(crate) fn exponential<R: Rng + ?Sized>(rng: &mut R, mean: f32) -> f32 {
    let unit: f32 = rng.sample(Exp1);
    mean * unit
}

/// An index below `len`; 0 where `len` is 0.
pub(crate) fn below<R: Rng + ?Sized>(rng: &mut R, len: usize) -> usize {
    // Drawn as 64 bits, so that 32-bit machines draw the same.
    if len == 0 { 0 } else { rng.random_range(0..len as u64) as usize }
}

/// One of `items`, all equally likely.
pub(crate) fn pick<'a, T, R: Rng + ?Sized>(rng: &mut R, items: &'a [T]) -> Option<&'a T> {
    items.get(below(rng, items.len()))
}

/// An index drawn in proportion to `weights`; 0 where none is positive. O(n), for short lists.
pub(crate) fn weighted<R: Rng + ?Sized>(rng: &mut R, weights: &[f32]) -> usize {
    let mut left = rng.random::<f32>() * weights.iter().sum::<f32>();
    for (index, &weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0)
}

/// A random order of `0..len` (Fisher and Yates).
pub(crate) fn permutation<R: Rng + ?Sized>(rng: &mut R, len: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, below(rng, last + 1));
    }
    order
}

/// Appends the digits of `number` in a radix of up to 36, at least `width` of them and at most 20.
pub(crate) fn push_digits<const RADIX: u64>(text: &mut String, number: u64, width: usize) {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    let mut left = number;
    while left > 0 && start > 0 {
        start -= 1;
        digits[start] = DIGITS[(left % RADIX) as usize];
        left /= RADIX;
    }
    let from = start.min(digits.len() - width.clamp(1, digits.len()));
    text.push_str(std::str::from_utf8(&digits[from..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits are those that the standard library writes, in both radixes that ids use.
    #[test]
    fn digits_are_right() {
        let mut text = String::new();
        push_digits::<10>(&mut text, u64::MAX, 1);
        push_digits::<10>(&mut text, 42, 6);
        push_digits::<36>(&mut text, 0, 1);
        push_digits::<36>(&mut text, 36 * 35 + 10, 1);
        assert_eq!(text, "184467440737095516150000420za");
    }

    /// Draws follow the weights, and nothing without weight is drawn.
    #[test]
    fn weighted_draws_follow_weights() {
        let mut rng = generator(1, 1);
        let mut counts = [0; 4];
        for _ in 0..4_000 {
            counts[weighted(&mut rng, &[1.0, 0.0, 3.0, 0.0])] += 1;
        }
        assert_eq!((counts[1], counts[3]), (0, 0));
        assert!((900..1_100).contains(&counts[0]), "{counts:?}");
    }
}

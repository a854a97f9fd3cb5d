//! The entropy code of how a table of small numbers has changed, row by row.
//!
//! Most rows stay as they are, which costs a flag. Of the others each component is a flag for whether it
//! moved, which way in relation to where it stood, and by how much, in unary up to [`UNARY`] and the rest in an
//! Exp-Golomb code. Differences are taken modulo 256, so that any bytes are told from any others. A row that is new
//! is told from nothing but zeros.
//!
//! How likely a row is to change depends on how large it was (a track that many met is met again) and on whether the
//! caller saw something else of the same track change.

use alloc::vec::Vec;

use super::{
    golomb::Golomb,
    range::{Bit, Coder, Cost},
};

/// Classes of how large a row was: of the binary logarithm of the sum of its magnitudes.
const SIZES: usize = 12;
/// Components that share their probabilities with their neighbours.
const TOGETHER: usize = 4;
/// Whether a component was zero, one in magnitude, or more.
const WAS: usize = 3;
/// How many components of the row changed before: none, one, two or more.
const SO_FAR: usize = 3;
/// How far a component moved: up to this in unary.
const UNARY: usize = 6;

/// The code, with what it has learned so far.
#[derive(Clone, Debug)]
pub struct Patch {
    changed: [[Bit; SIZES]; 2],
    moved: Vec<[[Bit; SO_FAR]; WAS]>,
    outward: [Bit; WAS],
    more: [[Bit; UNARY]; WAS],
    far: Golomb<7>,
}

impl Patch {
    /// The code of rows of `width` components.
    #[inline]
    pub fn new(width: usize) -> Self {
        let moved = Vec::from_iter((0..width.div_ceil(TOGETHER)).map(|_| Default::default()));
        let (changed, outward, more, far) = Default::default();
        Self { changed, moved, outward, more, far }
    }

    /// Codes what became of the row `old`, as long as `new`, which holds it where this writes and is given it where
    /// this reads. `touched` says whether something else of the same track changed. Returns whether the row did. O(width).
    #[inline(never)]
    pub fn row(
        &mut self,
        coder: &mut impl Coder,
        touched: bool,
        old: &[i8],
        new: &mut [i8],
    ) -> bool {
        let changed = coder.bit(old != new, &mut self.changed[usize::from(touched)][size(old)]);
        if changed {
            self.components(coder, old, new);
        } else {
            new.copy_from_slice(old);
        }
        changed
    }

    /// The same of a row that is known to have changed.
    #[inline(never)]
    pub fn components(&mut self, coder: &mut impl Coder, old: &[i8], new: &mut [i8]) {
        let mut so_far = 0;
        for (at, (&old, new)) in old.iter().zip(new).enumerate() {
            let was = usize::from(old.unsigned_abs()).min(WAS - 1);
            let by = new.wrapping_sub(old);
            *new = old;
            if coder.bit(by != 0, &mut self.moved[at / TOGETHER][was][so_far]) {
                so_far = (so_far + 1).min(SO_FAR - 1);
                // Of what was nothing, outward is up.
                let up = old >= 0;
                let outward = coder.bit((by > 0) == up, &mut self.outward[was]);
                let far = self.distance(coder, was, by.unsigned_abs());
                *new = if outward == up {
                    old.wrapping_add_unsigned(far)
                } else {
                    old.wrapping_sub_unsigned(far)
                };
            }
        }
    }

    /// What would be coded how, under what was learned so far.
    pub fn costs(&self) -> Costs {
        let flag = |context: &Bit| [false, true].map(|bit| context.cost(bit));
        let mut code = self.clone();
        let far = core::array::from_fn(|was| {
            core::array::from_fn(|at| {
                let mut cost = Cost::default();
                code.distance(&mut cost, was, at as u8 + 1);
                cost.bits
            })
        });
        Costs {
            changed: self.changed[0].each_ref().map(flag),
            moved: self
                .moved
                .iter()
                .map(|was| was.each_ref().map(|it| it.each_ref().map(flag)))
                .collect(),
            outward: self.outward.each_ref().map(flag),
            far,
        }
    }

    /// How far a component moved, 1 to 128.
    fn distance(&mut self, coder: &mut impl Coder, was: usize, wanted: u8) -> u8 {
        let mut far = 1;
        for context in &mut self.more[was] {
            if !coder.bit(wanted > far, context) {
                return far;
            }
            far += 1;
        }
        let rest = self.far.code(coder, u32::from(wanted.saturating_sub(far)));
        far.saturating_add(rest as u8)
    }
}

/// The class of how large a row is.
#[inline]
fn size(row: &[i8]) -> usize {
    let sum: u32 = row.iter().map(|&x| u32::from(x.unsigned_abs())).sum();
    (u32::BITS - sum.leading_zeros()).min(SIZES as u32 - 1) as usize
}

/// What changes cost, in bits.
#[derive(Clone, Debug)]
pub struct Costs {
    changed: [[f32; 2]; SIZES],
    moved: Vec<[[[f32; 2]; SO_FAR]; WAS]>,
    outward: [[f32; 2]; WAS],
    far: [[f32; 128]; WAS],
}

impl Costs {
    /// Of what became of a row, beyond what it would cost if it were as before.
    pub fn of(&self, old: &[i8], new: &[i8]) -> f32 {
        let [stays, changes] = self.changed[size(old)];
        let (mut bits, mut so_far) = (changes - stays, 0);
        for (at, (&old, &new)) in old.iter().zip(new).enumerate() {
            bits += self.component(at, so_far, old, new);
            so_far += usize::from(old != new);
        }
        bits
    }

    /// Of component `at` of a row of which so many components changed before it.
    pub fn component(&self, at: usize, so_far: usize, old: i8, new: i8) -> f32 {
        let was = usize::from(old.unsigned_abs()).min(WAS - 1);
        let [stays, moves] = self.moved[at / TOGETHER][was][so_far.min(SO_FAR - 1)];
        let by = new.wrapping_sub(old);
        if by == 0 {
            return stays;
        }
        let outward = self.outward[was][usize::from((by > 0) == (old >= 0))];
        moves + outward + self.far[was][usize::from(by.unsigned_abs()) - 1]
    }
}

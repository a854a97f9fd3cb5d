//! The entropy code of factors: a table of small integers, most of them zero.
//!
//! A row is either an earlier row again (tracks that the same one listener met have the same
//! factor) or its components in order. A component is a flag for zero, a sign, a magnitude in
//! unary up to [`UNARY`] and the rest in an Exp-Golomb code. Components come by falling variance,
//! and how large a row has been so far tells how large it will go on to be (a track that many
//! listeners met has a long factor), so a probability depends on the component and on the sum of
//! magnitudes before it.
//!
//! Which earlier row it is, is coded by how often each was seen, so that the many rows that are
//! all zero cost next to nothing.
//!
//! What is done for each row, or for a few, is a function that is not inlined, here as in
//! [`crate::kernel`]: an engine of WebAssembly swaps in the optimised code of a function where it
//! is called, not while it runs, and a model is read but once.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::array;
use xxhash_rust::xxh64::xxh64;

use super::{
    Unreadable,
    counts::Counts,
    golomb::Golomb,
    range::{Bit, Coder, Cost, Decoder, Encoder},
};

/// Largest magnitude of a component.
pub const MAX_CODE: u8 = 127;

/// Classes of the sum of magnitudes so far.
const CLASSES: usize = 12;
/// Magnitudes up to this are coded in unary.
const UNARY: usize = 15;
/// Bits of the Exp-Golomb code's prefix, at most: enough for [`MAX_CODE`].
const GOLOMB: usize = 7;

/// The code of a table of `dim` components a row, with all that it has learned of it so far.
#[derive(Clone, Debug)]
pub struct Rows {
    zero: Vec<[Bit; CLASSES]>,
    sign: Vec<Bit>,
    sizes: Sizes,
    again: Bit,
}

impl Rows {
    /// Nothing learned yet.
    pub fn new(dim: usize) -> Self {
        Self {
            zero: vec![Default::default(); dim],
            sign: vec![Default::default(); dim],
            sizes: Sizes::default(),
            again: Bit::default(),
        }
    }

    /// Codes a row that is not seen for the first time as the number of the distinct row that it
    /// repeats; `None` for one that is new.
    #[inline(never)]
    fn repeat(
        &mut self,
        coder: &mut impl Coder,
        seen: &mut Counts,
        which: Option<usize>,
    ) -> Option<usize> {
        if seen.is_empty() || !coder.bit(which.is_some(), &mut self.again) {
            return None;
        }
        let mut which = which;
        coder.share(seen.total(), |number| {
            let (found, from) = match number {
                Some(number) => seen.at(number),
                None => (which.unwrap_or_default(), seen.before(which.unwrap_or_default())),
            };
            which = Some(found);
            (from, seen.of(found))
        });
        which
    }

    /// Codes the components of one row.
    #[inline(always)]
    fn row(&mut self, coder: &mut impl Coder, row: &mut [i8]) {
        let mut before = Before::default();
        let axes = self.zero.iter_mut().zip(&mut self.sign);
        for (value, (zero, sign)) in row.iter_mut().zip(axes) {
            let class = before.class();
            *value = self.sizes.component(coder, (&mut zero[class], sign), class, *value);
            before.see(*value);
        }
    }

    /// What each component would cost under what was learned so far. O(d + 127).
    pub fn costs(&self) -> Costs {
        let flag = |context: &Bit| [false, true].map(|bit| context.cost(bit));
        Costs {
            zero: self.zero.iter().map(|classes| classes.each_ref().map(flag)).collect(),
            sign: self.sign.iter().map(flag).collect(),
            sizes: self.sizes.costs(),
        }
    }
}

/// The code of magnitudes, which all components share.
#[derive(Clone, Debug, Default)]
struct Sizes {
    more: [[Bit; UNARY]; CLASSES],
    golomb: Golomb<GOLOMB>,
}

impl Sizes {
    /// Codes a component, in a row of this class so far, whose flag for zero and whose sign these
    /// are.
    #[inline(always)]
    fn component(
        &mut self,
        coder: &mut impl Coder,
        (zero, sign): (&mut Bit, &mut Bit),
        class: usize,
        value: i8,
    ) -> i8 {
        if !coder.bit(value != 0, zero) {
            return 0;
        }
        let negative = coder.even_bit(value < 0, sign);
        let magnitude = self.magnitude(coder, class, value.unsigned_abs());
        if negative { -magnitude } else { magnitude }
    }

    /// Codes a magnitude that is not zero.
    #[inline(always)]
    fn magnitude(&mut self, coder: &mut impl Coder, class: usize, wanted: u8) -> i8 {
        let wanted = u32::from(wanted);
        let mut magnitude = 1;
        for context in &mut self.more[class] {
            if !coder.bit(wanted > magnitude, context) {
                break;
            }
            magnitude += 1;
        }
        if magnitude > UNARY as u32 {
            magnitude += self.golomb.code(coder, wanted.saturating_sub(magnitude));
        }
        magnitude.min(MAX_CODE.into()) as i8
    }

    /// Bits of each magnitude from 1 on, in each class.
    fn costs(&self) -> [[f32; MAX_CODE as usize]; CLASSES] {
        let mut code = self.clone();
        array::from_fn(|class| {
            array::from_fn(|at| {
                let mut cost = Cost::default();
                code.magnitude(&mut cost, class, at as u8 + 1);
                cost.bits
            })
        })
    }
}

/// What is known of a row from its components so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before {
    sum: u32,
}

impl Before {
    /// Takes in the next component.
    pub fn see(&mut self, value: i8) {
        self.sum += u32::from(value.unsigned_abs());
    }

    #[inline]
    fn class(self) -> usize {
        CLASS[self.sum.min(CLASS.len() as u32 - 1) as usize].into()
    }
}

/// The class of a sum of magnitudes, the last also of all larger ones: about two to a doubling.
const CLASS: [u8; 62] = {
    let starts = [0, 1, 2, 3, 4, 5, 7, 10, 15, 23, 36, 61];
    let mut classes = [0; 62];
    let (mut sum, mut class) = (0, 0);
    while sum < classes.len() {
        if class + 1 < starts.len() && sum == starts[class + 1] {
            class += 1;
        }
        classes[sum] = class as u8;
        sum += 1;
    }
    classes
};

/// What components cost.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Of being zero and not, by component and class.
    zero: Vec<[[f32; 2]; CLASSES]>,
    /// Of being positive and negative, by component.
    sign: Vec<[f32; 2]>,
    /// Of magnitudes that are not zero, by class.
    sizes: [[f32; MAX_CODE as usize]; CLASSES],
}

impl Costs {
    /// Bits of `value` as component `at`, after what was `before` it in its row.
    pub fn of(&self, at: usize, before: Before, value: i8) -> f32 {
        let class = before.class();
        let [zero, other] = self.zero[at][class];
        match usize::from(value.unsigned_abs()) {
            0 => zero,
            size => other + self.sign[at][usize::from(value < 0)] + self.sizes[class][size - 1],
        }
    }
}

/// Codes a table of `dim` components a row, each at most [`MAX_CODE`] in magnitude. Returns the
/// bytes, and what the code has learned of such tables. O(n·d·log n).
pub fn encode(table: &[i8], dim: usize) -> (Vec<u8>, Rows) {
    let (mut code, mut coder, mut seen) = (Rows::new(dim), Encoder::default(), Counts::default());
    let mut number_of: BTreeMap<&[i8], usize> = BTreeMap::new();
    let mut scratch = vec![0; dim];
    for row in table.chunks_exact(dim) {
        let known = number_of.get(row).copied();
        match code.repeat(&mut coder, &mut seen, known) {
            Some(which) => seen.add(which, 1),
            None => {
                scratch.copy_from_slice(row);
                code.row(&mut coder, &mut scratch);
                number_of.insert(row, seen.len());
                seen.push();
            }
        }
    }
    (coder.finish(), code)
}

/// A table in which each distinct row stands once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distinct {
    /// The distinct rows, one after the other.
    pub codes: Vec<i8>,
    /// The number of the distinct row that each row of the table is.
    pub of: Vec<u32>,
}

impl Distinct {
    /// Makes one of rows of `dim` codes that are equal, as reading them from their code would; `None` where there is no
    /// memory. O(n·d + n·log n).
    #[inline(never)]
    pub fn merge(&mut self, dim: usize) -> Option<()> {
        let rows = || self.codes.chunks_exact(dim).map(bytemuck::cast_slice::<i8, u8>);
        let mut order: Vec<(u64, u32)> = Vec::new();
        order.try_reserve_exact(rows().len()).ok()?;
        order.extend(rows().zip(0..).map(|(row, number)| (xxh64(row, 0), number)));
        order.sort_unstable();
        let row = |number: u32| &self.codes[number as usize * dim..][..dim];
        let alike =
            |pair: &[(u64, u32)]| pair[0].0 == pair[1].0 && row(pair[0].1) == row(pair[1].1);
        if !order.windows(2).any(alike) {
            return Some(());
        }
        // The first of those that are equal has the lowest number.
        let mut first: Vec<u32> = (0..order.len() as u32).collect();
        for pair in order.windows(2).filter(|pair| alike(pair)) {
            first[pair[1].1 as usize] = first[pair[0].1 as usize];
        }
        let mut number = Vec::new();
        let mut codes = Vec::new();
        for (at, &first) in first.iter().enumerate() {
            number.push(if first as usize == at {
                codes.len() / dim
            } else {
                number[first as usize]
            });
            if first as usize == at {
                codes.extend_from_slice(row(first));
            }
        }
        self.of.iter_mut().for_each(|of| *of = number[*of as usize] as u32);
        self.codes = codes;
        Some(())
    }
}

/// Reads a table of `rows` rows of `dim` components. Any bytes of the right length decode to
/// something. O(n·d + n·log n).
pub fn decode(bytes: &[u8], dim: usize, rows: usize) -> Result<Distinct, Unreadable> {
    let (mut code, mut coder, mut seen) = (Rows::new(dim), Decoder::new(bytes), Counts::default());
    let mut table = Distinct::default();
    table.of.try_reserve_exact(rows).map_err(|_| Unreadable::Memory)?;
    seen.reserve(rows).ok_or(Unreadable::Memory)?;
    for first in (0..rows).step_by(TOGETHER) {
        read_rows(&mut code, &mut coder, &mut seen, &mut table, TOGETHER.min(rows - first))?;
    }
    if coder.is_at_end() { Ok(table) } else { Err(Unreadable::Length) }
}

/// Rows that are read by one call of a function.
const TOGETHER: usize = 256;

/// The next `rows` rows.
#[inline(never)]
fn read_rows(
    code: &mut Rows,
    coder: &mut Decoder<'_>,
    seen: &mut Counts,
    table: &mut Distinct,
    rows: usize,
) -> Result<(), Unreadable> {
    let dim = code.zero.len();
    for _ in 0..rows {
        let which = code.repeat(coder, seen, None);
        if let Some(which) = which {
            seen.add(which, 1);
        } else {
            let start = table.codes.len();
            table.codes.try_reserve(dim).map_err(|_| Unreadable::Memory)?;
            table.codes.resize(start + dim, 0);
            read_row(code, coder, &mut table.codes[start..]);
            seen.push();
        }
        table.of.push(which.unwrap_or(seen.len() - 1) as u32);
    }
    if coder.is_past_end() { Err(Unreadable::Length) } else { Ok(()) }
}

/// One row.
#[inline(never)]
fn read_row(code: &mut Rows, coder: &mut Decoder<'_>, row: &mut [i8]) {
    // A copy can stay in registers.
    let mut own = coder.clone();
    code.row(&mut own, row);
    *coder = own;
}

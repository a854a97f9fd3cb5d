//! The entropy code of a graph: pairs of n rows, each with a level that stands for how strongly they go
//! together and a lean for which of them comes first, and a class of each row.
//!
//! A row's class is coded bit by bit, the highest first. Then each row has the list of those after it
//! that it is paired with: their number in an Exp-Golomb code, and by falling level how far the level
//! falls, in unary, and which row it is, by how often each was named so far (what many go with, many
//! more do).

use alloc::{vec, vec::Vec};

use super::{
    Unreadable,
    counts::Counts,
    golomb::Golomb,
    range::{Bit, Coder, Decoder, Encoder},
};

/// Levels of a pair.
pub const LEVELS: usize = 8;
/// Leans of a pair: from the first row always first to the second always first.
pub const LEANS: usize = 5;
/// Classes of a row.
pub const CLASSES: usize = 64;
/// Most pairs of one graph.
pub const MAX_PAIRS: usize = 1 << 27;
/// Bits of a number of pairs, at most.
const LENGTH_BITS: usize = 24;
/// How many of the rows that nobody named yet a row that was named once is as likely as.
const NAMED: u32 = 8;

/// Two rows that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The rows, the lower first.
    pub rows: [u32; 2],
    /// How strongly, below [`LEVELS`].
    pub level: u8,
    /// In how many of [`LEANS`] − 1 cases the second row comes first.
    pub lean: u8,
}

/// The code, with what it has learned so far.
struct Code {
    class: [Bit; CLASSES],
    length: Golomb<LENGTH_BITS>,
    /// By the level that a pair may have at most.
    falls: [[Bit; LEVELS]; LEVELS],
    leans: [Bit; LEANS],
    named: Counts,
}

impl Code {
    fn new(rows: usize) -> Option<Self> {
        let named = Counts::uniform(rows)?;
        let (length, falls, leans) = Default::default();
        Some(Self { class: [Bit::default(); CLASSES], length, falls, leans, named })
    }

    #[inline(never)]
    fn class(&mut self, coder: &mut impl Coder, class: u8) -> u8 {
        let mut node = 1;
        let mut mask = CLASSES / 2;
        while mask > 0 {
            let bit = coder.bit(usize::from(class) & mask > 0, &mut self.class[node]);
            node = node * 2 + usize::from(bit);
            mask /= 2;
        }
        (node - CLASSES) as u8
    }

    /// Codes a pair of a row whose pairs so far leave it `most` as its level; there are rows after it.
    #[inline(never)]
    fn pair(&mut self, coder: &mut impl Coder, most: u8, pair: Pair) -> Pair {
        let falls = &mut self.falls[usize::from(most)];
        let mut level = most;
        while level > 0 && coder.bit(pair.level < level, &mut falls[usize::from(level)]) {
            level -= 1;
        }
        let mut lean = 0;
        while usize::from(lean) < LEANS - 1
            && coder.bit(pair.lean > lean, &mut self.leans[usize::from(lean)])
        {
            lean += 1;
        }
        let [row, mut other] = pair.rows;
        let named = &self.named;
        let before = named.before(row as usize + 1);
        coder.share(named.total() - before, |number| {
            let (found, from) = match number {
                Some(number) => named.at(before + number),
                None => (other as usize, named.before(other as usize)),
            };
            other = found as u32;
            (from - before, named.of(found))
        });
        self.named.add(other as usize, NAMED);
        Pair { rows: [row, other], level, lean }
    }
}

/// Codes the pairs of `classes.len()` rows. `pairs` go by their first row, then by falling level, then
/// by their second row. `None` where there is no memory for it. O(n + p·log n).
pub fn encode(classes: &[u8], pairs: &[Pair]) -> Option<Vec<u8>> {
    let (mut code, mut coder) = (Code::new(classes.len())?, Encoder::default());
    for &class in classes {
        code.class(&mut coder, class);
    }
    let mut left = pairs;
    for row in 0..classes.len() as u32 {
        let of_row;
        (of_row, left) = left.split_at(left.iter().take_while(|pair| pair.rows[0] == row).count());
        code.length.code(&mut coder, of_row.len() as u32);
        let mut most = LEVELS as u8 - 1;
        for &pair in of_row {
            most = code.pair(&mut coder, most, pair).level;
        }
    }
    Some(coder.finish())
}

/// The classes of rows, and their pairs.
pub type Graph = (Vec<u8>, Vec<Pair>);

/// Reads the graph of `rows` rows and `pairs` pairs. Any bytes of the right length decode to something.
/// O(n + p·log n).
pub fn decode(bytes: &[u8], rows: usize, pairs: usize) -> Result<Graph, Unreadable> {
    let mut code = Code::new(rows).ok_or(Unreadable::Memory)?;
    let mut coder = Decoder::new(bytes);
    let mut classes = Vec::new();
    classes.try_reserve_exact(rows).map_err(|_| Unreadable::Memory)?;
    classes.extend((0..rows).map(|_| code.class(&mut coder, 0)));
    let mut all = vec![];
    for row in 0..rows {
        let length = code.length.code(&mut coder, 0) as usize;
        let impossible = length > 0 && row + 1 == rows;
        if coder.is_past_end() || impossible || all.len() + length > pairs {
            return Err(Unreadable::Length);
        }
        all.try_reserve(length).map_err(|_| Unreadable::Memory)?;
        read_pairs(&mut code, &mut coder, &mut all, row as u32, length);
    }
    let whole = coder.is_at_end() && all.len() == pairs;
    if whole { Ok((classes, all)) } else { Err(Unreadable::Length) }
}

/// The pairs of one row.
#[inline(never)]
fn read_pairs(
    code: &mut Code,
    coder: &mut Decoder<'_>,
    all: &mut Vec<Pair>,
    row: u32,
    length: usize,
) {
    let mut most = LEVELS as u8 - 1;
    for _ in 0..length {
        let pair = code.pair(coder, most, Pair { rows: [row, row + 1], level: 0, lean: 0 });
        most = pair.level;
        all.push(pair);
    }
}

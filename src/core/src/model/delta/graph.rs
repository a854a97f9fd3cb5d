//! Pairs of tracks, under weights that stay as they are.

use alloc::vec::Vec;

use super::{Fault, Gaps, Rows, filled, map::NONE};
use crate::{
    codec::{
        counts::Counts,
        golomb::Golomb,
        pairs::{CLASSES, LEANS, LEVELS, MAX_PAIRS, Pair},
        patch::Patch,
        range::{Bit, Coder},
    },
    model::{Neighbours, neighbours::Edit},
};

/// Bits of a number of new pairs of one row, at most.
const LENGTH_BITS: usize = 24;

/// The code, with what it has learned so far.
struct Code {
    classes: Patch,
    /// Whether anything became of a row's pairs: where something else of the track changed, and of a new one.
    changed: [Bit; 2],
    /// Whether anything became of a pair, by its level.
    moved: [Bit; LEVELS],
    /// Whether it is no more, where something did.
    gone: [Bit; LEVELS],
    /// By the level and the lean that a pair had, none of a new one.
    levels: [[Bit; LEVELS]; LEVELS + 1],
    leans: [[Bit; LEANS]; LEANS + 1],
    length: Golomb<LENGTH_BITS>,
    named: Counts,
}

/// Codes what became of the pairs of a graph. Returns the next one.
#[inline(never)]
pub fn graph(
    coder: &mut impl Coder,
    old: &Neighbours,
    next: Option<&Neighbours>,
    rows: &mut Rows<'_>,
) -> Result<Neighbours, Fault> {
    let len = rows.map.from.len();
    let mut code = Code {
        classes: Patch::new(1),
        changed: Default::default(),
        moved: Default::default(),
        gone: Default::default(),
        levels: Default::default(),
        leans: Default::default(),
        length: Golomb::default(),
        named: named(old, &rows.map.to, len)?,
    };
    let mut classes = Vec::new();
    classes.try_reserve_exact(len).map_err(|_| Fault::Memory)?;
    let mut gaps = Gaps::default();
    while classes.len() < len {
        let row = classes.len();
        let from = rows.map.from[row];
        let run = if from == NONE { 0 } else { rows.pass(&mut gaps, row, false) };
        if run > 0 {
            let was = old.classes().get(from as usize..).and_then(|old| old.get(..run));
            classes.extend_from_slice(was.ok_or(Fault::Damaged)?);
            continue;
        }
        let before = old.classes().get(from as usize).copied().unwrap_or_default();
        let differs = |row: usize, from: usize| {
            next.is_some_and(|next| next.classes()[row] != old.classes()[from])
        };
        let mut class = [next.map_or(0, |next| next.classes()[row]) as i8];
        if from == NONE || gaps.changed(coder, || rows.ahead(row, differs)) {
            code.classes.components(coder, &[before as i8], &mut class);
        } else {
            class = [before as i8];
        }
        classes.push(class[0] as u8);
    }
    if classes.iter().any(|&class| usize::from(class) >= CLASSES) {
        return Err(Fault::Damaged);
    }
    let mut gaps = Gaps::default();
    let mut edits = Vec::new();
    let mut pairs = Vec::new();
    let to = &rows.map.to;
    for row in 0..len {
        let from = rows.map.from[row];
        let kept = |row: usize, from: usize| {
            old.pairs_of(from).filter_map(move |pair| {
                let other = to[pair.rows[1] as usize];
                (other != NONE).then_some(Pair { rows: [row as u32, other], ..pair })
            })
        };
        let differs = |row: usize, from: usize| {
            next.is_some_and(|next| !next.pairs_of(row).eq(kept(row, from)))
        };
        let changed = if from == NONE || rows.touched[row] {
            let context = &mut code.changed[usize::from(from == NONE)];
            coder.bit(differs(row, from as usize), context)
        } else {
            gaps.changed(coder, || rows.ahead_untouched(row, differs))
        };
        if !changed {
            continue;
        }
        pairs.clear();
        pairs.extend(kept(row, from as usize));
        code.row(coder, row, &pairs, next, &mut edits)?;
        if coder.is_past_end() || edits.len() > MAX_PAIRS {
            return Err(Fault::Damaged);
        }
    }
    edits.sort_unstable_by_key(Edit::key);
    let map = [&rows.map.from[..], &rows.map.to[..]];
    old.edited(map, classes, &edits).ok_or(Fault::Memory)
}

/// How likely each row is to be named: by how often it is.
fn named(old: &Neighbours, to: &[u32], len: usize) -> Result<Counts, Fault> {
    let mut each = filled(1, len)?;
    for (row, &to) in to.iter().enumerate().filter(|(_, to)| **to != NONE) {
        each[to as usize] += old.count(row);
    }
    Counts::seen(each).ok_or(Fault::Memory)
}

impl Code {
    /// What became of the pairs of one row with those after it, of which these are left of tracks that are still here.
    #[inline(never)]
    fn row(
        &mut self,
        coder: &mut impl Coder,
        row: usize,
        pairs: &[Pair],
        next: Option<&Neighbours>,
        edits: &mut Vec<Edit>,
    ) -> Result<(), Fault> {
        edits.try_reserve(4 * pairs.len()).map_err(|_| Fault::Memory)?;
        for &pair in pairs {
            let is = next.map(|next| next.pairs_of(row).find(|is| is.rows == pair.rows));
            let level = usize::from(pair.level);
            let moves = is.is_some_and(|is| is != Some(pair));
            if !coder.bit(moves, &mut self.moved[level]) {
                continue;
            }
            edits.extend(Edit::both(pair, false));
            let gone = is.is_some_and(|is| is.is_none());
            if coder.bit(gone, &mut self.gone[level]) {
                continue;
            }
            let is = is.flatten().unwrap_or(pair);
            let level = symbol(coder, &mut self.levels[level], is.level);
            let lean = symbol(coder, &mut self.leans[usize::from(pair.lean)], is.lean);
            edits.extend(Edit::both(Pair { level, lean, ..pair }, true));
        }
        let new = || {
            let all = next.iter().flat_map(|next| next.pairs_of(row));
            all.filter(|pair| !pairs.iter().any(|kept| kept.rows == pair.rows))
        };
        let count = self.length.code(coder, new().count() as u32);
        // One with each of the rows after it, at most.
        if count as usize >= self.named.len() - row {
            return Err(Fault::Damaged);
        }
        let mut new = new();
        for _ in 0..count {
            let before = self.named.before(row + 1);
            let total = self.named.total() - before;
            if total == 0 || coder.is_past_end() {
                return Err(Fault::Damaged);
            }
            let is = new.next();
            let mut other = is.map_or(0, |pair| pair.rows[1]);
            let named = &self.named;
            coder.share(total, |number| {
                let (found, from) = match number {
                    Some(number) => named.at(before + number),
                    None => (other as usize, named.before(other as usize)),
                };
                other = found as u32;
                (from - before, named.of(found))
            });
            let level = symbol(coder, &mut self.levels[LEVELS], is.map_or(0, |pair| pair.level));
            let lean = symbol(coder, &mut self.leans[LEANS], is.map_or(0, |pair| pair.lean));
            edits.try_reserve(2).map_err(|_| Fault::Memory)?;
            edits.extend(Edit::both(Pair { rows: [row as u32, other], level, lean }, true));
        }
        Ok(())
    }
}

/// One of as many symbols as there are contexts, in unary.
fn symbol<const N: usize>(coder: &mut impl Coder, contexts: &mut [Bit; N], wanted: u8) -> u8 {
    let mut symbol = 0;
    while usize::from(symbol) < N - 1
        && coder.bit(wanted > symbol, &mut contexts[usize::from(symbol)])
    {
        symbol += 1;
    }
    symbol
}

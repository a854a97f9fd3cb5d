//! Item factors: rows of codes under steps that stay as they are.
//!
//! Rows that were equal (their tracks had the same listeners) mostly become equal ones, which is a flag; a new row that is
//! just like an earlier one of the new table (tracks of one artist that nobody heard are) is the number of that.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    Fault, Rows, filled,
    map::{Map, NONE},
};
use crate::{
    bytes::ALIGN,
    codec::{
        patch::Patch,
        range::{Bit, Coder},
        rows::Distinct,
    },
    kernel::{Gram, Table},
    model::MAX_DIM,
};

/// Codes what became of a table whose rows have `dim` codes. Returns the next one, and by how much Σ qqᵀ over its rows
/// differs, the packed lower triangle.
#[inline(never)]
pub fn table<C: Coder>(
    coder: &mut C,
    dim: usize,
    old: &Table,
    next: Option<&Table>,
    rows: &mut Rows<'_>,
) -> Result<(Distinct, Vec<i64>), Fault> {
    let [mut code, mut fresh] = [(); 2].map(|()| Patch::new(dim));
    let [mut follows, mut again] = [Bit::default(); 2];
    let mut twins: BTreeMap<&[i8], u32> = BTreeMap::new();
    let mut made = Made::new(old, dim, rows.map.from.len())?;
    let [mut come, mut gone] = [(); 2].map(|()| Gram::new(dim.next_multiple_of(ALIGN)));
    let mut row = [0; MAX_DIM];
    let row = &mut row[..dim];
    for (place, touched) in rows.touched.iter_mut().enumerate() {
        let wanted = next.map(|next| &next.row(place)[..dim]);
        wanted.iter().for_each(|wanted| row.copy_from_slice(wanted));
        let twin = wanted.filter(|_| C::WRITES).and_then(|wanted| twins.get(wanted)).copied();
        let from = rows.map.from[place];
        if from != NONE {
            // Tracks of which just the same is known were equal, and go on to be.
            let (before, equals) = (&old.row(from as usize)[..dim], old.place(from as usize));
            let became = made.became(equals);
            let same = became.is_some_and(|became| wanted.is_some_and(|wanted| wanted == became));
            if became.is_some() && coder.bit(same, &mut follows) {
                made.follow(equals, row);
                *touched = made.moved[equals];
            } else {
                *touched = code.row(coder, false, before, row);
                made.add(row)?;
                (made.became[equals], made.moved[equals]) = (made.last(), *touched);
            }
            if *touched {
                gone.add(before, 1);
            }
        } else {
            *touched = true;
            if place > 0 && coder.bit(twin.is_some(), &mut again) {
                let mut which = twin.unwrap_or_default();
                coder.share(place as u32, |number| {
                    which = number.unwrap_or(which);
                    (which, 1)
                });
                made.repeat(which as usize, row)?;
            } else {
                fresh.row(coder, true, &[0; MAX_DIM][..dim], row);
                made.add(row)?;
            }
        }
        if *touched {
            come.add(row, 1);
        }
        if let Some(wanted) = wanted.filter(|_| C::WRITES) {
            twins.entry(wanted).or_insert(place as u32);
        }
    }
    // Rows that became equal are one, for the next delta as for whoever reads the section.
    made.rows.merge(dim).ok_or(Fault::Memory)?;
    lost(rows.map, |row| gone.add(&old.row(row)[..dim], 1));
    let mut sums = come.finish(dim);
    sums.iter_mut().zip(gone.finish(dim)).for_each(|(sum, gone)| *sum -= gone);
    Ok((made.rows, sums))
}

/// Calls `what` for each row of a track that is no more.
fn lost(map: &Map, mut what: impl FnMut(usize)) {
    let gone = map.to.iter().enumerate().filter(|(_, to)| **to == NONE);
    gone.for_each(|(row, _)| what(row));
}

/// The next table on its way.
struct Made {
    rows: Distinct,
    dim: usize,
    /// The number here of what the row at each place of the old one became last, or [`NONE`].
    became: Vec<u32>,
    /// Whether that is another row.
    moved: Vec<bool>,
}

impl Made {
    #[inline]
    fn new(old: &Table, dim: usize, rows: usize) -> Result<Self, Fault> {
        let mut made = Distinct::default();
        made.of.try_reserve_exact(rows).map_err(|_| Fault::Memory)?;
        made.codes.try_reserve(old.distinct() * dim).map_err(|_| Fault::Memory)?;
        let (became, moved) = (filled(NONE, old.distinct())?, filled(false, old.distinct())?);
        Ok(Self { rows: made, dim, became, moved })
    }

    #[inline]
    fn row(&self, number: u32) -> &[i8] {
        &self.rows.codes[number as usize * self.dim..][..self.dim]
    }

    /// What a row at this place of the old table became last.
    #[inline]
    fn became(&self, place: usize) -> Option<&[i8]> {
        Some(self.became[place]).filter(|&number| number != NONE).map(|number| self.row(number))
    }

    /// The number of the last row.
    #[inline]
    fn last(&self) -> u32 {
        self.rows.of.last().copied().unwrap_or_default()
    }

    /// One more of what a row at this place became, whose codes go to `codes`.
    #[inline]
    fn follow(&mut self, place: usize, codes: &mut [i8]) {
        let number = self.became[place];
        codes.copy_from_slice(self.row(number));
        self.rows.of.push(number);
    }

    /// A row of its own.
    #[inline]
    fn add(&mut self, codes: &[i8]) -> Result<(), Fault> {
        // Nothing that training writes, and longer than the longest.
        if codes.contains(&i8::MIN) {
            return Err(Fault::Damaged);
        }
        let number = self.rows.codes.len() / self.dim;
        self.rows.codes.try_reserve(self.dim).map_err(|_| Fault::Memory)?;
        self.rows.codes.extend_from_slice(codes);
        self.rows.of.push(number as u32);
        Ok(())
    }

    /// The same as an earlier one; its codes go to `codes`.
    #[inline]
    fn repeat(&mut self, which: usize, codes: &mut [i8]) -> Result<(), Fault> {
        let number = *self.rows.of.get(which).ok_or(Fault::Damaged)?;
        codes.copy_from_slice(self.row(number));
        self.rows.of.push(number);
        Ok(())
    }
}

//! Sections that are read in place: bytes that stand by themselves, and columns of some bytes a row.

use core::ops::Range;

use super::{Fault, Gaps, Rows, map::NONE};
use crate::{
    bytes::{ALIGN, Aligned, padded},
    codec::{patch::Patch, range::Coder},
    model::SectionKind,
};

/// Where what lies in a section.
struct Layout {
    /// Bytes before the columns.
    lead: usize,
    /// Bytes a row, one each column.
    widths: &'static [usize],
    /// Bytes after them.
    rest: usize,
}

impl Layout {
    /// That of a section of so many rows and bytes; `None` where it has not so many.
    fn of(kind: SectionKind, rows: usize, bytes: usize) -> Option<Self> {
        let widths: &[usize] = match kind {
            SectionKind::Clusters => &[2],
            SectionKind::Rates => &[1, 1],
            SectionKind::Albums => &[1],
            SectionKind::Tags => &[8],
            _ => &[],
        };
        let columns: usize = widths.iter().map(|width| padded(width * rows)).sum();
        let beside = bytes.checked_sub(columns)?;
        // What is not of one track lies before clusters and after tags.
        let lead = if kind == SectionKind::Tags { ALIGN.min(beside) } else { beside };
        Some(Self { lead, widths, rest: beside - lead })
    }

    /// What lies in it one after the other.
    fn pieces(&self, rows: usize) -> impl Iterator<Item = Range<usize>> {
        let columns = self.widths.iter().map(move |width| padded(width * rows));
        let lengths = core::iter::once(self.lead).chain(columns).chain([self.rest]);
        lengths.scan(0, |end, length| {
            *end += length;
            Some(*end - length..*end)
        })
    }
}

/// Whether a section of so many rows and bytes can be told from one of others: all but columns is as long.
pub fn is_alike(kind: SectionKind, rows: [usize; 2], bytes: [usize; 2]) -> bool {
    let [old, new] = [0, 1].map(|at| Layout::of(kind, rows[at], bytes[at]));
    let beside = |layout: &Layout| (layout.lead, layout.rest);
    old.as_ref().map(beside) == new.as_ref().map(beside) && old.is_some()
}

/// Codes what became of a section.
#[inline(never)]
pub fn section(
    coder: &mut impl Coder,
    kind: SectionKind,
    old: &[u8],
    next: Option<&[u8]>,
    rows: &mut Rows<'_>,
) -> Result<Aligned, Fault> {
    let (before, after) = (rows.map.to.len(), rows.map.from.len());
    let layout = Layout::of(kind, before, old.len()).ok_or(Fault::Damaged)?;
    let columns: usize = layout.widths.iter().map(|width| padded(width * after)).sum();
    let len = layout.lead + columns + layout.rest;
    let mut new = Aligned::try_zeroed(len).ok_or(Fault::Memory)?;
    if let Some(next) = next {
        new.as_mut_slice().copy_from_slice(next);
    }
    let pieces = layout.pieces(before).zip(layout.pieces(after)).enumerate();
    for (at, (was, is)) in pieces {
        let (was, is) = (bytemuck::cast_slice(&old[was]), &mut new.as_mut_slice()[is]);
        let is = bytemuck::cast_slice_mut(is);
        match at.checked_sub(1).and_then(|at| layout.widths.get(at)) {
            Some(&width) => column(coder, kind, was, is, width, rows)?,
            None => bytes(coder, was, is),
        }
    }
    Ok(new)
}

/// Codes bytes that belong to no row, 16 at a time.
#[inline(never)]
fn bytes(coder: &mut impl Coder, old: &[i8], new: &mut [i8]) {
    let mut code = Patch::new(ALIGN);
    for (old, new) in old.chunks(ALIGN).zip(new.chunks_mut(ALIGN)) {
        code.row(coder, false, old, new);
    }
}

/// Codes a column of `width` bytes a row. Rates change where something else of a track does; of the others few change.
#[inline(never)]
fn column<C: Coder>(
    coder: &mut C,
    kind: SectionKind,
    old: &[i8],
    new: &mut [i8],
    width: usize,
    rows: &mut Rows<'_>,
) -> Result<(), Fault> {
    let [mut code, mut fresh] = [(); 2].map(|()| Patch::new(width));
    let mut gaps = Gaps::default();
    let nothing = [0; 8];
    let rates = kind == SectionKind::Rates;
    let mut row = 0;
    while row < rows.map.from.len() {
        let from = rows.map.from[row];
        let run = if from == NONE { 0 } else { rows.pass(&mut gaps, row, rates) };
        if run > 0 {
            let was = old.get(from as usize * width..).and_then(|old| old.get(..run * width));
            new[row * width..][..run * width].copy_from_slice(was.ok_or(Fault::Damaged)?);
            row += run;
            continue;
        }
        row += 1;
        let row = row - 1;
        let (wanted, rest) = new.split_at_mut((row + 1) * width);
        let is = &mut wanted[row * width..];
        if from == NONE {
            fresh.row(coder, true, &nothing[..width], is);
            continue;
        }
        let was = |from: usize| old.get(from * width..).and_then(|old| old.get(..width));
        let before = was(from as usize).ok_or(Fault::Damaged)?;
        let differs = |at: usize, from: usize| match at.checked_sub(row + 1) {
            Some(later) => was(from) != rest.get(later * width..).and_then(|is| is.get(..width)),
            None => before != &*is,
        };
        let changed = match kind {
            SectionKind::Rates if rows.touched[row] => {
                code.row(coder, true, before, is);
                continue;
            }
            SectionKind::Rates => gaps.changed(coder, || rows.ahead_untouched(row, differs)),
            _ => gaps.changed(coder, || rows.ahead(row, differs)),
        };
        if changed {
            code.components(coder, before, is);
            rows.touched[row] |= rates;
        } else {
            is.copy_from_slice(before);
        }
    }
    Ok(())
}

//! What the listeners of each cluster finish.

use alloc::vec::Vec;

use super::{Fault, Rows, map::NONE};
use crate::{
    bytes::Aligned,
    codec::{
        golomb::Golomb,
        range::{Bit, Coder},
    },
    ids::Row,
    model::{Entry, Finished, IdsDigest, finished},
};

/// Bits of the length of a list, at most.
const LENGTH_BITS: usize = 24;

/// Codes what became of the lists, of which there are as many as before, of the same scale. `ids` are those of the
/// rows afterwards.
#[inline(never)]
pub fn lists(
    coder: &mut impl Coder,
    ids: IdsDigest,
    old: &Finished<'_>,
    next: Option<&Finished<'_>>,
    rows: &Rows<'_>,
) -> Result<Aligned, Fault> {
    let mut changed = Bit::default();
    let mut length = Golomb::<LENGTH_BITS>::default();
    let (mut entries, mut ends): (Vec<Entry>, Vec<u32>) = Default::default();
    for cluster in 0..old.lists() {
        let start = entries.len();
        for entry in old.of(cluster) {
            match rows.map.to.get(entry.row().index()) {
                Some(&to) if to != NONE => entries.push(Entry::new(Row(to), entry.level())),
                _ => {}
            }
        }
        let wanted = next.map(|next| next.of(cluster));
        let differs = wanted.is_some_and(|wanted| *wanted != entries[start..]);
        if coder.bit(differs, &mut changed) {
            entries.truncate(start);
            let wanted = wanted.unwrap_or_default();
            let count = length.code(coder, wanted.len() as u32);
            for at in 0..count as usize {
                let word = wanted.get(at).map_or(0, |&entry| bytemuck::cast::<Entry, u32>(entry));
                entries.push(bytemuck::cast(coder.raw(word, u32::BITS)));
                if coder.is_past_end() {
                    return Err(Fault::Damaged);
                }
            }
        }
        ends.push(entries.len() as u32);
    }
    Ok(finished::lay_out(ids, rows.map.from.len(), old.scale(), &ends, &entries))
}

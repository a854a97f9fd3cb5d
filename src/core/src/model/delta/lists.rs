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
pub fn lists(
    coder: &mut impl Coder,
    ids: IdsDigest,
    old: &Finished<'_>,
    next: Option<&Finished<'_>>,
    rows: &Rows<'_>,
) -> Result<Aligned, Fault> {
    let mut changed = Bit::default();
    let mut length = Golomb::<LENGTH_BITS>::default();
    let mut all: Vec<Vec<Entry>> = Vec::new();
    for cluster in 0..old.lists() {
        let moved = old.of(cluster).iter().filter_map(|entry| {
            let to = *rows.map.to.get(entry.row().index())?;
            (to != NONE).then(|| Entry::new(Row(to), entry.level()))
        });
        let mut list: Vec<Entry> = moved.collect();
        let wanted = next.map_or(&list[..], |next| next.of(cluster));
        if coder.bit(wanted != list, &mut changed) {
            let count = length.code(coder, wanted.len() as u32);
            let mut anew = Vec::new();
            for at in 0..count as usize {
                let word = wanted.get(at).map_or(0, |&entry| bytemuck::cast::<Entry, u32>(entry));
                anew.push(bytemuck::cast(coder.raw(word, u32::BITS)));
                if coder.is_past_end() {
                    return Err(Fault::Damaged);
                }
            }
            list = anew;
        }
        all.push(list);
    }
    let all: Vec<&[Entry]> = all.iter().map(Vec::as_slice).collect();
    Ok(finished::encode(ids, rows.map.from.len(), old.scale(), &all))
}

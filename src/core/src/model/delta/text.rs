//! Titles, artists and durations; names of clusters.

use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};

use super::{Fault, Gaps, Rows, filled, map::NONE};
use crate::{
    bytes::Aligned,
    codec::{
        golomb::Golomb,
        range::{Bit, Coder},
    },
    ids::Row,
    model::{IdsDigest, MAX_CLUSTERS, Text, text},
};

/// Bits of the length of a string, at most.
const LENGTH_BITS: usize = 20;
/// Letters of one delta, at most; there is none between names that differ by more.
const MOST_LETTERS: usize = 1 << 24;
/// Titles that letters are learned from before anything is coded.
const LEARNED_FROM: usize = 1 << 10;

/// The code of strings: letters by the one before.
struct Letters {
    length: Golomb<LENGTH_BITS>,
    /// Letters coded so far.
    count: usize,
    after: Vec<[Bit; 256]>,
}

impl Letters {
    /// Knows how `old` writes.
    #[inline]
    fn of(old: &Text<'_>, rows: usize) -> Self {
        let after = vec![[Bit::default(); 256]; 256];
        let mut letters = Self { length: Golomb::default(), count: 0, after };
        for row in 0..rows.min(LEARNED_FROM) as u32 {
            let mut last = 0;
            for &letter in old.title(Row(row)).as_bytes() {
                letters.letter(&mut Learner, &mut last, letter);
            }
        }
        letters
    }

    #[inline(never)]
    fn letter(&mut self, coder: &mut impl Coder, last: &mut u8, letter: u8) -> u8 {
        let contexts = &mut self.after[usize::from(*last)];
        let mut node = 1;
        for at in (0..8).rev() {
            let bit = coder.bit(letter >> at & 1 == 1, &mut contexts[node]);
            node = node * 2 + usize::from(bit);
        }
        *last = node as u8;
        *last
    }

    /// Codes a string onto the end of `to`.
    fn string(
        &mut self,
        coder: &mut impl Coder,
        text: &str,
        to: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if text.len() >> LENGTH_BITS > 0 {
            return Err(Fault::Memory);
        }
        let len = self.length.code(coder, text.len() as u32) as usize;
        self.count += len;
        // What is foretold costs next to nothing: a few bytes could go on for hours.
        if self.count > MOST_LETTERS {
            return Err(Fault::Damaged);
        }
        to.try_reserve(len).map_err(|_| Fault::Memory)?;
        let mut letters = text.bytes();
        let mut last = 0;
        for _ in 0..len {
            to.push(self.letter(coder, &mut last, letters.next().unwrap_or_default()));
            if coder.is_past_end() {
                return Err(Fault::Damaged);
            }
        }
        Ok(())
    }
}

/// Learns what it is given, and codes nothing.
struct Learner;

impl Coder for Learner {
    fn bit(&mut self, bit: bool, context: &mut Bit) -> bool {
        context.learn(bit);
        bit
    }

    fn raw(&mut self, value: u32, _: u32) -> u32 {
        value
    }

    fn share(&mut self, _: u32, _: impl FnOnce(Option<u32>) -> (u32, u32)) {}
}

/// The artists of both versions.
struct Artists {
    /// The number afterwards of each before, then of each that is new, or [`NONE`] until a track has it.
    number_of: Vec<u32>,
    /// Those numbers, in the order in which tracks have them.
    order: Vec<u32>,
    /// End of the name of each that is new, and the names.
    ends: Vec<usize>,
    names: Vec<u8>,
    before: usize,
}

impl Artists {
    /// The number afterwards.
    #[inline]
    fn number(&mut self, which: usize) -> Result<u32, Fault> {
        let number = self.number_of.get_mut(which).ok_or(Fault::Damaged)?;
        if *number == NONE {
            *number = self.order.len() as u32;
            self.order.push(which as u32);
        }
        Ok(*number)
    }

    #[inline]
    fn name<'a>(&'a self, old: &Text<'a>, which: u32) -> &'a [u8] {
        let Some(new) = (which as usize).checked_sub(self.before) else {
            return old.artist_name(which).as_bytes();
        };
        let from = new.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.names[from..self.ends[new]]
    }
}

/// Codes what became of the names. `ids` are those of the rows afterwards.
#[inline(never)]
pub fn names<C: Coder>(
    coder: &mut C,
    ids: IdsDigest,
    old: &Text<'_>,
    next: Option<&Text<'_>>,
    rows: &mut Rows<'_>,
) -> Result<Aligned, Fault> {
    let (before, len) = (old.artists(), rows.map.from.len());
    let mut letters = Letters::of(old, rows.map.to.len());
    let [mut titled, mut credited, mut timed, mut known, mut clustered] = [Bit::default(); 5];
    let mut index_of: BTreeMap<&str, usize> = BTreeMap::new();
    if C::WRITES {
        index_of.extend((0..before).map(|artist| (old.artist_name(artist as u32), artist)));
    }
    let mut artists = Artists {
        number_of: filled(NONE, before)?,
        order: Vec::new(),
        ends: Vec::new(),
        names: Vec::new(),
        before,
    };
    let mut strings = text::Strings::default();
    strings.reserve(len, old.section_bytes()).ok_or(Fault::Memory)?;
    let [mut artist_of, mut durations] = [(); 2].map(|()| Vec::new());
    for column in [&mut artist_of, &mut durations] {
        column.try_reserve_exact(len).map_err(|_| Fault::Memory)?;
    }
    let mut gaps = Gaps::default();
    for (row, &from) in rows.map.from.iter().enumerate() {
        let (was, is) = (Row(from), next.map(|next| (next, Row(row as u32))));
        let stays = from != NONE;
        let differs = |row: usize, from: usize| {
            let (is, was) = (Row(row as u32), Row(from as u32));
            next.is_some_and(|next| {
                next.title(is) != old.title(was)
                    || next.artist(is) != old.artist(was)
                    || next.duration_ms(is) != old.duration_ms(was)
            })
        };
        if stays && !gaps.changed(coder, || rows.ahead(row, differs)) {
            strings.push(old.title_bytes(was)).ok_or(Fault::Memory)?;
            artist_of.push(artists.number(old.artist_index(was) as usize)?);
            durations.push(old.duration_ms(was));
            continue;
        }
        // The title.
        let title = is.map_or("", |(next, row)| next.title(row));
        if stays && !coder.bit(is.is_some() && title != old.title(was), &mut titled) {
            strings.push(old.title_bytes(was)).ok_or(Fault::Memory)?;
        } else {
            letters.string(coder, title, &mut strings.bytes)?;
            strings.close().ok_or(Fault::Memory)?;
        }
        // The artist.
        let artist = is.map_or("", |(next, row)| next.artist(row));
        let which = if stays && !coder.bit(is.is_some() && artist != old.artist(was), &mut credited)
        {
            old.artist_index(was) as usize
        } else {
            let found = if C::WRITES { index_of.get(artist).copied() } else { None };
            let all = artists.number_of.len();
            if all > 0 && coder.bit(found.is_some(), &mut known) {
                let mut which = found.unwrap_or_default() as u32;
                coder.share(all as u32, |number| {
                    which = number.unwrap_or(which);
                    (which, 1)
                });
                which as usize
            } else {
                letters.string(coder, artist, &mut artists.names)?;
                artists.ends.push(artists.names.len());
                artists.number_of.push(NONE);
                if C::WRITES {
                    index_of.insert(artist, all);
                }
                all
            }
        };
        artist_of.push(artists.number(which)?);
        // The duration.
        let duration = is.map_or(0, |(next, row)| next.duration_ms(row));
        let was = old.duration_ms(was);
        let anew = !stays || coder.bit(is.is_some() && duration != was, &mut timed);
        durations.push(if anew { coder.raw(duration, u32::BITS) } else { was });
    }
    for &which in &artists.order {
        strings.push(artists.name(old, which)).ok_or(Fault::Memory)?;
    }
    // Names of clusters, all of them anew where one is.
    let name = |text: &Text<'_>, at| String::from(text.cluster_name(at).unwrap_or_default());
    let differ = next.is_some_and(|next| {
        let same = |at| name(next, at) == name(old, at);
        next.clusters() != old.clusters() || !(0..old.clusters()).all(same)
    });
    let anew = coder.bit(differ, &mut clustered);
    let wanted = next.map_or(0, Text::clusters) as u32;
    let clusters = if anew { coder.raw(wanted, 13) as usize } else { old.clusters() };
    if clusters > MAX_CLUSTERS {
        return Err(Fault::Damaged);
    }
    for at in 0..clusters {
        if anew {
            let wanted = next.map(|next| name(next, at)).unwrap_or_default();
            letters.string(coder, &wanted, &mut strings.bytes)?;
            strings.close().ok_or(Fault::Memory)?;
        } else {
            strings.push(name(old, at).as_bytes()).ok_or(Fault::Memory)?;
        }
    }
    let counts = [artists.order.len(), clusters];
    Ok(text::lay_out(ids, &artist_of, &durations, counts, &strings))
}

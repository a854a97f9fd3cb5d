//! The sections `neighbours`, tracks that go together, and `transitions`, tracks that follow each other.
//!
//! ```text
//! [prefix][weights f32 × 16][coded][bytes u8 × coded.bytes]
//! ```
//!
//! What factors of few components cannot say, pairs can: that two tracks go together which little else
//! goes with (an item–item model beside a factor model, as in Koren, "Factorization Meets the
//! Neighborhood", 2008). [`crate::codec::pairs`] codes them; a pair is stored once and used both ways.
//! The class of a track is how popular it is: class c stands for 2^(c/2) listeners.

use alloc::{vec, vec::Vec};
use bytemuck::{Pod, Zeroable};
use xxhash_rust::xxh64::Xxh64;

use super::{ModelError, Prefix, SectionKind, Shape, ids::IdsDigest, prefix};
use crate::{
    bytes::{Aligned, Writer},
    codec::{
        Unreadable,
        pairs::{self, CLASSES, LEANS, LEVELS, MAX_PAIRS, Pair},
    },
};

/// Largest weight of a neighbour.
pub const MAX_WEIGHT: f32 = 8.0;
/// Largest magnitude of a power of popularity.
const MAX_POWER: f32 = 4.0;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Coded {
    pairs: u32,
    /// Length of the entropy-coded bytes.
    bytes: u32,
    zeros: [u32; 2],
}

/// Pairs of tracks and how they weigh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NeighbourParts {
    /// Powers of the popularity of the track that was met, and of the one that is recommended, by which
    /// a strength is divided.
    pub powers: [f32; 2],
    /// What each level of a pair stands for.
    pub strengths: [f32; LEVELS],
    /// The popularity of each track, below [`CLASSES`]: that of 2^(class/2) listeners.
    pub classes: Vec<u8>,
    /// By first row, then by falling level, then by second row.
    pub pairs: Vec<Pair>,
    /// Of a pair in the order in which it is not, the share that counts, 0 to 1.
    pub back: f32,
    /// How a sitting votes, of transitions; of neighbours nothing.
    pub habits: Habits,
}

/// How the tracks of a sitting vote on the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Habits {
    /// The vote of the track n before the last counts (n + 1) to minus this.
    pub recency: f32,
    /// A sum of n votes counts n to this times.
    pub agreement: f32,
    /// What votes for tracks of the sitting itself count.
    pub again: f32,
    /// What is added to the score of the last track: that it is heard once more.
    pub stay: f32,
    /// What is added to the score of the other tracks of the sitting, the later the more as votes are.
    pub back: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Weights {
    powers: [f32; 2],
    back: f32,
    habits: Habits,
    strengths: [f32; LEVELS],
}

impl NeighbourParts {
    const fn weights(&self) -> Weights {
        let Self { powers, strengths, back, habits, .. } = *self;
        Weights { powers, back, habits, strengths }
    }
}

impl Weights {
    /// Whether all are finite and in their ranges.
    pub(crate) fn are_sound(&self) -> bool {
        let Self { powers, back, habits, strengths } = self;
        let Habits { recency, agreement, again, stay, back: before } = *habits;
        let small = [powers[0], powers[1], recency, agreement, again];
        let sound = small.iter().all(|x| x.abs() <= MAX_POWER) && (0.0..=1.0).contains(back);
        sound && super::in_range(strengths) && super::in_range(&[stay, before])
    }
}

/// The class of a track of so many listeners.
pub fn popularity_class(listeners: usize) -> u8 {
    let class = libm::roundf(2.0 * libm::log2f(listeners.max(1) as f32));
    class.min((CLASSES - 1) as f32) as u8
}

/// A track that goes with another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its place in the shard.
    pub place: u32,
    /// What it adds to its score that the listener said yes to the other.
    pub weight: f32,
}

/// An entry of a list: the place of the other track in the lower 24 bits, then the pair's level and its lean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Entry(u32);

impl Entry {
    const PLACE_BITS: u32 = 24;
    const LEVEL_BITS: u32 = 3;

    const fn new(place: u32, level: u8, lean: u8) -> Self {
        Self(place | ((level as u32) | (lean as u32) << Self::LEVEL_BITS) << Self::PLACE_BITS)
    }

    const fn place(self) -> u32 {
        self.0 & ((1 << Self::PLACE_BITS) - 1)
    }

    const fn level(self) -> u8 {
        (self.0 >> Self::PLACE_BITS) as u8 & ((1 << Self::LEVEL_BITS) - 1)
    }

    const fn lean(self) -> u8 {
        (self.0 >> (Self::PLACE_BITS + Self::LEVEL_BITS)) as u8
    }

    /// The same for another place.
    const fn at(self, place: u32) -> Self {
        Self(place | self.0 >> Self::PLACE_BITS << Self::PLACE_BITS)
    }

    /// Where it lies in the list of `row`: tracks before it ascend, those after it go by falling level.
    const fn order(self, row: u32) -> (u8, u32) {
        let level = if self.place() > row { LEVELS as u8 - self.level() } else { 0 };
        (level, self.place())
    }
}

const _: () = assert!(super::MAX_ROWS <= 1 << Entry::PLACE_BITS);

/// Neighbours of the tracks of one shard, of the same shard. What they weigh is worked out where it is asked for: lists
/// are short, and there are many of them.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// Where the list of each track ends.
    ends: Vec<u32>,
    list: Vec<Entry>,
    classes: Vec<u8>,
    weights: Weights,
    shares: Shares,
}

/// What is left of a strength, by the class of the track that was met and by that of the one that is recommended.
type Shares = [[f32; CLASSES]; 2];

fn shares(Weights { powers, .. }: &Weights) -> Shares {
    powers.map(|power| core::array::from_fn(|class| libm::exp2f(-0.5 * class as f32 * power)))
}

/// A pair that comes to a list or goes from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit {
    row: u32,
    entry: Entry,
    comes: bool,
}

impl Edit {
    /// Both lists' part of it.
    pub fn both(Pair { rows: [a, b], level, lean }: Pair, comes: bool) -> [Self; 2] {
        [(a, b), (b, a)].map(|(row, other)| {
            let entry = Entry::new(other, level, lean);
            Self { row, entry, comes }
        })
    }

    /// Does it to the list of its row, which begins at `start`.
    #[inline(never)]
    fn apply(&self, list: &mut Vec<Entry>, start: usize) {
        let order = self.entry.order(self.row);
        let at = list[start..].iter().position(|entry| entry.order(self.row) >= order);
        let at = at.map_or(list.len(), |at| start + at);
        if self.comes {
            list.insert(at, self.entry);
        } else if list.get(at) == Some(&self.entry) {
            list.remove(at);
        }
    }

    /// By row; what goes before what comes.
    pub const fn key(&self) -> (u32, bool, u32) {
        (self.row, self.comes, self.entry.0)
    }
}

impl Neighbours {
    /// Lays the pairs out as lists; `None` where there is no memory for them. O(n + p).
    pub fn new(parts: &NeighbourParts) -> Option<Self> {
        Self::weighing(parts.weights(), parts.classes.clone(), &parts.pairs)
    }

    /// The same of pairs that weigh so.
    pub(crate) fn weighing(weights: Weights, classes: Vec<u8>, pairs: &[Pair]) -> Option<Self> {
        let mut ends = filled(0_u32, classes.len())?;
        for pair in pairs {
            pair.rows.iter().for_each(|&row| ends[row as usize] += 1);
        }
        let mut end = 0;
        for of in &mut ends {
            // Where the list starts, for now.
            end += core::mem::replace(of, end);
        }
        let mut list = filled(Entry(0), pairs.len() * 2)?;
        for &Pair { rows: [a, b], level, lean } in pairs {
            for (of, place) in [(a, b), (b, a)] {
                let next = &mut ends[of as usize];
                list[*next as usize] = Entry::new(place, level, lean);
                *next += 1;
            }
        }
        Some(Self { ends, list, classes, shares: shares(&weights), weights })
    }

    /// The same of the rows of another version: row i was `from[i]`, and a row is `to` there, where there is one; all
    /// else is [`u32::MAX`]. `edits` are by row. `None` where there is no memory for it. O(n + p).
    pub(crate) fn edited(
        &self,
        [from, to]: [&[u32]; 2],
        classes: Vec<u8>,
        mut edits: &[Edit],
    ) -> Option<Self> {
        let mut ends = Vec::new();
        ends.try_reserve_exact(from.len()).ok()?;
        let mut list = Vec::new();
        list.try_reserve_exact(self.list.len() + edits.len()).ok()?;
        let stays = from.len() == to.len() && (0..).zip(to).all(|(row, &to)| row == to);
        let mut row = 0;
        while row < from.len() {
            if stays {
                // Up to the next edit all is as it was.
                let next = edits.first().map_or(from.len(), |edit| edit.row as usize).max(row);
                self.copy(row..next, &mut list, &mut ends);
                row = next;
            }
            let Some(&from) = from.get(row) else { break };
            let start = list.len();
            self.row(from, to, &mut list);
            let here = edits.iter().take_while(|edit| edit.row as usize == row).count();
            let (here, rest) = edits.split_at(here);
            here.iter().for_each(|edit| edit.apply(&mut list, start));
            ends.push(list.len() as u32);
            (edits, row) = (rest, row + 1);
        }
        let (weights, shares) = (self.weights, self.shares);
        Some(Self { ends, list, classes, weights, shares })
    }

    /// The lists of some rows, as they are.
    #[inline(never)]
    fn copy(&self, rows: core::ops::Range<usize>, list: &mut Vec<Entry>, ends: &mut Vec<u32>) {
        let start = rows.start.checked_sub(1).map_or(0, |before| self.ends[before]);
        let by = (list.len() as u32).wrapping_sub(start);
        let ended = &self.ends[rows];
        let end = ended.last().copied().unwrap_or(start);
        list.extend_from_slice(&self.list[start as usize..end as usize]);
        ends.extend(ended.iter().map(|end| end.wrapping_add(by)));
    }

    /// The list of one row, of which tracks are `to` now.
    #[inline(never)]
    fn row(&self, from: u32, to: &[u32], list: &mut Vec<Entry>) {
        let kept = self.list[self.bounds(from as usize)].iter();
        list.extend(kept.filter_map(|entry| {
            let place = to[entry.place() as usize];
            (place != u32::MAX).then(|| entry.at(place))
        }));
    }

    /// The list of the track at this place; empty where there is none.
    pub fn of(&self, place: usize) -> impl ExactSizeIterator<Item = Neighbour> {
        self.list[self.bounds(place)].iter().map(move |&entry| self.neighbour(place, entry))
    }

    #[inline(never)]
    fn neighbour(&self, of: usize, entry: Entry) -> Neighbour {
        let [met, recommended] = &self.shares;
        let (place, back) = (entry.place(), self.weights.back);
        let class = |place: usize| usize::from(self.classes[place]);
        let reversed = f32::from(entry.lean()) / (LEANS - 1) as f32;
        let share = if place as usize > of {
            1.0 - reversed + back * reversed
        } else {
            reversed + back * (1.0 - reversed)
        };
        let weight = self.weights.strengths[usize::from(entry.level())]
            * share
            * met[class(of)]
            * recommended[class(place as usize)];
        Neighbour { place, weight: weight.clamp(-MAX_WEIGHT, MAX_WEIGHT) }
    }

    #[inline(never)]
    fn bounds(&self, place: usize) -> core::ops::Range<usize> {
        let Some(&end) = self.ends.get(place) else { return 0..0 };
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..end as usize
    }

    /// How many entries the list of the track at this place has.
    pub(crate) fn count(&self, place: usize) -> u32 {
        self.bounds(place).len() as u32
    }

    /// The pairs of the track at this place with those after it, by falling level.
    pub(crate) fn pairs_of(&self, place: usize) -> impl Iterator<Item = Pair> {
        let after = move |entry: &&Entry| entry.place() as usize > place;
        self.list[self.bounds(place)].iter().filter(after).map(move |entry| Pair {
            rows: [place as u32, entry.place()],
            level: entry.level(),
            lean: entry.lean(),
        })
    }

    /// What they were made from. O(n + p).
    pub fn parts(&self) -> NeighbourParts {
        let Weights { powers, back, habits, strengths } = self.weights;
        let pairs = (0..self.len()).flat_map(|place| self.pairs_of(place)).collect();
        NeighbourParts { powers, strengths, classes: self.classes.clone(), pairs, back, habits }
    }

    /// The classes of tracks.
    pub(crate) fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// Takes in all that is here.
    pub(super) fn digest(&self, digest: &mut Xxh64) {
        digest.update(bytemuck::cast_slice(&self.list));
        digest.update(&self.classes);
    }

    pub(crate) const fn weights(&self) -> &Weights {
        &self.weights
    }

    /// How a sitting votes, of transitions.
    pub const fn habits(&self) -> &Habits {
        &self.weights.habits
    }

    /// Number of tracks.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of pairs.
    pub fn pairs(&self) -> usize {
        self.list.len() / 2
    }
}

fn filled<T: Clone>(value: T, len: usize) -> Option<Vec<T>> {
    let mut all = vec![];
    all.try_reserve_exact(len).ok()?;
    all.resize(len, value);
    Some(all)
}

/// Lays out the section; `None` where there is no memory to.
pub(super) fn encode(ids: IdsDigest, parts: &NeighbourParts) -> Option<Aligned> {
    lay_out(ids, parts.weights(), &parts.classes, &parts.pairs)
}

/// Lays out the section of neighbours that were read.
pub(super) fn encode_again(ids: IdsDigest, of: &Neighbours) -> Option<Aligned> {
    encode(ids, &of.parts())
}

fn lay_out(ids: IdsDigest, weights: Weights, classes: &[u8], pairs: &[Pair]) -> Option<Aligned> {
    let coded = pairs::encode(classes, pairs)?;
    let head = Coded { pairs: pairs.len() as u32, bytes: coded.len() as u32, zeros: [0; 2] };
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: classes.len() as u32, width: LEVELS as u32, ids: ids.0 }]);
    writer.array(&[weights]).array(&[head]).array(&coded);
    Some(writer.finish())
}

/// Decodes the section of this kind.
pub(super) fn read(
    kind: SectionKind,
    bytes: &[u8],
    shape: Shape,
) -> Result<Neighbours, ModelError> {
    let (_, mut reader) = prefix(kind, bytes, shape, LEVELS..=LEVELS)?;
    let weights: &Weights = reader.one().ok_or(ModelError::Shape(kind))?;
    let head: &Coded = reader.one().ok_or(ModelError::Shape(kind))?;
    let coded: &[u8] = reader.array(head.bytes as usize).ok_or(ModelError::Shape(kind))?;
    if !reader.is_empty() {
        return Err(ModelError::Shape(kind));
    }
    if !weights.are_sound() {
        return Err(ModelError::value(kind, "a weight is not finite or out of range"));
    }
    let pairs = head.pairs as usize;
    if pairs > MAX_PAIRS {
        return Err(ModelError::Limit(kind));
    }
    let (classes, pairs) =
        pairs::decode(coded, shape.rows, pairs).map_err(|error| match error {
            Unreadable::Length => {
                ModelError::value(kind, "the pairs do not have the length that they claim")
            }
            Unreadable::Memory => ModelError::Memory(kind),
        })?;
    Neighbours::weighing(*weights, classes, &pairs).ok_or(ModelError::Memory(kind))
}

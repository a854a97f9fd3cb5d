//! Pairs of tracks with their weights, on the way into a model.

use segue_core::{
    bytes::Aligned,
    codec::pairs::{CLASSES, LEANS, LEVELS, Pair},
    model::{self, Habits, NeighbourParts, SectionId, SectionKind, Shard},
};

use crate::steady::{self, Moved};

/// Two tracks and how strongly they go together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The tracks, the lower first.
    pub rows: [u32; 2],
    /// Strength from the first to the second, and from the second to the first.
    pub strengths: [f32; 2],
    /// How many met both.
    pub listeners: u32,
}

/// Pairs of tracks, the most telling first.
#[derive(Clone, Debug)]
pub struct Links {
    /// What strengths are divided by: powers of the popularity of the track that is met, and of the one
    /// that is recommended.
    powers: [f32; 2],
    /// Of a strength, the share that counts in the other direction.
    back: f32,
    classes: Vec<u8>,
    all: Vec<Link>,
}

impl Links {
    /// Of tracks of these popularities, each pair once or twice; twice where both of its tracks have it
    /// among their own.
    pub fn new(powers: [f32; 2], back: f32, classes: Vec<u8>, all: Vec<Link>) -> Self {
        let mut links = Self { powers, back, classes, all };
        let mut all = std::mem::take(&mut links.all);
        let larger = |a: &Link, b: &Link| b.sum().total_cmp(&a.sum());
        all.sort_unstable_by(|a, b| a.rows.cmp(&b.rows).then_with(|| larger(a, b)));
        all.dedup_by_key(|link| link.rows);
        all.sort_by(|a, b| links.telling(b).total_cmp(&links.telling(a)));
        links.all = all;
        links
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether no two tracks go together.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.all.iter()
    }

    /// What a link adds to its second track for who met the first, and the other way about.
    pub fn weights(&self, link: &Link) -> [f32; 2] {
        let [there, back] = link.strengths;
        let [a, b] = link.rows;
        [
            (there + self.back * back) * self.share(a, b),
            (back + self.back * there) * self.share(b, a),
        ]
    }

    /// What is left of a strength of 1.
    fn share(&self, met: u32, recommended: u32) -> f32 {
        share(self.powers, [met, recommended].map(|track| self.classes[track as usize]))
    }

    /// How much a link does: what it adds, the more the more often it gets to.
    fn telling(&self, link: &Link) -> f32 {
        let often = link.rows.map(|track| (0.25 * f32::from(self.classes[track as usize])).exp2());
        let [there, back] = self.weights(link);
        often[0] * there + often[1] * back
    }

    /// Divides all strengths.
    pub fn divide(&mut self, by: f32) {
        let strengths = self.all.iter_mut().flat_map(|link| &mut link.strengths);
        strengths.for_each(|strength| *strength /= by);
    }

    /// The `most` most telling pairs, their strengths rounded to one of eight and times `scale`, as
    /// is what `habits` add.
    pub fn parts(&self, most: usize, scale: f32, habits: Habits) -> NeighbourParts {
        let kept = &self.all[..most.min(self.all.len())];
        let levels = Levels::of(kept.iter().map(Link::sum));
        let mut sums = [(0.0_f64, 0_u32); LEVELS];
        let mut pairs: Vec<Pair> = Vec::with_capacity(kept.len());
        for link in kept {
            let level = levels.at(link.sum());
            pairs.push(Pair { rows: link.rows, level, lean: link.lean() });
            let sum = &mut sums[usize::from(level)];
            *sum = (sum.0 + f64::from(link.sum()), sum.1 + 1);
        }
        in_order(&mut pairs);
        let strengths = sums.map(|(sum, count)| (sum / f64::from(count.max(1))) as f32 * scale);
        let (powers, back, classes) = (self.powers, self.back, self.classes.clone());
        let habits = Habits { stay: habits.stay * scale, back: habits.back * scale, ..habits };
        NeighbourParts { powers, strengths, classes, pairs, back, habits }
    }
}

impl Links {
    /// The `most` most telling pairs under the weights of `old`, of which those stay that are not far from being among
    /// them; `moved` says where its rows are here. Strengths are rounded to those of `old`, times `scale`.
    pub fn parts_after(
        &self,
        old: &NeighbourParts,
        moved: Moved<'_>,
        most: usize,
        scale: f32,
    ) -> NeighbourParts {
        let near = most + most / STAY;
        let level = |link: &Link| {
            let away = |strength: f32| ((link.sum() * scale).ln() - strength.ln()).abs();
            let nearer =
                |a: &usize, b: &usize| away(old.strengths[*a]).total_cmp(&away(old.strengths[*b]));
            (0..LEVELS).filter(|&level| old.strengths[level] > 0.0).min_by(nearer).unwrap_or(0)
                as u8
        };
        let found: Vec<Pair> = self.all[..near.min(self.all.len())]
            .iter()
            .map(|link| Pair { rows: link.rows, level: level(link), lean: link.lean() })
            .collect();
        let mut pairs = steady::pairs(&old.pairs, &found, moved, most);
        in_order(&mut pairs);
        let mut classes = self.classes.clone();
        steady::classes(&old.classes, &mut classes, moved);
        NeighbourParts { classes, pairs, ..*old }
    }
}

/// A pair that was there stays among as many again as this share of those that there may be.
const STAY: usize = 4;

impl Link {
    fn sum(&self) -> f32 {
        self.strengths[0] + self.strengths[1]
    }

    /// The share of the second strength, in steps of the code.
    fn lean(&self) -> u8 {
        let share = self.strengths[1] / self.sum().max(f32::MIN_POSITIVE);
        (share * (LEANS - 1) as f32).round() as u8
    }
}

/// What is left of a strength of 1 between tracks of these classes of popularity.
pub fn share(powers: [f32; 2], classes: [u8; 2]) -> f32 {
    let exponent = |(power, class): (f32, u8)| -0.5 * power * f32::from(class.min(CLASSES as u8));
    powers.into_iter().zip(classes).map(exponent).sum::<f32>().exp2()
}

/// The order in which they are coded.
fn in_order(pairs: &mut [Pair]) {
    let [first, second] = [0, 1];
    pairs.sort_unstable_by_key(|pair| {
        (pair.rows[first], std::cmp::Reverse(pair.level), pair.rows[second])
    });
}

/// Evenly spaced logarithms of strengths.
struct Levels {
    lowest: f32,
    step: f32,
}

impl Levels {
    /// Those that most of `strengths` lie between.
    fn of(strengths: impl Iterator<Item = f32>) -> Self {
        let mut sorted: Vec<f32> = strengths.map(f32::ln).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied();
        let (lowest, highest) = (at(0.01).unwrap_or(0.0), at(0.99).unwrap_or(0.0));
        Self { lowest, step: ((highest - lowest) / (LEVELS - 1) as f32).max(f32::MIN_POSITIVE) }
    }

    fn at(&self, strength: f32) -> u8 {
        let level = ((strength.ln() - self.lowest) / self.step).round();
        level.clamp(0.0, (LEVELS - 1) as f32) as u8
    }
}

/// The sections of `all`, numbered by the tracks of the catalogue, for each of `shards`: the pairs of
/// which both tracks are there.
pub fn sections(
    kind: SectionKind,
    all: &NeighbourParts,
    shards: &[Shard],
) -> Vec<(SectionId, Aligned)> {
    let mut place = vec![(0, 0); all.classes.len()];
    let mut of_shard = vec![Vec::new(); shards.len()];
    for (shard, Shard { tracks, .. }) in shards.iter().enumerate() {
        (0..).zip(tracks).for_each(|(at, &track)| place[track] = (shard, at));
    }
    for pair in &all.pairs {
        let [(shard, a), (other, b)] = pair.rows.map(|row| place[row as usize]);
        if shard == other {
            // Places of a shard ascend as the tracks of the catalogue do.
            of_shard[shard].push(Pair { rows: [a, b], ..*pair });
        }
    }
    let section = |(Shard { number, tracks, ids }, mut pairs): (&Shard, Vec<Pair>)| {
        in_order(&mut pairs);
        let classes = tracks.iter().map(|&track| all.classes[track]).collect();
        let parts = NeighbourParts { classes, pairs, ..*all };
        let id = SectionId { shard: *number, kind };
        (!parts.pairs.is_empty()).then(|| Some((id, model::encode_neighbours(*ids, &parts)?)))?
    };
    shards.iter().zip(of_shard).filter_map(section).collect()
}

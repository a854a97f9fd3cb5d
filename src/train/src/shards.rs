//! How a large catalogue is split, so that a page can start with a part of it.
//!
//! The most played tracks are the head. The others go by taste cluster, one shard each, and within
//! a cluster by what the mean listener expects of them: the tracks of one cell are near in taste and
//! in popularity, and their mean stands for each of them as long as the shard is not on the device.

use segue_core::model::Split;

/// Largest catalogue that is left whole unless something else is asked for: about a megabyte
/// without its names.
pub const WHOLE: usize = 100_000;
/// Tracks of the head of a larger one: a third of a megabyte, and most of what is ever played.
pub const HEAD: usize = 1 << 13;

/// Cells of a cluster, each with twice the tracks of the one before it, which are more popular: tracks
/// differ most at the top.
const CELLS: u32 = 4;

/// What is known of the tracks, one entry each.
#[derive(Clone, Copy, Debug)]
pub struct Tracks<'a> {
    /// What the mean listener expects of it.
    pub popularity: &'a [f32],
    /// Its taste cluster, below 254.
    pub clusters: &'a [u16],
}

/// What goes where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cell of each track; `None` for those of the head.
    pub cell_of: Vec<Option<u32>>,
    /// The shard of each cell: its cluster's number and one.
    pub shard_of: Vec<u8>,
}

impl Plan {
    /// The same for the encoder. The codes of the head count 2^`shift` steps.
    pub fn split(&self, shift: u32) -> Split<'_> {
        Split { cell_of: &self.cell_of, shard_of: &self.shard_of, shift }
    }
}

/// How many tracks the head of a catalogue of `tracks` has, where so many were `asked` for, or the
/// usual number; `None` where it stays whole.
pub fn head(tracks: usize, asked: Option<usize>) -> Option<usize> {
    let head = asked.unwrap_or(if tracks > WHOLE { HEAD } else { tracks });
    (head < tracks).then_some(head)
}

/// Whether each track is among the `head` most played; nothing where the catalogue stays whole.
pub fn most_played(plays: &[usize], head: Option<usize>) -> Vec<bool> {
    let Some(head) = head else { return Vec::new() };
    let mut order: Vec<usize> = (0..plays.len()).collect();
    order.sort_by_key(|&track| (std::cmp::Reverse(plays[track]), track));
    let mut among = vec![false; plays.len()];
    order.into_iter().take(head).for_each(|track| among[track] = true);
    among
}

/// Splits a catalogue of which the tracks `in_head` are the head, or leaves it whole where there are
/// none.
pub fn plan(of: Tracks<'_>, in_head: &[bool]) -> Option<Plan> {
    if in_head.is_empty() {
        return None;
    }
    let clusters = of.clusters.iter().map(|&cluster| usize::from(cluster) + 1).max()?;
    let mut tail_of: Vec<Vec<usize>> = vec![Vec::new(); clusters];
    let tail = in_head.iter().enumerate().filter(|(_, in_head)| !**in_head);
    tail.for_each(|(track, _)| tail_of[usize::from(of.clusters[track])].push(track));

    let mut plan = Plan { cell_of: vec![None; in_head.len()], shard_of: Vec::new() };
    for (shard, mut tail) in (1..).zip(tail_of) {
        tail.sort_by(|&a, &b| of.popularity[b].total_cmp(&of.popularity[a]).then(a.cmp(&b)));
        for cell in cells(&tail) {
            let number = plan.shard_of.len() as u32;
            cell.iter().for_each(|&track| plan.cell_of[track] = Some(number));
            plan.shard_of.push(shard);
        }
    }
    Some(plan)
}

/// The cells of a cluster's tracks, which go by popularity; none of them is empty.
fn cells(tail: &[usize]) -> impl Iterator<Item = &[usize]> {
    let end = |cell: u32| tail.len() * ((1 << cell) - 1) / ((1 << CELLS) - 1);
    (0..CELLS).map(move |cell| &tail[end(cell)..end(cell + 1)]).filter(|cell| !cell.is_empty())
}

//! Whether what follows what is worth shipping: chosen and measured on the latest plays of listeners.

use std::sync::Arc;

use segue_core::{model::Model, rng::SplitMix64, session::Evidence, sitting::LONGEST};

use super::{Follow, Tried, follow};
use crate::{
    Interrupted,
    dataset::{Dataset, Heard, gather, heard},
    evaluate::{
        next::{Hits, Query, hits},
        paired,
    },
    progress::Progress,
    transitions::SUPPORT,
};

/// Most plays to choose on.
const MOST: usize = 2000;
/// Most of them of one listener: one who plays out of all proportion is not to choose for the others.
const MOST_OF_ONE: u32 = (MOST / MIN_LISTENERS) as u32;
/// Most events of a listener that taste is solved from here, which bounds the memory that it takes.
const LATELY: usize = 2000;
/// Fewer listeners than this choose nothing reliably.
const MIN_LISTENERS: usize = 20;

/// What the sittings of a log tell of the next track, on plays that were held out.
#[derive(Clone, Copy, Debug)]
pub struct Following {
    /// How often the next track is told by what is known of taste alone.
    pub without: Hits,
    /// The same beside what follows what.
    pub with: Hits,
    /// How the next track is told; `None` where that gains nothing.
    pub follow: Option<Follow>,
}

/// Chooses on the latest fifth of each listener's events how the next track is told from the sittings
/// before it beside what `base` knows of taste; `None` where too few listeners heard two tracks in one
/// sitting there. Nothing ships that is not better than `base` by more than a standard error, over
/// listeners: what one of them does in one sitting is one observation.
pub fn following(
    dataset: &Dataset,
    base: &Model,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<Option<Following>, Interrupted> {
    progress.stage("choosing what follows what");
    let (listeners, queries) = held_out(dataset, seed);
    if listeners.chunk_by(|a, b| a == b).count() < MIN_LISTENERS {
        return Ok(None);
    }
    let sittings = dataset.sittings_of(|listener| dataset.split_by_time(listener).0);
    let (without, each) = hits(base, &queries);
    let found = follow(base, &sittings, &queries, Follow::start(SUPPORT), progress)?;
    let Tried { follow, hits: with, .. } = found;
    let gain = paired(&sums(&listeners, &found.each), &sums(&listeners, &each));
    Ok(Some(Following { without, with, follow: (gain > 1.0).then_some(follow) }))
}

/// For each listener the sum over their queries, of which they have one or more in a row.
fn sums(listeners: &[usize], each: &[f64]) -> Vec<f64> {
    let mut each = each.iter();
    let of_one = listeners.chunk_by(|a, b| a == b);
    of_one.map(|queries| each.by_ref().take(queries.len()).sum()).collect()
}

/// Plays of the latest fifth of each listener's events that others of the same sitting go before, at
/// most [`MOST`] and [`MOST_OF_ONE`], drawn by `seed`; with the listener of each: listeners are in no particular
/// order, and the plays of each in theirs.
fn held_out(dataset: &Dataset, seed: u64) -> (Vec<usize>, Vec<Query>) {
    let mut plays: Vec<(u32, u32)> = Vec::new();
    for listener in 0..dataset.listeners() {
        let (events, from) = (dataset.of(listener), dataset.split_by_time(listener).0.len());
        let at = (from..events.len()).filter(|&at| events[at].kind.is_heard() && !events[at].opens);
        plays.extend(at.map(|at| (listener as u32, at as u32)));
    }
    let mut rng = SplitMix64::new(seed);
    let (mut taken, mut of_one) = (0, vec![0; dataset.listeners()]);
    for at in 0..plays.len() {
        if taken == MOST {
            break;
        }
        let other = at + rng.below(plays.len() - at);
        plays.swap(at, other);
        let of_listener = &mut of_one[plays[at].0 as usize];
        if *of_listener < MOST_OF_ONE {
            *of_listener += 1;
            plays.swap(taken, at);
            taken += 1;
        }
    }
    plays.truncate(taken);
    let mut turns: Vec<usize> = (0..dataset.listeners()).collect();
    rng.shuffle(&mut turns);
    plays.sort_unstable_by_key(|&(listener, at)| (turns[listener as usize], at));
    let mut asked = (Vec::new(), Vec::new());
    for plays in plays.chunk_by(|a, b| a.0 == b.0) {
        let listener = plays[0].0 as usize;
        let events = dataset.of(listener);
        let mut known: Option<(usize, Arc<[Evidence]>)> = None;
        for &(_, at) in plays {
            let (opening, at) = (opening(events, at as usize), at as usize);
            let before = heard(&events[opening..at]);
            if before.is_empty() {
                continue;
            }
            let (_, listens) = match known.take().filter(|(to, _)| *to == opening) {
                Some(same) => known.insert(same),
                None => known.insert((opening, gather(lately(events, opening)).into())),
            };
            let listens = Arc::clone(listens);
            let next = Some(events[at].row.0);
            asked.0.push(listener);
            asked.1.push(Query { listener: listens, before, next, mask: false });
        }
    }
    asked
}

/// What a listener did lately before the sitting that starts at a place: the sitting itself is observed.
fn lately(events: &[Heard], opening: usize) -> &[Heard] {
    &events[opening.saturating_sub(LATELY)..opening]
}

/// Where the sitting starts that the event at a place is of; what lies further back than the device
/// looks is not of it.
fn opening(events: &[Heard], at: usize) -> usize {
    let back = at.saturating_sub(LONGEST);
    (back..=at).rev().find(|&at| events[at].opens).unwrap_or(back)
}

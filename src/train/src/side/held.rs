//! Tracks held out of training as if nobody had heard them yet.

use std::collections::HashSet;

use segue_core::{ids::Row, model::Responses, rng::SplitMix64, session::Evidence};

use super::is_described;
use crate::{
    dataset::{Dataset, Heard, gather, new_favourites},
    evaluate::ranking::Case,
    matrix::Matrix,
};

/// Fewer listeners who liked a new track choose nothing reliably.
const MIN_LISTENERS: usize = 20;
/// One track in so many is held out where time does not tell which were new.
const ONE_IN: usize = 10;

/// Listening before some tracks were heard, and after.
pub(super) struct Held {
    /// Rows of the dataset that take part, ascending.
    pub rows: Vec<usize>,
    /// Which of them are new.
    pub new: Vec<bool>,
    /// Listeners × tracks, before; nothing in the columns of new tracks.
    pub by_user: Matrix,
    /// One for each row of `by_user` that has a favourite among the new tracks.
    pub fans: Vec<Fan>,
    /// What listeners of the sample came to like afterwards, new or not.
    pub cases: Vec<Case>,
}

/// A listener of new tracks.
pub(super) struct Fan {
    /// Row of the matrix.
    pub listener: usize,
    /// The new tracks that they liked, by place in [`Held::rows`].
    pub liked: Vec<u32>,
}

/// One listener, before and after; rows of the dataset.
struct Story {
    before: Vec<Evidence>,
    /// Liked afterwards, for the first time.
    after: Vec<Row>,
    /// New tracks liked at any time.
    liked: Vec<Row>,
}

/// Which tracks are new, and what each of the listeners did before and after.
struct Split {
    new: Vec<bool>,
    stories: Vec<Story>,
}

/// Tracks first heard in the last fifth of the log, beside as large a share of those that nobody has
/// heard as `listeners` have met of the others; where too few of the listeners go that far back, a tenth
/// of all tracks. `None` where too few listeners would tell of either.
pub(super) fn hold_out(
    dataset: &Dataset,
    listeners: &[usize],
    responses: &Responses,
    seed: u64,
) -> Option<Held> {
    let by_time = by_time(dataset, listeners, responses);
    let held = by_time.map(|(split, heard)| Held::new(dataset, split, heard, responses, seed));
    held.filter(Held::suffices).or_else(|| {
        let split = by_lot(dataset, listeners, responses, seed);
        Some(Held::new(dataset, split, 0, responses, seed)).filter(Held::suffices)
    })
}

/// New by time, and how many tracks are not.
fn by_time(
    dataset: &Dataset,
    listeners: &[usize],
    responses: &Responses,
) -> Option<(Split, usize)> {
    let mut times: Vec<i64> = dataset.events().iter().map(|event| event.at).collect();
    let last_fifth = times.len() - times.len() / 5;
    if last_fifth >= times.len() {
        return None;
    }
    let cut = *times.select_nth_unstable(last_fifth).1;
    let mut new = vec![true; dataset.tracks.len()];
    let before = dataset.events().iter().filter(|event| event.at < cut);
    before.for_each(|event| new[event.row.index()] = false);
    let story = |&listener: &usize| {
        let events = dataset.of(listener);
        let (before, after) = events.split_at(events.partition_point(|event| event.at < cut));
        Story::new(before, after, after, &new, responses)
    };
    let stories = listeners.iter().map(story).collect();
    let heard = new.iter().filter(|new| !**new).count();
    Some((Split { new, stories }, heard))
}

fn by_lot(dataset: &Dataset, listeners: &[usize], responses: &Responses, seed: u64) -> Split {
    let mut rng = SplitMix64::new(seed);
    let met = dataset.met();
    let drawn = |(track, &met): (usize, &bool)| {
        let drawn = rng.below(ONE_IN) == 0;
        !met || drawn && is_described(&dataset.tracks[track])
    };
    let new: Vec<bool> = met.iter().enumerate().map(drawn).collect();
    let story = |&listener: &usize| {
        let (before, after) = dataset.split_by_time(listener);
        Story::new(before, after, dataset.of(listener), &new, responses)
    };
    let stories = listeners.iter().map(story).collect();
    Split { new, stories }
}

impl Story {
    /// Without what could not have been `before`.
    fn new(
        before: &[Heard],
        after: &[Heard],
        all: &[Heard],
        new: &[bool],
        responses: &Responses,
    ) -> Self {
        let mut before = gather(before);
        before.retain(|evidence| !new[evidence.row.index()]);
        let after = new_favourites(after, &before, responses);
        let mut liked = new_favourites(all, &[], responses);
        liked.retain(|row| new[row.index()]);
        Self { before, after, liked }
    }
}

impl Held {
    /// `heard` tracks of the log are not new: as large a share of those that nobody heard takes part as
    /// of these; none where it is 0.
    fn new(
        dataset: &Dataset,
        split: Split,
        heard: usize,
        responses: &Responses,
        seed: u64,
    ) -> Self {
        let Split { new, stories } = split;
        let described = |row: Row| is_described(&dataset.tracks[row.index()]);
        let known: HashSet<Row> =
            stories.iter().flat_map(|story| &story.before).map(|evidence| evidence.row).collect();
        let liked = stories.iter().flat_map(|story| &story.liked).copied();
        let mut rows: HashSet<Row> = liked.filter(|&row| described(row)).collect();
        let mut rng = SplitMix64::new(seed);
        if heard > 0 {
            let share = known.len() as f64 / heard as f64;
            let met = dataset.met();
            let unheard = (0..met.len()).filter(|&row| !met[row]).map(|row| Row(row as u32));
            let drawn = unheard.filter(|_| rng.unit() < share);
            rows.extend(drawn.filter(|&row| described(row)));
        }
        rows.extend(&known);
        let mut rows: Vec<Row> = rows.into_iter().collect();
        rows.sort_unstable();

        let place = |row: Row| rows.binary_search(&row).ok().map(|at| at as u32);
        let row = |story: &Story| -> Vec<(u32, segue_core::fold_in::Pull)> {
            let pulls = story.before.iter().map(|e| (place(e.row), e.pull(responses)));
            let pulls = pulls.filter(|(_, pull)| pull.weight > 0.0);
            pulls.filter_map(|(at, pull)| Some((at?, pull))).collect()
        };
        let by_user = Matrix::from_rows(rows.len(), stories.iter().map(row));
        let is_known = |story: &&Story| !story.before.is_empty();
        let fans = stories.iter().enumerate().filter(|(_, story)| is_known(story)).map(
            |(listener, story)| Fan {
                listener,
                liked: story.liked.iter().filter_map(|&row| place(row)).collect(),
            },
        );
        let case = |story: &Story| Case {
            known: moved(&story.before, place),
            held_out: story.after.iter().filter_map(|&row| place(row)).map(Row).collect(),
            missing: 0,
            repeats: false,
        };
        let cases = stories.iter().filter(is_known).map(case).filter(Case::is_asked);
        Self {
            fans: fans.filter(|fan| !fan.liked.is_empty()).collect(),
            cases: cases.collect(),
            by_user,
            new: rows.iter().map(|row| new[row.index()]).collect(),
            rows: rows.iter().map(|row| row.index()).collect(),
        }
    }

    fn suffices(&self) -> bool {
        let asked = |case: &&Case| case.held_out.iter().any(|row| self.new[row.index()]);
        let asked = self.cases.iter().filter(asked).count();
        asked >= MIN_LISTENERS && self.fans.len() >= MIN_LISTENERS
    }
}

fn moved(evidence: &[Evidence], place: impl Fn(Row) -> Option<u32>) -> Vec<Evidence> {
    let moved = |evidence: &Evidence| {
        let mut moved = *evidence;
        moved.row = Row(place(evidence.row)?);
        Some(moved)
    };
    evidence.iter().filter_map(moved).collect()
}

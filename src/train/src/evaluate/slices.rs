//! The same test by parts: a mean hides for whom it is good.

use segue_core::ids::Row;

use super::{
    intervals::{Interval, intervals, means},
    next::Query,
    ranking::{Case, Measured, Ranked},
};

/// A part of the cases of a test.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Such as `few`.
    pub name: &'static str,
    /// What is counted to tell the parts, such as training items.
    pub by: &'static str,
    /// The least and the most of it.
    pub bounds: [usize; 2],
    /// How many cases.
    pub cases: usize,
    /// Their means: recall and NDCG at 20 of a split; of what comes next P and MRR at 20.
    pub figures: [f64; 2],
    /// Of these means.
    pub intervals: [Interval; 2],
}

impl Slice {
    /// `None` without a case.
    fn new(
        name: &'static str,
        by: &'static str,
        bounds: [usize; 2],
        each: &[[f64; 2]],
        seed: u64,
    ) -> Option<Self> {
        (!each.is_empty()).then(|| Self {
            name,
            by,
            bounds,
            cases: each.len(),
            figures: means(each),
            intervals: intervals(each, seed),
        })
    }
}

/// Of a split: by what is known of a listener, and by how popular the held-out tracks are. `plays` has the
/// training pairs of each track; `ranked` is of `cases`, all of which have something held out.
pub fn of_split(cases: &[Case], ranked: &[Ranked], plays: &[usize], seed: u64) -> Vec<Slice> {
    let mut slices = by_history(cases, ranked, seed);
    slices.extend(by_popularity(cases, ranked, plays, seed));
    slices
}

/// Listeners by their training items, in three parts of about as many listeners.
fn by_history(cases: &[Case], ranked: &[Ranked], seed: u64) -> Vec<Slice> {
    let known: Vec<usize> = cases.iter().map(|case| case.known.len()).collect();
    let each: Vec<[f64; 2]> = ranked.iter().map(|ranked| at_20(&ranked.measured)).collect();
    let names = ["few", "middling", "many"];
    by_count(names, "training items", &ends(&known, 3), &known, &each, seed)
}

/// Listeners on their held-out tracks of the head alone and of the tail alone. The head are the most
/// played tracks that make up half of all plays, with those that are played as often as the last of
/// them; what training never saw is of the tail.
fn by_popularity(cases: &[Case], ranked: &[Ranked], plays: &[usize], seed: u64) -> Vec<Slice> {
    let least = least_of_head(plays);
    let most = plays.iter().copied().max().unwrap_or(0);
    let only = |case: &Case, head: bool| {
        let is_in = |row: &Row| (plays[row.index()] >= least) == head;
        case.held_out.iter().copied().filter(is_in).collect()
    };
    let head = |case: &Case| Case { held_out: only(case, true), ..Case::default() };
    let tail = |case: &Case| Case {
        held_out: only(case, false),
        missing: case.missing,
        ..Case::default()
    };
    let (of_head, of_tail) = (on_part(cases, ranked, head), on_part(cases, ranked, tail));
    let by = "plays of the track";
    let head = Slice::new("head", by, [least, most], &of_head, seed);
    let tail = Slice::new("tail", by, [0, least.saturating_sub(1)], &of_tail, seed);
    head.into_iter().chain(tail).collect()
}

/// Of what comes next: queries by the known tracks before them in two parts of about as many queries, and
/// by whether the next track was among these. `each` has the figures of
/// [`super::figures::NEXT`].
pub fn of_next(queries: &[Query], each: &[[f64; 4]], seed: u64) -> Vec<Slice> {
    let each: Vec<[f64; 2]> = each.iter().map(|&[hit, reciprocal, ..]| [hit, reciprocal]).collect();
    let before: Vec<usize> = queries.iter().map(|query| query.before.len()).collect();
    let times = |query: &Query| query.before.iter().filter(|row| Some(**row) == query.next).count();
    let met: Vec<usize> = queries.iter().map(times).collect();
    let mut slices =
        by_count(["short", "long"], "tracks before", &ends(&before, 2), &before, &each, seed);
    slices.extend(by_count(["new", "repeat"], "times before", &[0], &met, &each, seed));
    slices
}

/// Slices of the cases whose count is up to the first of `ends`, up to the second, …, above the last;
/// without the empty ones.
fn by_count<const N: usize>(
    names: [&'static str; N],
    by: &'static str,
    ends: &[usize],
    counts: &[usize],
    each: &[[f64; 2]],
    seed: u64,
) -> Vec<Slice> {
    let part = |count: usize| ends.partition_point(|&end| end < count);
    let slice = |(at, name)| {
        let members = || counts.iter().zip(each).filter(|(count, _)| part(**count) == at);
        let count = || members().map(|(count, _)| *count);
        let bounds = [count().min()?, count().max()?];
        let each: Vec<[f64; 2]> = members().map(|(_, figures)| *figures).collect();
        Slice::new(name, by, bounds, &each, seed)
    };
    names.into_iter().enumerate().filter_map(slice).collect()
}

/// The last count of each of `parts` parts but of the last, which have as near to as many cases each as
/// they can: equal counts are of one part.
fn ends(counts: &[usize], parts: usize) -> Vec<usize> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let end = |part: usize| {
        let wanted = (sorted.len() * part).div_ceil(parts);
        let count = *sorted.get(wanted.checked_sub(1)?)?;
        let less = sorted.partition_point(|&other| other < count);
        let up_to = sorted.partition_point(|&other| other <= count);
        let before = less.checked_sub(1).filter(|_| wanted - less < up_to - wanted);
        Some(before.map_or(count, |last| sorted[last]))
    };
    (1..parts).filter_map(end).collect()
}

/// How often the tracks of the head are played at least.
fn least_of_head(plays: &[usize]) -> usize {
    let half = plays.iter().sum::<usize>().div_ceil(2);
    let mut sorted = plays.to_vec();
    sorted.sort_unstable_by_key(|&plays| std::cmp::Reverse(plays));
    let mut sum = 0;
    let reaches_half = |plays: &usize| {
        sum += plays;
        sum >= half
    };
    sorted.into_iter().find(reaches_half).unwrap_or(0)
}

/// Recall and NDCG at 20 where only the part of a case counts that `part` gives; of those with any.
fn on_part(cases: &[Case], ranked: &[Ranked], part: impl Fn(&Case) -> Case) -> Vec<[f64; 2]> {
    let figures = |(case, ranked): (&Case, &Ranked)| {
        let part = part(case);
        part.is_asked().then(|| at_20(&Measured::new(&ranked.rows, &part)))
    };
    cases.iter().zip(ranked).filter_map(figures).collect()
}

fn at_20(measured: &Measured) -> [f64; 2] {
    let [_, _, recall, ndcg] = measured.figures();
    [recall, ndcg]
}

//! Candidates in, order out.

use alloc::vec::Vec;

use crate::{
    boosts,
    ids::{ABSENT, Row},
    kernel::{self, Place, Query, Search, best, top_k},
    model::{FINE_BITS, Model, Ranker, Track},
    session::{Expectation, Session},
    signals, verdicts,
};

/// Points of a track that the model does not know: fewer than any other's.
pub const UNKNOWN: i32 = i32::MIN;

/// Orders `candidates` by all that foretells a yes, where the model has learned that, or by expected response,
/// best first, and keeps the best `limit`. The index of a place is that of the candidate; its points are
/// [`UNKNOWN`] where the model does not know the track. A track whose shard is not here has the points of the mean
/// of its cell.
///
/// Equal scores keep the caller's order, and so do tracks that the model does not know, which
/// come last. O(c·d + c·log c).
pub fn rank(
    model: &Model,
    session: &mut Session,
    candidates: &[Option<Row>],
    limit: usize,
    queue: &mut Vec<Place>,
) {
    score_all(model, session.expectation(model), candidates, queue);
    best(queue, limit);
}

/// The points of all `candidates`, in their order.
pub(crate) fn score_all(
    model: &Model,
    expectation: Expectation<'_>,
    candidates: &[Option<Row>],
    queue: &mut Vec<Place>,
) {
    queue.clear();
    let places = (0..).zip(candidates);
    if let Some(ranker) = &model.ranker() {
        queue.extend(places.map(|(index, row)| {
            let points = row.map(|row| by_signals(model, ranker, expectation, row));
            Place::new(points.unwrap_or(UNKNOWN), index)
        }));
    } else {
        queue.extend(places.map(|(index, row)| {
            Place::new(row.map_or(UNKNOWN, |row| points(model, expectation, row)), index)
        }));
    }
}

/// The points of a row: those of its factor, and what its neighbours and the last tracks add. Of a track
/// that was just heard only the last tracks tell whether it is heard again: taste is for the new.
fn points(model: &Model, expectation: Expectation<'_>, row: Row) -> i32 {
    let Expectation { query, boosts, votes, .. } = expectation;
    if votes.concern(row) {
        return concerned(model, expectation, row);
    }
    let points = of_factor(model, query, row);
    match boosts.of(row) {
        0 => points,
        sum => more(query, points, boosts::score(sum)),
    }
}

/// The points of a row by all that foretells a yes.
#[inline]
fn by_signals(model: &Model, ranker: &Ranker<'_>, expected: Expectation<'_>, row: Row) -> i32 {
    if !model.has(row) {
        return UNKNOWN;
    }
    signals::points(signals::log_odds(model, ranker, expected, row))
}

#[inline(never)]
fn concerned(model: &Model, expectation: Expectation<'_>, row: Row) -> i32 {
    let Expectation { query, boosts, votes, .. } = expectation;
    let by_taste = match votes.is_heard(row) {
        true => 0,
        false => more(query, of_factor(model, query, row), boosts::score(boosts.of(row))),
    };
    more(query, by_taste, votes.score(row))
}

/// `points` and what `score` adds.
fn more(query: &Query, points: i32, score: f32) -> i32 {
    points.saturating_add(query.points_of(score)).max(UNKNOWN + 1)
}

/// The points of the factor of a row: of its track, or of the mean of its cell; [`UNKNOWN`] where there
/// is no such row.
pub(crate) fn of_factor(model: &Model, query: &Query, row: Row) -> i32 {
    model.track(row).map_or_else(|| of_mean(model, query, row), |track| of_track(query, track))
}

/// Those of a track.
#[inline]
pub(crate) fn of_track(query: &Query, track: Track<'_>) -> i32 {
    query.points(track.codes()) << track.shift()
}

/// Those of a row of no track here.
pub(crate) fn of_mean(model: &Model, query: &Query, row: Row) -> i32 {
    let mean = model.mean(row);
    mean.map_or(UNKNOWN, |[whole, left]| query.points(whole) + (query.points(left) >> FINE_BITS))
}

/// The best `k` tracks of all that are here and that `keep` lets through, best first; the index of
/// a place is the row. Exact by taste; what foretells a yes orders the eight times as many that taste finds. O(n·d).
pub fn top(
    model: &Model,
    session: &mut Session,
    k: usize,
    keep: impl Fn(Row) -> bool,
    found: &mut Vec<Place>,
) {
    top_expected(model, session.expectation(model), k, keep, found);
}

/// The same of what is expected already.
pub fn top_expected(
    model: &Model,
    expectation: Expectation<'_>,
    k: usize,
    keep: impl Fn(Row) -> bool,
    found: &mut Vec<Place>,
) {
    let ranker = model.ranker();
    let wide = if ranker.is_some() { k.saturating_mul(WIDE) } else { k };
    let alone = |row| !is_more(expectation, row) && keep(row);
    top_k(model.shelves(), expectation.query, wide, alone, found);
    add_boosted(model, expectation, wide, keep, found);
    if let Some(ranker) = &ranker {
        reorder(model, ranker, expectation, k, found);
    }
}

/// Where signals order what taste finds, so many times as many are looked at.
const WIDE: usize = 8;

/// Orders what was `found` by all that foretells a yes, and keeps the best `k`.
fn reorder(
    model: &Model,
    ranker: &Ranker<'_>,
    expected: Expectation<'_>,
    k: usize,
    found: &mut Vec<Place>,
) {
    for place in found.iter_mut() {
        let points = by_signals(model, ranker, expected, Row(place.index()));
        *place = Place::new(points, place.index());
    }
    best(found, k);
}

/// Whether more than its factor goes into the score of a track.
#[inline]
fn is_more(Expectation { boosts, votes, .. }: Expectation<'_>, row: Row) -> bool {
    boosts.of(row) != 0 || votes.concern(row)
}

/// Puts the tracks of which more than the factor is known among those `found` by their factors.
fn add_boosted(
    model: &Model,
    expectation: Expectation<'_>,
    k: usize,
    keep: impl Fn(Row) -> bool,
    found: &mut Vec<Place>,
) {
    let [boosted, voted] = [expectation.boosts.touched(), expectation.votes.touched()];
    if boosted.len() + voted.len() == 0 || k == 0 {
        return;
    }
    let touched = boosted.iter().chain(voted);
    let touched = touched.filter(|&&row| is_more(expectation, row) && keep(row));
    let places = touched.map(|&row| Place::new(points(model, expectation, row), row.0));
    // What does not reach the last of the best need not be sorted.
    let least = found.get(k - 1).copied();
    found.extend(places.filter(|&place| least.is_none_or(|least| place > least)));
    // A track may have been touched more than once.
    let all = found.len();
    best(found, all);
    found.dedup();
    found.truncate(k);
}

/// The same for several listeners, who share the reading of the catalogue: `keep` is also told which
/// of `sessions` it is asked for, and each has its own in `found`.
///
/// Factors alone are searched for the tracks that no neighbour adds to; to the best of these come
/// those that one does.
pub fn top_each(
    model: &Model,
    sessions: &mut [Session],
    k: usize,
    keep: impl Fn(usize, Row) -> bool,
    found: &mut [Vec<Place>],
) {
    let keep = &keep;
    let ranker = model.ranker();
    let wide = if ranker.is_some() { k.saturating_mul(WIDE) } else { k };
    let expected: Vec<_> = sessions.iter_mut().map(|session| session.expectation(model)).collect();
    let each = expected.iter().zip(found.iter_mut()).enumerate();
    let mut searches: Vec<_> = each
        .map(|(at, (&expectation, found))| {
            let alone = move |row| !is_more(expectation, row) && keep(at, row);
            Search::new(expectation.query, wide, alone, found)
        })
        .collect();
    kernel::top_each(model.shelves(), &mut searches);
    for (at, (&expectation, found)) in expected.iter().zip(found).enumerate() {
        add_boosted(model, expectation, wide, |row| keep(at, row), found);
        if let Some(ranker) = &ranker {
            reorder(model, ranker, expectation, k, found);
        }
    }
}

/// The shards beside the head, here or not, the nearest to the listener first: by the cell in which
/// they expect most. The index of a place is the shard. O(cells·d).
pub fn nearest(model: &Model, session: &mut Session, found: &mut Vec<Place>) {
    let query = session.query(model);
    found.clear();
    for (cell, &shard) in (0..).zip(model.cells()) {
        let place = Place::new(of_factor(model, query, Row::new(ABSENT, cell)), shard.into());
        match found.iter_mut().find(|other| other.index() == shard.into()) {
            Some(other) => *other = place.max(*other),
            None => found.push(place),
        }
    }
    let all = found.len();
    best(found, all);
}

/// The probability that the listener says no to a track of such points, rather than yes, where they hear it; `None`
/// where the model does not know the track, or has not learned what foretells it.
pub fn skip(model: &Model, points: i32) -> Option<f32> {
    model.ranker().filter(|_| points != UNKNOWN)?;
    Some(verdicts::share(-signals::of_points(points)))
}

/// What `points` are: the log-odds of a yes where the model has learned what foretells one; elsewhere the expected response, on the scale of the targets, on which a play is 1:
/// near 0 for a listener of whom little is known, below 0 for what evidence speaks against. −∞ where the model
/// does not know the track. `query` is the session's.
pub fn score(model: &Model, query: &Query, points: i32) -> f32 {
    match (points, model.ranker()) {
        (UNKNOWN, _) => f32::NEG_INFINITY,
        (_, Some(_)) => signals::of_points(points),
        (_, None) => query.score(points),
    }
}

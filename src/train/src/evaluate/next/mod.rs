//! `segue evaluate next`: which track comes next in a sitting.

mod catalogue;
mod choice;
mod held;
mod query;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use segue_core::{
    model::{Model, SectionKind},
    session::Session,
};

pub(crate) use self::query::{FIRST, judged, worth};
pub use self::query::{Hits, Query, hits};
use self::{
    catalogue::Catalogue,
    choice::{Chosen, choose},
    held::hold_out,
    query::{ask, each},
};
use super::{
    figures::{Asked, Detail, Name},
    slices::of_next,
};
use crate::{
    TrainError,
    factors::Settings,
    log::{read_next, read_sittings},
    progress::Progress,
    search::{Beside, Follow},
};

/// What to evaluate.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// Sittings to fit on.
    pub train: &'a Path,
    /// Sittings so far and what came next, looked at once.
    pub test: &'a Path,
    /// Components of a factor.
    pub dim: usize,
    /// Whether tracks of the sitting are left out.
    pub mask: bool,
    /// Sittings that have a pair at least, each for a listener of its own; what fewer have does not ship.
    pub support: u32,
    /// Seed of the first factors and of what is held out.
    pub seed: u64,
    /// How long choosing how taste is told may take, about.
    pub budget: Option<Duration>,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct NextOutcome {
    /// On the test queries.
    pub test: Hits,
    /// The same by query and by parts, and how sure it is.
    pub detail: Detail,
    /// On those that settings were chosen on; `None` where the training sittings leave nothing to hold out,
    /// and settings are those that the search starts from.
    pub valid: Option<Hits>,
    /// How the next track is told.
    pub follow: Follow,
    /// How taste is told, and what goes beside its factors; `None` where it has no say.
    pub taste: Option<(Settings, Option<Beside>)>,
    /// Bytes of the sections used, over the tracks of the training sittings.
    pub bytes_per_item: f64,
    /// Tracks in the model.
    pub tracks: usize,
    /// Microseconds for a query, from an empty session to the best 20: the median, and the 99th of a
    /// hundred.
    pub micros: [f64; 2],
}

/// Fits on `train`, a part of which is held out to choose on, and reports on `test`.
pub fn evaluate_next(next: &Next<'_>, progress: &Progress<'_>) -> Result<NextOutcome, TrainError> {
    let lines = read_sittings(next.train)?;
    let asked = read_next(next.test)?;
    let whole = Catalogue::new(&lines)?;
    let query = |(before, after): &(Vec<String>, String)| whole.query(before, after, next.mask);
    let queries: Vec<Query> = asked.iter().map(query).collect();

    if queries.iter().all(|query| query.next.is_none()) {
        let (test, train) = (next.test.into(), next.train.into());
        return Err(TrainError::UnknownNext { test, train });
    }

    let (kept, held) = hold_out(&lines, &asked, next.seed);
    let part = Catalogue::new(&kept)?;
    let query = |&(before, after): &(&[String], &String)| part.query(before, after, next.mask);
    let valid: Vec<Query> = held.iter().map(query).collect();
    let chosen = choose(next, &part, &kept, &valid, progress)?;

    progress.stage("fitting");
    let (follow, model) = chosen.model(next, &whole, &lines, progress)?;
    let each = each(&model, &queries);
    let test = Hits::mean(&each);
    let cases = (1..).map(Name::Query).zip(
        asked
            .iter()
            .map(|(before, after)| Asked::of(before.iter().chain([after]).map(String::as_str))),
    );
    let detail = Detail::new(cases, &each, of_next(&queries, &each, next.seed), next.seed);
    let micros = timed(&model, &queries);
    let tracks = whole.len();
    let Chosen { valid, taste, .. } = chosen;
    let taste = taste.map(|taste| (taste.settings, taste.beside));
    let bytes_per_item = used(&model) as f64 / tracks as f64;
    Ok(NextOutcome { test, detail, valid, follow, taste, bytes_per_item, tracks, micros })
}

/// Bytes of the sections that tell the next track.
fn used(model: &Model) -> usize {
    const USED: [SectionKind; 5] = [
        SectionKind::Ids,
        SectionKind::Factors,
        SectionKind::Taste,
        SectionKind::Neighbours,
        SectionKind::Transitions,
    ];
    let used = model.sections().filter(|(id, _)| USED.contains(&id.kind));
    used.map(|(_, bytes)| bytes.len()).sum()
}

/// Microseconds of single queries, on one thread: the median, and the 99th of a hundred.
fn timed(model: &Model, queries: &[Query]) -> [f64; 2] {
    const MOST: usize = 5000;
    let mut session = Session::new(model);
    let mut found = Vec::new();
    let every = queries.len().div_ceil(MOST).max(1);
    let mut micros: Vec<f64> = queries
        .iter()
        .step_by(every)
        .map(|query| {
            let start = Instant::now();
            ask(model, &mut session, query, &mut found);
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    micros.sort_unstable_by(f64::total_cmp);
    [0.5, 0.99].map(|share| micros[((micros.len() - 1) as f64 * share) as usize])
}

//! `segue evaluate next`: which track comes next in a sitting.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
    time::Instant,
};

use rayon::prelude::*;
use segue_core::{
    event::Kind,
    fold_in::Pull,
    ids::{Row, fingerprint},
    kernel::Place,
    model::{Model, Responses, SectionKind},
    rank::top,
    rng::SplitMix64,
    session::{Evidence, Observation, Session},
    sitting::LONGEST,
};

use super::{
    figures::{Detail, Name},
    intervals::means,
    ranking::Case,
    slices::of_next,
};
use crate::{
    Interrupted, TrainError,
    als::Factors,
    assemble::{FoldIn, ranking_model},
    coding::{self, fine},
    factors::{self, Settings},
    log::{read_next, read_sittings},
    matrix::Matrix,
    progress::Progress,
    search::{
        Effort, Follow, Found, Task, Tried, carried, coarseness, density, follow, search, settle,
        with_transitions,
    },
    transitions::Sittings,
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
}

/// What came out.
#[derive(Clone, Debug)]
pub struct NextOutcome {
    /// On the test queries.
    pub test: Hits,
    /// The same by query and by parts, and how sure it is.
    pub detail: Detail,
    /// On those that settings were chosen on.
    pub valid: Hits,
    /// How the next track is told.
    pub follow: Follow,
    /// Whether taste has a say in it.
    pub taste: bool,
    /// Bytes of the sections used, over the tracks of the training sittings.
    pub bytes_per_item: f64,
    /// Tracks in the model.
    pub tracks: usize,
    /// Microseconds for a query, from an empty session to the best 20: the median, and the 99th of a
    /// hundred.
    pub micros: [f64; 2],
}

/// One sitting so far, and what came next.
#[derive(Clone, Debug)]
pub struct Query {
    /// What was known of the listener before it.
    pub listener: Arc<[Evidence]>,
    /// Rows of the tracks, in order.
    pub before: Vec<u32>,
    /// The next one; `None` where training never saw it.
    pub next: Option<u32>,
    /// Whether tracks of the sitting are left out.
    pub mask: bool,
}

/// How often the next track was among the first, and how far up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hits {
    /// The share of queries whose next track was among the first 10.
    pub hits_10: f64,
    /// The mean of 1/log₂(place + 1), 0 beyond the first 10.
    pub ndcg_10: f64,
    /// The share among the first 20.
    pub hits_20: f64,
    /// The mean of 1/place, 0 beyond the first 20.
    pub mrr_20: f64,
    /// How many queries.
    pub queries: usize,
}

impl Hits {
    /// What settings are chosen by.
    pub fn objective(&self) -> f64 {
        self.hits_20 + self.mrr_20
    }

    fn mean(each: &[[f64; 4]]) -> Self {
        let [hits_20, mrr_20, hits_10, ndcg_10] = means(each);
        Self { hits_10, ndcg_10, hits_20, mrr_20, queries: each.len() }
    }
}

/// Tracks that a ranking holds.
pub(crate) const FIRST: usize = 20;

impl Query {
    /// Puts the listener and the sitting so far into `session`, in the place of what is there.
    pub(crate) fn observe(&self, model: &Model, session: &mut Session) {
        session.clear(model);
        self.listener.iter().for_each(|evidence| session.take(model, evidence));
        for &track in &self.before {
            session.observe(model, Observation { row: Row(track), kind: Kind::Play, heard: None });
        }
    }

    /// Whether a track may be among those found.
    pub(crate) fn may_be(&self, row: Row) -> bool {
        !self.mask || !self.before.contains(&row.0)
    }

    /// How far up the next track is among those `found`, as [`super::figures::NEXT`] has it.
    pub(crate) fn figures(&self, found: &[Place]) -> [f64; 4] {
        let place = found.iter().position(|place| Some(place.index()) == self.next);
        let Some(place) = place else { return [0.0; 4] };
        let first = if place < 10 { 1.0 } else { 0.0 };
        let place = place as f64;
        [1.0, 1.0 / (place + 1.0), first, first / (place + 2.0).log2()]
    }
}

/// The accuracy of `model`, through a session of its own for each query, and what each query adds to the
/// objective. Parallel.
pub fn hits(model: &Model, queries: &[Query]) -> (Hits, Vec<f64>) {
    judged(&each(model, queries))
}

/// What comes of the figures of each query.
pub(crate) fn judged(each: &[[f64; 4]]) -> (Hits, Vec<f64>) {
    let worth = each.iter().map(|[hit, reciprocal, ..]| hit + reciprocal);
    (Hits::mean(each), worth.collect())
}

/// What each query adds to the figures of [`super::figures::NEXT`]. Parallel.
fn each(model: &Model, queries: &[Query]) -> Vec<[f64; 4]> {
    let figures = |(session, found): &mut (Session, Vec<Place>), query: &Query| {
        ask(model, session, query, found);
        query.figures(found)
    };
    let start = || (Session::new(model), Vec::new());
    queries.par_iter().map_init(start, figures).collect()
}

/// Puts the first 20 for `query` into `found`.
fn ask(model: &Model, session: &mut Session, query: &Query, found: &mut Vec<Place>) {
    query.observe(model, session);
    top(model, session, FIRST, |row| query.may_be(row), found);
}

/// Fits on `train`, a part of which is held out to choose on, and reports on `test`.
pub fn evaluate_next(next: &Next<'_>, progress: &Progress<'_>) -> Result<NextOutcome, TrainError> {
    let lines = read_sittings(next.train)?;
    let asked = read_next(next.test)?;
    let whole = Catalogue::new(&lines)?;
    let queries: Vec<Query> = asked
        .iter()
        .map(|(before, after)| Query {
            listener: Arc::default(),
            before: whole.rows(before),
            next: whole.row_of.get(after.as_str()).copied(),
            mask: next.mask,
        })
        .collect();

    let (kept, held) = hold_out(&lines, &asked, next.seed);
    let part = Catalogue::new(&kept)?;
    let known = |(before, after): &(&[String], &String)| Query {
        listener: Arc::default(),
        before: part.rows(before),
        next: part.row_of.get(after.as_str()).copied(),
        mask: next.mask,
    };
    let valid: Vec<Query> = held.iter().map(known).collect();
    let chosen = choose(next, &part, &kept, &valid, progress)?;

    progress.stage("fitting");
    let model = chosen.model(next, &whole, &lines, progress)?;
    let each = each(&model, &queries);
    let (test, names) = (Hits::mean(&each), (1..).map(Name::Query));
    let detail = Detail::new(names, &each, of_next(&queries, &each, next.seed), next.seed);
    let micros = timed(&model, &queries);
    let used =
        [SectionKind::Ids, SectionKind::Factors, SectionKind::Taste, SectionKind::Transitions];
    let used = model.sections().filter(|(id, _)| used.contains(&id.kind));
    let bytes: usize = used.map(|(_, bytes)| bytes.len()).sum();
    let tracks = whole.fingerprints.len();
    let Chosen { follow, valid, taste } = chosen;
    let (taste, bytes_per_item) = (taste.is_some(), bytes as f64 / tracks as f64);
    Ok(NextOutcome { test, detail, valid, follow, taste, bytes_per_item, tracks, micros })
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

/// The tracks of some sittings, by fingerprint.
struct Catalogue<'a> {
    fingerprints: Vec<u64>,
    row_of: HashMap<&'a str, u32>,
}

impl<'a> Catalogue<'a> {
    fn new<L: AsRef<[String]>>(sittings: &'a [L]) -> Result<Self, TrainError> {
        let items: HashSet<&str> =
            sittings.iter().flat_map(|line| line.as_ref().iter().map(String::as_str)).collect();
        let mut sorted: Vec<(u64, &str)> = items.iter().map(|id| (fingerprint(id), *id)).collect();
        sorted.sort_unstable();
        if sorted.is_empty() {
            return Err(TrainError::Empty);
        }
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(TrainError::Collision(pair[0].1.into(), pair[1].1.into()));
        }
        let fingerprints = sorted.iter().map(|(fingerprint, _)| *fingerprint).collect();
        let row_of = sorted.iter().zip(0..).map(|((_, id), row)| (*id, row)).collect();
        Ok(Self { fingerprints, row_of })
    }

    /// Those that are known, in order.
    fn rows(&self, items: &[String]) -> Vec<u32> {
        items.iter().filter_map(|item| self.row_of.get(item.as_str()).copied()).collect()
    }

    fn sittings<L: AsRef<[String]>>(&self, lines: &[L]) -> Sittings {
        Sittings::new(self.fingerprints.len(), lines.iter().map(|line| self.rows(line.as_ref())))
    }

    /// Sittings × tracks.
    fn matrix<L: AsRef<[String]>>(&self, lines: &[L]) -> Matrix {
        let yes = Pull { weight: 1.0, information: 1.0 };
        let row = |line: &L| {
            let mut rows = self.rows(line.as_ref());
            rows.sort_unstable();
            rows.dedup();
            rows.into_iter().map(move |row| (row, yes))
        };
        Matrix::from_rows(self.fingerprints.len(), lines.iter().map(row))
    }
}

/// Queries of which the answer was held out.
type Held<'a> = Vec<(&'a [String], &'a String)>;
/// Most queries to choose on.
const MOST_HELD: usize = 4000;
/// Most of them from one sitting: one that is out of all proportion is not to choose for the others.
const MOST_OF_ONE: usize = 200;

/// Takes out of `lines` what is asked for as the test asks: the last track of each sitting where the
/// test goes on from sittings of the training file, else whole sittings, one in ten; nothing where nothing
/// would be left. As much comes before a query as a device keeps of a sitting.
fn hold_out<'a>(
    lines: &'a [Vec<String>],
    asked: &[(Vec<String>, String)],
    seed: u64,
) -> (Vec<&'a [String]>, Held<'a>) {
    let known: HashSet<&[String]> = lines.iter().map(Vec::as_slice).collect();
    let going_on = asked.iter().filter(|(before, _)| known.contains(before.as_slice())).count();
    let lately = |before: &'a [String]| &before[before.len().saturating_sub(LONGEST)..];
    let mut held: Vec<(usize, (&[String], &String))> = Vec::new();
    let mut kept: Vec<&[String]> = Vec::new();
    if going_on * 2 > asked.len() {
        for (number, line) in lines.iter().enumerate() {
            match line.split_last().filter(|(_, before)| !before.is_empty()) {
                Some((next, before)) => {
                    held.push((number, (lately(before), next)));
                    kept.push(before);
                }
                None => kept.push(line),
            }
        }
    } else {
        let mut rng = SplitMix64::new(seed);
        for (number, line) in lines.iter().enumerate() {
            if rng.below(10) > 0 {
                kept.push(line);
            } else {
                let query = |at| (number, (lately(&line[..at]), &line[at]));
                held.extend((1..line.len()).map(query));
            }
        }
    }
    if kept.is_empty() {
        return (lines.iter().map(Vec::as_slice).collect(), Held::new());
    }
    let mut rng = SplitMix64::new(seed);
    for last in (1..held.len()).rev() {
        held.swap(last, rng.below(last + 1));
    }
    let mut of_one = vec![0; lines.len()];
    held.retain(|&(number, _)| {
        of_one[number] += 1;
        of_one[number] <= MOST_OF_ONE
    });
    let held = held.into_iter().map(|(_, query)| query).take(MOST_HELD).collect();
    (kept, held)
}

/// What the held-out queries chose.
struct Chosen {
    follow: Follow,
    valid: Hits,
    taste: Option<Taste>,
}

/// Factors beside what follows what.
struct Taste {
    settings: Settings,
    seed: u64,
    fold_in: FoldIn,
    coarseness: f32,
    density: f64,
}

fn choose(
    next: &Next<'_>,
    part: &Catalogue<'_>,
    kept: &[&[String]],
    valid: &[Query],
    progress: &Progress<'_>,
) -> Result<Chosen, TrainError> {
    let sittings = part.sittings(kept);
    let blank = blank(part.fingerprints.as_slice())?;
    let alone = follow(&blank, &sittings, valid, Follow::start(next.support), progress)?;

    let by_user = part.matrix(kept);
    let by_item = by_user.transposed();
    let heard = |&row: &u32| {
        let mut evidence = Evidence::new(Row(row));
        evidence.add(Kind::Play, 1.0);
        evidence
    };
    let case = |query: &Query| {
        let mut known = query.before.clone();
        known.sort_unstable();
        known.dedup();
        let new = query.next.filter(|next| known.binary_search(next).is_err());
        let held_out: Vec<Row> = new.into_iter().map(Row).collect();
        let known = known.iter().map(heard).collect();
        Case { known, held_out, missing: 0, repeats: false }
    };
    let cases: Vec<Case> =
        valid.iter().map(case).filter(|case| !case.held_out.is_empty()).collect();
    if cases.is_empty() {
        return Ok(Chosen::without_taste(&alone));
    }
    let task = Task {
        fingerprints: &part.fingerprints,
        by_user: &by_user,
        by_item: &by_item,
        tracks: part.fingerprints.len(),
        validation: &cases,
        responses: Responses::default(),
        dim: next.dim,
        seed: next.seed,
        head: None,
        effort: Effort::QUICK,
    };
    let Found { settings, seed, mut trainer, .. } = search(&task, progress)?;
    let loss = settings.fold_in(task.by_user.columns());
    let settled = settle(&task, &mut trainer, &loss, task.responses, progress)?;
    let fold_in = settled.fold_in;
    let model = ranking_model(&part.fingerprints, &fine(&trainer.factors), &fold_in)?;
    let beside = follow(&model, &sittings, valid, alone.follow, progress)?;
    if beside.hits.objective() <= alone.hits.objective() {
        return Ok(Chosen::without_taste(&alone));
    }
    let coarseness = coarseness(&task, &trainer.factors, &settings.loss, &settled, progress)?;
    let density = density(&by_user);
    let taste = Some(Taste { settings, seed, fold_in, coarseness, density });
    Ok(Chosen { follow: beside.follow, valid: beside.hits, taste })
}

/// A model that knows nothing of taste.
fn blank(fingerprints: &[u64]) -> Result<Model, TrainError> {
    let factors = Factors { dim: 1, users: vec![0.0], items: vec![0.0; fingerprints.len()] };
    let loss = segue_core::model::Loss { unobserved: 1.0, ridge: 1.0, exponent: 1.0 };
    let fold_in = FoldIn { loss, pull: 1.0, responses: Responses::default() };
    Ok(ranking_model(fingerprints, &fine(&factors), &fold_in)?)
}

impl Chosen {
    fn without_taste(tried: &Tried) -> Self {
        Self { follow: tried.follow, valid: tried.hits, taste: None }
    }

    /// Everything that ships, of all sittings.
    fn model(
        &self,
        next: &Next<'_>,
        whole: &Catalogue<'_>,
        lines: &[Vec<String>],
        progress: &Progress<'_>,
    ) -> Result<Model, TrainError> {
        let base = match &self.taste {
            None => blank(&whole.fingerprints)?,
            Some(taste) => taste.model(next, whole, lines, progress)?,
        };
        let parts = self.follow.parts(&whole.sittings(lines), progress)?;
        with_transitions(&base, &parts).ok_or(TrainError::Empty)
    }
}

impl Taste {
    fn model(
        &self,
        next: &Next<'_>,
        whole: &Catalogue<'_>,
        lines: &[Vec<String>],
        progress: &Progress<'_>,
    ) -> Result<Model, TrainError> {
        let by_user = whole.matrix(lines);
        let by_item = by_user.transposed();
        let loss = carried(&self.settings.loss, self.density, density(&by_user));
        let settings = Settings { loss, ..self.settings };
        let pairs = (&by_user, &by_item);
        let mut trainer = factors::train(pairs, next.dim, &settings, self.seed, progress)?;
        let mut fold_in = self.fold_in;
        fold_in.loss = carried(&fold_in.loss, self.density, density(&by_user));
        trainer.solve_users(&fold_in.loss, &|| progress.stopped());
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        let coded = coding::compact(&trainer.factors, &by_item, &loss, self.coarseness, &[])?;
        Ok(ranking_model(&whole.fingerprints, &coded, &fold_in)?)
    }
}

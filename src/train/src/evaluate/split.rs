//! `segue evaluate split`: recall and NDCG on a fixed split of listener–item pairs.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    time::Duration,
};

use segue_core::{
    event::Kind,
    fold_in::Pull,
    ids::{Row, fingerprint},
    model::{
        FactorsDigest, Model, NeighbourParts, Neighbours, Responses, SectionKind, Taste,
        encode_taste,
    },
    rng::SplitMix64,
    session::Evidence,
};

use super::{
    exposure::Exposure,
    figures::{Asked, Detail, Name},
    ranking::{Accuracy, Case, FloatScorer, Measured, Ranked, ranked},
    slices::of_split,
};
use crate::{
    Interrupted, TrainError,
    als::Factors,
    assemble::{FoldIn, taste_parts, whole_model},
    coding::{self, Coded, gram, mean},
    factors::{self, Settings, Start},
    log::excerpt,
    log::read_interactions,
    matrix::Matrix,
    progress::Progress,
    search::{
        Attempts, Beside, Effort, Found, Settled, Task, beside, carried, coarseness, density,
        search, settle,
    },
};

/// Which form of the factors is ranked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Factors as trained.
    F32,
    /// Factors as bytes, as near as they come.
    Int8,
    /// The model that ships: encoded for the network and decoded again.
    Wire,
}

/// What to evaluate.
#[derive(Clone, Copy, Debug)]
pub struct Split<'a> {
    /// Pairs to fit on.
    pub train: &'a Path,
    /// Pairs to choose settings on; a part of `train` is held out where there are none.
    pub valid: Option<&'a Path>,
    /// Pairs to report on, looked at once.
    pub test: &'a Path,
    /// Components of a factor.
    pub dim: usize,
    /// Which form of the factors is ranked with.
    pub precision: Precision,
    /// Seed of the first factors and of what is held out.
    pub seed: u64,
    /// How long the search may take, about.
    pub budget: Option<Duration>,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// On the test pairs.
    pub test: Accuracy,
    /// The same by listener and by parts, and how sure it is.
    pub detail: Detail,
    /// How what is recommended to them spreads over the catalogue.
    pub exposure: Exposure,
    /// What was chosen, and its accuracy on the validation pairs.
    pub chosen: Chosen,
    /// Bytes of the sections used, over the tracks with at least one training pair.
    pub bytes_per_item: f64,
    /// Tracks in the model.
    pub tracks: usize,
    /// Listeners of the test pairs that have no training pair, and are ranked for all the same.
    pub strangers: usize,
}

/// What the validation pairs chose.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// How the factors are trained.
    pub settings: Settings,
    /// The seed of the first factors.
    pub seed: u64,
    /// How listeners are folded in, and the accuracy on the validation pairs.
    pub settled: Settled,
    /// How coarsely the factors are coded.
    pub coarseness: f32,
    /// What goes beside the factors, where that gains anything, and the accuracy with it.
    pub beside: Option<Beside>,
    /// What was tried, method by method.
    pub tried: Vec<Attempts>,
}

impl Chosen {
    /// For pairs of density `to`, of which a part, of density `from`, chose it.
    fn carried(mut self, from: f64, to: f64) -> Self {
        for loss in [&mut self.settings.loss, &mut self.settled.fold_in.loss] {
            *loss = carried(loss, from, to);
        }
        self
    }
}

/// Fits on `train`, chooses on `valid`, reports on `test`. Only the items of `train` are masked;
/// every listener is folded in from them through the engine that ships.
pub fn evaluate(split: &Split<'_>, progress: &Progress<'_>) -> Result<Outcome, TrainError> {
    let train = read_interactions(split.train)?;
    let mut asked = read_interactions(split.test)?;
    asked.retain(|(_, items)| !items.is_empty());
    let valid = split.valid.map(read_interactions).transpose()?;
    let whole = Pairs::new(&train)?;
    let strangers = strangers(&train, &asked);
    if let (Some((theirs, _)), Some((ours, _))) = (asked.first(), train.first())
        && strangers == asked.len()
    {
        return Err(TrainError::UnknownListeners {
            test: split.test.into(),
            train: split.train.into(),
            theirs: excerpt(theirs),
            ours: excerpt(ours),
        });
    }
    let test = reachable(cases(&whole, &train, &asked));
    let test = test.ok_or_else(|| TrainError::Unreachable(split.test.into()))?;

    let chosen = if let (Some(valid), Some(path)) = (&valid, split.valid) {
        let valid = cases(&whole, &train, valid);
        let valid = reachable(valid).ok_or_else(|| TrainError::Unreachable(path.into()))?;
        choose(split, &whole, &valid, progress)?
    } else {
        let (kept, held) = hold_out(&train, split.seed);
        let part = Pairs::new(&kept)?;
        let held = reachable(cases(&part, &kept, &held));
        let held = held.ok_or_else(|| TrainError::Unchosen(split.train.into()))?;
        let chosen = choose(split, &part, &held, progress)?;
        chosen.carried(density(&part.by_user), density(&whole.by_user))
    };

    progress.stage("fitting");
    let Chosen { settings, seed, settled, coarseness, beside, .. } = &chosen;
    let pairs = (&whole.by_user, &whole.by_item);
    let mut trainer = factors::train(pairs, split.dim, settings, *seed, Start::Anew, progress)?;
    trainer.solve_users(&settled.fold_in.loss, &|| progress.stopped());
    if progress.stopped() {
        return Err(Interrupted.into());
    }
    let fold_in = &settled.fold_in;
    let neighbours = beside.map(|beside| beside.neighbours(&whole.by_user, &whole.by_item));
    let neighbours = neighbours.as_ref();
    let shipped = |coded: &Coded| -> Result<(Vec<Ranked>, usize), TrainError> {
        let model = whole_model(&whole.fingerprints, coded, fold_in, neighbours)?;
        Ok((ranked(&model, &test), stored_bytes(&model)))
    };
    let (ranked, bytes) = match split.precision {
        Precision::Int8 => shipped(&coding::fine(&trainer.factors))?,
        Precision::Wire => {
            let (by_item, loss) = (&whole.by_item, &settings.loss);
            shipped(&coding::compact(&trainer.factors, by_item, loss, *coarseness, &[])?)?
        }
        Precision::F32 => {
            let measure = |scorer: &FloatScorer<'_>| ranked(scorer, &test);
            as_trained(&trainer.factors, fold_in, neighbours, measure)?
        }
    };
    let plays = whole.by_item.positives();
    let tracks = plays.len();
    let measured: Vec<Measured> = ranked.iter().map(|ranked| ranked.measured).collect();
    let figures: Vec<[f64; 4]> = measured.iter().map(Measured::figures).collect();
    let cases = asked.into_iter().map(|(listener, mut items)| {
        items.sort_unstable();
        (Name::Listener(listener), Asked::of(items.iter().map(String::as_str)))
    });
    let slices = of_split(&test, &ranked, &plays, split.seed);
    Ok(Outcome {
        test: Accuracy::mean(&measured),
        detail: Detail::new(cases, &figures, slices, split.seed),
        exposure: Exposure::new(&test, &ranked, &plays, split.seed),
        chosen,
        bytes_per_item: bytes as f64 / tracks as f64,
        tracks,
        strangers,
    })
}

/// What `measure` finds of the factors as they are, and the bytes that they would take.
pub(crate) fn as_trained<T>(
    factors: &Factors,
    fold_in: &FoldIn,
    beside: Option<&NeighbourParts>,
    measure: impl FnOnce(&FloatScorer<'_>) -> T,
) -> Result<(T, usize), TrainError> {
    let Factors { dim, items, .. } = factors;
    let rows = items.len() / dim;
    let parts = taste_parts(rows, mean(&factors.users, *dim), fold_in);
    let (gram, digest) = (gram(items, *dim), FactorsDigest::of(&[]));
    let section = encode_taste(&parts, digest);
    let taste = Taste::read(section.as_slice(), *dim, &gram, digest)?;
    let neighbours = beside.and_then(Neighbours::new);
    let neighbours = neighbours.as_ref();
    // A pair is two numbers and a level, a track has a class.
    let pairs = beside.map_or(0, |all| all.classes.len() + all.pairs.len() * 9);
    let bytes =
        (size_of::<u64>() + dim * size_of::<f32>()) * rows + section.as_slice().len() + pairs;
    Ok((measure(&FloatScorer { items, taste, neighbours }), bytes))
}

/// `cases`, unless no ranking could do well on any of them.
fn reachable(cases: Vec<Case>) -> Option<Vec<Case>> {
    // What is known is by row, ascending.
    let known = |case: &Case, row: &Row| {
        case.known.binary_search_by_key(row, |evidence| evidence.row).is_ok()
    };
    let any = cases.iter().any(|case| case.held_out.iter().any(|row| !known(case, row)));
    any.then_some(cases)
}

fn choose(
    split: &Split<'_>,
    pairs: &Pairs,
    validation: &[Case],
    progress: &Progress<'_>,
) -> Result<Chosen, TrainError> {
    let task = Task {
        fingerprints: &pairs.fingerprints,
        by_user: &pairs.by_user,
        by_item: &pairs.by_item,
        tracks: pairs.by_user.columns(),
        validation,
        responses: Responses::default(),
        dim: split.dim,
        seed: split.seed,
        head: None,
        effort: Effort::of_pairs(pairs.by_user.len()).within(split.budget),
    };
    let Found { settings, seed, mut trainer, tried } = search(&task, progress)?;
    let loss = settings.fold_in(task.by_user.columns());
    let settled = settle(&task, &mut trainer, &loss, task.responses, progress)?;
    let coarseness = coarseness(&task, &trainer.factors, &settings.loss, &settled, progress)?;
    let beside = beside(&task, &trainer.factors, &settled, progress)?;
    Ok(Chosen { settings, seed, settled, coarseness, beside, tried })
}

pub(super) fn stored_bytes(model: &Model) -> usize {
    let used =
        [SectionKind::Ids, SectionKind::Factors, SectionKind::Taste, SectionKind::Neighbours];
    model.sections().filter(|(id, _)| used.contains(&id.kind)).map(|(_, bytes)| bytes.len()).sum()
}

type Lists = Vec<(String, Vec<String>)>;

/// Listener–item pairs by number.
struct Pairs {
    fingerprints: Vec<u64>,
    row_of: HashMap<String, Row>,
    by_user: Matrix,
    by_item: Matrix,
}

impl Pairs {
    fn new(lists: &Lists) -> Result<Self, TrainError> {
        let items: HashSet<&str> =
            lists.iter().flat_map(|(_, items)| items.iter().map(String::as_str)).collect();
        let mut sorted: Vec<(u64, &str)> = items.iter().map(|id| (fingerprint(id), *id)).collect();
        sorted.sort_unstable();
        if sorted.is_empty() {
            return Err(TrainError::Empty);
        }
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(TrainError::Collision(pair[0].1.into(), pair[1].1.into()));
        }
        let rows = sorted.iter().enumerate();
        let row_of: HashMap<String, Row> =
            rows.map(|(row, (_, id))| ((*id).to_owned(), Row(row as u32))).collect();
        let seen = Pull { weight: 1.0, information: 1.0 };
        let by_user = Matrix::from_rows(
            sorted.len(),
            lists.iter().map(|(_, items)| {
                let mut rows: Vec<u32> = items.iter().map(|item| row_of[item].0).collect();
                rows.sort_unstable();
                rows.dedup();
                rows.into_iter().map(move |row| (row, seen))
            }),
        );
        let by_item = by_user.transposed();
        let fingerprints = sorted.iter().map(|(fingerprint, _)| *fingerprint).collect();
        Ok(Self { fingerprints, row_of, by_user, by_item })
    }
}

/// How many of those that are `asked` for have no item in `train`.
fn strangers(train: &Lists, asked: &Lists) -> usize {
    let known: HashSet<&str> = train
        .iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(user, _)| user.as_str())
        .collect();
    asked.iter().filter(|(user, _)| !known.contains(user.as_str())).count()
}

/// One case for each listener of `held`; what `known` says of them is what the device has seen.
fn cases(pairs: &Pairs, known: &Lists, held: &Lists) -> Vec<Case> {
    let mut history: HashMap<&str, Vec<Row>> = HashMap::new();
    for (user, items) in known {
        let rows = history.entry(user).or_default();
        rows.extend(items.iter().filter_map(|item| pairs.row_of.get(item)));
        rows.sort_unstable();
        rows.dedup();
    }
    held.iter()
        .map(|(user, items)| {
            let rows = history.get(user.as_str()).map_or(&[][..], Vec::as_slice);
            let unique: HashSet<&String> = items.iter().collect();
            let mut held_out: Vec<Row> =
                unique.iter().filter_map(|item| pairs.row_of.get(*item).copied()).collect();
            held_out.sort_unstable();
            let missing = unique.len() - held_out.len();
            Case { known: rows.iter().map(heard).collect(), held_out, missing, repeats: false }
        })
        .collect()
}

fn heard(row: &Row) -> Evidence {
    let mut evidence = Evidence::new(*row);
    evidence.add(Kind::Play, 1.0);
    evidence
}

/// Takes one item in eight of each listener with at least two out of `lists`.
fn hold_out(lists: &Lists, seed: u64) -> (Lists, Lists) {
    let mut rng = SplitMix64::new(seed);
    let (mut kept, mut held) = (Lists::new(), Lists::new());
    for (user, items) in lists {
        let mut seen = HashSet::new();
        let mut items: Vec<String> =
            items.iter().filter(|item| seen.insert(item.as_str())).cloned().collect();
        let out = if items.len() < 2 { 0 } else { items.len().div_ceil(8) };
        for last in (items.len() - out..items.len()).rev() {
            let pick = rng.below(last + 1);
            items.swap(pick, last);
        }
        held.push((user.clone(), items.split_off(items.len() - out)));
        kept.push((user.clone(), items));
    }
    (kept, held)
}
